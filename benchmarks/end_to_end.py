"""From a file to groups: ours up to millions of articles; every peer beside ours on the same words.

`scaling` is `dedup run` on generated articles as they are. `peers` is on files whose texts are normalised
already, words between single spaces, so that every contestant sees the words of one tokeniser.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from benchmarks.agreement import score_families, score_pairs
from benchmarks.background import shingle_sets, similar_pairs
from benchmarks.contestants import (
    BUDGET_SECONDS,
    OURS,
    THRESHOLD,
    Contestant,
    find_contestants,
    measure_once,
)
from benchmarks.generator import Pool, Recipe, generate, kernels, open_pool, write_corpus
from benchmarks.measure import fit_exponent
from benchmarks.process_run import CommandError, Measured, can_confine

REPEATS = 3
SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
PEER_SIZES = (10_000, 100_000, 200_000)
MAX_BRUTE_FORCE = 200_000
FIXED_BYTES = 500_000_000
GOOD_RECALL = 0.95
SINGLE_ROUND = 1_000_000
"""From so many articles on one round is run, not several."""

LONG_SECONDS = 60.0
"""A contestant that takes longer in its first round has no other."""

CORES = {"two_cores": 2, "one_core": 1}

Say = Callable[[str], None]


def run(arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Say) -> dict[str, Any]:
    """Return scaling, the comparison with peers, and checks; see `benchmarks/README.md`."""
    sizes = tuple(sorted(arguments.sizes or SIZES))
    peer_sizes = tuple(size for size in arguments.peer_sizes or PEER_SIZES)
    pool = open_pool(lacking, limit=arguments.limit)
    with tempfile.TemporaryDirectory(prefix="dedup-end-to-end-", dir=arguments.scratch) as scratch:
        folder = Path(scratch)
        _load_kernels(pool, folder)
        scaling = _measure_scaling(pool, sizes, repeats, folder, lacking, say)
        peers = {str(size): _compare_peers(pool, size, repeats, folder, lacking, say) for size in peer_sizes}
    recalls = [entry["find_pairs"]["recall"] for entry in peers.values() if entry["find_pairs"]]
    return {
        "settings": dedup.Settings().as_dict(),
        "pool": pool.describe(),
        "recipe": asdict(Recipe(count=0)),
        "threshold_of_peers": THRESHOLD,
        "budget_seconds": BUDGET_SECONDS,
        "checks": {
            "find_pairs has 0.995 of all exact pairs or more, at every size": all(
                recall >= 0.995 for recall in recalls
            )
        }
        if recalls
        else {},
        "scaling": scaling,
        "peers": peers,
    }


def _load_kernels(pool: Pool, folder: Path) -> None:
    """Compile what is not in the compile cache, so that no measured run does."""
    path = _write(pool, 2000, folder / "first.jsonl")
    measure_once(OURS, sys.executable, path, folder)
    path.unlink()


def _write(pool: Pool, size: int, path: Path) -> Path:
    write_corpus(pool, Recipe(count=size), path, path.with_suffix(".truth"))
    return path


def _measure_scaling(
    pool: Pool, sizes: tuple[int, ...], repeats: int, folder: Path, lacking: list[str], say: Say
) -> dict[str, Any]:
    """Return seconds, memory and stages of each size, and how they grow; on two cores, and on one beside.

    A run always has a thread that reads beside those that sketch, so that one core is not `--workers 1`.
    """
    if not can_confine():
        lacking.append("two cores, and a system that holds a process to one; one core is not measured")
    by_size = {}
    for size in sizes:
        path = folder / f"{size}.jsonl"
        say(f"end_to_end: writing {size:,} articles")
        _write(pool, size, path)
        num_bytes = path.stat().st_size
        rounds: dict[str, list[tuple[Measured, dict[str, float]]]] = {name: [] for name in CORES}
        for turn in range(repeats if size < SINGLE_ROUND else 1):
            for name, num_cores in CORES.items():
                if num_cores == 1 and (size >= SINGLE_ROUND or not can_confine()):
                    continue
                say(f"end_to_end: {size:,} articles, {name.replace('_', ' ')}, round {turn + 1}")
                found = measure_once(OURS, sys.executable, path, folder, num_cores=num_cores)
                rounds[name].append(found[:2])
        path.unlink()
        by_size[str(size)] = {
            "num_bytes": num_bytes,
            **{name: _summarize(found, size, num_bytes) for name, found in rounds.items() if found},
        }
        if rounds["one_core"]:
            two, one = (by_size[str(size)][name]["median_seconds"] for name in CORES)
            by_size[str(size)]["one_core_times_two"] = round(one / two, 2)
    return {"sizes": by_size, **_growth(sizes, [by_size[str(size)]["two_cores"] for size in sizes])}


def _summarize(rounds: list[tuple[Measured, dict[str, float]]], size: int, num_bytes: int) -> dict[str, Any]:
    seconds = [measured.seconds for measured, _ in rounds]
    peaks = [m.peak_anonymous_bytes for m, _ in rounds if m.peak_anonymous_bytes is not None]
    median, peak = statistics.median(seconds), max(peaks, default=None)
    return {
        "median_seconds": round(median, 3),
        "min_seconds": round(min(seconds), 3),
        "max_seconds": round(max(seconds), 3),
        "median_cpu_seconds": round(statistics.median(m.cpu_seconds for m, _ in rounds), 3),
        "articles_per_second": round(size / median),
        "megabytes_per_second": round(num_bytes / median / 1e6, 1),
        "peak_anonymous_bytes": peak,
        "bytes_an_article_beyond_500_mb": None
        if peak is None
        else round(max(0, peak - FIXED_BYTES) / size, 1),
        "stages": {
            name: round(statistics.median(stages[name] for _, stages in rounds), 3) for name in rounds[0][1]
        },
    }


def _growth(sizes: tuple[int, ...], found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return exponents of time, and memory as a fixed part and bytes an article, by least squares."""
    if len(sizes) < 2:
        return {}
    seconds = [each["median_seconds"] for each in found]
    growth = {
        "growth_exponent": round(fit_exponent(sizes, seconds), 3),
        "growth_exponent_last_step": round(fit_exponent(sizes[-2:], seconds[-2:]), 3),
        "growth_exponent_of_stages": {
            stage: round(fit_exponent(sizes, [each["stages"][stage] for each in found]), 3)
            for stage in found[0]["stages"]
        },
    }
    peaks = [each["peak_anonymous_bytes"] for each in found]
    if None not in peaks:
        slope, fixed = np.polyfit(sizes, peaks, 1)
        growth["memory"] = {"fixed_bytes": round(fixed), "bytes_an_article": round(slope, 1)}
    return growth


def _compare_peers(
    pool: Pool, size: int, repeats: int, folder: Path, lacking: list[str], say: Say
) -> dict[str, Any]:
    """Return what each contestant took and found on `size` articles; those left out, with the reason."""
    pythons = find_contestants(lacking, say)
    path, texts, families, is_cut = _write_words(pool, size, folder)
    pairs = similar = None
    ours_of_pairs: dict[str, Any] = {}
    if size <= MAX_BRUTE_FORCE:
        say(f"end_to_end: exact pairs of {size:,} articles")
        pairs, similar = similar_pairs(shingle_sets(texts), OURS.own_threshold or THRESHOLD)
        ours_of_pairs = _score_find_pairs(texts, pairs, similar)
    del texts
    rounds: dict[Contestant, list[tuple[Measured, dict[str, float]]]] = {}
    answers: dict[Contestant, np.ndarray] = {}
    left_out: dict[str, str] = {}
    for turn in range(repeats):
        for contestant, python in _rotated(pythons, turn):
            if contestant.name in left_out:
                continue
            if contestant in rounds and rounds[contestant][0][0].seconds > LONG_SECONDS:
                continue
            if contestant.quadratic and size > 20_000:
                left_out[contestant.name] = (
                    "time grows with the square of the articles; see the smaller sizes"
                )
                continue
            say(f"end_to_end: {size:,} articles, {contestant.name}, round {turn + 1} of {repeats}")
            try:
                *found, labels = measure_once(contestant, python, path, folder)
            except CommandError as error:
                left_out[contestant.name] = str(error)
                continue
            rounds.setdefault(contestant, []).append((found[0], found[1]))
            answers[contestant] = labels
    num_bytes = path.stat().st_size
    path.unlink()
    contestants = {
        contestant.name: {
            "rounds": len(found),
            "threshold": contestant.own_threshold or THRESHOLD,
            **_summarize(found, size, num_bytes),
            **_score(contestant, answers[contestant], pairs, similar, families, is_cut),
        }
        for contestant, found in rounds.items()
    }
    return {
        "find_pairs": ours_of_pairs,
        "contestants": contestants,
        "left_out": left_out,
        **_ratios(contestants),
    }


def _score_find_pairs(texts: list[str], pairs: np.ndarray, similar: np.ndarray) -> dict[str, Any]:
    """Return the share of the exact pairs that `dedup.find_pairs` has at its default threshold, and above.

    Groups leave pairs out on purpose (parts are linked, formulas asked for more); pairs do not.
    """
    found = dedup.find_pairs(texts, num_threads=2).rows
    ours, exact = (np.sort(rows, axis=1) @ np.array([len(texts), 1]) for rows in (found, pairs))
    is_found = np.isin(exact, ours)
    return {
        "threshold": OURS.own_threshold,
        "pairs_to_find": len(exact),
        "recall": round(float(is_found.mean()), 5),
        "recall_at_threshold_to_0.05_above": round(float(is_found[similar < similar.min() + 0.05].mean()), 5),
        "precision": round(float(np.isin(ours, exact).mean()), 5),
    }


def _rotated(pythons: dict[Contestant, str], turn: int) -> Iterator[tuple[Contestant, str]]:
    entries = list(pythons.items())
    start = turn % len(entries)
    yield from (*entries[start:], *entries[:start])


def _write_words(pool: Pool, size: int, folder: Path) -> tuple[Path, list[str], np.ndarray, np.ndarray]:
    """Write the articles with their texts normalised; return path, texts, originals and cut copies."""
    path = folder / f"words-{size}.jsonl"
    texts: list[str] = []
    families, is_cut = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.bool_)
    with path.open("w", encoding="utf-8") as file:
        for batch in generate(pool, Recipe(count=size)):
            for line in batch.lines.splitlines():
                record = json.loads(line)
                record["text"] = dedup.normalize(record["text"])
                texts.append(record["text"])
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
            rows = slice(batch.first, batch.first + len(batch.ends))
            families[rows], is_cut[rows] = batch.bases, batch.kinds == kernels.CUT_COPY
    return path, texts, families, is_cut


def _score(
    contestant: Contestant,
    labels: np.ndarray,
    pairs: np.ndarray | None,
    similar: np.ndarray | None,
    families: np.ndarray,
    is_cut: np.ndarray,
) -> dict[str, Any]:
    scores = {"truth_without_cut_copies": score_families(labels[~is_cut], families[~is_cut])}
    if pairs is None or similar is None:
        return scores
    threshold = contestant.own_threshold or THRESHOLD
    return {"brute_force": score_pairs(labels, pairs[similar >= threshold]), **scores}


def _ratios(contestants: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return how many times ours each took, and which peer is the fastest of those that find enough."""
    ours = contestants.get(OURS.name)
    if ours is None:
        return {}
    peers = {name: entry for name, entry in contestants.items() if not name.startswith("dedup")}
    times = {name: round(e["median_seconds"] / ours["median_seconds"], 2) for name, e in peers.items()}
    good = [
        name for name, e in peers.items() if (e.get("brute_force", {}).get("recall") or 0.0) >= GOOD_RECALL
    ]
    best = min(good, key=times.__getitem__, default=None)
    return {"times_as_long_as_ours": times, "best_peer": best, "best_peer_times": times.get(best or "")}
