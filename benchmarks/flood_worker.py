"""Group the articles of one file and print what it took: `python -m benchmarks.flood_worker FILE BATCHES`.

A process of its own, so that its peak memory is that of this run. Prints one JSON object.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa

import dedup
from benchmarks.measure import memory_bytes, reset_peak

STAGES = {
    "read_records": ("dedup.run.batch", "columns_of"),
    "sketch": ("dedup.run.batch", "sketch_texts"),
    "canonical_order": ("dedup.run.batch", "canonical_order"),
    "exact_copies": ("dedup.match.grouping", "find_firsts"),
    "buckets": ("dedup.match.grouping", "find_buckets"),
    "wording": ("dedup.match.grouping", "find_wording"),
    "scan": ("dedup.match.grouping", "scan_canonicals"),
}
"""The calls inside `dedup.find_groups` that are timed, under the names by which their callers know them."""


class Stopwatch:
    """Processor seconds spent in each of `STAGES`; one that has moved is missing."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        for stage, (module_name, function_name) in STAGES.items():
            module = importlib.import_module(module_name)
            function = getattr(module, function_name, None)
            if function is not None:
                setattr(module, function_name, self._timed(stage, function))

    def _timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - start

        return timed


def main() -> None:
    """Read the first BATCHES batches of FILE, group them, and print the measurements."""
    path, num_batches = sys.argv[1], int(sys.argv[2])
    with pa.OSFile(path) as file:
        reader = pa.ipc.open_stream(file)
        table = pa.Table.from_batches([reader.read_next_batch() for _ in range(num_batches)])
    _load_kernels()
    stopwatch = Stopwatch()
    before = memory_bytes("VmRSS")
    reset_peak()
    start, cpu = time.perf_counter(), time.process_time()
    groups = dedup.find_groups(table)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    peak = memory_bytes("VmHWM")
    start = time.process_time()
    largest = max((len(group.members) for group in groups), default=1)
    measurements = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "stages": {**stopwatch.seconds, "list_groups": time.process_time() - start},
        "peak_bytes": peak,
        "peak_extra_bytes": peak - before if peak is not None and before is not None else None,
        "input_bytes": table.nbytes,
        "num_articles": len(table),
        "num_groups": len(groups),
        "largest_group": largest,
        "num_candidates": groups.scan.num_candidates,
        "num_full_buckets": groups.scan.num_full_buckets,
        "num_relations": len(groups.scan.relations),
    }
    print(json.dumps(measurements))


def _load_kernels() -> None:
    """Compile or load every kernel, so that no compile time is in the measurement."""
    words = [f"word{number}" for number in range(100)]
    texts = [" ".join(words[start : start + 60]) for start in (0, 0, 5, 40)]
    dedup.find_groups(pa.table({"id": range(len(texts)), "text": pa.array(texts, pa.large_string())}))


if __name__ == "__main__":
    main()
