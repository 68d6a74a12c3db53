"""Sampled shingles that several articles have: sorted, numbered, and listed by article, on all threads.

Each thread takes a range of the hashes, so that what it finds depends on no other, and numbers are the same
for any number of threads.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.match.buckets import Buckets
from dedup.match.days import most_days
from dedup.match.samples import MAX_MEETING, MAX_WAITING, POSITION, Samples
from dedup.match.threads import on_threads

u64 = np.uint64

FORMULA_SPAN = 7
"""The six days lie within so many: over months an ordinary phrase is found on six days too, by chance."""

_FLOOD = 4
"""So many times as many articles make a formula on however few days: no story is told in that many texts."""

_NOT_COUNTING = np.iinfo(np.int32).min
_UNDATED = _NOT_COUNTING + 1
"""For the days of positions in 32 bits, since they are read here and there."""

_ONE, _MEETING, _WAITING = u64(1), u64(32), u64(48)
"""The tally of a position counts its shared sampled shingles, and where to find the counts of those in which
it meets others and waits, fewer than 16 bits count: side by side, since tallies are read here and there."""


class Shared(NamedTuple):
    """The sampled shingles that two positions or more of n have, and who has them.

    `hashes` uint32, rising, and `is_formula` bool have one value a shingle, which is numbered by its place.
    The members are written over the entries of the samples, those in range k from begins[k] to ends[k], the
    number of the shingle, less first_numbers[k], in place of itself. `num_sampled` int32[n] counts the
    sampled shingles of each position, `tallies` uint64[num_ranges, n] what is shared of them.
    """

    hashes: npt.NDArray[np.uint32]
    is_formula: npt.NDArray[np.bool_]
    first_numbers: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    num_sampled: npt.NDArray[np.int32]
    tallies: npt.NDArray[np.uint64]


def number_shared(
    samples: Samples, days: npt.NDArray[np.int64], counting: npt.NDArray[np.bool_], bounds: tuple[int, int]
) -> Shared:
    """Return the shared ones of the samples of n positions, which are used up; `bounds` by `formula_bounds`.

    `days` int64[n] as `days_of` gives them; `counting` bool[n]. Each range of the hashes has a thread.
    """
    entries, n, num_ranges = samples.entries, len(days), len(samples.begins)
    day_of = np.where(counting, np.maximum(days, _UNDATED), _NOT_COUNTING).astype(np.int32)
    begins, ends = samples.begins[:, 0].copy(), np.empty(num_ranges, dtype=np.int64)
    counts = np.zeros((num_ranges, n), dtype=np.int32)
    tallies = np.zeros((num_ranges, n), dtype=np.uint64)

    def sort(k: int) -> None:
        end = _close_up(entries, samples.begins[k], samples.ends[k])[1][-1]
        entries[begins[k] : end].sort()
        ends[k] = begins[k] + _count_distinct(entries[begins[k] : end], counts[k])

    def number(k: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
        chosen = entries[begins[k] : ends[k]]
        hashes, is_formula = np.empty(len(chosen), dtype=np.uint32), np.empty(len(chosen), dtype=np.bool_)
        count, num_members = _number_shared(
            chosen, counts[k], tallies[k], MAX_MEETING, MAX_WAITING, day_of, *bounds, FORMULA_SPAN,
            hashes, is_formula,
        )  # fmt: skip
        ends[k] = begins[k] + num_members
        return hashes[:count].copy(), is_formula[:count].copy()

    on_threads(sort, range(num_ranges), num_ranges)
    num_sampled = _add_up(counts)
    found = on_threads(number, range(num_ranges), num_ranges)
    return Shared(
        np.concatenate([hashes for hashes, _ in found]),
        np.concatenate([is_formula for _, is_formula in found]),
        np.cumsum([0, *(len(hashes) for hashes, _ in found)]),
        begins,
        ends,
        num_sampled,
        tallies,
    )


class Listed(NamedTuple):
    """The shared sampled shingles of n positions, by position.

    Of the buckets of a position, one a shingle, those of its lowest MAX_MEETING and MAX_WAITING are the first
    `num_meeting` and `num_waiting`, int32[n].
    """

    buckets: Buckets
    num_meeting: npt.NDArray[np.int32]
    num_waiting: npt.NDArray[np.int32]


def list_members(entries: npt.NDArray[np.uint64], shared: Shared) -> Listed:
    """Return the members of shared shingles by position; `entries`, those of the samples, are used up.

    What is not shared is given back first, as there is nothing larger in memory then.
    """
    n, num_ranges = len(shared.num_sampled), len(shared.begins)
    begins, ends = _close_up(entries, shared.begins, shared.ends)
    entries.resize(ends[-1], refcheck=False)  # gives room back without a copy; nobody else holds it
    offsets = np.empty(n + 1, dtype=np.int64)
    num_meeting, num_waiting = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    _find_offsets(shared.tallies, offsets, num_meeting, num_waiting)
    buckets = np.empty(len(entries), dtype=np.uint32)

    def place(k: int) -> None:
        members = entries[begins[k] : ends[k]]
        _place_members(members, shared.first_numbers[k], shared.tallies[k], buckets)

    on_threads(place, range(num_ranges), num_ranges)
    return Listed(Buckets(offsets, buckets, len(shared.hashes)), num_meeting, num_waiting)


def _close_up(
    entries: npt.NDArray[np.uint64], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Move the ranges of entries behind the first, one behind the other; return begins and ends then."""
    new_ends = begins[0] + np.cumsum(ends - begins)
    new_begins = new_ends - (ends - begins)
    _move(entries, begins, new_begins, new_ends)
    return new_begins, new_ends


@kernel
def _count_distinct(entries, counts):
    """Move the distinct ones of sorted entries to the front, counted by position; return how many."""
    num = 0
    last = ~entries[0] if len(entries) > 0 else u64(0)
    for k in range(len(entries)):
        entry = entries[k]
        is_new = entry != last
        last = entry
        entries[num] = entry
        num += is_new
        counts[np.int64(entry & POSITION)] += is_new
    return num


@kernel
def _add_up(counts):
    """Return the sums of the counts of all ranges, int32[n]; they are those of the ranges before then."""
    sums = np.zeros(counts.shape[1], dtype=np.int32)
    for k in range(counts.shape[0]):
        for position in range(len(sums)):
            count = counts[k, position]
            counts[k, position] = sums[position]
            sums[position] += count
    return sums


@kernel
def _number_shared(
    entries, ranks, tallies, max_meeting, max_waiting, days, days_needed, articles_needed, span, hashes,
    is_formula,
):  # fmt: skip
    """Number the shingles that two sorted entries or more have; return how many, and how many have them.

    The members are written over the entries, which are read ahead of that. `ranks` are how many lower sampled
    shingles a position has. Hardly anything branches: nothing foretells which shingle is shared.
    """
    least = min(days_needed, articles_needed) if days_needed > 0 else articles_needed  # for a formula
    dated = np.empty(len(entries), dtype=np.int64)
    number = num_members = first_member = 0
    shingle = entries[0] >> u64(32) if len(entries) > 0 else u64(0)
    is_same = False
    for k in range(len(entries)):
        position = np.int64(entries[k] & POSITION)
        next_shingle = entries[k + 1] >> u64(32) if k + 1 < len(entries) else ~u64(0)
        goes_on = next_shingle == shingle
        is_shared = u64(is_same | goes_on)
        if not is_same:
            first_member = num_members
        entries[num_members] = u64(number) << u64(32) | u64(position)
        num_members += is_same | goes_on
        rank = ranks[position]
        ranks[position] = rank + 1
        meets, waits = u64(rank < max_meeting), u64(rank < max_waiting)
        tallies[position] += is_shared * (_ONE | meets << _MEETING | waits << _WAITING)
        hashes[number] = shingle
        is_formula[number] = False
        if num_members - first_member >= least and not goes_on:
            is_formula[number] = _is_formula(
                entries, first_member, num_members, days, dated, days_needed, articles_needed, span
            )
        number += is_same & (not goes_on)
        shingle = next_shingle
        is_same = goes_on
    return number, num_members


@inner_kernel
def _is_formula(entries, begin, end, days, dated, days_needed, articles_needed, span):
    """Return whether a shingle with these members is a formula."""
    num_counted = num_dated = 0
    for k in range(begin, end):
        day = days[np.int64(entries[k] & POSITION)]
        num_counted += day != _NOT_COUNTING
        dated[num_dated] = day
        num_dated += day > _UNDATED
    if days_needed > 0 and 2 * num_dated >= num_counted:
        is_flood = num_counted >= _FLOOD * articles_needed
        return is_flood or (num_dated >= days_needed and most_days(dated, num_dated, span) >= days_needed)
    return num_counted >= articles_needed


@kernel
def _move(entries, begins, new_begins, new_ends):
    for k in range(len(begins)):
        if new_begins[k] != begins[k]:
            for j in range(new_ends[k] - new_begins[k]):
                entries[new_begins[k] + j] = entries[begins[k] + j]


@kernel
def _find_offsets(tallies, offsets, num_meeting, num_waiting):
    """Write what the tallies of all ranges count; they are where each range writes of each position then."""
    end = u64(0)
    for position in range(len(num_meeting)):
        offsets[position] = end
        counts = u64(0)  # in which a position meets others and waits
        for k in range(len(tallies)):
            tally = tallies[k, position]
            counts += tally >> _MEETING
            tallies[k, position] = end
            end += tally & u64(0xFFFFFFFF)
        num_meeting[position] = counts & u64(0xFFFF)
        num_waiting[position] = counts >> (_WAITING - _MEETING)
    offsets[len(num_meeting)] = end


@kernel
def _place_members(members, first_number, cursors, buckets):
    """Write the numbers of the shingles of each position from its cursor on."""
    for k in range(len(members)):
        position = np.int64(members[k] & POSITION)
        buckets[cursors[position]] = (members[k] >> u64(32)) + u64(first_number)
        cursors[position] += u64(1)
