"""Verdicts in words and figures, out of where an article stands in an index."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from dedup.articles import Added, ArticleId, Match, Verdict
from dedup.index.rows import Name, Place, Relation
from dedup.match.verify import BY_CHARACTERS, PART, WHOLE


def verdict_of(
    id_: ArticleId, num_tokens: int, place: Place, relations: Sequence[Relation], names: Mapping[int, Name]
) -> Verdict:
    """Return the verdict on an article; `names` has its canonical and those of its relations."""
    name = names[place.canonical]
    by_likeness = sorted(
        relations, key=lambda found: (found.kind in (PART, WHOLE), -scores(found)[0], found.other_no)
    )
    matches = [_match(found, names[found.other_no].article_id) for found in by_likeness]
    relation: Literal["new", "exact", "near", "part"]
    if place.canonical != place.no:
        relation = "exact" if place.exact else "near"
        jaccard, coverage = scores(place)
        matches.insert(0, Match(name.article_id, relation, jaccard, coverage))
    else:
        parts = [k for k, found in enumerate(by_likeness) if found.kind == PART]
        relation = "part" if parts else "new"
        if parts:
            matches.insert(0, matches.pop(parts[0]))
            by_likeness.insert(0, by_likeness.pop(parts[0]))
    reason = _reason(relation, num_tokens, place, by_likeness, matches)
    return Verdict(id_, relation, name.article_id, name.group_id, tuple(matches), reason, place.full_buckets)


def scores(found: Place | Relation) -> tuple[float, float]:
    """Return Jaccard similarity and coverage, to four digits."""
    if found.own == 0:
        return 1.0, 1.0
    covered = found.other if found.kind == WHOLE else found.own
    return (
        round(found.shared / (found.own + found.other - found.shared), 4),
        round(found.shared / covered, 4),
    )


def _match(found: Relation, canonical_id: ArticleId) -> Match:
    kind: Literal["near", "part", "whole"] = "near"
    if found.kind in (PART, WHOLE):
        kind = "part" if found.kind == PART else "whole"
    return Match(canonical_id, kind, *scores(found))


class LazyVerdicts(Iterator[Verdict]):
    """The verdicts on articles that are added as they are taken; warns where nobody took one.

    Python warns likewise of a coroutine that was never awaited: the call alone did nothing.
    """

    def __init__(self, verdicts: Iterator[Verdict]) -> None:
        self._verdicts = verdicts
        self._is_begun = False

    def __iter__(self) -> Iterator[Verdict]:
        self._is_begun = True
        return self._verdicts

    def __next__(self) -> Verdict:
        self._is_begun = True
        return next(self._verdicts)

    def __del__(self) -> None:
        if not self._is_begun:
            warnings.warn(
                "add_many was called and its verdicts never taken, so no article was added; loop over them, "
                "or use add_all",
                RuntimeWarning,
                stacklevel=2,
            )


def counted(verdicts: Iterable[Verdict]) -> Added:
    """Return how many verdicts of each kind there are."""
    relations: Counter[str] = Counter()
    num_full_buckets = 0
    for verdict in verdicts:
        relations[verdict.relation] += 1
        num_full_buckets += verdict.full_buckets
    return Added(
        num_articles=relations.total(),
        num_new=relations["new"],
        num_exact=relations["exact"],
        num_near=relations["near"],
        num_parts=relations["part"],
        num_full_buckets=num_full_buckets,
    )


def _reason(
    relation: str, num_tokens: int, place: Place, relations: Sequence[Relation], matches: Sequence[Match]
) -> str:
    if num_tokens == 0:
        return "no word is left once it is normalised, so it matches nothing"
    if relation == "exact":
        return f"the same words as {matches[0].canonical_id!r} in the same order once both are normalised"
    if relation == "near":
        shingles = "character" if place.kind == BY_CHARACTERS else "word"
        return (
            f"Jaccard {matches[0].jaccard:.3f} with {matches[0].canonical_id!r}: {place.shared} {shingles} "
            f"shingles shared of {place.own} and {place.other}"
        )
    if relation == "part":
        found = relations[0]
        return (
            f"a part of {matches[0].canonical_id!r}: {found.shared} of its {found.own} word shingles are "
            f"among the {found.other} there"
        )
    wholes = [match for match in matches if match.relation == "whole"]
    if wholes:
        whole = wholes[0]
        return f"no copy; it covers {whole.coverage:.3f} of {whole.canonical_id!r}, which is a part of it"
    return "no held article shares enough of its wording"
