"""Time, memory and answers of `dedup.find_groups` where many articles are copies, or share a template.

The trap: a bucket of m articles costs m² comparisons, or a template makes one giant group.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

import dedup
from benchmarks.environment import ROOT
from benchmarks.flood_cases import CASES, SEED, WORDS_AN_ARTICLE, Case, Vocabulary
from benchmarks.measure import fit_exponent

REPEATS = 3
SIZES = (12_500, 25_000, 50_000, 100_000)
NUM_COMPARED = 20


def run(arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]) -> dict:
    """Return settings, and for each case its sizes' measurements, growth and whether its answer is right."""
    sizes = tuple(sorted(arguments.sizes or SIZES))
    with tempfile.TemporaryDirectory(prefix="dedup-floods-") as folder:
        files = {name: Path(folder, name) for name in CASES}
        jaccards = {name: _write_case(case, sizes, files[name]) for name, case in CASES.items()}
        runs: dict[tuple[str, int], list[dict]] = {}
        for turn in range(repeats):
            say(f"round {turn + 1} of {repeats}")
            for (batch, size), name in itertools.product(enumerate(sizes), CASES):
                runs.setdefault((name, size), []).append(_run_worker(files[name], batch + 1))
    cases = {
        name: {
            "what": case.what,
            "jaccard": jaccards[name],
            **_summarize_case(sizes, [runs[name, size] for size in sizes]),
        }
        for name, case in CASES.items()
    }
    return {
        "settings": dedup.Settings().as_dict(),
        "corpus": {"name": "invented words", "seed": SEED, "words_an_article": WORDS_AN_ARTICLE},
        "checks": dict(_check_answers(sizes, runs)),
        "cases": cases,
        "times_distinct": _compare_with_distinct(cases, sizes[-1]),
    }


def _write_case(case: Case, sizes: Sequence[int], path: Path) -> dict[str, float]:
    """Write the articles, a batch up to each size, and return the Jaccard similarity of some pairs."""
    articles = case.articles(Vocabulary())
    schema = pa.schema([("id", pa.int64()), ("text", pa.large_string())])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for start, end in itertools.pairwise((0, *sizes)):
            texts = list(itertools.islice(articles, end - start))
            if start == 0:
                found = [dedup.compare(texts[0], other).jaccard for other in texts[1 : NUM_COMPARED + 1]]
            writer.write_batch(pa.record_batch([range(start, end), texts], schema=schema))
    return {"min": round(min(found), 4), "max": round(max(found), 4)}


def _run_worker(path: Path, num_batches: int) -> dict:
    command = [sys.executable, "-m", "benchmarks.flood_worker", str(path), str(num_batches)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {answer.returncode}: {answer.stderr}")
    return json.loads(answer.stdout)


def _summarize_case(sizes: Sequence[int], runs: Sequence[list[dict]]) -> dict:
    """Return the measurements of each size and the growth of time with it, in all and by stage."""
    medians = [statistics.median(each["seconds"] for each in rounds) for rounds in runs]
    cpu_medians = [statistics.median(each["cpu_seconds"] for each in rounds) for rounds in runs]
    stages = {
        stage: [statistics.median(each["stages"][stage] for each in rounds) for rounds in runs]
        for stage in runs[0][0]["stages"]
    }
    return {
        "growth_exponent": _growth(sizes, medians),
        "growth_exponent_of_cpu": _growth(sizes, cpu_medians),
        "growth_exponent_of_stages": {stage: _growth(sizes, values) for stage, values in stages.items()},
        "sizes": {
            str(size): {
                "median_seconds": round(median, 4),
                "min_seconds": round(min(each["seconds"] for each in rounds), 4),
                "max_seconds": round(max(each["seconds"] for each in rounds), 4),
                "median_cpu_seconds": round(cpu_medians[k], 4),
                "microseconds_an_article": round(median / size * 1e6, 2),
                "stage_cpu_seconds": {stage: round(values[k], 4) for stage, values in stages.items()},
                **_summarize_memory(rounds),
                **_counts(rounds[0]),
            }
            for k, (size, median, rounds) in enumerate(zip(sizes, medians, runs, strict=True))
        },
    }


def _growth(sizes: Sequence[int], seconds: Sequence[float]) -> dict[str, float] | None:
    """Return the exponent fitted to all sizes, and between the two largest; None for a single size."""
    if len(sizes) < 2:
        return None
    return {
        "fitted": round(fit_exponent(sizes, seconds), 2),
        "last_step": round(fit_exponent(sizes[-2:], seconds[-2:]), 2),
    }


def _summarize_memory(rounds: list[dict]) -> dict[str, int | None]:
    """Return medians: resident at the peak, and how far that is above what it was with the input read."""
    return {
        name: None if rounds[0][name] is None else int(statistics.median(each[name] for each in rounds))
        for name in ("peak_bytes", "peak_extra_bytes", "input_bytes")
    }


def _counts(measurements: dict) -> dict[str, int]:
    return {
        name: value
        for name, value in measurements.items()
        if name.startswith("num_") or name == "largest_group"
    }


def _check_answers(
    sizes: Sequence[int], runs: dict[tuple[str, int], list[dict]]
) -> Iterator[tuple[str, bool]]:
    for name, case in CASES.items():
        wanted = "one group of all" if case.one_group else "no group"
        holds = all(
            (each["num_groups"], each["largest_group"]) == ((1, size) if case.one_group else (0, 1))
            for size in sizes
            for each in runs[name, size]
        )
        yield f"{name}: {wanted}, at every size and in every round", holds


def _compare_with_distinct(cases: dict[str, dict], size: int) -> dict[str, float]:
    """Return how many times the processor time of the baseline each case took, at the largest size."""
    seconds = {name: case["sizes"][str(size)]["median_cpu_seconds"] for name, case in cases.items()}
    return {name: round(value / seconds["distinct"], 2) for name, value in seconds.items()}
