"""Posting rows in packed form: a key, and all canonicals that wait in it in one blob.

A blob holds little-endian uint32: for the key of a band the number of each canonical, for a sampled shingle,
whose key is below 2**32, the number and then the size of the canonical's sample. One row a key, found by
the integer key of its table, takes half the time of one row for each canonical.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dedup.compiling import kernel
from dedup.index.rows import NO_POSTINGS, Postings

SHINGLE_KEYS = 1 << 32
"""Keys below are hashes of sampled shingles."""

BAND_BYTES = 4
SHINGLE_BYTES = 8
"""Of one canonical in the blob of a band's key, and of a shingle's."""


def pack(postings: Postings) -> Iterator[tuple[int, bytes]]:
    """Yield the packed rows of postings, which are in the order of the keys.

    >>> list(pack(Postings(np.array([7, 7, 1 << 40]), np.array([1, 2, 2]), np.array([3, 4, 0]))))[1]
    (1099511627776, b'\\x02\\x00\\x00\\x00')
    """
    keys, nos, sampled = postings
    is_shingle = keys < SHINGLE_KEYS
    ends = np.cumsum(np.where(is_shingle, 2, 1))
    values = np.empty(int(ends[-1]) if len(ends) else 0, dtype="<u4")
    values[ends[is_shingle] - 1] = sampled[is_shingle]
    values[np.concatenate([[0], ends[:-1]]).astype(np.int64)[: len(ends)]] = nos
    is_last = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_last[:-1])
    data = values.tobytes()
    begin = 0
    for key, end in zip(keys[is_last].tolist(), (4 * ends[is_last]).tolist(), strict=True):
        yield key, data[begin:end]
        begin = end


def unpack(rows: Sequence[tuple[int, bytes]]) -> Postings | None:
    """Return the postings of packed rows, in their order; None where a row is damaged.

    >>> unpack([(7, b"\\x01\\0\\0\\0\\x03\\0\\0\\0")]).nos.tolist(), unpack([(7, b"\\x01\\0\\0\\0")])
    ([1], None)
    """
    if not rows:
        return NO_POSTINGS
    keys, blobs = zip(*rows, strict=True)
    try:
        data = np.frombuffer(b"".join(blobs), dtype=np.uint8)
    except TypeError:  # one is no blob
        return None
    lengths = np.fromiter(map(len, blobs), np.int64, len(blobs))
    found = np.empty((3, len(data) // BAND_BYTES), dtype=np.int64)
    count = _unpack(
        np.array(keys, dtype=np.int64), lengths, data, SHINGLE_KEYS, BAND_BYTES, SHINGLE_BYTES, found
    )
    return None if count < 0 else Postings(found[0, :count], found[1, :count], found[2, :count])


@kernel
def _unpack(keys, lengths, data, shingle_keys, band_bytes, shingle_bytes, found):
    """Write key, number and size of each entry; return how many, -1 where a blob has no such length."""
    count = 0
    at = 0
    for k in range(len(keys)):
        is_shingle = keys[k] < shingle_keys
        width = shingle_bytes if is_shingle else band_bytes
        if lengths[k] == 0 or lengths[k] % width != 0:
            return -1
        for begin in range(at, at + lengths[k], width):
            found[0, count] = keys[k]
            found[1, count] = _value(data, begin)
            found[2, count] = _value(data, begin + 4) if is_shingle else 0
            count += 1
        at += lengths[k]
    return count


@kernel
def _value(data, at):
    """Return the little-endian uint32 at a byte."""
    value = np.int64(0)
    for k in range(4):
        value |= np.int64(data[at + k]) << np.int64(8 * k)
    return value
