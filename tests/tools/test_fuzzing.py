"""The fuzzers: their seeds pass, they find a fault where there is one, and a short run goes through."""

import subprocess
import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from dedup.formats import lines
from dedup.formats.chunks import ChunkBuilder
from dedup.text import kernels as text_kernels
from tools.fuzz import TARGETS, read_seeds
from tools.fuzzing import kernels, readers

CHECKS = {"kernels": kernels.check, "readers": readers.check}
TOOL = Path(kernels.__file__).parents[1] / "fuzz.py"

needs_atheris = pytest.mark.skipif(util.find_spec("atheris") is None, reason="atheris is not installed")


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_passes(target: str) -> None:
    seeds = read_seeds(target)
    assert len(seeds) >= 10
    for seed in [b"", b"\0", *seeds]:
        CHECKS[target](seed)


def test_a_kernel_that_differs_from_its_twin_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = text_kernels.load_tables()
    multipliers = tables.multipliers.copy()
    multipliers[ord("x")] += np.uint64(2)
    monkeypatch.setattr(kernels, "_TABLES", tables._replace(multipliers=multipliers))
    kernels.check(b"\0abc")
    with pytest.raises(AssertionError, match="tokens of b'axc'"):
        kernels.check(b"\0axc")


def test_a_record_that_is_lost_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChunkBuilder, "reject", lambda *_: None)
    with pytest.raises(AssertionError, match="gave 0 records and 0 rejects"):
        readers.check(b"\0[]")


def test_a_line_that_is_lost_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lines.numbered_lines
    monkeypatch.setattr(lines, "numbered_lines", lambda *arguments: list(whole(*arguments))[:-1])
    with pytest.raises(AssertionError, match="lines of"):
        readers.check(b"\0[]\n[]")


@needs_atheris
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_goes_through(target: str, tmp_path: Path) -> None:
    command = [sys.executable, TOOL, target, "--runs", "300"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "number_of_executed_units: 300" in done.stderr
    assert not list(tmp_path.iterdir())
