"""Who takes part in the end-to-end benchmark, the environments that they run in, and one run of one."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.environment import ROOT, THREAD_VARIABLES
from benchmarks.process_run import Measured, run_measured

GROUPING = Path(__file__).parent / "grouping"
ENVIRONMENTS = Path(
    os.environ.get("DEDUP_BENCHMARK_ENVIRONMENTS")
    or Path(tempfile.gettempdir()) / f"article-dedup-peers-{os.getuid()}"
)
"""Where environments of peers are made; kept between runs."""
THRESHOLD = 0.7
"""What the peers are asked for: text-dedup's default, and near datatrove's."""
BUDGET_SECONDS = 1800.0


@dataclass(frozen=True)
class Contestant:
    """A way of grouping: a script of `grouping/`, and what it needs: modules here, or an environment."""

    name: str
    script: str
    way: str = ""
    modules: tuple[str, ...] = ()
    environment: str | None = None
    quadratic: bool = False
    own_threshold: float | None = None
    """The similarity that it is made for, where the threshold is not asked for."""


OURS = Contestant("dedup run, default settings", "with_dedup", "default", own_threshold=0.28)
CONTESTANTS = (
    OURS,
    Contestant("dedup run --threshold", "with_dedup", "at-threshold"),
    Contestant("datasketch, SHA-1", "with_datasketch", "sha1", ("datasketch",)),
    Contestant("datasketch, xxhash", "with_datasketch", "xxhash", ("datasketch", "xxhash")),
    Contestant("rensa, R-MinHash of full sets", "with_rensa", "full-set", ("rensa",)),
    Contestant("rensa, C-MinHash", "with_rensa", "c-minhash", ("rensa",), quadratic=True),
    Contestant("rensa, position sampling", "with_rensa", "position-sampling", ("rensa",)),
    Contestant("FastSketchLSH", "with_fastsketchlsh", environment="fastsketchlsh"),
    Contestant("gaoya", "with_gaoya", environment="gaoya"),
    Contestant("text-dedup, SHA-1", "with_text_dedup", "sha1", environment="text_dedup"),
    Contestant("text-dedup, xxh3", "with_text_dedup", "xxh3", environment="text_dedup"),
    Contestant("datatrove", "with_datatrove", environment="datatrove", own_threshold=0.72),
    Contestant("scikit-learn", "with_scikit_learn", modules=("sklearn",), quadratic=True),
)


def find_contestants(
    lacking: list[str], say: Callable[[str], None], among: Sequence[Contestant] = CONTESTANTS
) -> dict[Contestant, str]:
    """Return the Python of each contestant that can run; `lacking` says which cannot, and why."""
    pythons: dict[str, str | None] = {}
    found = {}
    for contestant in among:
        missing = [module for module in contestant.modules if find_spec(module) is None]
        if missing:
            lacking.append(
                f"{contestant.name}: {', '.join(missing)} is not installed (pip install '.[bench]'); left out"
            )
            continue
        environment = contestant.environment
        if environment is None:
            found[contestant] = sys.executable
            continue
        if environment not in pythons:
            pythons[environment] = _make_environment(environment, lacking, say)
        python = pythons[environment]
        if python is not None:
            found[contestant] = python
    return found


def _make_environment(name: str, lacking: list[str], say: Callable[[str], None]) -> str | None:
    """Return the Python of an environment with the pinned versions; None if it cannot be made."""
    requirements = GROUPING / "requirements" / f"{name}.txt"
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes():
        return str(python)
    say(f"making an environment for {name} in {folder}")
    lines = requirements.read_text(encoding="utf-8").splitlines()
    options = [line for line in lines if line.startswith("--")]
    packages = [line for line in lines if line and not line.startswith(("#", "--"))]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", *options, *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            lacking.append(f"{name} cannot be installed ({reason}); left out")
            return None
    stamp.write_bytes(requirements.read_bytes())
    return str(python)


def measure_once(
    contestant: Contestant,
    python: str,
    path: Path,
    folder: Path,
    *,
    threshold: float = THRESHOLD,
    num_cores: int = 2,
) -> tuple[Measured, dict[str, float], np.ndarray]:
    """Return what a contestant took, its stages and its labels; raise `CommandError` if it fails.

    It has a thread for each of its cores.
    """
    out = folder / "labels"
    command = [python, str(GROUPING / f"{contestant.script}.py"), str(path), str(out)]
    environment = {
        **os.environ,
        **dict.fromkeys(THREAD_VARIABLES, str(num_cores)),
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    # An installed package has its bytecode; the checkout that ours is run from should have it too.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if contestant.environment is None:
        environment["PYTHONPATH"] = str(ROOT)
    else:
        environment.pop("PYTHONPATH", None)
    arguments = [contestant.way, str(threshold), str(num_cores)]
    measured = run_measured([*command, *arguments], environment, ROOT, BUDGET_SECONDS, num_cores)
    stages = json.loads(measured.output.strip().splitlines()[-1])
    labels = np.fromfile(out, dtype=np.int64)
    out.unlink()
    return measured, stages, labels
