"""All matching pairs: the walk in which every article waits in its buckets."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.buckets import Buckets
from dedup.match.verify import (
    Features,
    Rule,
    alike,
    load_article,
    scratch_for,
)
from dedup.match.waiting import BANDED, NO_BOUND, doubled, forget, meet, start_meetings, start_waiting, wait


@dataclass(frozen=True)
class MatchingPairs:
    """Verified pairs of positions (first < second), int64[k, 2].

    `kinds` int8[k] is BY_WORDS or BY_CHARACTERS; `shared`, `first_sizes` and `second_sizes` int64[k] are
    sizes of the shingle sets.
    """

    pairs: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    shared: npt.NDArray[np.int64]
    first_sizes: npt.NDArray[np.int64]
    second_sizes: npt.NDArray[np.int64]


def find_matching_pairs(
    features: Features, rule: Rule, rows: npt.NDArray[np.int64], buckets: Buckets
) -> MatchingPairs:
    """Return all pairs at or above the rule's thresholds among articles that meet in a bucket."""
    waiting = start_waiting(buckets, len(rows))
    meetings = start_meetings(len(rows))
    scratch = scratch_for(features, rows[np.diff(buckets.offsets) > 0])
    set_sizes = np.zeros((len(features.token_begins), 2), dtype=np.int64)
    state = np.zeros(2, dtype=np.int64)  # next position, pairs
    found = np.empty((4096, 6), dtype=np.int64)
    while True:
        _find_pairs(features, rule, rows, waiting, meetings, scratch, set_sizes, found, state)
        if state[0] == len(rows):
            break
        found = doubled(found)
    found = found[: state[1]]
    return MatchingPairs(found[:, :2], found[:, 2].astype(np.int8), found[:, 3], found[:, 4], found[:, 5])


@kernel
def _find_pairs(features, rule, rows, waiting, meetings, scratch, set_sizes, found, state):
    """Walk from position state[0] on; stop early where `found` could become too short."""
    for position in range(state[0], len(rows)):
        if waiting.offsets[position] == waiting.offsets[position + 1]:
            continue
        row = rows[position]
        count = meet(position, waiting, meetings, BANDED, 0, features.dates, rows, NO_BOUND, 0)
        if state[1] + count > len(found):
            forget(count, meetings)
            state[0] = position
            return
        set_sizes[row, 0], set_sizes[row, 1] = load_article(row, features, rule, scratch, position)
        for k in range(count):
            candidate = meetings.candidates[k]
            kind, shared, own, other = alike(
                row, rows[candidate], set_sizes, features, rule, scratch, position
            )
            if kind != 0:
                found[state[1], 0] = candidate
                found[state[1], 1] = position
                found[state[1], 2] = kind
                found[state[1], 3] = shared
                found[state[1], 4] = other
                found[state[1], 5] = own
                state[1] += 1
        wait(position, waiting)
    state[0] = len(rows)
