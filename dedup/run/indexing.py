"""The persistent index: is this article new, or a copy of one that is held, and of which?"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import Added, ArticleId, Change, Fields, Group, HeldArticle, Link, Verdict
from dedup.errors import IndexFileError, InputError, RecordError
from dedup.index import filtering, reads, writes
from dedup.index.file import check_place
from dedup.index.store import Store
from dedup.run import index_groups
from dedup.run.admitting import admit, foresee, remove
from dedup.run.index_arguments import check_batch_size, check_seq, checked_bound, checked_path, key_of
from dedup.run.index_batches import Batch, batch_of, batches_of, checked_mapping
from dedup.run.index_formulas import FormulasInForce, learn_formulas
from dedup.run.index_opening import open_store
from dedup.run.index_settings import check_settings
from dedup.run.index_upkeep import Merging, now, prune, put_formulas, stats_of
from dedup.run.index_verifying import find_all_problems
from dedup.run.verdicts import LazyVerdicts, counted
from dedup.settings import Settings

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

    def __init__(
        self,
        path: Path,
        settings: Settings | None = None,
        fields: Fields | None = None,
        open_store: Callable[[], Store] | None = None,
    ) -> None:
        if settings is None or fields is None or open_store is None:
            raise InputError(f"an index is opened by dedup.Index.open({path!r}), not by dedup.Index(...)")
        self._path = path
        self.settings = settings
        self._fields = fields
        self._open_store = open_store
        self._store: Store | None = None
        self._merging = Merging()
        self._formulas = FormulasInForce()
        self._is_closed = False

    @classmethod
    def open(
        cls,
        path: str | Path,
        settings: Settings | None = None,
        *,
        create: bool = True,
        read_only: bool = False,
        fields: Fields | Mapping[str, str] | None = None,
    ) -> Self:
        """Return the index in the file `path`, made if it is not there and `create` allows.

        Without `settings` those of the file are taken, for a new one the defaults. `fields` are the names
        that the articles' fields have, all or some: `{"text": "body"}`. Raises `SettingsError` that names
        the settings in which the file differs from `settings`, `IndexFileError` for a file that is no
        index or cannot be used, `InputError` for a path that is none.
        """
        names = Fields.of(fields)
        if settings is not None:
            check_settings(settings)
        place = checked_path(path)
        store, held = open_store(place, settings, create=create, read_only=read_only)
        index = cls(place, held, names, lambda: store)
        index._store = store
        return index

    @classmethod
    def open_when_used(
        cls, path: str | Path, settings: Settings, *, fields: Fields | Mapping[str, str] | None = None
    ) -> Self:
        """Return an index whose file is opened, or made with these settings, when it is first needed.

        So input that cannot be used leaves no empty file behind. Raises at once as `open` does for what
        shows without the file.
        """
        names = Fields.of(fields)
        check_settings(settings)
        place = checked_path(path)
        check_place(place)
        return cls(
            place, settings, names, lambda: open_store(place, settings, create=True, read_only=False)[0]
        )

    def close(self) -> None:
        """Close the file; the index cannot be used any more."""
        self._is_closed = True
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "not opened yet" if self._store is None else "open"
        if self._store is not None and self._store.read_only:
            state += ", read-only"
        return f"<dedup.Index {str(self._path)!r} ({state})>"

    def __len__(self) -> int:
        """Return the number of articles held."""
        with self.store.reading() as connection:
            return reads.count_articles(connection)

    def __bool__(self) -> bool:
        """Return True: an index without an article is an index."""
        return True

    def __contains__(self, id_: object) -> bool:
        """Return whether an article with this id is held."""
        with self.store.reading() as connection:
            return index_groups.number_of(connection, key_of(id_)) is not None

    @property
    def store(self) -> Store:
        """The transactions in which the file is read and written."""
        if self._store is None:
            if self._is_closed:
                raise IndexFileError(f"{self._path}: the index was closed; open it again")
            self._store = self._open_store()
        return self._store

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def check(self, article: Mapping[str, Any]) -> Verdict:
        """Return the verdict that `add` would give; nothing is written."""
        return self.check_batch(self._batch(article))[0]

    def check_batch(self, batch: Batch) -> list[Verdict]:
        """Return the verdict that each article of a batch would get, added alone; nothing is written."""
        with self.store.reading() as connection:
            formulas = self._formulas.within(connection)
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
        """Return the verdicts on articles, each given once its article is stored; a batch is one transaction.

        Nothing is stored by the call alone: articles are added as the verdicts are taken, so loop over
        them to the end, or use `add_all`. `articles` are mappings, also from a generator of any length, an
        Arrow table or a data frame. Raises `RecordError` for an article that cannot be used; its batch is
        not stored.
        """
        check_batch_size(batch_size)
        batches = batches_of(articles, self.settings, self._fields, batch_size)
        return LazyVerdicts(verdict for batch in batches for verdict in self.add_batch(batch))

    def add_all(self, articles: Any, *, batch_size: int = 4096) -> Added:
        """Add all articles, as `add_many` does, and return how many were new, copies and parts.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Index.open(f"{folder}/news.dedup") as index:
        ...     index.add_all({"id": k, "text": "three ships sailed"} for k in range(3))
        Added(num_articles=3, num_new=1, num_exact=2, num_near=0, num_parts=0, num_full_buckets=0)
        """
        return counted(self.add_many(articles, batch_size=batch_size))

    def add_batch(self, batch: Batch) -> list[Verdict]:
        """Return the verdicts on a batch, stored in one transaction, as `add` does."""
        with self.store.writing() as connection:
            verdicts = self._admit_within(connection, batch)
        self._merging.merge_if_due(self.store, len(batch))
        return verdicts

    def update(self, article: Mapping[str, Any]) -> Verdict:
        """Return the verdict on an article with new content, which replaces the held one of the same id.

        What the old content said is undone: if it was canonical, the members of its group are matched
        anew. Raises `RecordError` where no article has this id.
        """
        batch = self._batch(article)
        with self.store.writing() as connection:
            if not reads.find_ids(connection, batch.keys):
                raise RecordError("the index holds no such article; add it", place=f"id {batch.keys[0]!r}")
            verdicts = self._admit_within(connection, batch)
        self._merging.merge_if_due(self.store, len(batch))
        return verdicts[0]

    def remove(self, id_: ArticleId) -> bool:
        """Remove an article; return whether there was one.

        If it was canonical, its members are matched anew; the largest part keeps the group's id.
        """
        with self.store.writing() as connection:
            no = index_groups.number_of(connection, key_of(id_))
            nos = [] if no is None else [no]
            remove(connection, nos, self.settings, self._formulas.within(connection), now())
        return no is not None

    def prune(self, before: Any) -> int:
        """Remove the articles published before a date; return how many. Those without a date stay.

        `before` is a datetime, a date or a string that `dedup` reads as one, never a number. Works in many
        transactions: members go first, then canonicals, so that a prune that was cut short can be done
        again and ends with the same groups.
        """
        return prune(self.store, checked_bound(before), self.settings, self._formulas)

    def get(self, id_: ArticleId) -> HeldArticle | None:
        """Return what is kept of an article, None where no article has this id."""
        with self.store.reading() as connection:
            no = index_groups.number_of(connection, key_of(id_))
            if no is None:
                return None
            return index_groups.held_articles(connection, np.array([no], dtype=np.int64))[0]

    def articles(self) -> Iterator[HeldArticle]:
        """Yield what is kept of all articles as they are now, in the order in which they came."""
        with self.store.reading() as connection:
            nos = reads.all_numbers(connection)
            for start in range(0, len(nos), _ARTICLES_AT_ONCE):
                yield from index_groups.held_articles(connection, nos[start : start + _ARTICLES_AT_ONCE])

    def groups(self) -> Iterator[Group]:
        """Yield the groups of two or more as they are now, in the order in which their canonicals came."""
        with self.store.reading() as connection:
            for canonical in reads.group_canonicals(connection):
                yield index_groups.group_at(connection, canonical)

    def group_of(self, id_: ArticleId) -> Group | None:
        """Return the group of an article, which may be alone in it; None where no article has this id."""
        with self.store.reading() as connection:
            canonical = index_groups.canonical_of(connection, key_of(id_))
            return None if canonical is None else index_groups.group_at(connection, canonical)

    def links(self) -> list[Link]:
        """Return the cut copies, at most one from a group to another, in the order in which parts came."""
        with self.store.reading() as connection:
            return index_groups.links_of(connection)

    def links_of(self, id_: ArticleId) -> list[Link]:
        """Return those of `links` that lead from or to the group of an article; none for an unknown id."""
        with self.store.reading() as connection:
            canonical = index_groups.canonical_of(connection, key_of(id_))
            return [] if canonical is None else index_groups.links_of_group(connection, canonical)

    def changes_since(self, seq: int = 0) -> Iterator[Change]:
        """Return the changes of groups behind the one numbered `seq`, in order; all with 0."""
        check_seq("seq", seq)
        return self._changes_since(seq)

    def _changes_since(self, seq: int) -> Iterator[Change]:
        while True:
            with self.store.reading() as connection:
                rows = reads.changes_after(connection, seq, _CHANGES_AT_ONCE)
            for row in rows:
                seq = row[0]
                yield index_groups.change_of(row)
            if len(rows) < _CHANGES_AT_ONCE:
                return

    def forget_changes(self, up_to: int) -> int:
        """Delete the changes up to a number, which nobody will ask for any more; return how many."""
        check_seq("up_to", up_to)
        with self.store.writing() as connection:
            return writes.delete_changes(connection, up_to)

    def stats(self) -> dict[str, Any]:
        """Return counts of articles, copies, groups, links and rows, sizes in bytes, and the settings."""
        return stats_of(self.store, self.settings)

    def verify(self) -> list[str]:
        """Return all that is wrong with the file, empty for nothing; reads and recomputes the whole of it."""
        with self.store.reading() as connection:
            return find_all_problems(connection, self.settings)

    def learn(self) -> dict[str, int]:
        """Learn the formulas of the held articles anew; return their version and counts.

        Verdicts from now on use them; those given before stay. Reads all token hashes into memory.
        """
        with self.store.reading() as connection:
            formulas, num_articles = learn_formulas(connection, self.settings)
        version = self.set_formulas(formulas, num_articles)
        return {"version": version, "formulas": len(formulas), "articles": num_articles}

    def set_formulas(self, formulas: npt.NDArray[np.uint32], num_articles: int) -> int:
        """Put formulas, uint32, learned from so many articles, in force; return their version."""
        return put_formulas(self.store, formulas, num_articles)

    def formulas(self) -> npt.NDArray[np.uint32]:
        """Return the formulas in force, uint32, rising."""
        with self.store.reading() as connection:
            return self._formulas.within(connection)

    def merge(self) -> None:
        """Move the recent posting rows to the large table now, in transactions of a fraction of a second."""
        self._merging.merge_all(self.store)

    def vacuum(self) -> None:
        """Merge posting rows and write filter and file anew without what removed articles left."""
        self.merge()
        with self.store.writing() as connection:
            filtering.write_anew(connection)
        self.store.vacuum()

    def _batch(self, article: Mapping[str, Any]) -> Batch:
        return batch_of([checked_mapping(article, None)], self.settings, self._fields, None)

    def _admit_within(self, connection: apsw.Connection, batch: Batch) -> list[Verdict]:
        return admit(connection, batch, self.settings, self._formulas.within(connection), now())
