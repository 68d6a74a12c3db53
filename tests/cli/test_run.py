"""`dedup run` as an operator meets it: what it prints, where, and how it ends."""

import importlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dedup.settings import FURNITURE_POLICIES, KEEP_POLICIES, PROFILES

Command = Callable[..., subprocess.CompletedProcess[str]]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def json_lines(text: str) -> list[dict[str, Any]]:
    """Return the objects, one a line; anything else on a line fails."""
    found = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(record, dict) for record in found)
    return found


def test_report_and_progress_of_a_run(dedup: Command, articles: Path, tmp_path: Path) -> None:
    done = dedup("run", articles, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert [line.split("  ")[-1].split(":")[0].split(",")[0] for line in done.stderr.splitlines()] == [
        "Reading",
        "Grouping",
        "Writing",
    ]
    assert "79  articles\n" in done.stdout
    assert "Largest groups\nsize  canonical" in done.stdout
    assert "العقبة: رصيف جديد للحاويات" in done.stdout
    assert f"Written: {tmp_path / 'out'}\n" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line != line.rstrip()]
    assert "\x1b" not in done.stdout + done.stderr
    assert names_in(tmp_path) == ["out"]


def test_quiet_prints_nothing_but_errors(dedup: Command, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "rain", "published_at": "tomorrow"}\n{\n')
    done = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    again = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--quiet")
    assert (again.returncode, again.stdout) == (4, "")
    assert again.stderr.startswith("dedup: ")


def test_warnings_are_shown_and_kept(dedup: Command, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "rain", "published_at": "tomorrow"}\n{\n')
    done = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out")
    shown = [line for line in done.stderr.splitlines() if line.startswith("dedup: warning: ")]
    kept = json.loads((tmp_path / "out/summary.json").read_text())["warnings"]
    assert shown == [f"dedup: warning: {message}" for message in kept]
    assert len(kept) == 2


def test_json_log_is_one_object_a_line_on_both_streams(dedup: Command, tmp_path: Path) -> None:
    (tmp_path / "أخبار.jsonl").write_text('{"id": 1, "text": "rain", "published_at": "tomorrow"}\n{\n')
    done = dedup(
        "run", tmp_path / "أخبار.jsonl", "-o", tmp_path / "out", "--log-format", "json",
        env={"NUMBA_CACHE_DIR": "/dev/null/x"},
    )  # fmt: skip
    assert done.returncode == 0
    events = json_lines(done.stderr)
    assert {event["event"] for event in events} == {"progress", "warning"}
    assert [event["stage"] for event in events if event["event"] == "progress"] == ["read", "group", "write"]
    (summary,) = json_lines(done.stdout)
    written = json.loads((tmp_path / "out/summary.json").read_text("utf-8"))
    assert summary == {"event": "done", "out": str(tmp_path / "out"), **written}


@pytest.mark.parametrize("arguments", [["--threshold", "7"], ["--keep", "newest"], ["--bogus"], ["-o"]])
@pytest.mark.parametrize("form", [["--log-format", "json"], ["--log-format=json"]], ids=["two words", "one"])
def test_errors_are_json_too(
    dedup: Command, one_article: Path, arguments: list[str], form: list[str]
) -> None:
    done = dedup("run", one_article, "-o", "/nowhere/out", *form, *arguments)
    (error,) = json_lines(done.stderr)
    assert (error["event"], error["exit_code"], done.returncode, done.stdout) == ("error", 2, 2, "")


def test_form_of_the_log_can_come_from_the_configuration(
    dedup: Command, one_article: Path, tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text('log-format = "json"\nthreshold = 7\n')
    done = dedup("run", one_article, "-o", tmp_path / "out", "--config", tmp_path / "c.toml")
    assert json_lines(done.stderr)[0]["message"].startswith("--threshold is 7.0; ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--threshold", "2"], "--threshold is 2.0; it is a number from 0.05 to 1.0"),
        (["--threshold", "nan"], "--threshold is nan; it is a number from"),
        (["--threshold", "high"], "'--threshold': 'high' is not a valid float"),
        (["--window", "-1"], "--window is -1.0; it is a number from 0"),
        (["--keep", "newest"], "'--keep': 'newest' is not one of 'earliest', 'longest', 'first-seen'"),
        (["--profile", "tweet"], "'--profile': 'tweet' is not one of 'article', 'headline'"),
        (["--cut-copies", "x"], "'--cut-copies': 'x' is not one of 'keep', 'remove'"),
        (["--workers", "0"], "'--workers': 0 is not in the range 1<=x<=256"),
        (["--log-format", "xml"], "'--log-format': 'xml' is not one of 'text', 'json'"),
        (["--nonsense"], "No such option '--nonsense'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options_are_named_as_they_were_typed(
    dedup: Command, one_article: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = dedup("run", one_article, "-o", tmp_path / "out", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert names_in(tmp_path) == []


def test_choices_of_the_command_are_those_of_the_settings() -> None:
    module = importlib.import_module("dedup.cli.options")
    assert tuple(PROFILES) == module.PROFILES
    assert KEEP_POLICIES == module.POLICIES
    assert FURNITURE_POLICIES == module.FURNITURE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "in.jsonl"),
        (b"", "the input is empty"),
        (b"{\n", "line 1"),
        (b'{"id": 1, "body": "x"}\n', "'text'"),
    ],
    ids=["absent", "empty", "no JSON", "another field"],
)
def test_input_that_cannot_be_used_is_code_3(
    dedup: Command, tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "in.jsonl").write_bytes(content)
    done = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_strict_is_code_3(dedup: Command, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "x"}\n{\n')
    done = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--strict")
    assert done.returncode == 3
    assert "in.jsonl, line 2: " in done.stderr
    assert names_in(tmp_path) == ["in.jsonl"]


def test_output_that_exists_is_refused_before_standard_input_is_read(dedup: Command, tmp_path: Path) -> None:
    done = dedup("run", "-", "-o", tmp_path, stdin=subprocess.PIPE)  # a pipe that never ends
    assert done.returncode == 4
    assert "exists" in done.stderr


def test_standard_input_is_read_and_kept_beside_the_output(dedup: Command, tmp_path: Path) -> None:
    done = dedup(
        "run", "-", "-o", tmp_path / "deep/out", "--quiet",
        input='{"id": 1, "text": "rain"}\n', env={"TMPDIR": "/nowhere"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "deep/out/unique.jsonl").read_text() == '{"id": 1, "text": "rain"}\n'


def test_input_inside_the_folder_to_replace_is_refused(
    dedup: Command, one_article: Path, tmp_path: Path
) -> None:
    assert dedup("run", one_article, "-o", tmp_path / "out", "--quiet").returncode == 0
    done = dedup("run", tmp_path / "out/unique.jsonl", "-o", tmp_path / "out", "--overwrite")
    assert done.returncode == 4
    assert "holds the input" in done.stderr


def test_output_inside_an_input_folder_is_no_input_of_the_next_run(
    dedup: Command, one_article: Path, tmp_path: Path
) -> None:
    (tmp_path / "one.jsonl").write_bytes(one_article.read_bytes())
    for _ in range(2):
        assert dedup("run", tmp_path, "-o", tmp_path / "out", "--overwrite", "--quiet").returncode == 0
    counts = json.loads((tmp_path / "out/summary.json").read_text())["counts"]
    assert (counts["articles"], counts["repeated_records"]) == (1, 0)


FAULT = """
from dedup.run import nightly
def fail(*args, **kwargs):
    raise {error}
nightly.group_sketches = fail
"""


@pytest.mark.parametrize("error", ["IndexError(5)", "OSError(5, 'x')", "BrokenPipeError(32, 'x')"])
def test_a_fault_of_the_program_shows_where_and_asks_to_report_it(
    changed_dedup: Command, one_article: Path, tmp_path: Path, error: str
) -> None:
    done = changed_dedup(FAULT.format(error=error), "run", one_article, "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback (most recent call last)" in done.stderr
    assert "in fail" in done.stderr
    assert "please report" in done.stderr.splitlines()[-1]
    assert names_in(tmp_path) == []


def test_a_fault_is_json_too(changed_dedup: Command, one_article: Path, tmp_path: Path) -> None:
    arguments = ["run", one_article, "-o", tmp_path / "out", "--log-format", "json"]
    done = changed_dedup(FAULT.format(error="IndexError(5)"), *arguments)
    fault = json_lines(done.stderr)[-1]
    assert (fault["event"], fault["exit_code"], done.returncode) == ("error", 1, 1)
    assert fault["traceback"].endswith("IndexError: 5\n")


def test_too_little_memory_is_no_fault(changed_dedup: Command, one_article: Path, tmp_path: Path) -> None:
    done = changed_dedup(FAULT.format(error="MemoryError"), "run", one_article, "-o", tmp_path / "out")
    assert done.returncode == 5
    assert "not enough memory: nothing was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("size", ["1", "1000k", "0.5 MiB", "1MB"])
def test_a_run_that_may_take_little_memory_keeps_sketches_in_the_scratch_folder(
    dedup: Command, articles: Path, tmp_path: Path, size: str
) -> None:
    (tmp_path / "scratch").mkdir()
    assert dedup("run", articles, "-o", tmp_path / "plain").returncode == 0
    options = ["--memory", size, "--scratch", tmp_path / "scratch"]
    done = dedup("run", articles, "-o", tmp_path / "out", *options)
    assert done.returncode == 0
    assert f"are available: it keeps sketches on disk in {tmp_path / 'scratch'}, about " in done.stderr
    for name in ("groups.jsonl", "links.jsonl", "unique.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert names_in(tmp_path / "scratch") == []


@pytest.mark.parametrize("size", ["", "much", "-1", "8X", "1e3", "8G8"])
def test_a_size_of_memory_that_is_none_is_code_2(
    dedup: Command, articles: Path, tmp_path: Path, size: str
) -> None:
    done = dedup("run", articles, "-o", tmp_path / "out", "--memory", size)
    assert done.returncode == 2
    assert f"{size!r} is no size; expected a number and K, M, G or T" in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_fills_in_any_file_is_code_4_and_leaves_nothing(
    dedup: Command, articles: Path, small_disk: Path
) -> None:
    out = small_disk / "out"
    assert dedup("run", articles, "-o", out, "--quiet").returncode == 0
    names = ("groups.jsonl", "links.jsonl", "articles.parquet", "unique.jsonl", "summary.json")
    pages = [-(-(out / name).stat().st_size // 4096) for name in names]
    for number in range(len(names)):  # several files are written at once: which one fails is open
        subprocess.run(["rm", "-r", str(out)], check=False)
        size = 4 * sum(pages[:number]) or 4  # kB: no room for all files
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(small_disk)], check=True)
        done = dedup("run", articles, "-o", out, "--quiet")
        assert done.returncode == 4
        assert re.search(r"out: \w+\.\w+ cannot be written: No space left on device", done.stderr)
        assert names_in(small_disk) == []


def test_a_disk_that_is_full_of_standard_input_is_code_4(
    dedup: Command, articles: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=32k", str(small_disk)], check=True)
    done = dedup("run", "-", "-o", small_disk / "out", input=articles.read_text("utf-8"))
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert names_in(small_disk) == []


def test_a_scratch_disk_without_room_for_sketches_is_code_4(
    dedup: Command, articles: Path, small_disk: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=32k", str(small_disk)], check=True)
    options = ["--memory", "1M", "--scratch", small_disk]
    done = dedup("run", articles, "-o", tmp_path / "out", *options)
    assert done.returncode == 4
    assert f"and {small_disk} has 0 MiB left: name a folder with more room (--scratch)" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk"]


def test_a_read_only_disk_is_code_4(dedup: Command, one_article: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = dedup("run", one_article, "-o", small_disk / "out")
    assert done.returncode == 4
    assert "out cannot be written: Read-only file system" in done.stderr


def test_a_limit_on_the_size_of_files_is_code_4(
    changed_dedup: Command, articles: Path, tmp_path: Path
) -> None:
    script = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    done = changed_dedup(script, "run", articles, "-o", tmp_path / "out", "--quiet")
    assert done.returncode == 4
    assert "unique.jsonl cannot be written: File too large" in done.stderr
    assert names_in(tmp_path) == []


def test_report_shows_titles_on_one_line_without_what_a_terminal_obeys(
    dedup: Command, tmp_path: Path
) -> None:
    story = "the harbour office said on Monday that the new ferry will sail twice a day"
    title = "a\x1b[2Jb\nc\u202ed\u200cه\ud800"
    records = [{"id": f"x\x07{n}", "text": story, "title": title, "source": None} for n in range(3)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, records)).replace("\\ud800", ""))
    done = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out")
    assert done.returncode == 0
    assert "   3  x 0        a [2Jb c d\u200cه\n" in done.stdout


@pytest.mark.parametrize("odd", ['"title": "a\\ud800"', '"title": "a", "n": 1e999'])
def test_groups_whose_records_a_strict_decoder_refuses_are_shown_without_a_title(
    dedup: Command, tmp_path: Path, odd: str
) -> None:
    story = "the harbour office said on Monday that the new ferry will sail twice a day"
    lines = [f'{{"id": "x{n}", "text": "{story}", {odd}}}\n' for n in range(3)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    done = dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "   3  x0\n" in done.stdout


def test_report_of_a_title_that_the_output_cannot_encode(
    dedup: Command, articles: Path, tmp_path: Path
) -> None:
    done = dedup("run", articles, "-o", tmp_path / "out", env={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert "????" in done.stdout
    done = dedup(
        "run", articles, "-o", tmp_path / "مخرج", "--log-format", "json", env={"PYTHONIOENCODING": "ascii"}
    )
    assert json_lines(done.stdout)[0]["out"] == str(tmp_path / "مخرج")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_standard_output_on_a_full_disk_is_code_4_and_the_output_is_whole(
    dedup: Command, one_article: Path, tmp_path: Path
) -> None:
    with open("/dev/full", "w") as full:
        done = dedup("run", one_article, "-o", tmp_path / "out", capture_output=False, stdout=full, stderr=-1)
        assert done.returncode == 4
        assert "standard output cannot be written: No space left on device" in done.stderr
        assert f"{tmp_path / 'out'} is whole" in done.stderr
        # a log that cannot be written stops nothing
        again = dedup("run", one_article, "-o", tmp_path / "2", capture_output=False, stdout=-1, stderr=full)
        assert again.returncode == 0
    assert names_in(tmp_path) == ["2", "out"]
