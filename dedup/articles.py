"""What goes in and what comes out, as plain data: no input or output, no hashing."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dedup.errors import InputError

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
    """The names under which a record keeps what is read of it; all else passes through unread.

    `date_format` is for dates in other forms than those of `docs/input.md`: "dmy" or "mdy", the order of the
    numbers in 17/05/2015, or a format of `datetime.strptime`.
    """

    id: str = "id"
    text: str = "text"
    title: str = "title"
    source: str = "source"
    date: str = "published_at"
    url: str = "url"
    date_format: str | None = None

    def __post_init__(self) -> None:
        for role, name in vars(self).items():
            if not isinstance(name, str) and not (role == "date_format" and name is None):
                raise InputError(f"the name of the field {role!r} is {repr(name)[:80]}; expected a string")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return self.id, self.text, self.title, self.source, self.date, self.url


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


class Match(NamedTuple):
    """A canonical that an article was found to be like, and how.

    `relation` is "exact" or "near" for a copy, "part" where the article is a part of the canonical, "whole"
    where the canonical is a part of it. `coverage` is the share of the article's shingles that the
    canonical has; for "whole" the share of the canonical's that the article has.
    """

    canonical_id: ArticleId
    relation: Literal["exact", "near", "part", "whole"]
    jaccard: float
    coverage: float


@dataclass(frozen=True)
class Verdict:
    """What an index says of an article.

    `relation` is "exact" or "near" for a copy, whose canonical and group are `canonical_id` and `group_id`.
    A "new" article and a "part" of a longer one are canonicals themselves: the part's whole is the first
    of its `matches`. Those are the article's canonical first, then other copies, then parts and wholes.
    `full_buckets` counts the buckets in which no more articles wait, so that some could be missed.
    """

    id: ArticleId
    relation: Literal["new", "exact", "near", "part"]
    canonical_id: ArticleId
    group_id: ArticleId
    matches: tuple[Match, ...]
    reason: str
    full_buckets: int


@dataclass(frozen=True)
class HeldArticle:
    """What an index keeps of an article; times are microseconds since 1970 UTC, None for none."""

    id: ArticleId
    title: str | None
    source: str | None
    url: str | None
    published: int | None
    num_words: int
    added_at: int
    canonical_id: ArticleId
    group_id: ArticleId


ChangeKind = Literal[
    "group-created",
    "member-added",
    "article-removed",
    "canonical-reelected",
    "group-split",
    "member-moved",
    "group-removed",
    "article-updated",
]


@dataclass(frozen=True)
class Change:
    """One change of the groups of an index; `seq` rises, `at` is microseconds since 1970 UTC.

    `from_group_id` is the group that an article left for `group_id`.
    """

    seq: int
    at: int
    kind: ChangeKind
    group_id: ArticleId | None
    article_id: ArticleId | None
    canonical_id: ArticleId | None
    from_group_id: ArticleId | None
