"""What goes in and what comes out, as plain data: no input or output, no hashing."""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from dedup.errors import SettingsError

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

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return self.id, self.text, self.title, self.source, self.date, self.url

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            is_left_out = name == "date_format" and value is None
            if not is_left_out and (not isinstance(value, str) or not value):
                raise SettingsError(
                    f"fields: {name} is {value!r:.80}; it is the name of a field, such as 'body'"
                )

    @classmethod
    def of(cls, given: Any) -> "Fields":
        """Return the names that are given: themselves, a mapping of some of them, None for the defaults.

        >>> Fields.of({"text": "body"}) == Fields(text="body")
        True
        """
        if given is None or isinstance(given, Fields):
            return given or cls()
        if not isinstance(given, Mapping):
            raise SettingsError(
                f"fields is {given!r}; it is dedup.Fields(text='body'), or a mapping as {{'text': 'body'}}"
            )
        known = [each.name for each in dataclasses.fields(cls)]
        for name in given:
            if name not in known:
                raise SettingsError(
                    f"fields has {name!r}; it is one of {', '.join(known)}, each with the name that records "
                    "have for it"
                )
        return cls(**given)


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

    >>> Verdict("b", "near", "a", "a", (Match("a", "near", 0.91, 0.95),), "Jaccard 0.910 with 'a'", 0)
    <Verdict 'b': near copy of 'a', Jaccard 0.91, coverage 0.95>
    """

    id: ArticleId
    relation: Literal["new", "exact", "near", "part"]
    canonical_id: ArticleId
    group_id: ArticleId
    matches: tuple[Match, ...]
    reason: str
    full_buckets: int

    @property
    def is_copy(self) -> bool:
        """Whether the article is a copy of `canonical_id`; what is none is new or a part."""
        return self.relation in ("exact", "near")

    @property
    def is_new(self) -> bool:
        """Whether the article is neither a copy nor a part of a longer one."""
        return self.relation == "new"

    @property
    def whole_id(self) -> ArticleId | None:
        """The longer article that this one is a part of, the best of them; None for none."""
        return next((match.canonical_id for match in self.matches if match.relation == "part"), None)

    def __repr__(self) -> str:
        if self.relation == "new":
            what, others = "new", len(self.matches)
        else:
            match, others = self.matches[0], len(self.matches) - 1
            kind = "part" if self.relation == "part" else f"{self.relation} copy"
            what = f"{kind} of {match.canonical_id!r}, Jaccard {match.jaccard}, coverage {match.coverage}"
            if self.group_id not in (match.canonical_id, self.id):
                what += f", group {self.group_id!r}"
        what += f", further matches: {others}" if others else ""
        what += f", full buckets: {self.full_buckets}" if self.full_buckets else ""
        return f"<Verdict {self.id!r}: {what}>"


@dataclass(frozen=True)
class Added:
    """How many articles `Index.add_all` was given, all of them stored, by what their verdicts say.

    `num_full_buckets` sums `full_buckets` of the verdicts.
    """

    num_articles: int
    num_new: int
    num_exact: int
    num_near: int
    num_parts: int
    num_full_buckets: int

    @property
    def num_copies(self) -> int:
        """The number of copies, exact and near."""
        return self.num_exact + self.num_near


@dataclass(frozen=True)
class HeldArticle:
    """What an index keeps of an article; times are UTC, `published_at` None for an article without a date."""

    id: ArticleId
    title: str | None
    source: str | None
    url: str | None
    published_at: datetime.datetime | None
    num_words: int
    added_at: datetime.datetime
    canonical_id: ArticleId
    group_id: ArticleId

    @property
    def is_copy(self) -> bool:
        """Whether the article is a member of another's group; a part is none."""
        return self.canonical_id != self.id


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
    """One change of the groups of an index; `seq` rises, `at` is when it was made, UTC.

    `from_group_id` is the group that an article left for `group_id`.
    """

    seq: int
    at: datetime.datetime
    kind: ChangeKind
    group_id: ArticleId | None
    article_id: ArticleId | None
    canonical_id: ArticleId | None
    from_group_id: ArticleId | None
