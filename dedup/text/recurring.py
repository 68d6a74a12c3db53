"""Lines that recur across the articles of one source: learned from counts, as a plain array of keys.

A line that many articles of a source have is furniture if those articles are otherwise different. Of k
copies of one story each line is in k articles, and so are the others; of furniture, each article has most
of its other lines for itself. `docs/furniture.md` has the measurements behind the numbers.
"""

import hashlib

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.sorting import sort_values

u64 = np.uint64

MIN_ARTICLES = 5
"""A line in fewer articles is none that recurs."""

MIN_SHARE = 0.02
"""Nor is one in a smaller share of the articles of its source."""

RARER = 4
"""An article's own lines are those in at most a quarter as many articles as the line in question."""

OWN_SHARE = 0.25
"""Of an article's other words, at least so many must be in lines of its own for it to speak for a line."""

MIN_WORDS = 8
"""A shorter line recurs as furniture only at the end of texts: datelines stand at their beginning, and
"the spokesman said" between its paragraphs."""

_MULTIPLIER = u64(0x9E3779B97F4A7C15)


def source_key(name: str | None) -> int:
    """Return the 64-bit key of a source; articles without one are together one source."""
    if name is None:
        return 0
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def line_keys(
    line_hashes: npt.NDArray[np.uint64], source_keys: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Return the key of each line of a source, uint64: of its hash and the key of its article's source."""
    mixed = (line_hashes ^ source_keys) * _MULTIPLIER  # wraps modulo 2**64, as intended
    return np.asarray(mixed ^ (mixed >> u64(32)), dtype=np.uint64)


def learn_recurring(
    keys: npt.NDArray[np.uint64],
    num_words: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    num_of_source: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint64]:
    """Return the keys of the lines that are furniture, rising, uint64.

    `keys` and `num_words` are of all lines of n articles, article by article at `offsets` int64[n + 1];
    `num_of_source` int64[n] is how many articles an article's source has. The order of articles does not
    matter.
    """
    if len(keys) == 0:
        return np.empty(0, dtype=np.uint64)
    distinct, places = np.unique(keys, return_inverse=True)
    places = places.astype(np.int64)
    counts = np.zeros(len(distinct), dtype=np.int64)
    least = np.full(len(distinct), MIN_ARTICLES, dtype=np.int64)
    speaking = np.zeros(len(distinct), dtype=np.int64)
    _count_articles(places, offsets, counts, num_of_source, least)
    count_speaking(places, num_words, offsets, counts, least, speaking)
    return distinct[speaking >= least]


@kernel
def _count_articles(places, offsets, counts, num_of_source, least):
    """Count the articles of each line, and how many it must have by the size of its source."""
    last = np.full(len(counts), -1, dtype=np.int64)
    for row in range(len(offsets) - 1):
        for k in range(offsets[row], offsets[row + 1]):
            place = places[k]
            if last[place] != row:
                last[place] = row
                counts[place] += 1
                least[place] = max(least[place], np.int64(np.ceil(num_of_source[row] * MIN_SHARE)))


@kernel
def count_speaking(places, num_words, offsets, counts, least, speaking):
    """Count for each line that is in enough articles those that are otherwise of their own."""
    last = np.full(len(counts), -1, dtype=np.int64)
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    words, rises = np.empty(longest + 1, dtype=np.int64), np.empty(longest, dtype=np.int64)
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        for k in range(end - begin):
            rises[k] = counts[places[begin + k]] << 32 | k
        sort_values(rises, 0, end - begin)
        words[0] = 0
        for k in range(end - begin):  # words in lines of up to so many articles
            words[k + 1] = words[k] + num_words[begin + (rises[k] & 0xFFFFFFFF)]
        tail = end  # from here on every line is in many articles
        while tail > begin and counts[places[tail - 1]] >= least[places[tail - 1]]:
            tail -= 1
        for k in range(begin, end):
            place = places[k]
            if counts[place] < least[place] or last[place] == row or (k < tail and num_words[k] < MIN_WORDS):
                continue
            last[place] = row
            own = words[_num_up_to(counts[place] // RARER, rises, end - begin)]
            others = words[end - begin] - num_words[k]
            if own > 0 and own >= OWN_SHARE * others:
                speaking[place] += 1


@inner_kernel
def _num_up_to(count, rises, num_lines):
    """Return how many lines are in at most `count` articles; `rises` has these, rising, in the upper half."""
    low, high = 0, num_lines
    while low < high:
        middle = (low + high) // 2
        if rises[middle] >> 32 <= count:
            low = middle + 1
        else:
            high = middle
    return low
