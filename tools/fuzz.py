"""Fuzz the text kernels and the record readers, guided by coverage: atheris, which is libFuzzer.

    python tools/fuzz.py                          both targets, 40,000 runs each
    python tools/fuzz.py kernels --runs 5000000   one target
    python tools/fuzz.py kernels --input FILE     one input again, as a finding names it

Kernels are compiled with bounds checks, and must agree with their plain twins on every input. Compiled
code gives libFuzzer no coverage; the instrumented twin, which runs on the same input, gives it instead. The
corpus starts from `fuzzing/seeds.jsonl`. The same seed number makes the same inputs; other numbers are for
longer searches. The exit code is 0 when all runs passed, 1 after a finding, whose input is kept in the
current folder, and 2 where atheris is not installed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module, util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = Path(__file__).parent / "fuzzing" / "seeds.jsonl"
TARGETS = ("kernels", "readers")
RUNS = 40_000
MAX_BYTES = 256
"""Length of an input at most. Kernels see it again inside longer texts, over the borders of their chunks."""


def main() -> int:
    """Run each target in a process of its own, as libFuzzer ends the process; return the exit code."""
    arguments = _parser().parse_args()
    if util.find_spec("atheris") is None:
        print(
            "atheris is not installed; it is part of the extra `test` where it has a wheel", file=sys.stderr
        )
        return 2
    for target in [arguments.target] if arguments.target else TARGETS:
        if _run(target, arguments):
            return 1
    return 0


def _run(target: str, arguments: argparse.Namespace) -> int:
    """Return the exit code of libFuzzer."""
    with tempfile.TemporaryDirectory() as corpus:
        options = [f"-runs={arguments.runs}", f"-seed={arguments.seed}", f"-max_len={MAX_BYTES}", corpus]
        if arguments.input:
            options = [str(arguments.input)]
        for number, seed in enumerate(read_seeds(target)):
            Path(corpus, str(number)).write_bytes(seed)
        environment = {**os.environ, "DEDUP_BOUNDS_CHECKS": "1", "PYTHONPATH": str(ROOT)}
        command = [
            sys.executable,
            __file__,
            "--fuzz",
            target,
            "-verbosity=0",
            "-print_final_stats=1",
            *options,
        ]
        print(f":: fuzz {target}", *options[:-1], flush=True)
        return subprocess.run(command, env=environment, check=False).returncode


def read_seeds(target: str) -> list[bytes]:
    """Return the inputs of the seed corpus for a target; each begins with a byte that the target reads."""
    seeds = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").split("\n") if line]
    chosen = [seed for seed in seeds if seed["target"] == target]
    bodies = [bytes.fromhex(seed["hex"]) if "hex" in seed else seed["text"].encode() for seed in chosen]
    return [bytes([7 * number % 256]) + body for number, body in enumerate(bodies)]


def _fuzz(target: str, options: list[str]) -> None:
    """Hand over to libFuzzer, which does not return."""
    import atheris

    module = import_module(f"fuzzing.{target}")
    for function in module.COVERED:
        atheris.instrument_func(function)
    module.check(b"")  # compiles the kernels, which would look like a slow input
    atheris.Setup([sys.argv[0], *options], module.check)
    atheris.Fuzz()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", choices=TARGETS, help="default: both")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"inputs to try (default: {RUNS:,})")
    parser.add_argument("--seed", type=int, default=1, help="number that the inputs follow from (default: 1)")
    parser.add_argument("--input", type=Path, help="try the input in this file and no other")
    return parser


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fuzz"]:
        _fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
