"""The upkeep of an index: pruning, other formulas, counts, and when posting rows move to the large table."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.index import posting_tables, reads, writes
from dedup.index.posting_tables import MERGE_START, MergePoint
from dedup.index.store import Store
from dedup.run.admitting import remove
from dedup.run.index_formulas import FormulasInForce
from dedup.settings import Settings

_PRUNED_AT_ONCE = 500

MAX_RECENT_ROWS = 2_000_000
"""Posting rows, one a key, that are kept apart for writing; beyond, they move to the large table. The small
one stays in the page cache, so that a row costs no read from the disk. A merge writes nearly each page of
the large one, however many rows move."""

_MOST_ROWS = 128  # more posting rows than an article has


class Merging:
    """What is known of the recent posting rows of a store, and how far a merge of them has come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent_rows: int | None = None
        self._merge_at: MergePoint | None = None

    def merge_all(self, store: Store) -> None:
        """Move all recent posting rows, in transactions of a fraction of a second."""
        at: MergePoint | None = MERGE_START
        while at is not None:
            with store.writing() as connection:
                at = posting_tables.merge_postings(connection, at)
        self._recent_rows = None

    def merge_if_due(self, store: Store, num_added: int) -> None:
        """Move some recent posting rows once there are many, a few after each step, so that none waits long.

        They are counted now and then, for other processes write too. Of several threads one at a time
        does so; the others go on.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._is_due(store, num_added):
                self._merge_some(store, num_added)
        finally:
            self._lock.release()

    def _is_due(self, store: Store, num_added: int) -> bool:
        if self._merge_at is not None:
            return True
        most_rows, recent_rows = _MOST_ROWS * num_added, self._recent_rows
        if recent_rows is not None and recent_rows + most_rows <= MAX_RECENT_ROWS:
            self._recent_rows = recent_rows + most_rows
            return False
        with store.reading() as connection:
            rows = posting_tables.count_recent(connection)
        if rows <= MAX_RECENT_ROWS:
            self._recent_rows = min(rows, MAX_RECENT_ROWS - MAX_RECENT_ROWS // 8)
            return False
        self._merge_at, self._recent_rows = MERGE_START, None
        return True

    def _merge_some(self, store: Store, num_added: int) -> None:
        for _ in range(1 + 4 * _MOST_ROWS * num_added // posting_tables.MERGED_ROWS):
            if self._merge_at is None:
                return
            with store.writing() as connection:
                at = posting_tables.merge_postings(connection, self._merge_at)
            self._merge_at = at  # only once it is committed: the log of keys is cut by it


def prune(store: Store, bound: int, settings: Settings, formulas: FormulasInForce) -> int:
    """Remove the articles published before a time, members first, in many transactions; return how many."""
    return sum(_prune(store, bound, settings, formulas, members=members) for members in (True, False))


def _prune(store: Store, bound: int, settings: Settings, formulas: FormulasInForce, *, members: bool) -> int:
    count = 0
    last = 0
    while True:
        with store.writing() as connection:
            nos = reads.numbers_before(connection, bound, last, _PRUNED_AT_ONCE, members=members)
            remove(connection, nos, settings, formulas.within(connection), now())
        count += len(nos)
        if len(nos) < _PRUNED_AT_ONCE:
            return count
        last = nos[-1]


def put_formulas(store: Store, formulas: npt.NDArray[np.uint32], num_articles: int) -> int:
    """Put formulas, uint32, learned from so many articles, in force; return their version."""
    hashes = np.unique(formulas).astype("<u4").tobytes()
    with store.writing() as connection:
        version = reads.formula_version(connection) + 1
        writes.put_formulas(connection, version, hashes, num_articles, now())
    return version


def stats_of(store: Store, settings: Settings) -> dict[str, Any]:
    """Return counts, sizes in bytes, and the settings."""
    with store.reading() as connection:
        counts = reads.counts(connection)
        meta = reads.read_meta(connection)
    return {
        **counts,
        "file_bytes": store.path.stat().st_size,
        "log_bytes": _size(store.path.with_name(store.path.name + "-wal")),
        "created_at": meta["created_at"],
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint(),
    }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def now() -> int:
    """Return the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000
