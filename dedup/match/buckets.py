"""Candidate buckets: which articles share a band key, found by sorting."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.errors import InputError

u64 = np.uint64

MAX_INT32 = np.iinfo(np.int32).max
MAX_UINT32 = np.iinfo(np.uint32).max


@dataclass(frozen=True)
class Buckets:
    """The buckets of two or more entries, in the order of the articles' positions.

    The buckets of position p are buckets[offsets[p]:offsets[p + 1]], uint32; `offsets` int64[n + 1].
    A bucket's number says nothing but which positions share it.
    """

    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.uint32]
    num_buckets: int


def integers_for(count: int) -> type[np.int32] | type[np.int64]:
    """Return the type of numbers below `count`: 32 bits where they do, since there are dozens an article."""
    return np.int32 if count <= MAX_INT32 else np.int64


def find_buckets(
    num_positions: int,
    lanes: list[tuple[npt.NDArray[np.int64], int, Callable[[int], npt.NDArray[np.uint64]]]],
    num_threads: int = 1,
) -> Buckets:
    """Return the buckets of all bands of all lanes.

    A lane is the rising positions of its entries, int64[m]; its number of bands; and a function that
    returns the keys, uint64[m], of one band, an array that is written to. Memory is what the shared
    buckets need: an entry that shares no key in a band leaves nothing behind.
    """
    tasks = [
        (positions, keys_of, band)
        for positions, num_bands, keys_of in lanes
        if len(positions) > 1
        for band in range(num_bands)
    ]
    if num_threads == 1:
        found = [_shared_keys(*task) for task in tasks]
    else:
        with ThreadPoolExecutor(num_threads) as pool:
            found = list(pool.map(lambda task: _shared_keys(*task), tasks))
    members = np.concatenate([part[0] for part in found]) if found else np.empty(0, dtype=np.int32)
    sizes = [part[2] for part in found]
    starts = np.cumsum([0, *sizes])
    numbers = (
        np.concatenate([part[1] + start for part, start in zip(found, starts[:-1], strict=True)])
        if found
        else np.empty(0, dtype=np.int64)
    )
    return by_position(members, numbers, num_positions, int(starts[-1]))


def by_position(
    members: npt.NDArray[np.signedinteger],
    numbers: npt.NDArray[np.signedinteger],
    num_positions: int,
    num_buckets: int,
) -> Buckets:
    """Return buckets listed by position from pairs of position and bucket number, order kept."""
    offsets = np.zeros(num_positions + 1, dtype=np.int64)
    np.cumsum(np.bincount(members, minlength=num_positions), out=offsets[1:])
    buckets = _bucket_numbers(len(members), num_buckets)
    _place(members, numbers, offsets[:-1].copy(), buckets)
    return Buckets(offsets, buckets, num_buckets)


def _bucket_numbers(count: int, num_buckets: int) -> npt.NDArray[np.uint32]:
    """Return room for so many numbers of buckets; raises `InputError` where 32 bits cannot tell them."""
    if num_buckets > MAX_UINT32:
        raise InputError(
            f"the articles share {num_buckets:,} buckets, and one run numbers {MAX_UINT32:,} at most: group "
            "fewer days at a time, or run on Spark (docs/spark.md)"
        )
    return np.empty(count, dtype=np.uint32)


def _shared_keys(
    positions: npt.NDArray[np.int64], keys_of: Callable[[int], npt.NDArray[np.uint64]], band: int
) -> tuple[npt.NDArray[np.signedinteger], npt.NDArray[np.signedinteger], int]:
    """Return positions and bucket numbers of the entries that share their key, and the bucket count.

    The entry's number takes the low bits of the key, so that one sort of plain integers orders both.
    Keys keep 40 bits or more for up to 16 million articles; a chance meeting costs a comparison.
    """
    bits = u64(max(1, int(len(positions) - 1).bit_length()))
    keyed = keys_of(band)
    number_keys(keyed, bits)
    keyed.sort()
    members = np.empty(len(keyed), dtype=integers_for(len(keyed)))
    numbers = np.empty(len(keyed), dtype=integers_for(len(keyed)))
    count, num_buckets = number_runs(keyed, bits, members, numbers)
    of_members = positions[members[:count]]
    return of_members.astype(members.dtype, copy=False), numbers[:count].copy(), num_buckets


@kernel
def number_keys(keyed, bits):
    """Write the number of each key over its low `bits`."""
    for k in range(len(keyed)):
        keyed[k] = keyed[k] >> bits << bits | u64(k)


@kernel
def number_runs(keyed, bits, members, numbers):
    """Write member and number of each run of sorted values that differ in the low `bits` alone."""
    count = 0
    num_buckets = 0
    start = 0
    mask = (u64(1) << bits) - u64(1)
    while start < len(keyed):
        end = start + 1
        while end < len(keyed) and keyed[end] >> bits == keyed[start] >> bits:
            end += 1
        if end - start > 1:
            for k in range(start, end):
                members[count] = np.int64(keyed[k] & mask)
                numbers[count] = num_buckets
                count += 1
            num_buckets += 1
        start = end
    return count, num_buckets


@kernel
def few_shared_keys(keys, positions, members, numbers, first_number):
    """Write position and bucket number of the entries that share their key in a band; return two counts.

    For a handful of articles, what `find_buckets` finds: `keys` uint64[m, num_bands] of the entries at the
    positions int64[m]. The counts are of entries written and of buckets, numbered from `first_number`.
    """
    count = 0
    num_buckets = 0
    for band in range(keys.shape[1]):
        for k in range(len(positions)):
            is_first = True
            for j in range(k):
                is_first &= keys[j, band] != keys[k, band]
            first = count
            for j in range(k + 1, len(positions) if is_first else 0):
                if keys[j, band] == keys[k, band]:
                    if count == first:
                        members[count] = positions[k]
                        count += 1
                    members[count] = positions[j]
                    count += 1
            if count > first:
                numbers[first:count] = first_number + num_buckets
                num_buckets += 1
    return count, num_buckets


@kernel
def _place(members, numbers, cursor, buckets):
    for k in range(len(members)):
        position = members[k]
        buckets[cursor[position]] = numbers[k]
        cursor[position] += 1
