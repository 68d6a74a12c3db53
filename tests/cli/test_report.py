"""`dedup report` as an operator meets it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dedup.cli.report import ORDERS
from dedup.formats.inputs import open_inputs
from dedup.formats.output_file import output_file
from dedup.report.page import is_report
from dedup.run import nightly, report_choice
from dedup.settings import Settings

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def whole_output(tmp_path_factory: pytest.TempPathFactory, articles: Path) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    nightly.run(open_inputs([str(articles)]).files, folder, Settings())
    return folder


@pytest.fixture
def out(whole_output: Path, tmp_path: Path) -> Path:
    """The output of a run over the examples, to change as the test likes."""
    shutil.copytree(whole_output, tmp_path / "out")
    return tmp_path / "out"


def headings(page: Path) -> list[str]:
    return re.findall(r'<h3 id="group-\d+">.*?</h3>', page.read_text("utf-8"), re.DOTALL)


def test_a_report_has_every_group_with_the_texts_of_its_members(
    dedup: Command, out: Path, tmp_path: Path
) -> None:
    done = dedup("report", out, "-o", tmp_path / "report.html")
    assert (done.returncode, "warning" in done.stderr) == (0, False)
    groups = [json.loads(line) for line in (out / "groups.jsonl").read_text("utf-8").splitlines()]
    assert f"with {len(groups)} of {len(groups)} groups" in done.stdout
    page = (tmp_path / "report.html").read_text("utf-8")
    assert len(headings(tmp_path / "report.html")) == len(groups)
    for group in groups:
        for member in group["members"]:
            assert f"<bdi>{member['id']}</bdi>" in page
    assert "in the records that were read" not in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "report.html"]


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_not_shown_is_counted(dedup: Command, out: Path, tmp_path: Path, order: str) -> None:
    page = tmp_path / "report.html"
    done = dedup(
        "report", out, "-o", page, "--groups", "2", "--links", "1", "--members", "1", "--order", order
    )
    assert done.returncode == 0
    groups = (out / "groups.jsonl").read_text("utf-8").splitlines()
    num_links = len((out / "links.jsonl").read_text("utf-8").splitlines())
    assert len(headings(page)) == 2
    text = page.read_text("utf-8")
    assert f"2 of {len(groups)} groups are here" in text
    assert f"The other {len(groups) - 2} are in groups.jsonl" in text
    assert f"1 of {num_links} are here" in text
    sizes = [int(size) for size in re.findall(r'<span class="size">(\d+) articles', text)]
    hidden = [int(number) for number in re.findall(r"Members that are not shown: (\d+),", text)]
    assert hidden == [size - 2 for size in sizes if size > 2]


def test_a_report_of_no_groups_and_no_parts_counts_them_all(
    dedup: Command, out: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    assert dedup("report", out, "-o", page, "--groups", "0", "--links", "0").returncode == 0
    num_groups = len((out / "groups.jsonl").read_text("utf-8").splitlines())
    text = page.read_text("utf-8")
    assert f"0 of {num_groups} groups are here" in text
    assert text.count("None was asked for.") == 2


def test_inputs_that_were_changed_after_the_run_are_told(
    dedup: Command, articles: Path, tmp_path: Path
) -> None:
    day = tmp_path / "day.jsonl"
    day.write_bytes(articles.read_bytes())
    dedup("run", day, "-o", tmp_path / "out", "--quiet")
    later = (tmp_path / "out" / "summary.json").stat().st_mtime + 10
    os.utime(day, (later, later))
    done = dedup("report", tmp_path / "out", "-o", tmp_path / "report.html")
    assert done.returncode == 0
    assert "inputs that were changed after the run: 1, the first is " in done.stderr


def test_no_report_goes_anywhere_below_the_output_of_a_run(dedup: Command, out: Path) -> None:
    done = dedup("report", out, "-o", out / "pages" / "report.html")
    assert done.returncode == 4
    assert "lies in the output of a run" in done.stderr
    assert not (out / "pages").exists()


def test_the_most_doubtful_group_comes_first(dedup: Command, out: Path, tmp_path: Path) -> None:
    groups = [json.loads(line) for line in (out / "groups.jsonl").read_text("utf-8").splitlines()]
    lowest = min(groups, key=lambda group: min(member["jaccard"] for member in group["members"]))
    dedup("report", out, "-o", tmp_path / "report.html", "--groups", "1")
    assert f"<bdi>{lowest['canonical_id']}</bdi>" in (tmp_path / "report.html").read_text("utf-8")


def test_without_the_input_the_texts_that_were_kept_are_shown(
    dedup: Command, articles: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "day.jsonl"
    moved.write_bytes(articles.read_bytes())
    dedup("run", moved, "-o", tmp_path / "out", "--quiet")
    moved.rename(tmp_path / "elsewhere.jsonl")
    done = dedup("report", tmp_path / "out", "-o", tmp_path / "report.html")
    assert done.returncode == 0
    assert "inputs that cannot be found by the names in summary.json: 1, the first is " in done.stderr
    assert "The dropped one is not in the records that were read" in (tmp_path / "report.html").read_text(
        "utf-8"
    )
    done = dedup(
        "report",
        tmp_path / "out",
        tmp_path / "elsewhere.jsonl",
        "-o",
        tmp_path / "report.html",
        "--overwrite",
    )
    assert (done.returncode, "warning" in done.stderr) == (0, False)


def test_titles_can_be_reported(dedup: Command, tmp_path: Path, articles: Path) -> None:
    titles = articles.with_name("headlines.jsonl")
    dedup("run", titles, "-o", tmp_path / "out", "--profile", "headline", "--quiet")
    done = dedup("report", tmp_path / "out", "-o", tmp_path / "report.html")
    assert (done.returncode, "warning" in done.stderr) == (0, False)
    assert "are in both. How rare the words" in (tmp_path / "report.html").read_text("utf-8")


def test_nights_with_an_index_can_be_reported(dedup: Command, articles: Path, tmp_path: Path) -> None:
    lines = articles.read_text("utf-8").splitlines(keepends=True)
    for name, some in (("one", lines[:2]), ("two", lines[2:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(some), "utf-8")
        dedup(
            "run",
            tmp_path / f"{name}.jsonl",
            "-o",
            tmp_path / name,
            "--index",
            tmp_path / "i.dedup",
            "--quiet",
        )
    done = dedup("report", tmp_path / "two", "-o", tmp_path / "report.html")
    assert done.returncode == 0
    assert "articles whose texts are in none of the records that were read: 2 of " in done.stderr
    done = dedup(
        "report",
        tmp_path / "two",
        tmp_path / "one.jsonl",
        tmp_path / "two.jsonl",
        "-o",
        tmp_path / "all.html",
    )
    assert (done.returncode, "warning" in done.stderr) == (0, False)


def test_rejects_are_counted_by_reason(dedup: Command, tmp_path: Path) -> None:
    lines = ['{"id": 1, "text": "rain"}', *(f'{{"id": {k}, "text": {k}}}' for k in range(2, 9)), "{"]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    dedup("run", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--quiet")
    dedup("report", tmp_path / "out", "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert re.findall(r'<td class="figure">(\d+)</td>', page) == ["7", "1"]
    assert "There are none: no two articles are copies." in page


def test_json_log_says_what_is_shown(dedup: Command, out: Path, tmp_path: Path) -> None:
    done = dedup("report", out, "-o", tmp_path / "report.html", "--log-format", "json")
    told = json.loads(done.stdout)
    assert told["event"] == "done"
    assert told["num_bytes"] == (tmp_path / "report.html").stat().st_size
    quiet = dedup("report", out, "-o", tmp_path / "two.html", "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("", "")
    assert (tmp_path / "two.html").read_bytes() == (tmp_path / "report.html").read_bytes()


def test_a_report_is_replaced_only_when_asked_and_only_by_a_report(
    dedup: Command, out: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>mine</p>")
    for arguments, words in (
        ([], "exists; choose another"),
        (["--overwrite"], "was not written by this program"),
    ):
        done = dedup("report", out, "-o", page, *arguments)
        assert (done.returncode, words in done.stderr) == (4, True)
    assert page.read_text() == "<p>mine</p>"
    inside = dedup("report", out, "-o", out / "report.html")
    assert (inside.returncode, "lies in the output of a run" in inside.stderr) == (4, True)
    folder = dedup("report", out, "-o", tmp_path, "--overwrite")
    assert (folder.returncode, "exists and is not a file" in folder.stderr) == (4, True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("summary.json", None, "has no summary.json; expected the folder that dedup run wrote"),
        ("summary.json", "{", "summary.json is not JSON"),
        ("summary.json", "{}", "summary.json has no 'counts.articles'; expected the folder"),
        ("groups.jsonl", None, "groups.jsonl cannot be read: No such file"),
        (
            "groups.jsonl",
            '{"group_id": 1}\n',
            "groups.jsonl, line 1: not what dedup run writes: Object missing",
        ),
        ("links.jsonl", "\udcff\n", "links.jsonl, line 1: not what dedup run writes"),
        ("articles.parquet", "none", "articles.parquet cannot be read"),
    ],
)
def test_an_output_that_cannot_be_used_is_refused(
    dedup: Command, out: Path, tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    (out / name).unlink()
    if content is not None:
        (out / name).write_text(content, "utf-8", errors="surrogateescape")
    done = dedup("report", out, "-o", tmp_path / "report.html")
    assert (done.returncode, words in done.stderr) == (3, True), done.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_missing_input_is_refused(dedup: Command, out: Path, tmp_path: Path) -> None:
    done = dedup("report", out, tmp_path / "none.jsonl", "-o", tmp_path / "report.html")
    assert (done.returncode, "cannot be read" in done.stderr) == (3, True)


def test_a_page_that_fails_half_way_leaves_nothing(changed_dedup: Command, out: Path, tmp_path: Path) -> None:
    script = """
import dedup.run.reporting as reporting
def broken(report):
    yield "<!doctype html>"
    raise OSError(28, "No space left on device")
reporting.report_page = broken
"""
    done = changed_dedup(script, "report", out, "-o", tmp_path / "report.html")
    assert done.returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_an_output_error(dedup: Command, out: Path) -> None:
    done = dedup("report", out, "-o", "/dev/full", "--overwrite")
    assert done.returncode == 4


def test_what_a_killed_report_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".report.html.dedup-partial-12345678"
    left.write_bytes(b"half")
    target = tmp_path / "report.html"
    with output_file(target, is_report, overwrite=False) as page:
        others = [path for path in tmp_path.iterdir() if path != left]
        with output_file(tmp_path / "report.html", is_report, overwrite=True):
            assert others[0].exists()  # it is being written
        page.write(b"whole")
        assert not left.exists()
        os.unlink(target)
    assert target.read_bytes() == b"whole"


def test_orders_are_those_of_the_library() -> None:
    assert ORDERS == report_choice.ORDERS
