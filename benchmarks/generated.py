"""Generated articles beside real ones: random and nearest pairs, frequencies of words and shingles."""

import argparse
import itertools
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

import dedup
from benchmarks.background import ShingleSets, nearest, random_pairs, shingle_sets
from benchmarks.generator import Pool, Recipe, generate, open_pool
from benchmarks.generator.heaps import measure_growth, novelty_by_size, shingle_hashes
from benchmarks.generator.pool import DATA, read_articles

REPEATS = 1
NUM_ARTICLES = 20_000
NUM_PAIRS = 200_000
MIN_SHINGLES = 20
"""Articles with fewer are left out of the nearest pairs: a few common words make them similar."""
NEAREST_EDGES = [0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.28, 0.4, 0.6, 1.01]
RANDOM_EDGES = [0, 1e-9, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1.01]
FREQUENCY_EDGES = [1, 2, 3, 5, 10, 30, 100, 1000, 1_000_000_000]


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the distributions of real and of generated articles, equally many, and of the growth."""
    del repeats
    size = arguments.limit or NUM_ARTICLES
    pool = open_pool(lacking)
    say("generated: generated articles")
    report: dict[str, Any] = {"generated": _describe(*_generated(pool, size))}
    if (DATA / "saudi_2015-07.jsonl.xz").exists():
        say("generated: real articles")
        report["real"] = _describe(*_real(size))
    growth = measure_growth(*shingle_hashes(pool), pool.num_articles)
    return {
        "checks": {},
        "pool": pool.describe(),
        "recipe": asdict(Recipe(count=size)),
        "growth": {
            "what": "distinct word 3-grams among all, in the real articles in random order",
            "totals": growth.totals,
            "distinct": growth.distinct,
            "fit_of_logarithms": [round(float(c), 5) for c in growth.coefficients],
        },
        "words_replaced_by_bits_of_number": [round(float(p), 4) for p in novelty_by_size(pool)],
        "articles": report,
    }


def _generated(pool: Pool, size: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return generated originals, no copies among them, and that each is a family of its own."""
    recipe = Recipe(count=size, copy_share=0.0, cut_share=0.0)
    batches = generate(pool, recipe)
    texts = [json.loads(line)["text"] for batch in batches for line in batch.lines.splitlines()]
    return texts, np.arange(len(texts))


def _real(size: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return real articles from all files, and their families: what our detector groups or links."""
    texts = [record["text"] for record in read_articles()]
    chosen = np.random.default_rng(3).permutation(len(texts))[:size]
    texts = [texts[row] for row in chosen]
    groups = dedup.find_groups([{"id": row, "text": text} for row, text in enumerate(texts)])
    families = groups.canonical_rows.copy()
    for link in groups.links:  # ids are rows
        one, other = families[int(link.part_id)], families[int(link.whole_id)]
        families[families == one] = other
    return texts, families


def _describe(texts: list[str], families: npt.NDArray[np.int64]) -> dict[str, Any]:
    sets = shingle_sets(texts)
    near = nearest(sets, families)[sets.sizes >= MIN_SHINGLES]
    random = random_pairs(sets, NUM_PAIRS)
    return {
        "num_articles": len(texts),
        "mean_shingles": round(float(sets.sizes.mean()), 1),
        "median_shingles": float(np.median(sets.sizes)),
        "nearest_other": {
            "mean": round(float(near.mean()), 4),
            "median": round(float(np.median(near)), 4),
            "histogram": _histogram(near, NEAREST_EDGES),
        },
        "random_pairs": {
            "mean": round(float(random.mean()), 6),
            "histogram": _histogram(random, RANDOM_EDGES),
        },
        "shingle_frequencies": _frequencies(sets),
        "word_frequencies": _frequencies(shingle_sets(texts, size=1)),
    }


def _frequencies(sets: ShingleSets) -> dict[str, Any]:
    """Return the share of (article, shingle) pairs whose shingle is in so many articles."""
    found = sets.frequencies
    total = int(found.sum())
    return {
        "distinct_share": round(len(found) / total, 4),
        "edges": FREQUENCY_EDGES,
        "shares": [
            round(float(found[(found >= low) & (found < high)].sum() / total), 4)
            for low, high in itertools.pairwise(FREQUENCY_EDGES)
        ],
    }


def _histogram(values: npt.NDArray[np.float64], edges: list[float]) -> dict[str, list[float]]:
    shares = np.histogram(values, edges)[0] / len(values)
    return {"edges": edges, "shares": [round(float(share), 5) for share in shares]}
