"""The canonical scan: one pass in canonical order that gives each article its group.

An article joins the best-matching earlier canonical, else it becomes a canonical; only canonicals wait
in buckets, so a bucket of m copies costs about m comparisons. The canonicals are the
lexicographically-first maximal independent set of the match graph (Blelloch, Fineman and Shun, "Greedy
sequential maximal independent set and matching are parallel on average", SPAA 2012).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.compiling import inner_kernel, kernel
from dedup.match.ahead import Surroundings, found_ahead, meet_ahead, take_ahead
from dedup.match.buckets import Buckets
from dedup.match.crowded import CrowdedSignatures
from dedup.match.judge import judge
from dedup.match.likely import (
    MIN_SHARED_SAMPLE,
    likely_by_bands,
    likely_by_wording,
    lowest_equal,
)
from dedup.match.outcome import follow, relate, start_outcome
from dedup.match.verify import Features, Rule, is_short, load_article, scratch_for
from dedup.match.waiting import (
    BANDED,
    COUNT,
    NO_BOUND,
    clear_marks,
    doubled,
    forget,
    meet,
    meet_often,
    num_banded,
    num_worded,
    start_meetings,
    start_waiting,
    wait,
    wait_where,
)
from dedup.match.wording import Wording

MAX_BANDED = 64
MAX_WORDED = 24
"""Canonicals that wait in one bucket of a band, and of a shingle; later ones are found through their other
buckets. A bucket of more articles that are not copies of each other holds a template, and says nothing
about copies."""

_SHORT_STRETCH, _LONG_STRETCH, _MANY_STRETCHES = 1024, 4096, 64
_MOST_THREADS = 16  # each takes 8 bytes an article
"""Articles are met ahead in stretches of so many, fewer in a small corpus, so that few of them meet each
other; not many more, so that what was read of the waiting lists is near when they are read again."""


@dataclass(frozen=True)
class HeldWaits:
    """Which held canonicals wait for which sampled shingles, as an index has it.

    `hashes` uint32[k] and `positions` int64[k]: a shingle, and the held position that waits in its
    bucket, -1 for a canonical that is not at hand but fills the bucket too.
    """

    hashes: npt.NDArray[np.uint32]
    positions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scan:
    """The outcome of a canonical scan over n positions in canonical order.

    `canonicals` int64[n]: the position of the canonical, its own for a canonical. `kinds` int8[n] is
    BY_WORDS or BY_CHARACTERS for a member, 0 for a canonical and for a repeat of its very text.
    `shared`, `own`, `other` int64[n]: sizes of the common shingle set, the member's and the canonical's;
    all 0 where `kinds` is. `exact` bool[n]: the member has the very tokens of its canonical. `relations`
    int64[k, 6] lists what else was found, by position, those of one position in no promised order: a
    position, a canonical, a kind (a further match, or PART or WHOLE), and the three sizes.
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
    same: npt.NDArray[np.int64],
    bands: Buckets,
    wording: Wording,
    signatures: CrowdedSignatures,
    num_held: int = 0,
    held_waits: HeldWaits | None = None,
    num_threads: int = 1,
) -> Scan:
    """Return the groups of n articles, of which the first `num_held` are canonicals from before.

    `rows` int64[n] gives the row in `features` at each position in canonical order;
    `same` int64[n] the first position with the very same tokens. A position goes where `firsts` int64[n]
    says, its own where it is walked itself; only those have buckets. The held ones wait in the
    buckets of wording that `held_waits` names, without it in all of theirs.
    """
    n = len(rows)
    out = start_outcome(n)
    state = np.zeros(3, dtype=np.int64)  # next position, relations, candidates
    allowed, others = _allow(held_waits, num_held, wording)
    banded = start_waiting(bands, MAX_BANDED)
    worded = start_waiting(
        wording.buckets, np.maximum(0, MAX_WORDED - others), wording.num_meeting, wording.num_waiting
    )
    dates = features.dates[rows]
    by_date = bool(np.all(dates[1:] >= dates[:-1]))
    met = (np.diff(bands.offsets) > 0) | (np.diff(wording.buckets.offsets) > 0)
    least_equal = lowest_equal(rule.threshold, signatures.values.shape[1])
    surroundings = Surroundings(
        features, rule, rows, firsts, banded, worded,
        wording.num_sampled, wording.is_formula, signatures, least_equal,
    )  # fmt: skip
    walked = rows[met]
    scratch = start_meetings(n), scratch_for(features, walked)
    set_sizes = np.full((len(features.token_begins), 2), -1, dtype=np.int64)
    leaving = by_date and rule.window != MISSING_DATE
    # Who has left a bucket, or is held, depends on who came just before: no stretches then.
    stretches = _stretches(n) if num_threads > 1 and num_held == 0 and not leaving else [(0, n)]
    for begin, ahead in meet_ahead(
        surroundings, set_sizes, stretches, walked, min(num_threads, _MOST_THREADS)
    ):
        if begin == ahead.begin:
            clear_marks(banded)
            clear_marks(worded)
        while True:
            _scan(*surroundings, *scratch, set_sizes, leaving, num_held, allowed, begin, ahead, out, state)
            if state[0] == ahead.end:
                break
            out = out._replace(relations=doubled(out.relations))
    full = np.count_nonzero(banded.heads[:-1, COUNT] >= MAX_BANDED)
    full += np.count_nonzero(worded.heads[:-1, COUNT] + others >= MAX_WORDED)
    return Scan(
        out.canonicals,
        out.kinds,
        out.sizes[:, 0],
        out.sizes[:, 1],
        out.sizes[:, 2],
        (out.canonicals != np.arange(n)) & (same[out.canonicals] == same),
        out.relations[: state[1]],
        int(state[2]),
        int(full),
    )


def _stretches(num_positions: int) -> list[tuple[int, int]]:
    """Return begins and ends of the stretches in which articles are met ahead."""
    length = max(_SHORT_STRETCH, min(_LONG_STRETCH, num_positions // _MANY_STRETCHES))
    begins = range(0, num_positions, length)
    return [(begin, min(begin + length, num_positions)) for begin in begins] or [(0, 0)]


def _allow(
    held: HeldWaits | None, num_held: int, wording: Wording
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return in which of their buckets the held positions wait, by place in the buckets' rows.

    And how many canonicals that are not at hand fill each bucket too, int64[num_buckets], so that a full
    bucket is full here as well.
    """
    offsets = wording.buckets.offsets[: num_held + 1]
    others = np.zeros(wording.buckets.num_buckets, dtype=np.int64)
    if held is None:
        return np.ones(int(offsets[-1]), dtype=np.bool_), others
    owners = np.repeat(np.arange(num_held), np.diff(offsets))
    buckets = wording.buckets.buckets[: len(owners)]
    at_hand = held.positions >= 0
    waits = np.sort((held.hashes[at_hand].astype(np.int64) << 32) | held.positions[at_hand])
    memberships = (wording.hashes[buckets].astype(np.int64) << 32) | owners
    allowed: npt.NDArray[np.bool_] = np.zeros(len(owners), dtype=np.bool_)
    if len(waits):
        places = np.minimum(np.searchsorted(waits, memberships), len(waits) - 1)
        np.equal(waits[places], memberships, out=allowed)
    bucket_at = np.searchsorted(wording.hashes, held.hashes[~at_hand])
    known = bucket_at < len(wording.hashes)
    known[known] = wording.hashes[bucket_at[known]] == held.hashes[~at_hand][known]
    others += np.bincount(bucket_at[known], minlength=len(others))
    return allowed, others


@kernel
def _scan(
    features, rule, rows, firsts, banded, worded, num_sampled, is_formula, signatures, least_equal,
    meetings, scratch, set_sizes, leaving, num_held, allowed, since, ahead, out, state,
):  # fmt: skip
    """Scan from position state[0] to the end of `ahead`; stop early where `out.relations` could become short.

    Those who waited before position `since` were met ahead.
    """
    dates = features.dates
    for position in range(state[0], ahead.end):
        if position < num_held:
            wait(position, banded)
            wait_where(position, worded, allowed)
            continue
        first = firsts[position]
        if first != position:  # the very same text goes where the first one went
            follow(position, first, out)
            continue
        row = rows[position]
        oldest = dates[row] - rule.window if leaving and dates[row] != MISSING_DATE else NO_BOUND
        num_ahead, num_by_bands = found_ahead(position, since, ahead)
        banded_now = meet(position, banded, meetings, BANDED, 0, dates, rows, oldest, since)
        count = meet_often(
            position, worded, meetings, MIN_SHARED_SAMPLE, banded_now, dates, rows, oldest, since
        )
        num_by_bands += banded_now
        count = _keep_likely(
            count, num_by_bands, position, rows, num_sampled, rule, signatures, least_equal, features,
            meetings,
        )  # fmt: skip
        if state[1] + count + num_ahead > len(out.relations):
            forget(count, meetings)
            state[0] = position
            return
        state[2] += count
        if count > 0:
            judge_met(
                position, row, count, rows, features, rule, worded, is_formula, meetings, scratch, set_sizes,
                out, state,
            )  # fmt: skip
        if num_ahead > 0:
            take_ahead(
                position, row, num_ahead, num_by_bands, ahead, features, signatures, least_equal, out, state
            )
        if out.kinds[position] == 0:
            wait(position, banded)
            wait(position, worded)
    state[0] = ahead.end


@inner_kernel
def judge_met(
    position, row, count, rows, features, rule, worded, is_formula, meetings, scratch, set_sizes, out, state
):
    """Judge the first `count` candidates of a position and take in what they are to it."""
    set_sizes[row, 0], set_sizes[row, 1] = load_article(row, features, rule, scratch, position)
    for k in range(count):
        candidate = meetings.candidates[k]
        kind, shared, own, other = judge(
            position, candidate, rows, set_sizes, features, rule, worded, is_formula, scratch
        )
        if kind != 0:
            relate(position, candidate, kind, shared, own, other, out, state)


@inner_kernel
def _keep_likely(
    count, num_by_bands, position, rows, num_sampled, rule, signatures, least_equal, features, meetings
):
    """Drop candidates that bands or wording do not speak for; return how many stay.

    In all `num_by_bands` candidates met in bands.
    """
    row = rows[position]
    short = is_short(row, features)
    kept = 0
    for k in range(count):
        candidate = meetings.candidates[k]
        by_bands, by_wording = num_banded(candidate, meetings), num_worded(candidate, meetings)
        if likely_by_wording(position, candidate, by_wording, num_sampled, rule) or likely_by_bands(
            position, candidate, by_bands, num_by_bands, short, signatures, least_equal
        ):
            meetings.candidates[kept] = candidate
            kept += 1
    return kept
