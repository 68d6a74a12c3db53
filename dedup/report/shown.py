"""What a report shows, as plain data: the template lays it out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dedup.articles import ArticleId
from dedup.report.difference import Difference
from dedup.report.plots import Plot


@dataclass(frozen=True)
class ShownArticle:
    """An article; what the records that were read do not tell is None.

    `published` is microseconds since 1970 UTC. Of a long text `num_more` characters are left out.
    """

    id: ArticleId
    text: str | None = field(default=None, repr=False)
    title: str | None = None
    source: str | None = None
    url: str | None = None
    published: int | None = None
    cut_share: float | None = None
    num_more: int = 0


@dataclass(frozen=True)
class ShownMatch:
    """An article beside the one it matches: a member beside its canonical, a part beside its whole.

    `relation` is that of a member, or "part". `delay` is how long after the other it was published, in words.
    `difference` is None where the text of one of them is not known.
    """

    article: ShownArticle
    relation: str
    jaccard: float
    coverage: float
    reason: str
    delay: str | None
    also_matches: Sequence[tuple[ArticleId, float]]
    difference: Difference | None


@dataclass(frozen=True)
class ShownGroup:
    """A group: its number on the page, how many articles it has, and those members that are shown."""

    number: int
    size: int
    canonical: ShownArticle
    members: Sequence[ShownMatch]

    @property
    def num_hidden(self) -> int:
        """How many members are not shown."""
        return self.size - 1 - len(self.members)


@dataclass(frozen=True)
class ShownLink:
    """A part beside its whole."""

    number: int
    whole: ShownArticle
    part: ShownMatch


@dataclass(frozen=True)
class RejectKind:
    """Records set aside for reasons that differ in values and numbers only: how many, and the first."""

    reason: str
    count: int
    file: str
    line: int


@dataclass(frozen=True)
class Report:
    """All that the page of a run shows.

    `groups` and `links` are taken once, as the page is written. `num_groups` and `num_links` count all of the
    run, `num_shown_groups` and `num_shown_links` those shown; `notes` say what could not be shown.
    """

    name: str
    written: int
    summary: dict[str, Any]
    order: str
    order_of_links: str
    num_groups: int
    num_links: int
    num_shown_groups: int
    num_shown_links: int
    num_close: int
    close_line: float
    sizes: Plot
    scores: Plot
    coverages: Plot
    rejects: Sequence[RejectKind]
    num_other_rejects: int
    notes: Sequence[str]
    groups: Iterable[ShownGroup] = field(repr=False)
    links: Iterable[ShownLink] = field(repr=False)
