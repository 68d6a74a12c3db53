"""Wording: which articles share sampled word shingles, and how widely each shingle is spread.

Of the word shingle hashes every `SAMPLED_SHARE`-th is taken, the same ones in each article, so that the
sample of a part lies in the sample of its whole (FracMinHash: Irber et al., "Lightweight compositional
analysis of metagenomes with FracMinHash and minimum metagenome covers", 2022). Articles that share two
sampled shingles or more meet, however different their lengths. This finds cut copies, which bands of
a signature miss.

The same table tells a story's wording from a formula: a story is reprinted within a day or two, the
formula of cables, weather and market reports comes back on other days.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.articles import MICROSECONDS_A_DAY, MISSING_DATE
from dedup.compiling import inner_kernel, kernel
from dedup.match.buckets import Buckets, unpack_by_position
from dedup.match.days import most_days
from dedup.match.verify import Features, Rule
from dedup.text.kernels import word_shingles

u32 = np.uint32
u64 = np.uint64

SAMPLED_SHARE = 4
"""Of 2, 4 and 8 the largest at which half of a pair's shared sample still tells formulas as well as all
of its shared shingles do on the judged pairs."""

MAX_WAITING = 32
"""An article waits in its lowest sampled shingle hashes, at most so many; so the longer an article, the
thinner the sample that others meet. `docs/quality.md` has what other numbers find and cost."""

MAX_MEETING = 64
"""It looks for others in its lowest sampled shingle hashes, at most so many: a whole that comes after its
part must hit the few shingles in which the part waits."""

FORMULA_DAYS = 6
"""A shingle that is found on so many days is a formula; shingles of one story are found on one to three."""

FORMULA_SPAN = 7
"""The six days lie within so many: over months an ordinary phrase is found on six days too, by chance."""

_FORMULA_ARTICLES = 16
_FORMULA_SHARE = 500
"""Where there are fewer days, or most of its articles have no date: a shingle in more articles than 16 and
than one in 500 is a formula."""

_FLOOD = 4
"""So many times as many articles make a formula on however few days: no story is told in that many texts."""

NO_DAY = np.iinfo(np.int64).min
"""The day of an article without a date."""

SAMPLED, MEETING, WAITING, DAY = range(4)
"""What is at hand of a position while shingles are counted, side by side, since they are read here and there:
its counts so far, and its day, _UNDATED, or _NOT_COUNTING."""

_NOT_COUNTING = np.iinfo(np.int32).min
_UNDATED = _NOT_COUNTING + 1

_BLOCK = 1024


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
) -> Wording:
    """Return the shared wording of the positions that take part.

    `rows` int64[n] gives the row in `features` at each position. Of the positions that take part, bool[n],
    those `counting`, bool[n], tell how widely a shingle is spread: of the very same texts the first. Where
    `formulas`, rising, are given, these shingles are the formulas and nothing is counted.
    """
    days = days_of(features.dates[rows])
    bounds = 0, 1
    if formulas is None:
        num_days = len(np.unique(days[days != NO_DAY]))
        bounds = formula_bounds(num_days, int(np.count_nonzero(taking_part & counting)))
    keyed = sample_shingles(features, rule, rows, np.flatnonzero(taking_part))
    return share_wording(keyed, days, counting, bounds, formulas)


def sample_shingles(
    features: Features, rule: Rule, rows: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Return the sampled shingles of some positions, sorted: the hash in the high 32 bits, then the position.

    A shingle that a text repeats is there as often.
    """
    num_tokens = (features.token_ends - features.token_begins)[rows[positions]]
    num_shingles = np.maximum(num_tokens - rule.shingle_size + 1, 0) if rule.shingle_size else num_tokens * 0
    expected = int(num_shingles.sum()) // SAMPLED_SHARE
    if np.any(rows[positions[1:]] < rows[positions[:-1]]):
        positions = positions[np.argsort(rows[positions])]  # tokens may be on a disk: read them as they lie
    keyed = np.empty(expected + expected // 4 + 4096, dtype=np.uint64)
    count = _sample(features, rule, rows, positions, keyed)
    if count < 0:  # far from the expected share: some text repeats a sampled shingle over and over
        keyed = np.empty(int(num_shingles.sum()), dtype=np.uint64)
        count = _sample(features, rule, rows, positions, keyed)
    keyed.resize(count, refcheck=False)  # gives room back without a copy; nobody else holds it
    keyed.sort()
    return keyed


def formula_bounds(num_days: int, num_articles: int) -> tuple[int, int]:
    """Return on how many days, 0 for any, and in how many articles a shingle is found that is a formula.

    `num_days` is the number of distinct days in the corpus, `num_articles` that of the articles that count.
    """
    days_needed = FORMULA_DAYS if num_days >= FORMULA_DAYS else 0
    return days_needed, max(_FORMULA_ARTICLES, num_articles // _FORMULA_SHARE) + 1


def share_wording(
    keyed: npt.NDArray[np.uint64],
    days: npt.NDArray[np.int64],
    counting: npt.NDArray[np.bool_],
    bounds: tuple[int, int],
    formulas: npt.NDArray[np.uint32] | None = None,
) -> Wording:
    """Return the wording that n positions share, from `sample_shingles` of all and `formula_bounds`.

    `days` int64[n] as `days_of` gives them; `counting` bool[n]. `keyed` is used up: what is shared is written
    over it, and the rest given back, as there is nothing larger in memory then.
    """
    count = len(keyed)
    tallies = np.zeros((len(days), 4), dtype=np.int32)
    tallies[:, DAY] = np.where(counting, np.maximum(days, _UNDATED), _NOT_COUNTING)
    hashes = np.empty(count // 2, dtype=np.uint32)
    is_formula = np.empty(count // 2, dtype=np.bool_)
    num_members, num_buckets = _shared_shingles(
        keyed, tallies, *bounds, FORMULA_SPAN, MAX_MEETING, MAX_WAITING, hashes, is_formula
    )  # fmt: skip
    keyed.resize(num_members, refcheck=False)
    hashes, is_formula = hashes[:num_buckets].copy(), is_formula[:num_buckets].copy()
    if formulas is not None:
        is_formula = are_formulas(hashes, formulas)
    buckets = unpack_by_position(keyed, len(days), num_buckets)
    return Wording(
        buckets,
        hashes,
        is_formula,
        num_sampled=tallies[:, SAMPLED].copy(),
        num_meeting=tallies[:, MEETING].copy(),
        num_waiting=tallies[:, WAITING].copy(),
    )


def are_formulas(shingles: npt.NDArray[np.uint32], formulas: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Return which of the shingles are among the formulas, which rise."""
    if len(formulas) == 0:
        return np.zeros(len(shingles), dtype=np.bool_)
    places = np.minimum(np.searchsorted(formulas, shingles), len(formulas) - 1)
    return np.asarray(formulas[places] == shingles, dtype=np.bool_)


@inner_kernel
def keep_sampled(shingles, count):
    """Move the sampled ones of the first `count` shingles to the front, in their order; return how many."""
    kept = 0
    for k in range(count):
        if shingles[k] % u32(SAMPLED_SHARE) == 0:
            shingles[kept] = shingles[k]
            kept += 1
    return kept


def sorted_distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the distinct values, rising; for large arrays of integers faster than `numpy.unique`."""
    values = np.sort(values)
    is_first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_first[1:])
    return values[is_first]


def days_of(dates: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the day of each date, NO_DAY for none."""
    return np.where(dates == MISSING_DATE, NO_DAY, dates // MICROSECONDS_A_DAY)


@kernel
def _sample(features, rule, rows, positions, keyed):
    """Write hash and position of all sampled shingles to `keyed`; return how many, -1 for no room."""
    sums = np.empty(_BLOCK, dtype=np.uint64)
    block = np.empty(_BLOCK, dtype=np.uint32)
    count = 0
    if rule.shingle_size == 0:
        return 0
    for k in range(len(positions)):
        row = rows[positions[k]]
        at = features.token_begins[row]
        last = features.token_ends[row] - rule.shingle_size
        while at <= last:
            num = min(_BLOCK, last + 1 - at)
            word_shingles(features.tokens, at, num, rule.shingle_size, rule.multipliers, sums, block)
            if count + num > len(keyed):
                return -1
            for j in range(num):
                keyed[count] = (u64(block[j]) << u64(32)) | u64(positions[k])
                count += block[j] % u32(SAMPLED_SHARE) == 0
            at += num
    return count


@kernel
def _shared_shingles(
    keyed, tallies, days_needed, articles_needed, span, max_meeting, max_waiting, hashes, is_formula
):  # fmt: skip
    """Number the shingles that two positions or more have; return the numbers of members and shingles.

    The members are written over `keyed`, which is read ahead of that: the number of the shingle in the high
    32 bits, then the position.
    """
    num_members = 0
    num_shingles = 0
    start = 0
    dated = np.empty(len(tallies), dtype=np.int64)
    while start < len(keyed):
        first_member = num_members
        num_counted = 0
        num_dated = 0
        end = start
        shingle = keyed[start] >> u64(32)
        last = ~keyed[start]
        while end < len(keyed) and keyed[end] >> u64(32) == shingle:
            if keyed[end] != last:
                last = keyed[end]
                position = np.int64(last & u64(0xFFFFFFFF))
                tallies[position, SAMPLED] += 1
                keyed[num_members] = u64(num_shingles) << u64(32) | u64(position)
                num_members += 1
                day = tallies[position, DAY]
                num_counted += day != _NOT_COUNTING
                dated[num_dated] = day
                num_dated += day > _UNDATED
            end += 1
        start = end
        if num_members - first_member == 1:
            num_members = first_member
            continue
        for k in range(first_member, num_members):
            position = np.int64(keyed[k] & u64(0xFFFFFFFF))
            tallies[position, MEETING] += tallies[position, SAMPLED] <= max_meeting
            tallies[position, WAITING] += tallies[position, SAMPLED] <= max_waiting
        hashes[num_shingles] = shingle
        if days_needed > 0 and 2 * num_dated >= num_counted:
            is_flood = num_counted >= _FLOOD * articles_needed
            recurs = num_dated >= days_needed and most_days(dated, num_dated, span) >= days_needed
            is_formula[num_shingles] = recurs or is_flood
        else:
            is_formula[num_shingles] = num_counted >= articles_needed
        num_shingles += 1
    return num_members, num_shingles


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
