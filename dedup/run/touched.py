"""What a nightly run touched in an index: its articles as they are held, their groups and links."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apsw
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.articles import ArticleId, Change, Group
from dedup.errors import IndexFileError
from dedup.formats.arrow_columns import booleans, numbers
from dedup.index import nights, reads
from dedup.index.nights import NightRow
from dedup.index.rows import Name
from dedup.match.verify import BY_CHARACTERS, PART, WHOLE
from dedup.run.groups import CANONICAL, EMPTY, EXACT, NEAR, UNIQUE, named_relations
from dedup.run.ids import id_arrays
from dedup.run.index_groups import NumberedLink, best_links, change_of, group_at
from dedup.run.sketches import Sketches

Int64s = npt.NDArray[np.int64]

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Touched:
    """The n articles of a night by row, all int64[n], and the groups that it touched.

    `nos` are their numbers; the other columns are those of `index.rows.Place`. `canonicals_touched` are the
    canonicals, rising, of these articles and of the groups that changed, `names` theirs by number, and
    `links` the cut copies from or to them.
    """

    nos: Int64s
    canonicals: Int64s
    kinds: Int64s
    exact: Int64s
    shared: Int64s
    own: Int64s
    other: Int64s
    full_buckets: Int64s
    canonicals_touched: Int64s
    names: dict[int, Name]
    links: list[NumberedLink]

    @property
    def is_canonical(self) -> npt.NDArray[np.bool_]:
        """Whether an article is a canonical, bool[n]."""
        return np.equal(self.canonicals, self.nos)

    @property
    def num_by_characters(self) -> int:
        """The number of articles that joined their group by character shingles."""
        return int(np.count_nonzero(self.kinds == BY_CHARACTERS))

    def kept(self, cut_copies: str) -> npt.NDArray[np.bool_]:
        """Return which articles go to the unique records, bool[n]; see `nightly.run`."""
        if cut_copies == "keep":
            return self.is_canonical
        parts = np.array([link.part for link in self.links if link.is_of_canonical], dtype=np.int64)
        return self.is_canonical & ~np.isin(self.nos, parts)


def find_touched(connection: apsw.Connection, keys: Sequence[str], night: NightRow) -> Touched:
    """Return what a night touched; `keys` are the ids of its articles as strings, by row.

    Raises `IndexFileError` where one of them is not held any more.
    """
    held = reads.find_ids(connection, keys)
    missing = [key for key in keys if key not in held]
    if missing:
        raise IndexFileError(
            f"{len(missing)} articles of this run, the first with the id {missing[0]!r}, were removed from "
            "the index by another process; run it again"
        )
    nos = np.array([held[key][0] for key in keys], dtype=np.int64)
    columns = np.empty((7, len(nos)), dtype=np.int64)
    for start in range(0, len(nos), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        places = reads.read_places(connection, nos[part])
        columns[:, part] = np.array(places, dtype=np.int64)[:, 1:].T
    changed = nights.changed_canonicals(connection, night.after_seq, night.up_to_seq or 0)
    touched = np.unique(np.concatenate([columns[0], changed]))
    links = best_links(nights.relations_of_groups(connection, touched, (PART, WHOLE)))
    names = reads.read_names(connection, touched)
    canonicals, kinds, exact, shared, own, other, full_buckets = columns
    return Touched(nos, canonicals, kinds, exact, shared, own, other, full_buckets, touched, names, links)


def groups_in(connection: apsw.Connection, touched: Touched) -> Iterator[Group]:
    """Yield the groups of two or more that were touched, in the order in which their canonicals came."""
    for canonical in nights.with_members(connection, touched.canonicals_touched).tolist():
        yield group_at(connection, canonical)


def changes_in(connection: apsw.Connection, night: NightRow) -> Iterator[Change]:
    """Yield the changes of a night, in order."""
    for row in nights.changes_between(connection, night.after_seq, night.up_to_seq or 0):
        yield change_of(row)


def table_of(
    connection: apsw.Connection, touched: Touched, ids: Sequence[ArticleId], sketches: Sketches
) -> pa.Table:
    """Return one row an article, as `Groups.to_table` does."""
    is_canonical = touched.is_canonical
    grouped = nights.with_members(connection, np.unique(touched.canonicals))
    alone = is_canonical & ~np.isin(touched.nos, grouped)
    relations = np.where(touched.exact == 1, EXACT, NEAR)
    relations[is_canonical] = CANONICAL
    relations[alone] = UNIQUE
    relations[is_canonical & (sketches.num_tokens == 0)] = EMPTY
    union = np.maximum(touched.own + touched.other - touched.shared, 1)
    jaccard = np.where(touched.kinds != 0, touched.shared / union, 1.0)
    coverage = np.where(touched.kinds != 0, touched.shared / np.maximum(touched.own, 1), 1.0)
    names = [touched.names[no] for no in touched.canonicals.tolist()]
    own_ids, group_ids, canonical_ids = id_arrays(
        ids, [name.group_id for name in names], [name.article_id for name in names]
    )
    return pa.table(
        {
            "id": own_ids,
            "group_id": group_ids,
            "canonical_id": canonical_ids,
            "is_canonical": booleans(is_canonical),
            "jaccard": numbers(jaccard, alone),
            "coverage": numbers(coverage, alone),
            "relation": named_relations(relations),
            "cut_share": numbers(np.round(sketches.cut_shares, 4)),
        }
    )
