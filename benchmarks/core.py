"""Our hashing core: languages, short and long texts, one thread and two; the kernel beside a plain loop."""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

import dedup
from benchmarks.contenders import ONE_PERMUTATION
from benchmarks.generator import Recipe, iterate_records, open_pool
from benchmarks.measure import Contender, Timing, measure, ratio, summarize
from benchmarks.peers import NUM_PERM
from dedup.compiling import kernel
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array

REPEATS = 7
NUM_WORDS = 3_000_000
"""Words of each corpus, about, whatever the length of its texts."""
LENGTHS = {"short": 20, "long": 400}
THREADS = (1, 2)
_LATIN = "etaoinshrdlucmfwypvbgk"


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return microseconds an article by language, length and threads, and both ratios asked for."""
    words = _words(arguments.limit or NUM_WORDS, lacking)
    contenders, sizes = [], {}
    for language, spoken in words.items():
        for length, count in LENGTHS.items():
            texts = text_array(_cut(spoken, count, "" if language == "Chinese" else " "))
            for threads in THREADS:
                key = f"{language}, {length}, {threads} threads"
                sizes[f"sketch: {key}"] = texts
                contenders.append(_contender("sketch", key, texts, dedup.Settings(), threads))
            key = f"{language}, {length}, 1 threads"
            sizes[f"hash: {key}"] = texts
            contenders.append(_contender("hash", key, texts, ONE_PERMUTATION, 1))
    hashes = np.random.default_rng(1).integers(0, 1 << 32, 1 << 20, dtype=np.uint32)
    offsets = np.array([0, len(hashes)])
    own = Contender(
        "kernel",
        "ours",
        "sign_shingle_hashes",
        lambda: hashes,
        lambda h: dedup.sign_shingle_hashes(h, offsets),
    )
    plain = Contender("kernel", "plain", "multiply, add, minimum", lambda: hashes, _plain)
    timings = measure([*contenders, own, plain], repeats, say)
    return {
        "num_words": arguments.limit or NUM_WORDS,
        "checks": {},
        "corpora": {
            key: {
                **summarize(timings[key], len(texts)),
                "articles": len(texts),
                "megabytes_per_second": round(texts.nbytes / timings[key].median / 1e6, 1),
            }
            for key, texts in sizes.items()
        },
        "one_thread_times_two": _speedups(timings),
        "kernel": {
            "what": f"{len(hashes):,} hashes, {NUM_PERM} permutations: seconds of a plain loop to ours",
            "plain_times_ours": ratio(timings["kernel: plain"], timings["kernel: ours"]),
            "multiply_adds_per_second": round(len(hashes) * NUM_PERM / timings["kernel: ours"].median),
        },
    }


def _contender(stage: str, key: str, texts: pa.Array, settings: dedup.Settings, threads: int) -> Contender:
    return Contender(
        stage, key, "sketch_texts", lambda: texts, lambda given: sketch_texts(given, settings, threads)
    )


def _speedups(timings: dict[str, Timing]) -> dict[str, dict[str, float]]:
    return {
        key.removeprefix("sketch: ").removesuffix(", 1 threads"): ratio(
            timing, timings[key.replace(" 1 threads", " 2 threads")]
        )
        for key, timing in timings.items()
        if key.startswith("sketch: ") and key.endswith(" 1 threads")
    }


def _plain(hashes: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(2)
    multipliers = rng.integers(1, 1 << 32, NUM_PERM, dtype=np.uint32) | np.uint32(1)
    increments = rng.integers(0, 1 << 32, NUM_PERM, dtype=np.uint32)
    signature = np.full(NUM_PERM, 0xFFFFFFFF, dtype=np.uint32)
    _multiply_add(hashes, multipliers, increments, signature)
    return signature


@kernel
def _multiply_add(hashes, multipliers, increments, signature):
    """Every hash with every permutation, as one writes it down; LLVM makes vectors of the inner loop."""
    for k in range(len(hashes)):
        for j in range(len(signature)):
            value = np.uint32(hashes[k] * multipliers[j] + increments[j])  # wraps, as intended
            signature[j] = min(signature[j], value)


def _words(count: int, lacking: list[str]) -> dict[str, list[str]]:
    """Return words of each language: Arabic of generated articles, English and Chinese invented.

    Invented words have the lengths of English ones; Chinese ones are characters of the common block.
    """
    arabic: list[str] = []
    for record in iterate_records(open_pool(lacking), Recipe(count=1 << 30)):
        arabic.extend(record["text"].split())
        if len(arabic) >= count:
            break
    rng = np.random.default_rng(1)
    letters = np.array(list(_LATIN))
    vocabulary = ["".join(rng.choice(letters, size)) for size in 1 + rng.poisson(3.7, 50_000)]
    picks = np.minimum(rng.zipf(1.3, count), len(vocabulary)) - 1
    return {
        "Arabic": arabic[:count],
        "English": [vocabulary[pick] for pick in picks],
        "Chinese": [chr(c) for c in 0x4E00 + rng.integers(0, 5000, count)],
    }


def _cut(words: list[str], count: int, joint: str) -> list[str]:
    return [joint.join(words[k : k + count]) for k in range(0, len(words) - count + 1, count)]
