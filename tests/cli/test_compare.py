"""`dedup compare`: two files, what the detector says of them, and where they differ."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
WORDS = [f"word{number}" for number in range(40)]


def texts(folder: Path, *given: str) -> list[Path]:
    paths = [folder / f"{number}.txt" for number in range(len(given))]
    for path, text in zip(paths, given, strict=True):
        path.write_text(text, "utf-8")
    return paths


def test_verdict_scores_and_difference_are_printed(dedup: Command, tmp_path: Path) -> None:
    second = ["new", *WORDS[:20], "other", "words", *WORDS[22:]]
    done = dedup("compare", *texts(tmp_path, " ".join(WORDS), " ".join(second)))
    assert done.returncode == 0
    verdict, scores, empty, *lines = done.stdout.splitlines()
    assert verdict.startswith("near: Jaccard 0.")
    assert scores.startswith("Jaccard 0.")
    assert empty == ""
    assert lines == [
        "+ [new]",
        f"  {' '.join(WORDS[:7])} … {' '.join(WORDS[13:20])} (20 words)",
        "- [word20 word21]",
        "+ [other words]",
        f"  {' '.join(WORDS[22:29])} … {' '.join(WORDS[33:])} (18 words)",
    ]


def test_page_furniture_is_told(dedup: Command, tmp_path: Path) -> None:
    paths = texts(tmp_path, " ".join(WORDS), " ".join(WORDS) + "\nRead also: Harbour fees rise")
    assert "+ (left out, links: Read also: Harbour fees rise)" in dedup("compare", *paths).stdout
    whole = dedup("compare", *paths, "--furniture", "keep")
    assert "+ [Read also: Harbour fees rise]" in whole.stdout


def test_json_log_is_one_object(dedup: Command, tmp_path: Path) -> None:
    done = dedup(
        "compare", *texts(tmp_path, "rain in the north", "Rain in the north!"), "--log-format", "json"
    )
    told = json.loads(done.stdout)
    assert (told["event"], told["verdict"], told["jaccard"]) == ("done", "exact", 1.0)


def test_titles_are_compared_as_titles(dedup: Command, tmp_path: Path) -> None:
    done = dedup(
        "compare", *texts(tmp_path, "Rain in the north", "Rain in the far north"), "--profile", "headline"
    )
    assert "of character shingles" in done.stdout


def test_a_terminal_is_not_told_what_to_do(dedup: Command, tmp_path: Path) -> None:
    done = dedup("compare", *texts(tmp_path, "rain \x1b[31m in", "snow \N{RIGHT-TO-LEFT OVERRIDE} \x07in"))
    assert not set(done.stdout) & set("\x1b\x07\N{RIGHT-TO-LEFT OVERRIDE}")


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("none.txt", 3, "cannot be read"), ("articles.jsonl", 3, "holds records; expected a text or HTML file")],
)
def test_what_is_no_text_is_refused(
    dedup: Command, articles: Path, tmp_path: Path, name: str, code: int, words: str
) -> None:
    (path,) = texts(tmp_path, "rain")
    done = dedup("compare", path, articles.with_name(name))
    assert (done.returncode, words in done.stderr) == (code, True)


def test_bytes_that_are_no_text_and_wrong_settings_are_refused(dedup: Command, tmp_path: Path) -> None:
    (path,) = texts(tmp_path, "rain")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe")
    done = dedup("compare", path, tmp_path / "bad.txt")
    assert (done.returncode, "cannot be used: not UTF-8" in done.stderr) == (3, True)
    done = dedup("compare", path, path, "--threshold", "7")
    assert (done.returncode, "--threshold is 7.0" in done.stderr) == (2, True)
