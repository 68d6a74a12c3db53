"""Help that answers at once, standard streams that are closed, full or no terminal, and `python -m`."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

import dedup as package

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["index", "--help"],
        ["index", "add", "--help"],
        ["--version"],
        ["run", "-h"],
    ],
)
def test_help_loads_neither_kernels_nor_columns(changed_dedup: Command, arguments: list[str]) -> None:
    script = (
        "import atexit\natexit.register(lambda: print(*(name for name in sys.modules"
        " if name.partition('.')[0] in ('numba', 'numpy', 'pyarrow', 'sklearn', 'rich', 'msgspec'))))"
    )
    done = changed_dedup(script, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == ""


def test_help_tells_exit_codes_and_choices(dedup: Command) -> None:
    text = dedup("run", "--help").stdout
    for words in (
        "[article|headline]",
        "[earliest|longest|first-seen]",
        "143  terminated",
        "4    the output",
    ):
        assert words in text
    assert "run" in dedup("--help").stdout


def test_every_exit_code_is_in_help_and_docs() -> None:
    import dedup.cli

    text = Path(package.__file__).parents[1].joinpath("docs/running.md").read_text("utf-8")
    codes = {value for name, value in vars(dedup.cli).items() if name.startswith("EXIT_")} | {129, 130, 143}
    for code in codes:
        assert f"| {code} |" in text
        assert f"\n  {code} " in (dedup.cli.cli.commands["run"].epilog or "")


def test_without_a_command_the_help_is_shown(dedup: Command) -> None:
    done = dedup()
    assert done.returncode == 2
    assert "Usage: dedup" in done.stderr


def shell(command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which $D is the command and $1... the arguments."""
    return subprocess.run(
        ["bash", "-c", command, "bash", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "D": f"{sys.executable} -m dedup"},
    )  # fmt: skip


def test_reader_of_standard_output_that_has_gone_does_no_harm(articles: Path, tmp_path: Path) -> None:
    done = shell("$D run $1 -o $2 | head -c 0; echo ${PIPESTATUS[0]}", articles, tmp_path / "out")
    assert done.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 6
    assert shell("$D run --help | head -c 0; echo ${PIPESTATUS[0]}").stdout == "0\n"


def test_reader_of_both_streams_that_has_gone_does_no_harm(articles: Path, tmp_path: Path) -> None:
    done = shell("$D run $1 -o $2 2>&1 | head -c 0; echo ${PIPESTATUS[0]}", articles, tmp_path / "out")
    assert done.stdout == "0\n"
    assert len(list((tmp_path / "out").iterdir())) == 6


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm_to_run_or_files(articles: Path, tmp_path: Path, closed: str) -> None:
    done = shell(f"$D run $1 -o $2 {closed}", articles, tmp_path / "out")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr + done.stdout
    for name in ("groups.jsonl", "unique.jsonl", "rejects.jsonl", "links.jsonl"):
        for line in (tmp_path / "out" / name).read_text("utf-8").splitlines():
            json.loads(line)


def test_closed_standard_error_keeps_the_exit_code(tmp_path: Path) -> None:
    assert shell("$D run $1 -o $2 2>&-", tmp_path / "absent.jsonl", tmp_path / "out").returncode == 3


def on_terminal(columns: int, arguments: list[str | Path], **environment: str) -> str:
    """Return what the command writes to a terminal of so many columns."""
    # The environment of Python, not of the C library: readline, which pytest loads, puts COLUMNS there.
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "dedup", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says so when the other end has gone
        while block := os.read(ours, 65536):
            shown += block
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return shown.decode("utf-8")


def test_terminal_gets_a_live_line_and_colours_if_it_wants_them(articles: Path, tmp_path: Path) -> None:
    shown = on_terminal(100, ["run", articles, "-o", tmp_path / "out"])
    for words in ("Reading", "Grouping", "Writing", "Largest groups", "رصيف جديد للحاويات"):
        assert words in shown
    assert "\x1b[1m" in shown  # bold
    assert shown.count("\x1b[?25h") >= shown.count("\x1b[?25l")  # the cursor is back
    plain = on_terminal(100, ["run", articles, "-o", tmp_path / "2"], NO_COLOR="1")
    assert "\x1b[3" not in plain


def test_narrow_terminal_is_not_overrun(articles: Path, tmp_path: Path) -> None:
    shown = on_terminal(40, ["run", articles, "-o", tmp_path / "out"], NO_COLOR="1")
    shown = shown.replace("\x1b[1m", "").replace("\x1b[0m", "")
    report = shown[shown.index("79  articles") :]
    for line in report.splitlines():
        if not line.startswith(str(tmp_path)[:10]):
            assert len(line) <= 40, line
    assert "العقبة" in report


def test_dumb_terminal_gets_lines(articles: Path, tmp_path: Path) -> None:
    shown = on_terminal(80, ["run", articles, "-o", tmp_path / "out"], TERM="dumb")
    assert "  Grouping: 79 articles\r\n" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "run --help", "index --help", "index add --help", "spark --help"]
)
def test_help_to_a_full_disk_or_a_closed_stream_ends_with_a_word(arguments: str) -> None:
    full = shell(f"$D {arguments} >/dev/full")
    assert (full.returncode, full.stderr) == (
        4,
        "dedup: standard output cannot be written: No space left on device\n",
    )
    assert shell(f"$D {arguments} | head -c 0; echo ${{PIPESTATUS[0]}}").stdout == "0\n"
    assert shell(f"$D {arguments} >&-").returncode == 0
    assert shell(f"$D {arguments} >/dev/full 2>/dev/full").returncode == 4


@pytest.mark.parametrize("arguments", ["bogus", "run --bogus", "run"])
def test_usage_error_to_a_full_disk_keeps_the_exit_code(arguments: str) -> None:
    assert shell(f"$D {arguments} 2>/dev/full").returncode == 2


def test_results_to_a_full_disk_end_with_a_word(articles: Path, tmp_path: Path) -> None:
    index = tmp_path / "news.dedup"
    assert shell("$D index add $1 $2 -o $3", index, articles, tmp_path / "verdicts").returncode == 0
    for command in ("index stats $1", "index groups $1", "index export $1", "index verify $1"):
        done = shell(f"$D {command} >/dev/full", index)
        expected = 0 if "verify" in command else 4  # which has nothing to print
        assert (command, done.returncode) == (command, expected), done.stderr
        assert "Traceback" not in done.stderr
    done = shell("$D run $1 -o $2 >/dev/full", articles, tmp_path / "out")
    assert done.returncode == 4
    assert "No space left on device; the run is done and" in done.stderr


def test_compiling_is_told_once_and_only_where_the_cache_is_cold(one_article: Path, tmp_path: Path) -> None:
    def events() -> list[str]:
        arguments = ["run", str(one_article), "-o", str(tmp_path / "out"), "--overwrite", "--log-format=json"]
        done = subprocess.run(
            [sys.executable, "-m", "dedup", *arguments],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [json.loads(line)["event"] for line in done.stderr.splitlines()]

    assert events().count("compiling") == 1
    assert events().count("compiling") == 0


@pytest.mark.parametrize("quiet", [False, True])
def test_compiling_is_told_unless_the_log_is_quiet(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    import numba

    from dedup.cli.log import Log
    from dedup.cli.progress import announce_compiling

    log = Log()
    log.quiet = quiet
    announce_compiling(log)
    for step in (1, 2):
        numba.njit(lambda x: x + step)(1)  # noqa: B023 - compiled at once
    told = capsys.readouterr().err
    assert told == (
        "" if quiet else "dedup: compiling for this machine, once (some ten to fifteen seconds)\n"
    )
