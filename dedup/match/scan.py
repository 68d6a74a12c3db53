"""The canonical scan: one pass in canonical order that gives each article its group.

An article joins the best-matching earlier canonical, else it becomes a canonical; only canonicals wait
in buckets, so a bucket of m copies costs about m comparisons. The canonicals are the
lexicographically-first maximal independent set of the match graph (Blelloch, Fineman and Shun, "Greedy
sequential maximal independent set and matching are parallel on average", SPAA 2012).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.buckets import Buckets
from dedup.match.judge import judge
from dedup.match.verify import PART, WHOLE, Features, Rule, jaccard_of, load_article, scratch_for
from dedup.match.waiting import doubled, forget, meet, start_meetings, start_waiting, wait
from dedup.match.wording import Wording

MAX_BANDED = 64
MAX_WORDED = 24
"""Canonicals that wait in one bucket of a band, and of a shingle; later ones are found through their other
buckets. A bucket of more articles that are not copies of each other holds a template, and says nothing
about copies."""

MANY_BANDED = 32
"""With more candidates from bands than this, those whose signatures speak against a match are dropped."""

MIN_SHARED_SAMPLE = 2
MIN_SHARED_SAMPLE_RATIO = 0.2
"""Of the smaller sample, the share that two articles must have in common to be compared. A copy or part
shares 0.46 or more of the smaller shingle set; less than half of that in the sample is most unlikely."""

_SIGMAS = 4.0  # a match at the threshold is dropped by the signatures with probability 3e-5


class _Outcome(NamedTuple):
    """What the scan writes by position; relations beyond the first grow: owner, other, kind and sizes."""

    canonicals: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    sizes: npt.NDArray[np.int64]
    relations: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scan:
    """The outcome of a canonical scan over n positions in canonical order.

    `canonicals` int64[n]: the position of the canonical, its own for a canonical. `kinds` int8[n] is
    BY_WORDS or BY_CHARACTERS for a member, else 0. `shared`, `own`, `other` int64[n]: sizes of the
    common shingle set, the member's and the canonical's; all 0 where `kinds` is. `exact` bool[n]: the
    member has the very tokens of its canonical. `relations` int64[k, 6] lists what else was found, in
    order: a position, a canonical, a kind (a further match, or PART or WHOLE), and the three sizes.
    """

    canonicals: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    shared: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]
    relations: npt.NDArray[np.int64]
    num_candidates: int
    num_full_buckets: int


def scan_canonicals(
    features: Features,
    rule: Rule,
    rows: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    bands: Buckets,
    wording: Wording,
    signatures: npt.NDArray[np.uint32],
) -> Scan:
    """Return the groups of n articles.

    `rows` int64[n] gives the row in `features` and `signatures` at each position in canonical order;
    `firsts` int64[n] the first position with the very same tokens. Only first positions have buckets.
    """
    n = len(rows)
    out = _Outcome(
        canonicals=np.arange(n, dtype=np.int64),
        kinds=np.zeros(n, dtype=np.int8),
        sizes=np.zeros((n, 3), dtype=np.int64),
        relations=np.empty((4096, 6), dtype=np.int64),
    )
    state = np.zeros(3, dtype=np.int64)  # next position, relations, candidates
    banded = start_waiting(bands)
    worded = start_waiting(wording.buckets)
    meetings = start_meetings(n)
    lowest_equal = _lowest_equal(rule.threshold, signatures.shape[1])
    met = (np.diff(bands.offsets) > 0) | (np.diff(wording.buckets.offsets) > 0)
    scratch = scratch_for(features, rows[met[firsts]])
    set_sizes = np.full((len(features.token_begins), 2), -1, dtype=np.int64)
    while True:
        _scan(
            features, rule, rows, firsts, banded, worded, wording.num_sampled, wording.is_formula, signatures,
            lowest_equal, MAX_WORDED, meetings, scratch, set_sizes, out, state,
        )  # fmt: skip
        if state[0] == n:
            break
        out = out._replace(relations=doubled(out.relations))
    full = np.count_nonzero(banded.counts >= MAX_BANDED) + np.count_nonzero(worded.counts >= MAX_WORDED)
    return Scan(
        out.canonicals,
        out.kinds,
        out.sizes[:, 0],
        out.sizes[:, 1],
        out.sizes[:, 2],
        (out.canonicals != np.arange(n)) & (firsts[out.canonicals] == firsts),
        out.relations[: state[1]],
        int(state[2]),
        int(full),
    )


def _lowest_equal(threshold: float, num_perm: int) -> int:
    """Return how many equal values of `num_perm` a pair at the threshold has all but surely."""
    deviation = (threshold * (1 - threshold) * num_perm) ** 0.5
    return max(0, int(threshold * num_perm - _SIGMAS * deviation))


@kernel
def _scan(
    features, rule, rows, firsts, banded, worded, num_sampled, is_formula, signatures, lowest_equal,
    worded_limit, meetings, scratch, set_sizes, out, state,
):  # fmt: skip
    """Scan from position state[0] on; stop early where `out.relations` could become too short."""
    for position in range(state[0], len(rows)):
        first = firsts[position]
        if first != position and out.canonicals[first] == first:
            out.canonicals[position] = first  # the very text of a canonical: nothing can match better
            continue
        count = meet(position, first, banded, meetings, meetings.banded, 0)
        by_bands = count
        count = meet(position, first, worded, meetings, meetings.worded, count)
        count = _keep_likely(
            count, by_bands, position, first, rows, num_sampled, signatures, lowest_equal, features, meetings
        )
        if state[1] + count > len(out.relations):
            forget(count, meetings)
            state[0] = position
            return
        state[2] += count
        if count > 0:
            row = rows[position]
            set_sizes[row, 0], set_sizes[row, 1] = load_article(row, features, rule, scratch, position)
        for k in range(count):
            candidate = meetings.candidates[k]
            _relate(
                position, first, candidate, rows, set_sizes, features, rule, worded, is_formula, scratch,
                out, state,
            )  # fmt: skip
        if out.kinds[position] == 0:
            wait(position, banded, MAX_BANDED)
            wait(position, worded, worded_limit)
    state[0] = len(rows)


@kernel
def _keep_likely(
    count, by_bands, position, first, rows, num_sampled, signatures, lowest_equal, features, meetings
):
    """Drop candidates that bands or wording do not speak for; return how many stay.

    The first `by_bands` candidates met in bands; where these are many, their signatures must agree.
    """
    row = rows[position]
    is_short = features.character_ends[row] > features.character_begins[row]
    kept = 0
    for k in range(count):
        candidate = meetings.candidates[k]
        needed = max(
            MIN_SHARED_SAMPLE, MIN_SHARED_SAMPLE_RATIO * min(num_sampled[first], num_sampled[candidate])
        )
        likely = meetings.worded[candidate] >= needed
        if not likely and meetings.banded[candidate] > 0:
            likely = is_short or by_bands <= MANY_BANDED
            if not likely:
                equal = 0
                for p in range(signatures.shape[1]):
                    equal += signatures[row, p] == signatures[rows[candidate], p]
                likely = equal >= lowest_equal
        if likely:
            meetings.candidates[kept] = candidate
            kept += 1
    return kept


@kernel
def _relate(
    position, first, candidate, rows, set_sizes, features, rule, worded, is_formula, scratch, out, state
):
    """Judge one candidate: the best match becomes the canonical, all else goes to `out.relations`."""
    kind, shared, own, other = judge(
        position, candidate, first, rows, set_sizes, features, rule, worded, is_formula, scratch
    )
    if kind == 0:
        return
    relation = out.relations[state[1]]
    relation[0], relation[1], relation[2] = position, candidate, kind
    relation[3], relation[4], relation[5] = shared, own, other
    if kind not in (PART, WHOLE):
        best = out.sizes[position]
        jaccard = jaccard_of(shared, own, other)
        best_jaccard = jaccard_of(best[0], best[1], best[2])
        if out.kinds[position] == 0:
            out.kinds[position] = kind
            out.canonicals[position] = candidate
            best[0], best[1], best[2] = shared, own, other
            return
        if jaccard > best_jaccard or (jaccard == best_jaccard and candidate < out.canonicals[position]):
            relation[1], relation[2] = out.canonicals[position], out.kinds[position]
            relation[3], relation[4], relation[5] = best[0], best[1], best[2]
            out.kinds[position] = kind
            out.canonicals[position] = candidate
            best[0], best[1], best[2] = shared, own, other
    state[1] += 1
