"""Waiting lists: who waits in which bucket while articles are walked in order."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel
from dedup.errors import InputError
from dedup.match.buckets import Buckets

u32 = np.uint32

NO_BOUND = np.iinfo(np.int64).min
"""For `meet`: nobody leaves a bucket for being too old."""


NOBODY = np.iinfo(np.uint32).max
"""In place of a membership: the list ends here."""

MAX_MEMBERSHIPS = int(NOBODY)


class Waiting(NamedTuple):
    """The waiting lists of all buckets. A membership is one place in the buckets' compressed rows.

    `offsets`, `buckets`: as in `Buckets`; `meeting_ends` and `waiting_ends`, int64[n], by position, how far
    into its buckets it meets others and waits. `links` uint32[m, 2] has the position of each membership and
    the membership that waits behind it. `heads` uint32[num_buckets, 2] has for each bucket the membership
    that came last and how many wait. What is read together lies side by side, and is small: walking the
    lists is waiting for memory.
    """

    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.uint32]
    meeting_ends: npt.NDArray[np.int64]
    waiting_ends: npt.NDArray[np.int64]
    links: npt.NDArray[np.uint32]
    heads: npt.NDArray[np.uint32]


STAMP, BANDED, WORDED = 0, 1, 2


class Meetings(NamedTuple):
    """Scratch for the positions that one article meets.

    `met` int32[n, 4] has for each position, side by side for the same reason, at STAMP the article that met
    it last, at BANDED and WORDED how often that one did so in the buckets of bands and of wording;
    `candidates` int64[n + 1] lists the positions met. `walkers` uint32 has room for the buckets of any one
    position.
    """

    met: npt.NDArray[np.int32]
    candidates: npt.NDArray[np.int64]
    walkers: npt.NDArray[np.uint32]


def start_waiting(
    buckets: Buckets,
    num_meeting: npt.NDArray[np.int64] | None = None,
    num_waiting: npt.NDArray[np.int64] | None = None,
) -> Waiting:
    """Return empty waiting lists for these buckets.

    Of the buckets of a position the first `num_meeting` and `num_waiting`, int64[n], are used; without
    these all of them. Raises `InputError` for more memberships than can be numbered.
    """
    if len(buckets.buckets) > MAX_MEMBERSHIPS:
        raise InputError(
            f"the articles have {len(buckets.buckets):,} places in buckets, and one machine's run numbers at "
            f"most {MAX_MEMBERSHIPS:,}: group fewer days at a time, or run on Spark (docs/spark.md)"
        )
    num_members = np.diff(buckets.offsets)
    links = np.empty((len(buckets.buckets), 2), dtype=np.uint32)
    links[:, 0] = np.repeat(np.arange(len(num_members), dtype=np.uint32), num_members)
    heads = np.zeros((buckets.num_buckets, 2), dtype=np.uint32)
    heads[:, 0] = NOBODY
    return Waiting(
        buckets.offsets,
        buckets.buckets,
        buckets.offsets[:-1] + (num_members if num_meeting is None else num_meeting),
        buckets.offsets[:-1] + (num_members if num_waiting is None else num_waiting),
        links,
        heads,
    )


def start_meetings(num_positions: int, *waitings: Waiting) -> Meetings:
    """Return scratch for articles at so many positions that meet in these waiting lists."""
    most = max((int(np.diff(waiting.offsets).max(initial=0)) for waiting in waitings), default=0)
    return Meetings(
        np.full((num_positions, 4), -1, dtype=np.int32),
        np.empty(num_positions + 1, dtype=np.int64),
        np.empty(most, dtype=np.uint32),
    )


def doubled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array with as much room again behind it."""
    return np.concatenate([array, np.empty_like(array)])


@inner_kernel
def wait_where(position, waiting, limit, allowed):
    """Have a position wait in those of its buckets that `allowed`, by membership, names."""
    for slot in range(waiting.offsets[position], waiting.waiting_ends[position]):
        head = waiting.heads[waiting.buckets[slot]]
        if allowed[slot] and head[1] < limit:
            waiting.links[slot, 1] = head[0]
            head[0] = slot
            head[1] += u32(1)


@inner_kernel
def meet(position, waiting, meetings, tally, count, dates, rows, oldest):
    """Meet all who wait in the buckets of a position; return the number of candidates, `count` so far.

    `tally`, BANDED or WORDED, is where each meeting counts. Where articles are walked by date,
    those before `oldest` can meet nobody any more and leave their bucket; else it is NO_BOUND.

    All lists are walked side by side, one step of each at a time and without a branch on what is read:
    the processor then waits for many places in memory at once, not for one after another.
    """
    walkers = meetings.walkers
    num_walkers = 0
    for slot in range(waiting.offsets[position], waiting.meeting_ends[position]):
        bucket = waiting.buckets[slot]
        if oldest != NO_BOUND:
            _leave(bucket, waiting, dates, rows, oldest)
        walkers[num_walkers] = waiting.heads[bucket, 0]
        num_walkers += walkers[num_walkers] != NOBODY
    while num_walkers > 0:
        num_left = 0
        for k in range(num_walkers):
            link = waiting.links[walkers[k]]
            candidate = link[0]
            met = meetings.met[candidate]
            known = np.int32(met[STAMP] == position)
            met[STAMP] = position
            met[BANDED] *= known
            met[WORDED] *= known
            met[tally] += np.int32(1)
            meetings.candidates[count] = candidate
            count += 1 - known
            walkers[num_left] = link[1]
            num_left += link[1] != NOBODY
        num_walkers = num_left
    return count


@inner_kernel
def _leave(bucket, waiting, dates, rows, oldest):
    """Have those before `oldest` leave a bucket; the last to come is the first in its list."""
    count = 0
    last = u32(NOBODY)
    other = waiting.heads[bucket, 0]
    while other != NOBODY and dates[rows[waiting.links[other, 0]]] >= oldest:
        last = other
        count += 1
        other = waiting.links[other, 1]
    waiting.heads[bucket, 1] = count
    if last == NOBODY:
        waiting.heads[bucket, 0] = NOBODY
    else:
        waiting.links[last, 1] = NOBODY


@inner_kernel
def forget(count, meetings):
    """Undo the meetings of an article that will be walked again."""
    for k in range(count):
        meetings.met[meetings.candidates[k], STAMP] = -1


@inner_kernel
def wait(position, waiting, limit):
    """Have a position wait in its buckets, but for those in which `limit` wait already."""
    for slot in range(waiting.offsets[position], waiting.waiting_ends[position]):
        head = waiting.heads[waiting.buckets[slot]]
        if head[1] < limit:
            waiting.links[slot, 1] = head[0]
            head[0] = slot
            head[1] += u32(1)
