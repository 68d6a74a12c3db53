"""Waiting lists: who waits in which bucket while articles are walked in order."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.errors import InputError
from dedup.match.buckets import MAX_UINT32, Buckets

i32 = np.int32
u32 = np.uint32
u64 = np.uint64

NO_BOUND = np.iinfo(np.int64).min
"""For `meet`: nobody leaves a bucket for being too old."""

BEGIN, COUNT = 0, 1


class Waiting(NamedTuple):
    """The waiting lists of all buckets.

    `offsets`, `buckets`: as in `Buckets`; `meeting_ends` and `waiting_ends`, int64[n], by position, how far
    into its buckets it meets others and waits. `positions` uint32 has the lists one behind the other, each
    in the order in which its positions came. `heads` uint32[num_buckets + 1, 2] has for each bucket where
    its list begins, at BEGIN, and how many wait in it, at COUNT; a list is full where the next begins.
    `marks` uint64 has a bit, which others may share, for each bucket in which somebody waits since
    `clear_marks`.
    """

    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.uint32]
    meeting_ends: npt.NDArray[np.int64]
    waiting_ends: npt.NDArray[np.int64]
    positions: npt.NDArray[np.uint32]
    heads: npt.NDArray[np.uint32]
    marks: npt.NDArray[np.uint64]


_MOST_MARKS = 1 << 14  # a power of two
"""Marks, 64 a number, tell of those that wait in one stretch; more would leave the second-level cache."""

STAMP, TALLIES = 0, 1

BANDED = i32(1)
WORDED = i32(1 << 16)
"""What a meeting in a bucket of a band, and in one of wording, adds to the tallies of a position met."""

_NUM_COUNTS = 4096
"""Counts that stay in the nearest cache. An article of a large corpus meets some hundreds, and at most
MAX_MEETING times MAX_WORDED in wording, and some as it met in bands: 16 bits count them."""

_COUNTS_A_MEETING = 16
"""So many counts are cleared for each who is met, while there are as many: two share one seldom."""

_NUM_LISTS = 64
"""Lists that are found at once."""


class Meetings(NamedTuple):
    """Scratch for the positions that one article meets.

    `met` int32[n, 2] has for each position the article that met it last, at STAMP, and at TALLIES how often,
    as `num_banded` and `num_worded` read it; `candidates` int64[n + 1] lists the positions met. `counts`
    uint16[_NUM_COUNTS] is for `meet_often`, `lists` int64[_NUM_LISTS, 2] for begins and ends of lists.
    """

    met: npt.NDArray[np.int32]
    candidates: npt.NDArray[np.int64]
    counts: npt.NDArray[np.uint16]
    lists: npt.NDArray[np.int64]


def start_waiting(
    buckets: Buckets,
    limits: int | npt.NDArray[np.int64],
    num_meeting: npt.NDArray[np.signedinteger] | None = None,
    num_waiting: npt.NDArray[np.signedinteger] | None = None,
) -> Waiting:
    """Return empty waiting lists for these buckets, in each of which at most `limits` can wait.

    Of the buckets of a position the first `num_meeting` and `num_waiting`, integers[n], are used; without
    these all of them. Raises `InputError` for more places than can be numbered.
    """
    waiting_ends = buckets.offsets[1:] if num_waiting is None else buckets.offsets[:-1] + num_waiting
    rooms = np.minimum(waiting_sizes(buckets, waiting_ends), limits)
    num_places = int(rooms.sum())
    if num_places > MAX_UINT32:
        raise InputError(
            f"the articles wait for each other in {num_places:,} places, and one run numbers at most "
            f"{MAX_UINT32:,}: group fewer days at a time, or run on Spark (docs/spark.md)"
        )
    heads = np.zeros((buckets.num_buckets + 1, 2), dtype=np.uint32)
    np.cumsum(rooms, out=heads[1:, BEGIN])
    return Waiting(
        buckets.offsets,
        buckets.buckets,
        buckets.offsets[1:] if num_meeting is None else buckets.offsets[:-1] + num_meeting,
        waiting_ends,
        np.empty(num_places, dtype=np.uint32),
        heads,
        np.zeros(min(_MOST_MARKS, 1 << (buckets.num_buckets // 64).bit_length()), dtype=np.uint64),
    )


def clear_marks(waiting: Waiting) -> None:
    """Have no bucket marked: for `meet`, from now on those who wait are looked for where one is."""
    waiting.marks[:] = 0


def waiting_sizes(buckets: Buckets, waiting_ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many positions would wait in each bucket, int64[num_buckets], with room for all."""
    sizes = np.zeros(buckets.num_buckets, dtype=np.int64)
    _count_waiting(buckets.offsets, waiting_ends, buckets.buckets, sizes)
    return sizes


@kernel
def _count_waiting(offsets, waiting_ends, buckets, sizes):
    for position in range(len(waiting_ends)):
        for slot in range(offsets[position], waiting_ends[position]):
            sizes[buckets[slot]] += 1


def start_meetings(num_positions: int) -> Meetings:
    """Return scratch for articles at so many positions."""
    return Meetings(
        np.full((num_positions, 2), -1, dtype=np.int32),
        np.empty(num_positions + 1, dtype=np.int64),
        np.empty(_NUM_COUNTS, dtype=np.uint16),
        np.empty((_NUM_LISTS, 2), dtype=np.int64),
    )


def doubled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array with as much room again behind it."""
    return np.concatenate([array, np.empty_like(array)])


@inner_kernel
def num_banded(candidate, meetings):
    """Return in how many buckets of bands the article met this candidate."""
    return meetings.met[candidate, TALLIES] & i32(0xFFFF)


@inner_kernel
def num_worded(candidate, meetings):
    """Return in how many buckets of wording the article met this candidate."""
    return meetings.met[candidate, TALLIES] >> i32(16)


@inner_kernel
def meet(position, waiting, meetings, tally, count, dates, rows, oldest, since):
    """Meet who waits in the buckets of a position; return the number of candidates, `count` so far.

    Those at positions before `since` are left out; they wait before the others, and before `clear_marks`.
    `tally`, BANDED or WORDED, is what each meeting counts as. Where articles are walked by date,
    those before `oldest` can meet nobody any more and leave their bucket; else it is NO_BOUND.
    """
    begin, end = waiting.offsets[position], waiting.meeting_ends[position]
    _let_leave(begin, end, waiting, dates, rows, oldest)
    while begin < end:
        num_lists = _find_lists(begin, end, waiting, since, meetings.lists)
        for k in range(num_lists):
            for place in range(meetings.lists[k, 0], meetings.lists[k, 1]):
                count += _meet_one(position, np.int64(waiting.positions[place]), tally, count, meetings)
        begin += num_lists
    return count


@inner_kernel
def meet_often(position, waiting, meetings, least, count, dates, rows, oldest, since):
    """Meet those who wait in `least` buckets of a position or more, WORDED; return the number of candidates.

    The `count` candidates so far are met however seldom. Others who wait in fewer buckets may be met too.

    Most are met once, and a place in memory for each is what a scan waits for. So all are counted first in a
    few counts, which several share, and only those whose count is high enough are met.
    """
    begin, end = waiting.offsets[position], waiting.meeting_ends[position]
    _let_leave(begin, end, waiting, dates, rows, oldest)
    mask = _clear_counts(begin, end, since, waiting, meetings)
    for k in range(count):
        meetings.counts[meetings.candidates[k] & mask] += least - 1
    for first in range(begin, end, _NUM_LISTS):
        for k in range(_find_lists(first, end, waiting, since, meetings.lists)):
            for place in range(meetings.lists[k, 0], meetings.lists[k, 1]):
                meetings.counts[np.int64(waiting.positions[place]) & mask] += 1
    for first in range(begin, end, _NUM_LISTS):
        for k in range(_find_lists(first, end, waiting, since, meetings.lists)):
            for place in range(meetings.lists[k, 0], meetings.lists[k, 1]):
                candidate = np.int64(waiting.positions[place])
                if meetings.counts[candidate & mask] >= least:
                    count += _meet_one(position, candidate, WORDED, count, meetings)
    return count


@inner_kernel
def _clear_counts(begin, end, since, waiting, meetings):
    """Clear as many counts as those who wait in the buckets from `begin` to `end` need; return their mask."""
    num_met = 0
    for first in range(begin, end, _NUM_LISTS):
        for k in range(_find_lists(first, end, waiting, since, meetings.lists)):
            num_met += meetings.lists[k, 1] - meetings.lists[k, 0]
    size = min(64, len(meetings.counts))
    while size < min(_COUNTS_A_MEETING * num_met, len(meetings.counts)):
        size *= 2
    for k in range(size):
        meetings.counts[k] = 0
    return size - 1


@inner_kernel
def _find_lists(begin, end, waiting, since, lists):
    """Write begin and end of the lists of the buckets from `begin` on to `lists`; return of how many.

    Ahead of the walk: where a list ends is a branch, which, guessed wrong, costs as long as its head takes to
    come from memory. Here nothing depends on a head, so that the processor waits for all of them at once.
    """
    num_lists = min(end - begin, len(lists))
    nowhere = np.int64(len(waiting.heads)) - 1
    for k in range(num_lists):
        bucket = np.int64(waiting.buckets[begin + k])
        if since > 0 and not _is_marked(bucket, waiting):
            bucket = nowhere
        lists[k, 0] = waiting.heads[bucket, BEGIN]
        lists[k, 1] = lists[k, 0] + waiting.heads[bucket, COUNT]
    if since > 0:
        for k in range(num_lists):
            first = lists[k, 1]
            while first > lists[k, 0] and waiting.positions[first - 1] >= since:
                first -= 1
            lists[k, 0] = first
    return num_lists


@inner_kernel
def _is_marked(bucket, waiting):
    mark = bucket & (64 * len(waiting.marks) - 1)
    return waiting.marks[mark >> 6] >> u64(mark & 63) & u64(1) != u64(0)


@inner_kernel
def _meet_one(position, candidate, tally, count, meetings):
    """Meet a candidate, number `count` if it is new; return how many candidates more there are."""
    known = i32(meetings.met[candidate, STAMP] == position)
    meetings.met[candidate, STAMP] = position
    meetings.met[candidate, TALLIES] = meetings.met[candidate, TALLIES] * known + tally
    meetings.candidates[count] = candidate
    return 1 - known


@inner_kernel
def _let_leave(begin, end, waiting, dates, rows, oldest):
    """Have those before `oldest` leave the buckets from `begin` to `end`."""
    if oldest != NO_BOUND:
        for slot in range(begin, end):
            _leave(waiting.buckets[slot], waiting, dates, rows, oldest)


@inner_kernel
def _leave(bucket, waiting, dates, rows, oldest):
    """Have those before `oldest` leave a bucket: the first ones of its list."""
    begin = np.int64(waiting.heads[bucket, BEGIN])
    num_waiting = np.int64(waiting.heads[bucket, COUNT])
    num_old = 0
    while num_old < num_waiting and dates[rows[waiting.positions[begin + num_old]]] < oldest:
        num_old += 1
    if num_old > 0:
        for place in range(begin, begin + num_waiting - num_old):
            waiting.positions[place] = waiting.positions[place + num_old]
        waiting.heads[bucket, COUNT] = num_waiting - num_old


@inner_kernel
def forget(count, meetings):
    """Undo the meetings of an article that will be walked again."""
    for k in range(count):
        meetings.met[meetings.candidates[k], STAMP] = -1


@inner_kernel
def wait(position, waiting):
    """Have a position wait in its buckets, but for those that are full."""
    for slot in range(waiting.offsets[position], waiting.waiting_ends[position]):
        _wait_in(waiting.buckets[slot], position, waiting)


@inner_kernel
def wait_where(position, waiting, allowed):
    """Have a position wait in those of its buckets that `allowed`, by place in `buckets`, names."""
    for slot in range(waiting.offsets[position], waiting.waiting_ends[position]):
        if allowed[slot]:
            _wait_in(waiting.buckets[slot], position, waiting)


@inner_kernel
def _wait_in(bucket, position, waiting):
    place = waiting.heads[bucket, BEGIN] + waiting.heads[bucket, COUNT]
    if place < waiting.heads[bucket + 1, BEGIN]:
        waiting.positions[place] = position
        waiting.heads[bucket, COUNT] += u32(1)
        mark = np.int64(bucket) & (64 * len(waiting.marks) - 1)
        waiting.marks[mark >> 6] |= u64(1) << u64(mark & 63)
