"""How fast new shingles come as a corpus grows, and how many words to replace so that they do.

Sentences drawn again and again from a pool bring nothing new in the end; real news does. The growth of
distinct word 3-grams in the real articles (Heaps' law) is fitted and carried on; an article's words are
replaced at the rate that makes up for what the pool no longer gives.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.generator.pool import Pool

SIZE = 3
NUM_BITS = 34
MAX_NOVELTY = 0.3


class Growth(NamedTuple):
    """Distinct shingles among `totals`, in articles in random order: log V = polynomial(log N)."""

    totals: list[int]
    distinct: list[int]
    coefficients: npt.NDArray[np.float64]

    def new_share(self, total: float) -> float:
        """Return the share of shingles that are new after `total`: the derivative of V, from 0 to 1."""
        x = np.log(max(total, self.totals[0]))
        slope = min(1.0, max(0.5, np.polyval(np.polyder(self.coefficients), x)))
        return float(min(1.0, slope * np.exp(np.polyval(self.coefficients, x) - x)))


def shingle_hashes(pool: Pool) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the hashes of the word shingles of all real articles, and the article of each."""
    stream = pool.tables.stream.astype(np.uint64)
    hashes = np.zeros(max(0, len(stream) - SIZE + 1), dtype=np.uint64)
    for k in range(SIZE):  # a polynomial modulo 2**64, which wraps as intended
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + stream[k : k + len(hashes)] + np.uint64(1)
    hashes ^= hashes >> np.uint64(29)
    ends = pool.tables.sentence_offsets[pool.tables.article_offsets]
    articles = np.repeat(np.arange(pool.num_articles), np.diff(ends))
    within = articles[: len(hashes)] == articles[SIZE - 1 :]
    return hashes[within], articles[: len(hashes)][within]


def measure_growth(
    hashes: npt.NDArray[np.uint64], articles: npt.NDArray[np.int64], num_articles: int, seed: int = 1
) -> Growth:
    """Return the growth of distinct shingles over halves, quarters, ... of the articles."""
    rank = np.random.default_rng(seed).permutation(num_articles)[articles]
    sizes = [num_articles >> k for k in range(6, -1, -1) if num_articles >> k > 0]
    totals, distinct = [], []
    for size in sizes:
        chosen = hashes[rank < size]
        totals.append(len(chosen))
        distinct.append(len(np.unique(chosen)))
    degree = min(2, len(sizes) - 1)
    return Growth(totals, distinct, np.polyfit(np.log(totals), np.log(distinct), degree))


def novelty_by_size(pool: Pool) -> npt.NDArray[np.float64]:
    """Return the chance that a word is replaced, for an article whose number has k bits, float64[34].

    Of the shingles drawn from the pool, a share f is new: after each sentence was drawn L times on average, a
    shingle that the pool has m times is unseen with probability exp(-m L). To have h new in all, q of them
    must be new otherwise: q + (1 - q) f = h; a shingle is, where one of its words was replaced.
    """
    if pool.novelty:
        return pool.novelty[0]
    hashes, articles = shingle_hashes(pool)
    growth = measure_growth(hashes, articles, pool.num_articles)
    multiplicities, how_many = np.unique(np.unique(hashes, return_counts=True)[1], return_counts=True)
    mean = len(hashes) / pool.num_articles
    novelty = np.zeros(NUM_BITS)
    for bits in range(NUM_BITS):
        draws = 0.75 * 2.0**bits * mean / len(hashes)
        from_pool = float(np.sum(how_many * multiplicities * np.exp(-multiplicities * draws)) / len(hashes))
        wanted = growth.new_share(0.75 * 2.0**bits * mean)
        otherwise = max(0.0, (wanted - from_pool) / max(1e-9, 1 - from_pool))
        novelty[bits] = min(MAX_NOVELTY, 1 - (1 - otherwise) ** (1 / SIZE))
    pool.novelty.append(novelty)
    return novelty
