"""What the first call costs: compiling into an empty cache, and loading from a full one."""

import json
import os
import subprocess
import sys
import tempfile

from benchmarks.environment import ROOT

_SCRIPT = """
import json, time
start = time.perf_counter()
import dedup
dedup.Settings()
imported = time.perf_counter()
dedup.sign_texts(["one two three four"])
signed = time.perf_counter()
dedup.find_groups(["one two three four five", "one two three four five six"])
grouped = time.perf_counter()
print(json.dumps({"import_seconds": imported - start, "first_signature_seconds": signed - imported,
                  "first_groups_seconds": grouped - signed}))
"""


def measure_compile_time() -> dict:
    """Return seconds of import and first calls in a new process, with the cache empty and then full."""
    with tempfile.TemporaryDirectory(prefix="dedup-benchmark-cache-") as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(ROOT)}
        return {state: _first_calls(environment) for state in ("empty_cache", "full_cache")}


def _first_calls(environment: dict[str, str]) -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    return {name: round(seconds, 3) for name, seconds in json.loads(answer.stdout).items()}
