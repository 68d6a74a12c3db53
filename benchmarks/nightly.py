"""The whole command, `dedup run`, from start to exit: wall-clock seconds with kernels compiled before."""

import argparse
import json
import lzma
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.quality import DATA

REPEATS = 5
WEEK = "saudi_2015-07.jsonl.xz"
_COMMAND = (sys.executable, "-m", "dedup")
_FIELDS = ("--text-field", "body", "--date-field", "date", "--quiet", "--overwrite")


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return seconds of `dedup run` over a week of news, and of `dedup --help`."""
    del arguments
    if not (DATA / WEEK).exists():
        lacking.append(f"the week of news, {DATA / WEEK}")
        return {"checks": {}}
    with tempfile.TemporaryDirectory() as folder:
        articles, out = Path(folder, "week.jsonl"), Path(folder, "out")
        articles.write_bytes(lzma.decompress((DATA / WEEK).read_bytes()))
        command = [*_COMMAND, "run", str(articles), "-o", str(out), *_FIELDS]
        say("nightly: one run to compile what is not compiled")
        first = _seconds(command)
        whole = [_seconds(command) for _ in range(repeats)]
        helps = [_seconds([*_COMMAND, "--help"]) for _ in range(repeats)]
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        num_bytes = articles.stat().st_size
    return {
        "checks": {
            "a week of news takes less than 5 s": statistics.median(whole) < 5,
            "--help takes less than 0.3 s": statistics.median(helps) < 0.3,
        },
        "input_bytes": num_bytes,
        "first_run_seconds": round(first, 3),
        "run_seconds": _spread(whole),
        "help_seconds": _spread(helps),
        "last_summary": {
            name: summary[name] for name in ("counts", "seconds", "peak_memory_bytes", "workers")
        },
    }


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(seconds), 3),
        "min": round(min(seconds), 3),
        "max": round(max(seconds), 3),
    }
