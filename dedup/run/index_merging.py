"""When posting rows move from the small table of an index, which takes what is new, to the large one."""

from dedup.index import reads, writes
from dedup.index.store import Store

MAX_RECENT_ROWS = 1_500_000
"""Posting rows that are kept apart for writing; beyond, they move to the large table. The small one stays in
the page cache, so that a row costs no read from the disk."""

_MOST_ROWS = 128  # more posting rows than an article has


class Merging:
    """What is known of the recent posting rows of a store, and how far a merge of them has come."""

    def __init__(self) -> None:
        self._recent_rows: int | None = None
        self._merge_from: int | None = None

    def merge_all(self, store: Store) -> None:
        """Move all recent posting rows, in transactions of a fraction of a second."""
        key: int | None = 0
        while key is not None:
            with store.writing() as connection:
                key = writes.merge_postings(connection, key)
        self._recent_rows = None

    def merge_if_due(self, store: Store, num_added: int) -> None:
        """Move some recent posting rows once there are many, a few after each step, so that none waits long.

        They are counted now and then, for other processes write too.
        """
        if self._merge_from is None:
            most_rows = _MOST_ROWS * num_added
            if self._recent_rows is not None and self._recent_rows + most_rows <= MAX_RECENT_ROWS:
                self._recent_rows += most_rows
                return
            with store.reading() as connection:
                rows = reads.count_recent(connection)
            if rows <= MAX_RECENT_ROWS:
                self._recent_rows = min(rows, MAX_RECENT_ROWS - MAX_RECENT_ROWS // 8)
                return
            self._merge_from, self._recent_rows = 0, None
        for _ in range(1 + 4 * _MOST_ROWS * num_added // writes.MERGED_ROWS):
            with store.writing() as connection:
                self._merge_from = writes.merge_postings(connection, self._merge_from)
            if self._merge_from is None:
                return
