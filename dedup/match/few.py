"""One article beside a few canonicals: judged as the scan judges, without what only many articles need.

The scan finds buckets, wording and waiting lists in array operations for all articles at once. For one
article these cost several times as much as judging; here one kernel lays out the little that judging reads.
"""

import numpy as np

from dedup.compiling import inner_kernel, kernel
from dedup.match.outcome import Outcome
from dedup.match.samples import keep_sampled
from dedup.match.scan import judge_met
from dedup.match.verify import lay_out_shingles, make_scratch, same_tokens
from dedup.match.waiting import Meetings, Waiting
from dedup.sorting import sort_values


@kernel
def judge_few(candidates, count, features, rule, formulas, found):
    """Write what the last of n articles is to the first `count` of the candidates; return how many rows.

    `candidates` int64 are rows of `features`, canonicals all of them; `formulas` uint32 rise. Row 0 of
    `found`, int64[n + 1, 6], is where the article goes: the row of its canonical, its own if it becomes one;
    the kind; whether the canonical has its very tokens; the sizes of shared set, own and other. Behind it
    come the `relations` of `match.scan.Scan`.
    """
    n = len(features.token_begins)
    own = n - 1
    scratch = make_scratch(
        _longest(features.token_begins, features.token_ends),
        _longest(features.character_begins, features.character_ends),
    )
    worded, is_formula = _share_wording(features, rule, formulas, scratch)
    meetings = Meetings(
        np.empty((0, 2), dtype=np.int32),
        candidates,
        np.empty(0, dtype=np.uint16),
        np.empty((0, 2), dtype=np.int64),
    )
    rows = np.arange(n)
    set_sizes = np.full((n, 2), -1, dtype=np.int64)
    out = Outcome(rows.copy(), np.zeros(n, dtype=np.int8), np.zeros((n, 3), dtype=np.int64), found[1:])
    state = np.zeros(3, dtype=np.int64)
    judge_met(
        own, own, count, rows, features, rule, worded, is_formula, meetings, scratch, set_sizes, out, state
    )
    canonical = out.canonicals[own]
    found[0, 0], found[0, 1] = canonical, out.kinds[own]
    found[0, 2] = canonical != own and same_tokens(own, canonical, features)
    for k in range(3):
        found[0, 3 + k] = out.sizes[own, k]
    return 1 + state[1]


@inner_kernel
def _longest(begins, ends):
    longest = 0
    for row in range(len(begins)):
        longest = max(longest, ends[row] - begins[row])
    return longest


@kernel
def _share_wording(features, rule, formulas, scratch):
    """Return the wording of the last of n articles as `formula_share` reads it, and which of it is formula.

    The buckets of an article are numbers of sampled shingles, those among the last one's that it holds too.
    """
    n = len(features.token_begins)
    sampled = np.empty(len(scratch.shingles), dtype=np.uint32)
    num_sampled = _sample_distinct(n - 1, features, rule, scratch, sampled)
    is_formula = np.empty(num_sampled, dtype=np.bool_)
    for k in range(num_sampled):
        is_formula[k] = _find(sampled[k], formulas, len(formulas)) >= 0
    offsets = np.zeros(n + 1, dtype=np.int64)
    buckets = np.empty(n * num_sampled, dtype=np.uint32)
    holds = np.empty(num_sampled, dtype=np.bool_)
    end = 0
    for row in range(n):
        _mark_held(row, features, rule, scratch, sampled, holds)
        for k in range(num_sampled):
            if holds[k]:
                buckets[end] = k
                end += 1
        offsets[row + 1] = end
    nobody, none = np.empty((0, 2), dtype=np.uint32), np.empty(0, dtype=np.uint32)
    marks = np.empty(0, dtype=np.uint64)
    return Waiting(offsets, buckets, offsets[1:], offsets[1:], none, nobody, marks), is_formula


@inner_kernel
def _sample_distinct(row, features, rule, scratch, sampled):
    """Write the distinct sampled shingles of an article, rising; return how many."""
    count = keep_sampled(scratch.shingles, lay_out_shingles(row, features, rule, scratch))
    sort_values(scratch.shingles, 0, count)
    num_sampled = 0
    for k in range(count):
        if k == 0 or scratch.shingles[k] != scratch.shingles[k - 1]:
            sampled[num_sampled] = scratch.shingles[k]
            num_sampled += 1
    return num_sampled


@inner_kernel
def _mark_held(row, features, rule, scratch, sampled, holds):
    """Mark which of the sampled shingles, as many as `holds` is long, an article holds."""
    for k in range(len(holds)):
        holds[k] = False
    count = keep_sampled(scratch.shingles, lay_out_shingles(row, features, rule, scratch))
    for k in range(count):
        place = _find(scratch.shingles[k], sampled, len(holds))
        if place >= 0:
            holds[place] = True


@inner_kernel
def _find(value, values, count):
    """Return where a value stands among the first `count`, which rise, -1 where it does not."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < count and values[low] == value else -1
