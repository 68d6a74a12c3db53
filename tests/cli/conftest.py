"""Running the command as its users do: in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
Command = Callable[..., subprocess.CompletedProcess[str]]


def _dedup(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return _python("-m", "dedup", *arguments, **options)


def _changed(script: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return _python("-c", f"import sys\nfrom dedup.cli import main\n{script}\nmain()", *arguments, **options)


def _python(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "110", **options.pop("env", {})}
    options = {"capture_output": True, "text": True, "timeout": 120, **options}
    return subprocess.run([sys.executable, *map(str, arguments)], check=False, env=environment, **options)


@pytest.fixture
def dedup() -> Command:
    """Run the command with these arguments; returns exit code and what it printed."""
    return _dedup


@pytest.fixture
def changed_dedup() -> Command:
    """Run the command in a process in which a script, the first argument, has changed something first."""
    return _changed


@pytest.fixture(scope="session")
def articles() -> Path:
    return EXAMPLES / "articles.jsonl"


@pytest.fixture(scope="session")
def one_article(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one") / "one.jsonl"
    path.write_text('{"id": 1, "text": "rain"}\n')
    return path
