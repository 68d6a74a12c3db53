"""Why two articles were put together, in words, from their scores and the settings of the run."""

from collections.abc import Mapping
from typing import Any

from dedup.articles import Link, Member


def copy_reason(member: Member, settings: Mapping[str, Any]) -> str:
    """Return why a member is a copy of its canonical.

    >>> copy_reason(Member("b", 1.0, 1.0, "exact"), {"profile": "article"})
    'The same words in the same order; case, marks, spelling variants and punctuation do not count.'
    """
    if member.relation == "exact":
        return (
            "The same words in the same order; case, marks, spelling variants and punctuation do not count."
        )
    if settings["profile"] == "headline":
        return (
            f"Of all character shingles of the two titles {member.jaccard:.0%} are in both. How rare the "
            "words are that titles share, and how near they are in time, decides."
        )
    threshold = settings["threshold"]
    reason = (
        f"Of all shingles of the two articles {member.jaccard:.0%} are in both; {threshold:.0%} makes a "
        f"copy, of runs of characters in texts of a few words {settings['short_threshold']:.0%}. The kept "
        f"article has {member.coverage:.0%} of those of this one."
    )
    strict = settings["formula_threshold"]
    if threshold <= member.jaccard < strict:
        reason += (
            f" It would have to be {strict:.0%} if the run had found the shared wording to be a formula, or "
            "long passages of their own in both."
        )
    return reason


def part_reason(link: Link) -> str:
    """Return why an article is a part of a longer one.

    >>> part_reason(Link("b", "a", 0.93, 0.31))
    'The longer article has 93% of the shingles of this one. Of all shingles of the two 31% are in both.'
    """
    return (
        f"The longer article has {link.coverage:.0%} of the shingles of this one. Of all shingles of the two "
        f"{link.jaccard:.0%} are in both."
    )
