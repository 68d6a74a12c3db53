"""The outcome of grouping, as columns, with the views that people ask for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.articles import ArticleId, Further, Group, Link, Member, Relation
from dedup.formats.arrow_columns import booleans, named, numbers
from dedup.match.scan import Scan
from dedup.match.verify import BY_CHARACTERS, BY_WORDS, PART, WHOLE
from dedup.run.ids import id_arrays
from dedup.run.sketches import shares_cut


@dataclass(frozen=True, repr=False)
class Groups:
    """Canonical groups of n articles; iterating gives each group of two or more, in canonical order.

    `ids` are in the order of the input; `order` int64[n] lists its rows in canonical order, and `scan`
    speaks of positions in that order. `num_tokens` int64[n] are lengths in words, by row,
    `num_cut` int64[n] the words that were left out as page furniture.
    """

    ids: Sequence[ArticleId]
    order: npt.NDArray[np.int64]
    num_tokens: npt.NDArray[np.int64]
    scan: Scan
    num_cut: npt.NDArray[np.int64]

    def __repr__(self) -> str:
        return (
            f"<Groups: {len(self):,} of {self.num_articles:,} articles, {self.num_copies:,} of them copies>"
        )

    def __len__(self) -> int:
        """The number of groups of two or more."""
        return len(self._members)

    def __iter__(self) -> Iterator[Group]:
        for canonical, members in self._members.items():
            canonical_id = self._id(canonical)
            listed = (self._member(position) for position in members)
            yield Group(canonical_id, canonical_id, (Member(canonical_id, 1.0, 1.0, "canonical"), *listed))

    @property
    def num_articles(self) -> int:
        """The number of articles, grouped or not."""
        return len(self.ids)

    @property
    def num_copies(self) -> int:
        """The number of articles that are not canonical."""
        return int(np.count_nonzero(self.scan.canonicals != np.arange(len(self.order))))

    @property
    def largest_size(self) -> int:
        """The number of articles in the largest group, 0 where there is none."""
        sizes = np.bincount(self.scan.canonicals)
        return int(sizes.max()) if len(self) else 0

    @property
    def num_empty(self) -> int:
        """The number of articles with no word left once normalised; they match nothing."""
        return int(np.count_nonzero(self.num_tokens == 0))

    @cached_property
    def cut_shares(self) -> npt.NDArray[np.float64]:
        """The share of each text's words that was left out as page furniture, float64[n], by row."""
        return shares_cut(self.num_cut, self.num_tokens)

    @cached_property
    def _members(self) -> dict[int, list[int]]:
        """The members of each canonical, all as positions, in canonical order."""
        members: dict[int, list[int]] = {}
        for position in np.flatnonzero(self.scan.canonicals != np.arange(len(self.order))):
            members.setdefault(int(self.scan.canonicals[position]), []).append(int(position))
        return dict(sorted(members.items()))

    @cached_property
    def _further(self) -> dict[int, list[Further]]:
        further: dict[int, list[Further]] = {}
        for position, canonical, kind, shared, own, other in self.scan.relations.tolist():
            if kind in (BY_WORDS, BY_CHARACTERS):
                jaccard = round(shared / (own + other - shared), 4)
                further.setdefault(position, []).append(Further(self._id(canonical), jaccard))
        return further

    @cached_property
    def links(self) -> list[Link]:
        """The cut copies: a part and the whole that covers it, in canonical order of the parts.

        There is at most one link from a group to another. It names the two articles that were compared,
        the canonicals where these are part and whole, else the best covered pair.
        """
        best: dict[tuple[int, int], tuple[bool, float, float, int, int]] = {}
        canonicals = self.scan.canonicals
        for position, canonical, kind, shared, own, other in self.scan.relations.tolist():
            if kind not in (PART, WHOLE) or canonicals[position] == canonical:
                continue
            part, whole = (position, canonical) if kind == PART else (canonical, position)
            between_canonicals = bool(canonicals[position] == position)
            found = (
                between_canonicals,
                shared / min(own, other),
                shared / (own + other - shared),
                part,
                whole,
            )
            key = (int(canonicals[part]), int(canonicals[whole]))
            best[key] = max(best.get(key, found), found)
        return [
            Link(self._id(part), self._id(whole), round(coverage, 4), round(jaccard, 4))
            for _, (_, coverage, jaccard, part, whole) in sorted(best.items())
        ]

    def _id(self, position: int) -> ArticleId:
        return self.ids[int(self.order[position])]

    def _member(self, position: int) -> Member:
        return Member(
            self._id(position),
            round(float(self._jaccard[position]), 4),
            round(float(self._coverage[position]), 4),
            self._relation(position),
            tuple(sorted(self._further.get(position, ()), key=lambda match: str(match.canonical_id))),
        )

    def _relation(self, position: int) -> Relation:
        return "exact" if self.scan.exact[position] else "near"

    @cached_property
    def _jaccard(self) -> npt.NDArray[np.float64]:
        scan = self.scan
        union = scan.own + scan.other - scan.shared
        return np.where(scan.kinds != 0, scan.shared / np.maximum(union, 1), 1.0)

    @cached_property
    def _coverage(self) -> npt.NDArray[np.float64]:
        return np.where(self.scan.kinds != 0, self.scan.shared / np.maximum(self.scan.own, 1), 1.0)

    @property
    def by_characters(self) -> npt.NDArray[np.bool_]:
        """Whether an article joined its group by character shingles, bool[n], by position."""
        return np.equal(self.scan.kinds, BY_CHARACTERS)

    @cached_property
    def is_canonical(self) -> npt.NDArray[np.bool_]:
        """Whether an article is kept, bool[n], in the order of the input."""
        kept = np.empty(len(self.order), dtype=np.bool_)
        kept[self.order] = self.scan.canonicals == np.arange(len(self.order))
        return kept

    @cached_property
    def canonical_rows(self) -> npt.NDArray[np.int64]:
        """The row of each article's canonical, its own for a canonical, int64[n], by row of the input."""
        rows = np.empty(len(self.order), dtype=np.int64)
        rows[self.order] = self.order[self.scan.canonicals]
        return rows

    def to_table(self) -> pa.Table:
        """Return one row an article in the order of the input.

        Columns: id, group_id, canonical_id, is_canonical, jaccard, coverage, relation, cut_share. An
        article alone has its own id as group and canonical, the relation "unique" ("empty" without a word)
        and no scores. `cut_share` is the share of its words that was left out as page furniture.
        """
        n = len(self.order)
        position_of = np.empty(n, dtype=np.int64)
        position_of[self.order] = np.arange(n)
        canonicals = self.scan.canonicals
        group_sizes = np.bincount(canonicals, minlength=n)
        relations = np.where(self.scan.exact, EXACT, NEAR)
        alone = canonicals == np.arange(n)
        relations[alone] = np.where(group_sizes[alone] > 1, CANONICAL, UNIQUE)
        relations[alone & (self.num_tokens[self.order] == 0)] = EMPTY
        unscored = (alone & (group_sizes == 1))[position_of]
        ids, canonical_ids = id_arrays(self.ids, [self.ids[row] for row in self.canonical_rows.tolist()])
        return pa.table(
            {
                "id": ids,
                "group_id": canonical_ids,
                "canonical_id": canonical_ids,
                "is_canonical": booleans(self.is_canonical),
                "jaccard": numbers(self._jaccard[position_of], unscored),
                "coverage": numbers(self._coverage[position_of], unscored),
                "relation": named_relations(relations[position_of]),
                "cut_share": numbers(np.round(self.cut_shares, 4)),
            }
        )


RELATIONS = ("near", "exact", "canonical", "unique", "empty")
NEAR, EXACT, CANONICAL, UNIQUE, EMPTY = np.arange(len(RELATIONS), dtype=np.int8)


def named_relations(codes: npt.NDArray[np.int8]) -> pa.StringArray:
    """Return the names of relations as they stand in `articles.parquet`."""
    return named(codes, RELATIONS)
