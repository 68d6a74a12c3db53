"""A blocked Bloom filter of integer keys: which keys are surely not in it.

Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007: all bits of a key lie in
one block of 64 bytes, so that a look-up waits for memory once. A filter is uint64[k], k a power of two.
"""

import numpy as np

from dedup.compiling import inner_kernel, kernel

u64 = np.uint64

_BLOCK_WORDS = 8  # of 64 bits: a line of the processor's cache
_NUM_PROBES = 6  # of nine bits each; the best number for 8 to 9 bits a key

BITS_A_KEY = 8
"""At least, so that of the keys that are absent a full filter admits three in a hundred."""


def filter_words(num_keys: int) -> int:
    """Return the words of a filter that has room for so many keys.

    >>> filter_words(32_768), filter_words(0)
    (4096, 8)
    """
    return max(_BLOCK_WORDS, 1 << (num_keys * BITS_A_KEY // 64 - 1).bit_length())


@inner_kernel
def _mix(key):
    """Return the hash of a key: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    value = u64(key)
    value = (value ^ (value >> u64(30))) * u64(0xBF58476D1CE4E5B9)  # wraps modulo 2**64, as intended
    value = (value ^ (value >> u64(27))) * u64(0x94D049BB133111EB)
    return value ^ (value >> u64(31))


@inner_kernel
def _first_word(value, num_words):
    """Return where the block of a hash begins, by other bits than those of the probes."""
    return np.int64(_mix(value + u64(0x9E3779B97F4A7C15)) & u64(num_words - 1)) & ~(_BLOCK_WORDS - 1)


@kernel
def insert_keys(keys, words):
    """Put keys into a filter; return how many it did not admit before."""
    count = 0
    for k in range(len(keys)):
        value = _mix(keys[k])
        begin = _first_word(value, len(words))
        is_new = False
        for _ in range(_NUM_PROBES):
            at = begin + np.int64((value >> u64(6)) & u64(_BLOCK_WORDS - 1))
            bit = u64(1) << (value & u64(63))
            if words[at] & bit == u64(0):
                words[at] |= bit
                is_new = True
            value >>= u64(9)
        count += is_new
    return count


@inner_kernel
def _admits(value, begin, first_word, words):
    """Return whether all bits of a hash are set; `first_word` is the word of the first one."""
    if first_word & (u64(1) << (value & u64(63))) == u64(0):
        return False
    for _ in range(_NUM_PROBES - 1):
        value >>= u64(9)
        at = begin + np.int64((value >> u64(6)) & u64(_BLOCK_WORDS - 1))
        if words[at] & (u64(1) << (value & u64(63))) == u64(0):
            return False
    return True


@kernel
def admit_keys(keys, words, admitted):
    """Write those of the keys that may be in a filter, in their order; return how many.

    A word of each key is read before the first one is looked at, so that the waits for memory overlap.
    """
    values = np.empty(len(keys), dtype=np.uint64)
    begins = np.empty(len(keys), dtype=np.int64)
    first_words = np.empty(len(keys), dtype=np.uint64)
    for k in range(len(keys)):
        value = _mix(keys[k])
        begin = _first_word(value, len(words))
        values[k] = value
        begins[k] = begin
        first_words[k] = words[begin + np.int64((value >> u64(6)) & u64(_BLOCK_WORDS - 1))]
    count = 0
    for k in range(len(keys)):
        if _admits(values[k], begins[k], first_words[k], words):
            admitted[count] = keys[k]
            count += 1
    return count


@kernel
def admit_keys_of_parts(keys, firsts, ends, is_read, words, admitted):
    """Write those of the keys that may be there; return how many, or -1 - p where part p must be read first.

    `keys` int64 rise. The filter words[p] has the keys from firsts[p] up to ends[p], which is not in it; a
    key in no part is admitted. `firsts` rise. Words are read as by `admit_keys`.
    """
    values = np.empty(len(keys), dtype=np.uint64)
    begins = np.empty(len(keys), dtype=np.int64)
    first_words = np.empty(len(keys), dtype=np.uint64)
    parts = np.empty(len(keys), dtype=np.int64)
    part = -1
    for k in range(len(keys)):
        while part + 1 < len(firsts) and firsts[part + 1] <= keys[k]:
            part += 1
        parts[k] = -1
        if part >= 0 and keys[k] < ends[part]:
            if not is_read[part]:
                return -1 - part
            value = _mix(keys[k])
            begin = _first_word(value, words.shape[1])
            values[k] = value
            begins[k] = begin
            first_words[k] = words[part, begin + np.int64((value >> u64(6)) & u64(_BLOCK_WORDS - 1))]
            parts[k] = part
    count = 0
    for k in range(len(keys)):
        if parts[k] < 0 or _admits(values[k], begins[k], first_words[k], words[parts[k]]):
            admitted[count] = keys[k]
            count += 1
    return count
