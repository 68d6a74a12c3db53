"""Waiting lists: who waits in which bucket while articles are walked in order."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.buckets import Buckets


class Waiting(NamedTuple):
    """The waiting lists of all buckets. A membership is one place in the buckets' compressed rows.

    `offsets`, `buckets`: as in `Buckets`; `owners` the position of each membership; `nexts` the
    membership that waits behind it. By bucket: `heads`, the membership that came last, -1 for none, and
    `counts`, how many wait. All int64.
    """

    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    nexts: npt.NDArray[np.int64]
    heads: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


class Meetings(NamedTuple):
    """Scratch for the positions that one article meets; all int64[n] by position but `candidates`.

    `stamps` holds the article that met a position last; `banded` and `worded` how often it did so in
    the buckets of bands and of wording; `candidates` lists the positions met.
    """

    stamps: npt.NDArray[np.int64]
    banded: npt.NDArray[np.int64]
    worded: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]


def start_waiting(buckets: Buckets) -> Waiting:
    """Return empty waiting lists for these buckets."""
    num_members = np.diff(buckets.offsets)
    return Waiting(
        buckets.offsets,
        buckets.buckets,
        np.repeat(np.arange(len(num_members), dtype=np.int64), num_members),
        np.empty(len(buckets.buckets), dtype=np.int64),
        np.full(buckets.num_buckets, -1, dtype=np.int64),
        np.zeros(buckets.num_buckets, dtype=np.int64),
    )


def start_meetings(num_positions: int) -> Meetings:
    """Return scratch for articles at so many positions."""
    return Meetings(
        np.full(num_positions, -1, dtype=np.int64),
        np.zeros(num_positions, dtype=np.int64),
        np.zeros(num_positions, dtype=np.int64),
        np.empty(num_positions, dtype=np.int64),
    )


def doubled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array with as much room again behind it."""
    return np.concatenate([array, np.empty_like(array)])


@kernel
def meet(position, source, waiting, meetings, tally, count):
    """Meet all who wait in the buckets of `source`; return the number of candidates, `count` so far.

    `tally` is the array of `meetings` in which each meeting counts.
    """
    for slot in range(waiting.offsets[source], waiting.offsets[source + 1]):
        other = waiting.heads[waiting.buckets[slot]]
        while other >= 0:
            candidate = waiting.owners[other]
            if meetings.stamps[candidate] != position:
                meetings.stamps[candidate] = position
                meetings.banded[candidate] = 0
                meetings.worded[candidate] = 0
                meetings.candidates[count] = candidate
                count += 1
            tally[candidate] += 1
            other = waiting.nexts[other]
    return count


@kernel
def forget(count, meetings):
    """Undo the meetings of an article that will be walked again."""
    for k in range(count):
        meetings.stamps[meetings.candidates[k]] = -1


@kernel
def wait(position, waiting, limit):
    """Have a position wait in its buckets, but for those in which `limit` wait already."""
    for slot in range(waiting.offsets[position], waiting.offsets[position + 1]):
        bucket = waiting.buckets[slot]
        if waiting.counts[bucket] < limit:
            waiting.nexts[slot] = waiting.heads[bucket]
            waiting.heads[bucket] = slot
            waiting.counts[bucket] += 1
