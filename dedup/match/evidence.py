"""The evidence that two titles tell of one item, in nats.

Two titles are weighed as record linkage weighs two records (Fellegi and Sunter, "A theory for record
linkage", JASA 1969). The word keys they share speak for one item, each by the logarithm of how rare it is
among all titles; the keys that the poorer of the two has for itself speak against it, and so do the time
between them and a common source: an outlet seldom prints two titles of one item, but repeats its formulas.
All weights are known before titles are grouped, so that the order of the input never matters.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.compiling import kernel
from dedup.match.verify import Features, in_window, same_tokens

u32 = np.uint32

PRIOR_TITLES = 2000
"""So many titles are taken as known in which no key was found: what a rare key is worth in a small batch."""

UNKNOWN_ALIKE = 0.4
"""Where no title is known, evidence counts for two whose weighted Jaccard similarity is so high or more. This
falls as titles are counted: to half of it at `PRIOR_TITLES`, to a seventh in a week of 12,000."""

_SAME_TEXT = 100.0  # nats; more than any title of the usual length can have
_APART = -1e9
_ROUNDING = 1e-6


class Evidence(NamedTuple):
    """What speaks for one item, in nats; see the ablation in `docs/quality.md`.

    Enough is `needed`. A nat of unshared keys costs `unshared`; a gap costs `gap` for each factor e by which
    it and `gap_unit` microseconds exceed `gap_unit`, a missing date as much as `missing_gap`; one source
    costs `same_source`. Titles whose weighted Jaccard similarity is below `least_alike` are never together.
    """

    needed: float
    least_alike: float = 0.0
    unshared: float = 0.2
    gap: float = 4.0
    gap_unit: int = 12 * 3_600_000_000
    missing_gap: int = 7 * 24 * 3_600_000_000
    same_source: float = 10.0


class Titles(NamedTuple):
    """The word keys of n titles, rising and distinct in a title, and a number for each source.

    `keys` uint32 with `offsets` int64[n + 1]; `sources` int64[n], -1 for none.
    """

    keys: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64]


@dataclass(frozen=True)
class KeyCounts:
    """In how many of `num_titles` titles each key is found: `keys` uint32[k], rising, `counts` int64[k].

    An index keeps one as its frozen artefact; a batch counts its own. With none counted all keys are worth
    the same, and titles must be alike besides (`UNKNOWN_ALIKE`).
    """

    keys: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.int64]
    num_titles: int


def count_keys(titles: Titles, counting: npt.NDArray[np.bool_]) -> KeyCounts:
    """Return the counts of the titles that are `counting`, bool[n] by row."""
    of_counting = np.repeat(counting, np.diff(titles.offsets))
    keys, counts = np.unique(titles.keys[of_counting], return_counts=True)
    return KeyCounts(keys, counts.astype(np.int64), int(np.count_nonzero(counting)))


def weigh_keys(titles: Titles, counts: KeyCounts) -> npt.NDArray[np.float64]:
    """Return what each of `titles.keys` is worth in nats, float64.

    The two titles that are compared do not count. A run of n characters is worth an n-th: each of its
    characters stands in n runs.
    """
    found = np.zeros(len(titles.keys), dtype=np.int64)
    if len(counts.keys):
        at = np.minimum(np.searchsorted(counts.keys, titles.keys), len(counts.keys) - 1)
        found = np.where(counts.keys[at] == titles.keys, counts.counts[at], 0)
    others = np.maximum(found - 2, 0) + 1
    weights = np.log((counts.num_titles + PRIOR_TITLES) / others)
    return np.asarray(np.maximum(weights, 0.0) / ((titles.keys & u32(3)) + 1), dtype=np.float64)


class Weighed(NamedTuple):
    """All that the evidence of two positions is read from: `order` gives the row of each."""

    order: npt.NDArray[np.int64]
    features: Features
    window: int
    titles: Titles
    weights: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]
    evidence: Evidence
    enough_alike: float


@kernel
def evidence_of(a, b, weighed):
    """Return the evidence in nats that the titles at two positions tell of one item."""
    row, other = weighed.order[a], weighed.order[b]
    features, titles, rule = weighed.features, weighed.titles, weighed.evidence
    date, other_date = features.dates[row], features.dates[other]
    if not in_window(date, other_date, weighed.window):
        return _APART
    shared = 0.0
    num_shared = 0
    i, j = titles.offsets[row], titles.offsets[other]
    end, other_end = titles.offsets[row + 1], titles.offsets[other + 1]
    num_keys, num_others = end - i, other_end - j
    while i < end and j < other_end:
        left, right = titles.keys[i], titles.keys[j]
        if left == right:
            shared += weighed.weights[i]
            num_shared += 1
        i += left <= right
        j += right <= left
    union = weighed.totals[row] + weighed.totals[other] - shared
    if shared < rule.least_alike * union - _ROUNDING:
        return _APART
    unshared = min(weighed.totals[row], weighed.totals[other]) - shared
    gap = rule.missing_gap
    if MISSING_DATE not in (date, other_date):
        gap = abs(date - other_date)
    found = shared - rule.unshared * max(0.0, unshared) - rule.gap * np.log(1 + gap / rule.gap_unit)
    if titles.sources[row] >= 0 and titles.sources[row] == titles.sources[other]:
        found -= rule.same_source
    if num_shared == num_keys == num_others and same_tokens(row, other, features):
        return _SAME_TEXT
    return found if shared >= weighed.enough_alike * union - _ROUNDING else min(found, 0.0)
