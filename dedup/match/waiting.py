"""Waiting lists: who waits in which bucket while articles are walked in order."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.match.buckets import Buckets, integers_for

NO_BOUND = np.iinfo(np.int64).min
"""For `meet`: nobody leaves a bucket for being too old."""


class Waiting(NamedTuple):
    """The waiting lists of all buckets. A membership is one place in the buckets' compressed rows.

    `offsets`, `buckets`: as in `Buckets`; `meeting_ends` and `waiting_ends`, by position, how far into its
    buckets it meets others and waits. `links` [m, 2] has the position of each membership and the membership
    that waits behind it, side by side: walking a list takes one place in memory a step. By bucket: `heads`,
    the membership that came last, -1 for none, and `counts`, how many wait. `links` and what there is
    by bucket have 32 bits where these can number memberships; `offsets` and ends are int64.
    """

    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.signedinteger]
    meeting_ends: npt.NDArray[np.int64]
    waiting_ends: npt.NDArray[np.int64]
    links: npt.NDArray[np.signedinteger]
    heads: npt.NDArray[np.signedinteger]
    counts: npt.NDArray[np.signedinteger]


STAMP, BANDED, WORDED = 0, 1, 2


class Meetings(NamedTuple):
    """Scratch for the positions that one article meets.

    `met` [n, 4] has for each position, side by side for the same reason, at STAMP the article that met
    it last, at BANDED and WORDED how often that one did so in the buckets of bands and of wording;
    `candidates` [n] lists the positions met. Both are of `integers_for` positions.
    """

    met: npt.NDArray[np.signedinteger]
    candidates: npt.NDArray[np.signedinteger]


def start_waiting(
    buckets: Buckets,
    num_meeting: npt.NDArray[np.int64] | None = None,
    num_waiting: npt.NDArray[np.int64] | None = None,
) -> Waiting:
    """Return empty waiting lists for these buckets.

    Of the buckets of a position the first `num_meeting` and `num_waiting`, int64[n], are used; without
    these all of them.
    """
    num_members = np.diff(buckets.offsets)
    integers = integers_for(len(buckets.buckets))
    links = np.empty((len(buckets.buckets), 2), dtype=integers)
    name_owners(buckets.offsets, links)
    return Waiting(
        buckets.offsets,
        buckets.buckets,
        buckets.offsets[:-1] + (num_members if num_meeting is None else num_meeting),
        buckets.offsets[:-1] + (num_members if num_waiting is None else num_waiting),
        links,
        np.full(buckets.num_buckets, -1, dtype=integers),
        np.zeros(buckets.num_buckets, dtype=integers),
    )


def start_meetings(num_positions: int) -> Meetings:
    """Return scratch for articles at so many positions."""
    integers = integers_for(num_positions)
    return Meetings(np.full((num_positions, 4), -1, dtype=integers), np.empty(num_positions, dtype=integers))


def doubled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array with as much room again behind it."""
    return np.concatenate([array, np.empty_like(array)])


@kernel
def name_owners(offsets, links):
    """Write the position of each membership."""
    for position in range(len(offsets) - 1):
        for slot in range(offsets[position], offsets[position + 1]):
            links[slot, 0] = position


@inner_kernel
def wait_where(position, waiting, limit, allowed):
    """Have a position wait in those of its buckets that `allowed`, by membership, names."""
    for slot in range(waiting.offsets[position], waiting.waiting_ends[position]):
        bucket = waiting.buckets[slot]
        if allowed[slot] and waiting.counts[bucket] < limit:
            waiting.links[slot, 1] = waiting.heads[bucket]
            waiting.heads[bucket] = slot
            waiting.counts[bucket] += 1


@inner_kernel
def meet(position, waiting, meetings, tally, count, dates, rows, oldest):
    """Meet all who wait in the buckets of a position; return the number of candidates, `count` so far.

    `tally`, BANDED or WORDED, is where each meeting counts. Where articles are walked by date,
    those before `oldest` can meet nobody any more and leave their bucket; else it is NO_BOUND.
    """
    for slot in range(waiting.offsets[position], waiting.meeting_ends[position]):
        bucket = waiting.buckets[slot]
        if oldest != NO_BOUND:
            _leave(bucket, waiting, dates, rows, oldest)
        other = waiting.heads[bucket]
        while other >= 0:
            candidate = waiting.links[other, 0]
            if meetings.met[candidate, STAMP] != position:
                meetings.met[candidate, STAMP] = position
                meetings.met[candidate, BANDED] = 0
                meetings.met[candidate, WORDED] = 0
                meetings.candidates[count] = candidate
                count += 1
            meetings.met[candidate, tally] += 1
            other = waiting.links[other, 1]
    return count


@inner_kernel
def _leave(bucket, waiting, dates, rows, oldest):
    """Have those before `oldest` leave a bucket; the last to come is the first in its list."""
    count = 0
    last = -1
    other = waiting.heads[bucket]
    while other >= 0 and dates[rows[waiting.links[other, 0]]] >= oldest:
        last = other
        count += 1
        other = waiting.links[other, 1]
    waiting.counts[bucket] = count
    if last < 0:
        waiting.heads[bucket] = -1
    else:
        waiting.links[last, 1] = -1


@inner_kernel
def forget(count, meetings):
    """Undo the meetings of an article that will be walked again."""
    for k in range(count):
        meetings.met[meetings.candidates[k], STAMP] = -1


@inner_kernel
def wait(position, waiting, limit):
    """Have a position wait in its buckets, but for those in which `limit` wait already."""
    for slot in range(waiting.offsets[position], waiting.waiting_ends[position]):
        bucket = waiting.buckets[slot]
        if waiting.counts[bucket] < limit:
            waiting.links[slot, 1] = waiting.heads[bucket]
            waiting.heads[bucket] = slot
            waiting.counts[bucket] += 1
