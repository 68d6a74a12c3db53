"""The persistent index: is this article new, or a copy of one that is held, and of which?"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import ArticleId, Change, Fields, Group, HeldArticle, Link, Verdict
from dedup.errors import InputError, RecordError
from dedup.formats.dates import parse_date
from dedup.index import reads, writes
from dedup.index.store import Store
from dedup.index.verify import find_problems
from dedup.run import index_groups
from dedup.run.admitting import admit, foresee, plan_removal, write_plan
from dedup.run.index_batches import Batch, batch_of, batches_of, checked_mapping
from dedup.run.index_formulas import learn_formulas
from dedup.run.index_settings import check_profile, meta_of, settings_for
from dedup.settings import Settings

MAX_RECENT_ROWS = 2_000_000
"""Posting rows, one a key, that are kept apart for writing; beyond, they move to the large table. The small
one stays in the page cache, so that a row costs no read from the disk. A merge writes nearly each page of
the large one, however many rows move."""

_MOST_ROWS = 128  # more posting rows than an article has
_PRUNED_AT_ONCE = 500
_CHANGES_AT_ONCE = 1000
_ARTICLES_AT_ONCE = 1000


class Index:
    """Articles and their groups in one file that several threads and processes can use at once.

    An article is a mapping with the names of `Fields`. Each method is one transaction, or several where
    it says so; what it returns is durable. After a fork the index goes on with connections of its own.

    >>> import tempfile
    >>> story = "The harbour office said on Monday that the new ferry will sail twice a day from June"
    >>> with tempfile.TemporaryDirectory() as folder, Index.open(f"{folder}/news.dedup") as index:
    ...     first = index.add({"id": "a", "text": story})
    ...     second = index.add({"id": "b", "text": story + "."})
    >>> first.relation, second.relation, second.canonical_id
    ('new', 'exact', 'a')
    """

    def __init__(self, store: Store, settings: Settings, fields: Fields) -> None:
        self._store = store
        self.settings = settings
        self._fields = fields
        self._formulas: tuple[int, npt.NDArray[np.uint32]] = (0, np.empty(0, dtype=np.uint32))
        self._recent_rows: int | None = None
        self._merge_from: int | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        settings: Settings | None = None,
        *,
        create: bool = True,
        read_only: bool = False,
        fields: Fields | None = None,
    ) -> Self:
        """Return the index in the file `path`, made if it is not there and `create` allows.

        Without `settings` those of the file are taken, for a new one the defaults. Raises `SettingsError`
        that names the settings in which the file differs from `settings`, `IndexFileError` for a file
        that is no index or cannot be used.
        """
        if settings:
            check_profile(settings)
        path = Path(path).resolve()  # the log lies beside the file itself, not beside a link to it
        store = Store.open(
            path,
            create=create,
            read_only=read_only,
            first_rows=lambda: meta_of(settings or Settings()),
        )
        try:
            with store.reading() as connection:
                meta = reads.read_meta(connection)
            return cls(store, settings_for(meta, settings, path), fields or Fields())
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Close the file; the index cannot be used any more."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def store(self) -> Store:
        """The transactions in which the file is read and written."""
        return self._store

    @property
    def path(self) -> Path:
        """The file."""
        return self._store.path

    def check(self, article: Mapping[str, Any]) -> Verdict:
        """Return the verdict that `add` would give; nothing is written."""
        return self.check_batch(self._batch(article))[0]

    def check_batch(self, batch: Batch) -> list[Verdict]:
        """Return the verdict that each article of a batch would get, added alone; nothing is written."""
        with self._store.reading() as connection:
            formulas = self._formulas_within(connection)
            return [
                foresee(connection, batch.only(row), self.settings, formulas) for row in range(len(batch))
            ]

    def add(self, article: Mapping[str, Any]) -> Verdict:
        """Return the verdict on an article, which is stored with it.

        The same id with the same content is held already: its verdict of now is returned. With other
        content the article is updated, as by `update`.
        """
        return self.add_batch(self._batch(article))[0]

    def add_many(self, articles: Any, *, batch_size: int = 4096) -> Iterator[Verdict]:
        """Yield the verdict on each article once it is stored; each batch is one transaction.

        `articles` are mappings, also from a generator of any length, an Arrow table or a data frame. They
        are added as the verdicts are taken. Raises `RecordError` for an article that cannot be used; its
        batch is not stored.
        """
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; it is a number of articles, 1 or more")
        for batch in batches_of(articles, self.settings, self._fields, batch_size):
            yield from self.add_batch(batch)

    def add_batch(self, batch: Batch) -> list[Verdict]:
        """Return the verdicts on a batch, stored in one transaction, as `add` does."""
        with self._store.writing() as connection:
            verdicts = self._admit_within(connection, batch)
        self._merge_if_due(len(batch))
        return verdicts

    def update(self, article: Mapping[str, Any]) -> Verdict:
        """Return the verdict on an article with new content, which replaces the held one of the same id.

        What the old content said is undone: if it was canonical, the members of its group are matched
        anew. Raises `RecordError` where no article has this id.
        """
        batch = self._batch(article)
        with self._store.writing() as connection:
            if not reads.find_ids(connection, batch.keys):
                raise RecordError("the index holds no such article; add it", place=f"id {batch.keys[0]!r}")
            verdicts = self._admit_within(connection, batch)
        self._merge_if_due(len(batch))
        return verdicts[0]

    def remove(self, id_: ArticleId) -> bool:
        """Remove an article; return whether there was one.

        If it was canonical, its members are matched anew; the largest part keeps the group's id.
        """
        with self._store.writing() as connection:
            held = reads.find_ids(connection, [str(id_)])
            self._remove_within(connection, [no for no, _ in held.values()])
        return bool(held)

    def prune(self, before: Any) -> int:
        """Remove the articles published before a date; return how many. Those without a date stay.

        `before` is a datetime, a date or a string that `dedup` reads as one. Works in many transactions:
        members go first, then canonicals, so that a prune that was cut short can be done again and ends
        with the same groups.
        """
        bound = parse_date(before)
        if bound is None:
            raise InputError(f"before is {before!r}; it is a date, such as 2024-05-31")
        return sum(self._prune(bound, members) for members in (True, False))

    def get(self, id_: ArticleId) -> HeldArticle | None:
        """Return what is kept of an article, None where no article has this id."""
        with self._store.reading() as connection:
            held = reads.find_ids(connection, [str(id_)]).get(str(id_))
            if held is None:
                return None
            return index_groups.held_articles(connection, np.array([held[0]], dtype=np.int64))[0]

    def articles(self) -> Iterator[HeldArticle]:
        """Yield what is kept of all articles as they are now, in the order in which they came."""
        with self._store.reading() as connection:
            nos = reads.all_numbers(connection)
            for start in range(0, len(nos), _ARTICLES_AT_ONCE):
                yield from index_groups.held_articles(connection, nos[start : start + _ARTICLES_AT_ONCE])

    def groups(self) -> Iterator[Group]:
        """Yield the groups of two or more as they are now, in the order in which their canonicals came."""
        with self._store.reading() as connection:
            for canonical in reads.group_canonicals(connection):
                yield index_groups.group_at(connection, canonical)

    def group_of(self, id_: ArticleId) -> Group | None:
        """Return the group of an article, which may be alone in it; None where no article has this id."""
        with self._store.reading() as connection:
            held = reads.find_ids(connection, [str(id_)]).get(str(id_))
            if held is None:
                return None
            (place,) = reads.read_places(connection, np.array([held[0]], dtype=np.int64))
            return index_groups.group_at(connection, place.canonical)

    def links(self) -> list[Link]:
        """Return the cut copies, at most one from a group to another, in the order in which parts came."""
        with self._store.reading() as connection:
            return index_groups.links_of(connection)

    def changes_since(self, seq: int = 0) -> Iterator[Change]:
        """Yield the changes of groups behind the one numbered `seq`, in order; all with 0."""
        while True:
            with self._store.reading() as connection:
                rows = reads.changes_after(connection, seq, _CHANGES_AT_ONCE)
            for row in rows:
                seq = row[0]
                yield Change(*row)
            if len(rows) < _CHANGES_AT_ONCE:
                return

    def forget_changes(self, up_to: int) -> int:
        """Delete the changes up to a number, which nobody will ask for any more; return how many."""
        with self._store.writing() as connection:
            return writes.delete_changes(connection, up_to)

    def stats(self) -> dict[str, Any]:
        """Return counts of articles, copies, groups, links and rows, sizes in bytes, and the settings."""
        with self._store.reading() as connection:
            counts = reads.counts(connection)
            meta = reads.read_meta(connection)
        log = self.path.with_name(self.path.name + "-wal")
        return {
            **counts,
            "file_bytes": self.path.stat().st_size,
            "log_bytes": log.stat().st_size if log.exists() else 0,
            "created_at": meta["created_at"],
            "settings": self.settings.as_dict(),
            "fingerprint": self.settings.fingerprint(),
        }

    def verify(self) -> list[str]:
        """Return all that is wrong with the file, empty for nothing; reads the whole of it."""
        with self._store.reading() as connection:
            return find_problems(connection)

    def learn(self) -> dict[str, int]:
        """Learn the formulas of the held articles anew; return their version and counts.

        Verdicts from now on use them; those given before stay. Reads all token hashes into memory.
        """
        with self._store.reading() as connection:
            formulas, num_articles = learn_formulas(connection, self.settings)
        version = self.set_formulas(formulas, num_articles)
        return {"version": version, "formulas": len(formulas), "articles": num_articles}

    def set_formulas(self, formulas: npt.NDArray[np.uint32], num_articles: int) -> int:
        """Put formulas, uint32, learned from so many articles, in force; return their version."""
        hashes = np.unique(formulas).astype("<u4").tobytes()
        with self._store.writing() as connection:
            version = reads.formula_version(connection) + 1
            writes.put_formulas(connection, version, hashes, num_articles, _now())
        return version

    def formulas(self) -> npt.NDArray[np.uint32]:
        """Return the formulas in force, uint32, rising."""
        with self._store.reading() as connection:
            return self._formulas_within(connection)

    def merge(self) -> None:
        """Move the recent posting rows to the large table now, in transactions of a fraction of a second."""
        key: int | None = 0
        while key is not None:
            with self._store.writing() as connection:
                key = writes.merge_postings(connection, key)
        self._recent_rows = None

    def vacuum(self) -> None:
        """Merge posting rows and write the file anew without the room that removed articles left."""
        self.merge()
        self._store.vacuum()

    def _batch(self, article: Mapping[str, Any]) -> Batch:
        return batch_of([checked_mapping(article, 0)], self.settings, self._fields)

    def _admit_within(self, connection: apsw.Connection, batch: Batch) -> list[Verdict]:
        return admit(connection, batch, self.settings, self._formulas_within(connection), _now())

    def _remove_within(self, connection: apsw.Connection, nos: list[int]) -> None:
        if nos:
            plan = plan_removal(connection, nos, self.settings, self._formulas_within(connection))
            write_plan(connection, None, plan, self.settings, _now())

    def _prune(self, bound: int, members: bool) -> int:
        count = 0
        last = 0
        while True:
            with self._store.writing() as connection:
                nos = reads.numbers_before(connection, bound, last, _PRUNED_AT_ONCE, members=members)
                self._remove_within(connection, nos)
            count += len(nos)
            if len(nos) < _PRUNED_AT_ONCE:
                return count
            last = nos[-1]

    def _formulas_within(self, connection: apsw.Connection) -> npt.NDArray[np.uint32]:
        version = reads.formula_version(connection)
        if version != self._formulas[0]:
            hashes = reads.read_formulas(connection, version)
            self._formulas = version, np.frombuffer(hashes, dtype="<u4").astype(np.uint32)
            return self._formulas[1]
        return self._formulas[1]

    def _merge_if_due(self, num_added: int) -> None:
        """Move some recent posting rows once there are many, a few after each step, so that none waits long.

        They are counted now and then, for other processes write too.
        """
        if self._merge_from is None:
            most_rows = _MOST_ROWS * num_added
            if self._recent_rows is not None and self._recent_rows + most_rows <= MAX_RECENT_ROWS:
                self._recent_rows += most_rows
                return
            with self._store.reading() as connection:
                rows = reads.count_recent(connection)
            if rows <= MAX_RECENT_ROWS:
                self._recent_rows = min(rows, MAX_RECENT_ROWS - MAX_RECENT_ROWS // 8)
                return
            self._merge_from, self._recent_rows = 0, None
        for _ in range(1 + 4 * _MOST_ROWS * num_added // writes.MERGED_ROWS):
            with self._store.writing() as connection:
                self._merge_from = writes.merge_postings(connection, self._merge_from)
            if self._merge_from is None:
                return


def _now() -> int:
    return time.time_ns() // 1000
