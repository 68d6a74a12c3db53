"""Exact similarities of a corpus: of random pairs, of nearest neighbours, and of all pairs above a threshold.

Brute force by an inverted index: every pair that shares a shingle is counted, none is sampled away. The
shingles are ours (`dedup.word_shingles`, by their hashes), so the words are those of the detector.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import dedup
from dedup.compiling import inner_kernel, kernel
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array
from dedup.text.hashing import shingle_multipliers
from dedup.text.kernels import word_shingles


class ShingleSets(NamedTuple):
    """The distinct shingles of n articles, numbered from 0: those of article k at offsets[k]:offsets[k + 1].

    `postings` int32 are the articles that have a shingle, rising, at `posting_offsets`.
    """

    shingles: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    postings: npt.NDArray[np.int32]
    posting_offsets: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        return np.diff(self.offsets)

    @property
    def frequencies(self) -> npt.NDArray[np.int64]:
        """In how many articles each shingle is, int64."""
        return np.diff(self.posting_offsets)


def shingle_sets(texts: list[str] | pa.Array, size: int = 3) -> ShingleSets:
    """Return the sets of word shingles of all texts; a text of fewer words has none."""
    array = texts if isinstance(texts, pa.Array) else text_array(texts)
    one_permutation = dedup.Settings(num_perm=1, threshold=1.0, short_threshold=1.0, recall=0.5)
    sketches = sketch_texts(array.cast(pa.large_string()), one_permutation)
    hashes, rows = _hash_shingles(sketches.tokens, sketches.token_offsets, size, shingle_multipliers(size))
    return _invert(hashes, rows, len(array))


@kernel
def _hash_shingles(tokens, offsets, size, multipliers):
    counts = np.maximum(offsets[1:] - offsets[:-1] - (size - 1), 0)
    total = np.sum(counts)
    hashes = np.empty(total, dtype=np.uint32)
    rows = np.empty(total, dtype=np.int32)
    sums = np.empty(1024, dtype=np.uint64)
    at = 0
    for row in range(len(counts)):
        done = 0
        while done < counts[row]:
            count = min(1024, counts[row] - done)
            word_shingles(tokens, offsets[row] + done, count, size, multipliers, sums, hashes[at:])
            rows[at : at + count] = row
            at += count
            done += count
    return hashes, rows


def _invert(hashes: npt.NDArray[np.uint32], rows: npt.NDArray[np.int32], num_articles: int) -> ShingleSets:
    keys = np.unique(hashes.astype(np.uint64) << np.uint64(32) | rows.astype(np.uint64))
    postings = (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
    starts = np.flatnonzero(np.diff(keys >> np.uint64(32), prepend=np.uint64(1 << 32)))
    posting_offsets = np.append(starts, len(keys)).astype(np.int64)
    numbers = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(posting_offsets))
    by_article = np.argsort(postings, kind="stable")
    offsets = np.searchsorted(postings[by_article], np.arange(num_articles + 1)).astype(np.int64)
    return ShingleSets(numbers[by_article], offsets, postings, posting_offsets)


def nearest(sets: ShingleSets, family: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return each article's highest Jaccard similarity with one of another family, float64[n]."""
    return _nearest(*sets, family)


@kernel
def _nearest(shingles, offsets, postings, posting_offsets, family):
    n = len(offsets) - 1
    shared = np.zeros(n, dtype=np.int32)
    touched = np.empty(n, dtype=np.int32)
    best = np.zeros(n, dtype=np.float64)
    for a in range(n):
        count = _meet_before(n, a, shingles, offsets, postings, posting_offsets, shared, touched)
        for j in range(count):
            b = touched[j]
            if family[b] != family[a]:
                best[a] = max(best[a], _jaccard(a, b, shared[b], offsets))
            shared[b] = 0
    return best


@inner_kernel
def _meet_before(end, a, shingles, offsets, postings, posting_offsets, shared, touched):
    """Count in `shared` the shingles that article a has in common with those before `end`.

    Returns how many share any; they are the first of `touched`.
    """
    count = 0
    for k in range(offsets[a], offsets[a + 1]):
        first, high = posting_offsets[shingles[k]], posting_offsets[shingles[k] + 1]
        low = first
        while low < high:  # postings rise
            middle = (low + high) // 2
            if postings[middle] < end:
                low = middle + 1
            else:
                high = middle
        for p in range(first, low):
            b = postings[p]
            if shared[b] == 0:
                touched[count] = b
                count += 1
            shared[b] += 1
    return count


@inner_kernel
def _jaccard(a, b, both, offsets):
    return both / (offsets[a + 1] - offsets[a] + offsets[b + 1] - offsets[b] - both)


def similar_pairs(
    sets: ShingleSets, threshold: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return all pairs at or above a Jaccard similarity: rows int64[k, 2], a < b, and similarities."""
    rows, values = [], []
    for first in range(0, len(sets.sizes), 50_000):
        pairs, found = _similar_pairs(*sets, threshold, first, min(first + 50_000, len(sets.sizes)))
        rows.append(pairs)
        values.append(found)
    return np.concatenate(rows), np.concatenate(values)


@kernel
def _similar_pairs(shingles, offsets, postings, posting_offsets, threshold, first, last):
    n = len(offsets) - 1
    shared = np.zeros(n, dtype=np.int32)
    touched = np.empty(n, dtype=np.int32)
    pairs = np.empty((1024, 2), dtype=np.int64)
    values = np.empty(1024, dtype=np.float64)
    found = 0
    for a in range(first, last):
        count = _meet_before(a, a, shingles, offsets, postings, posting_offsets, shared, touched)
        for j in range(count):
            b = touched[j]
            jaccard = _jaccard(a, b, shared[b], offsets)
            shared[b] = 0
            if jaccard >= threshold:
                if found == len(values):
                    wider = np.empty((2 * found, 2), dtype=np.int64)
                    wider[:found] = pairs
                    more = np.empty(2 * found, dtype=np.float64)
                    more[:found] = values
                    pairs, values = wider, more
                pairs[found, 0], pairs[found, 1], values[found] = b, a, jaccard
                found += 1
    return pairs[:found], values[:found]


def random_pairs(sets: ShingleSets, count: int, seed: int = 1) -> npt.NDArray[np.float64]:
    """Return the Jaccard similarities of `count` random pairs of two articles, float64[count]."""
    rng = np.random.default_rng(seed)
    n = len(sets.sizes)
    firsts = rng.integers(0, n, count)
    seconds = (firsts + rng.integers(1, n, count)) % n
    return _jaccards(sets.shingles, sets.offsets, firsts, seconds)


@kernel
def _jaccards(shingles, offsets, firsts, seconds):
    """The shingles of an article rise, so that two sets are merged."""
    found = np.zeros(len(firsts), dtype=np.float64)
    for k in range(len(firsts)):
        i, end_i = offsets[firsts[k]], offsets[firsts[k] + 1]
        j, end_j = offsets[seconds[k]], offsets[seconds[k] + 1]
        union = end_i - i + end_j - j
        both = 0
        while i < end_i and j < end_j:
            if shingles[i] == shingles[j]:
                both += 1
                i += 1
                j += 1
            elif shingles[i] < shingles[j]:
                i += 1
            else:
                j += 1
        if union > both:
            found[k] = both / (union - both)
    return found
