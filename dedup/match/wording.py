"""Wording: which articles share sampled word shingles, and how widely each shingle is spread.

Articles that share two sampled shingles (`match.samples`) or more meet, however different their lengths.
This finds cut copies, which bands of a signature miss.

The same table tells a story's wording from a formula: a story is reprinted within a day or two, the
formula of cables, weather and market reports comes back on other days.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.articles import MICROSECONDS_A_DAY, MISSING_DATE
from dedup.compiling import inner_kernel
from dedup.match.buckets import Buckets
from dedup.match.numbering import list_members, number_shared
from dedup.match.samples import sample_shingles
from dedup.match.verify import Features, Rule

FORMULA_DAYS = 6
"""A shingle that is found on so many days is a formula; shingles of one story are found on one to three."""

_FORMULA_ARTICLES = 16
_FORMULA_SHARE = 500
"""Where there are fewer days, or most of its articles have no date: a shingle in more articles than 16 and
than one in 500 is a formula."""

NO_DAY = np.iinfo(np.int64).min
"""The day of an article without a date."""


@dataclass(frozen=True)
class Wording:
    """The buckets of shared sampled shingles, one a shingle, in rising order within a position.

    `hashes` uint32[num_buckets] are the shingles, rising; `is_formula` bool[num_buckets]; `num_sampled`
    int32[n]: sampled shingles of each position, shared or not, 0 where it takes no part. The first
    `num_meeting` int32[n] buckets of a position are those in which it meets others, the first
    `num_waiting` int32[n] those in which it waits: the shared ones of its MAX_MEETING and MAX_WAITING lowest.
    """

    buckets: Buckets
    hashes: npt.NDArray[np.uint32]
    is_formula: npt.NDArray[np.bool_]
    num_sampled: npt.NDArray[np.int32]
    num_meeting: npt.NDArray[np.int32]
    num_waiting: npt.NDArray[np.int32]


def find_wording(
    features: Features,
    rule: Rule,
    rows: npt.NDArray[np.int64],
    taking_part: npt.NDArray[np.bool_],
    counting: npt.NDArray[np.bool_],
    formulas: npt.NDArray[np.uint32] | None = None,
    num_threads: int = 1,
) -> Wording:
    """Return the shared wording of the positions that take part.

    `rows` int64[n] gives the row in `features` at each position. Of the positions that take part, bool[n],
    those `counting`, bool[n], tell how widely a shingle is spread: of the very same texts the first. Where
    `formulas`, rising, are given, these shingles are the formulas and nothing is counted.
    """
    days = days_of(features.dates[rows])
    bounds = 0, len(rows) + 1
    if formulas is None:
        num_days = len(sorted_distinct(days[days != NO_DAY]))
        bounds = formula_bounds(num_days, int(np.count_nonzero(taking_part & counting)))
    samples = sample_shingles(features, rule, rows, np.flatnonzero(taking_part), num_threads)
    shared = number_shared(samples, days, counting, bounds)
    listed = list_members(samples.entries, shared)
    is_formula = shared.is_formula if formulas is None else are_formulas(shared.hashes, formulas)
    return Wording(
        listed.buckets, shared.hashes, is_formula, shared.num_sampled, listed.num_meeting, listed.num_waiting
    )


def formula_bounds(num_days: int, num_articles: int) -> tuple[int, int]:
    """Return on how many days, 0 for any, and in how many articles a shingle is found that is a formula.

    `num_days` is the number of distinct days in the corpus, `num_articles` that of the articles that count.
    """
    days_needed = FORMULA_DAYS if num_days >= FORMULA_DAYS else 0
    return days_needed, max(_FORMULA_ARTICLES, num_articles // _FORMULA_SHARE) + 1


def are_formulas(shingles: npt.NDArray[np.uint32], formulas: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Return which of the shingles are among the formulas, which rise."""
    if len(formulas) == 0:
        return np.zeros(len(shingles), dtype=np.bool_)
    places = np.minimum(np.searchsorted(formulas, shingles), len(formulas) - 1)
    return np.asarray(formulas[places] == shingles, dtype=np.bool_)


def sorted_distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the distinct values, rising; for large arrays of integers faster than `numpy.unique`."""
    values = np.sort(values)
    is_first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_first[1:])
    return values[is_first]


def days_of(dates: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the day of each date, NO_DAY for none."""
    return np.where(dates == MISSING_DATE, NO_DAY, dates // MICROSECONDS_A_DAY)


@inner_kernel
def formula_share(a, b, buckets, is_formula):
    """Return the share of formulas among the sampled shingles that positions a and b share, 0 for none."""
    shared = 0
    formulas = 0
    i, j = buckets.offsets[a], buckets.offsets[b]
    while i < buckets.offsets[a + 1] and j < buckets.offsets[b + 1]:
        left, right = buckets.buckets[i], buckets.buckets[j]
        if left == right:
            shared += 1
            formulas += is_formula[left]
        i += left <= right
        j += right <= left
    return formulas / shared if shared > 0 else 0.0
