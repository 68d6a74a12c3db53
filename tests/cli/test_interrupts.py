"""Signals in each stage: the exit code says which, nothing is left behind, nobody waits for a kernel."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LONG = """
import sys, time
from dedup.cli import main
from dedup.formats import output
from dedup.run import intake, nightly, summaries
def long(*args, **kwargs):
    print("ready", flush=True)
    time.sleep(3600)
{change}
main()
"""
STAGES = {
    "read": "intake._sketch = long",  # the worker threads are busy
    "admit": "intake._Admission.admit = long",  # the main thread is
    "group": "nightly.group_sketches = long",
    "write": "nightly.write_unique = long",
    "start": "summaries.metadata.version = long",  # all written but the summary
}
SLOW_CLEARING = """
clear = output._clear
output._clear = lambda *args: (clear(*args), print("ready", flush=True), time.sleep(1))
"""
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def start(change: str, *arguments: str | Path, **options: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LONG.format(change=change), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """An output folder that a run wrote."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/summary.json").write_text('{"versions": {"article-dedup": "0"}}')
    yield tmp_path / "out"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["summary.json"]
    assert (tmp_path / "out/summary.json").read_text() == '{"versions": {"article-dedup": "0"}}'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", STAGES)
def test_signal_in_each_stage(stage: str, number: int, old: Path, articles: Path) -> None:
    process = start(STAGES[stage], "run", articles, "-o", old, "--overwrite", "--quiet")
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)  # the stage would take an hour
    assert (process.returncode, stdout) == (EXIT_CODES[signal.Signals(number)], "")
    word = "interrupted" if number == signal.SIGINT else "terminated"
    assert stderr == f"dedup: {word}: nothing was written\n"


def test_terminal_that_goes_ends_the_run_and_nohup_keeps_it(old: Path, articles: Path) -> None:
    arguments = ("run", articles, "-o", old, "--overwrite", "--log-format", "json")
    process = start(STAGES["group"], *arguments)
    process.send_signal(signal.SIGHUP)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == EXIT_CODES[signal.SIGHUP]
    assert '"exit_code": 129' in stderr.splitlines()[-1]
    nohup = "\nimport signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)"
    ignored = start(STAGES["group"] + nohup, *arguments)
    ignored.send_signal(signal.SIGHUP)
    ignored.send_signal(signal.SIGTERM)
    ignored.communicate(timeout=60)
    assert ignored.returncode == EXIT_CODES[signal.SIGTERM]


def test_second_signal_while_it_clears_up_changes_nothing(old: Path, articles: Path) -> None:
    process = start(STAGES["write"] + SLOW_CLEARING, "run", articles, "-o", old, "--overwrite", "--quiet")
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (143, "dedup: terminated: nothing was written\n")


@pytest.mark.parametrize("stage", ["group", "write"])
def test_what_is_left_by_a_kill_is_removed_by_the_next_run(stage: str, old: Path, articles: Path) -> None:
    process = start(STAGES[stage], "run", articles, "-o", old, "--overwrite", "--quiet")
    process.kill()
    process.communicate(timeout=60)
    assert len(list(old.parent.iterdir())) == 2
    again = start(STAGES["group"], "run", articles, "-o", old, "--overwrite", "--quiet")
    assert len(list(old.parent.iterdir())) == 2  # its own
    third = subprocess.run(
        [sys.executable, "-m", "dedup", "run", str(articles), "-o", str(old), "--overwrite"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert third.returncode == 4
    assert "is being written by another run" in third.stderr
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)


def test_signal_after_the_rename_says_that_the_output_is_whole(articles: Path, tmp_path: Path) -> None:
    change = "import dedup.cli.closing_table as table\ntable.report_text = long"
    process = start(change, "run", articles, "-o", tmp_path / "out")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.endswith(f"dedup: interrupted: {tmp_path / 'out'} is whole\n")
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_group_of_a_terminal_gets_the_signal_as_one(old: Path, articles: Path) -> None:
    process = start(STAGES["read"], "run", articles, "-o", old, "--overwrite", start_new_session=True)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_signal_with_an_index_says_what_it_keeps(tmp_path: Path, articles: Path) -> None:
    news, out = tmp_path / "news.dedup", tmp_path / "out"
    change = "from dedup.run import indexed\nindexed.results.write_unique = long"
    process = start(change, "run", articles, "--index", news, "-o", out, "--quiet")
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    kept = f"{out} was not written; {news} keeps what was added, run again to go on"
    assert (process.returncode, stderr) == (143, f"dedup: terminated: {kept}\n")
    assert not out.exists()
