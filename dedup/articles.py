"""What goes in and what comes out, as plain data: no input or output, no hashing."""

from dataclasses import dataclass, field
from typing import Literal

ArticleId = str | int
"""Ids are kept as they are given and ordered as strings."""

MISSING_DATE = (1 << 63) - 1
"""The publication time of an article that has none: after all others."""

MICROSECONDS_A_DAY = 86_400_000_000

Relation = Literal["canonical", "exact", "near"]
"""`exact`: the same text as the canonical once both are normalised; `near`: above the threshold."""

Shingles = Literal["words", "characters"]
"""Which shingles the scores count: short texts are compared by characters."""


@dataclass(frozen=True)
class Fields:
    """The names under which a record keeps what is read of it; all else passes through unread."""

    id: str = "id"
    text: str = "text"
    title: str = "title"
    source: str = "source"
    date: str = "published_at"


@dataclass(frozen=True)
class Further:
    """Another canonical that a member matches too; groups are never merged by a member."""

    canonical_id: ArticleId
    jaccard: float


@dataclass(frozen=True)
class Member:
    """One article of a group, scored against the group's canonical.

    `jaccard` is the Jaccard similarity of the two shingle sets; `coverage` the share, 0 to 1, of the
    member's shingles that the canonical has.
    """

    id: ArticleId
    jaccard: float
    coverage: float
    relation: Relation
    also_matches: tuple[Further, ...] = ()


@dataclass(frozen=True)
class Group:
    """Two or more articles that are copies of one; `members[0]` is the canonical."""

    group_id: ArticleId
    canonical_id: ArticleId
    members: tuple[Member, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """The number of articles, the canonical included."""
        return len(self.members)


@dataclass(frozen=True)
class Link:
    """A cut copy: `coverage` is the share of the part's shingles that the whole has."""

    part_id: ArticleId
    whole_id: ArticleId
    coverage: float
    jaccard: float


@dataclass(frozen=True)
class Pair:
    """Two articles that match; `coverage_a` is the share of a's shingles that b has."""

    a_id: ArticleId
    b_id: ArticleId
    jaccard: float
    coverage_a: float
    coverage_b: float
    shingles: Shingles


@dataclass(frozen=True)
class Comparison:
    """Two texts compared on their exact shingle sets, and what follows from it.

    `verdict` is "exact", "near", "part" or "different", and `reason` says why in words. `jaccard` and the two
    coverages count the shingles named by `shingles`; `estimated_jaccard` is read off the signatures.
    """

    jaccard: float
    coverage_a: float
    coverage_b: float
    estimated_jaccard: float
    shingles: Shingles
    verdict: Literal["exact", "near", "part", "different"]
    reason: str
