"""The nightly run with an index as steps of a life: one a night, and how far one that was killed had come."""

import json
import random
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import dedup
from dedup.formats.json_lines import JsonLinesFile
from dedup.formats.output import SUMMARY
from dedup.run import indexed

NIGHT_ARTICLES = 24
"""Articles that come each night; three transactions' worth in `kill_worker`."""

_SEEN_BEFORE = 4
_CHANGED = 3
_TIMES = ("seconds", "articles_per_second", "peak_memory_bytes", "index", "inputs")
"""What a summary says that two runs of one night may differ in: times, memory, names of files."""

Article = dict[str, Any]


class Night(NamedTuple):
    """Its number from 0, and the articles that its run is given."""

    number: int
    articles: list[Article]


def nights_of(articles: list[Article], other_texts: list[str], rng: random.Random) -> list[Night]:
    """Return nights over articles in their order; from the second on some are there again, some changed."""
    nights = []
    for start in range(0, len(articles), NIGHT_ARTICLES):
        number = start // NIGHT_ARTICLES
        again = articles[max(start - _SEEN_BEFORE, 0) : start]
        before = articles[: max(start - _SEEN_BEFORE, 0)]
        changed = [
            {**article, "title": f"version {number + 1}", "text": rng.choice(other_texts)}
            for article in rng.sample(before, min(_CHANGED, len(before)))
        ]
        nights.append(Night(number, [*again, *articles[start : start + NIGHT_ARTICLES], *changed]))
    return nights


def run_night(index: dedup.Index, night: Night) -> None:
    """Run a night into `out` beside the index, over the last one's, and keep a copy of what it wrote."""
    folder = index.path.parent
    records = folder / "night.jsonl"
    records.write_text("".join(json.dumps(article) + "\n" for article in night.articles), "utf-8")
    indexed.run([JsonLinesFile(records)], folder / "out", index, overwrite=True)
    shutil.rmtree(kept_output(folder, night.number), ignore_errors=True)
    shutil.copytree(folder / "out", kept_output(folder, night.number))


def kept_output(folder: Path, number: int) -> Path:
    """Return where the output of a night is kept."""
    return folder / f"out-{number}"


def answer_of(out: Path) -> dict[str, Any] | None:
    """Return the names and contents of all files of an output, but for times; None where there is none."""
    if not out.exists():
        return None
    answer: dict[str, Any] = {path.name: path.read_bytes() for path in out.iterdir()}
    summary = json.loads(answer.pop(SUMMARY, b"{}"))
    return {**answer, SUMMARY: {name: value for name, value in summary.items() if name not in _TIMES}}


def how_far(index: dedup.Index, number: int, is_in_place: bool) -> str:
    """Return in words how far the run of a night had come when it was killed, by what the index says."""
    with index.store.reading() as connection:
        begun, ended, written = connection.execute(
            "SELECT count(*), count(up_to_seq), count(written_at) FROM nights"
        ).fetchone()
    if begun == number:
        return "reading"
    if ended == number:
        return "adding"
    if written > number:
        return "noted as written"
    return "in place, not noted" if is_in_place else "all added, not in place"


def broken_outputs(folder: Path, plain: Path, num_done: int, num_nights: int) -> list[str]:
    """Return in words which outputs are not those of a life without kills, `plain`, after so many nights.

    `out` is that of the last night that is done, or of the one under way, whole, or not there at first.
    """
    expected = [answer_of(kept_output(plain, number)) for number in range(num_nights)]
    allowed = [expected[num_done - 1] if num_done else None, *expected[num_done : num_done + 1]]
    problems = [] if answer_of(folder / "out") in allowed else [f"out is of no night near {num_done}"]
    return problems + [
        f"night {number} wrote something else"
        for number in range(num_done)
        if answer_of(kept_output(folder, number)) != expected[number]
    ]
