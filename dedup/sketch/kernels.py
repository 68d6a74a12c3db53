"""Compiled MinHash and band keys: arrays in, arrays out.

`reference` is the plain-Python twin and says what these compute. numba widens uint32 arithmetic to 64
bits; the casts back are what makes it wrap. Where many values are taken at a time indices are unsigned: a
signed one may count from the end, and then LLVM reads and writes value by value.
"""

import numpy as np

from dedup.compiling import kernel

u32 = np.uint32
u64 = np.uint64

AT_ONCE = 16
"""Hashes that go through one pass over the permutations; to begin a pass takes as long as four of them."""


@kernel
def premix(hashes, count):
    """Replace the first `count` shingle hashes by their MurmurHash3 finaliser `fmix32`, in place.

    It is the pre-mix of datasketch's scheme `affine32` (Appleby, MurmurHash3, 2011).
    """
    for k in range(u64(count)):
        h = hashes[k]
        h = u32(h ^ (h >> u32(16)))
        h = u32(h * u32(0x85EBCA6B))  # wraps modulo 2**32, as intended
        h = u32(h ^ (h >> u32(13)))
        h = u32(h * u32(0xC2B2AE35))
        hashes[k] = u32(h ^ (h >> u32(16)))


@kernel
def update_signature(mixed, count, multipliers, increments, signature):
    """Lower `signature` to the minima of multipliers * h + increments over `count` pre-mixed hashes.

    All arrays are uint32; `multipliers`, `increments` and `signature` have one value a permutation. `mixed`
    has room for a multiple of `AT_ONCE`, which is filled up: a hash that comes again changes no minimum.
    """
    end = (u64(count) + u64(AT_ONCE - 1)) // u64(AT_ONCE) * u64(AT_ONCE)
    for k in range(u64(count), end):
        mixed[k] = mixed[u64(0)]
    first = u64(0)
    while first < end:
        for p in range(u64(len(multipliers))):
            lowest = signature[p]
            for j in range(AT_ONCE):  # unrolled: the minimum stays in a register
                value = u32(multipliers[p] * mixed[first + u64(j)] + increments[p])  # wraps, as intended
                lowest = min(lowest, value)
            signature[p] = lowest
        first += u64(AT_ONCE)


@kernel
def sign_hashes(hashes, offsets, multipliers, increments, signatures):
    """Fill `signatures` uint32[n, num_perm] from n sets of shingle hashes in compressed rows."""
    mixed = np.empty(64 * AT_ONCE, dtype=np.uint32)
    for row in range(len(offsets) - 1):
        signatures[row, :] = u32(0xFFFFFFFF)
        start = offsets[row]
        while start < offsets[row + 1]:
            count = min(len(mixed), offsets[row + 1] - start)
            for k in range(u64(count)):
                mixed[k] = hashes[u64(start) + k]
            premix(mixed, count)
            update_signature(mixed, count, multipliers, increments, signatures[row])
            start += count


@kernel
def band_keys(signatures, band, rows_per_band, keys):
    """Write the uint64 key of one band of each signature to `keys`.

    Equal rows give equal keys; unequal ones collide with probability about 2**-64.
    """
    for row in range(len(signatures)):
        keys[row] = band_key(signatures[row], band, rows_per_band)


@kernel
def all_band_keys(signatures, entries, rows_per_band, keys):
    """Write the uint64 keys of all bands of some signatures, signatures[entries], to keys[m, num_bands]."""
    for k in range(len(entries)):
        for band in range(keys.shape[1]):
            keys[k, band] = band_key(signatures[entries[k]], band, rows_per_band)


@kernel
def band_key(signature, band, rows_per_band):
    """Return the uint64 key of one band of one signature."""
    first = band * rows_per_band
    h = u64(band) + u64(1)
    for p in range(first, first + rows_per_band):
        h = (h ^ u64(signature[p])) * u64(0x9E3779B97F4A7C15)  # wraps, as intended
        h ^= h >> u64(32)
    return h
