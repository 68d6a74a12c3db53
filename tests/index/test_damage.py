"""Bits that flip on the disk: an error, or an answer that is right; `verify` sees what makes one wrong."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from benchmarks.kill_cases import articles_of, state_of
from dedup import Index
from dedup.errors import DedupError, IndexFileError

NUM_FLIPS = 30
"""Of one bit each, in each part of the file."""


@dataclass(frozen=True)
class Whole:
    """A file that is whole, what it answers, and which pages belong to which table."""

    path: Path
    data: bytes
    answers: list[Any]
    pages: dict[str, list[int]]


def questions(index: Index) -> list[Callable[[], Any]]:
    """Return what is asked of an index, whole or damaged."""
    held = articles_of(3, 100)
    new = [{**article, "id": f"new {article['id']}"} for article in articles_of(3, 115)[95:]]
    return [
        lambda: state_of(index),
        lambda: [index.get(article["id"]) for article in held],
        lambda: [index.check(article) for article in held],
        lambda: [index.check(article) for article in new],
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    path = tmp_path_factory.mktemp("damage") / "whole.dedup"
    with Index.open(path) as index:
        list(index.add_many(articles_of(3, 100)[:80]))
        index.remove(articles_of(3, 100)[0]["id"])
        index.learn()
        index.vacuum()
        list(index.add_many(articles_of(3, 100)[80:]))  # the others are in the large posting table
    with Index.open(path) as index:
        answers = [ask() for ask in questions(index)]
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    pages: dict[str, list[int]] = {}
    for name, page in connection.execute("SELECT name, pageno FROM dbstat"):
        pages.setdefault(name, []).append(page)
    connection.close()
    return Whole(path, path.read_bytes(), answers, pages)


def outcome(whole: Whole, position: int, bit: int) -> str:
    """Return what came of one flipped bit: "refused", "error", "right", "wrong, seen" or "wrong, unseen"."""
    data = bytearray(whole.data)
    data[position] ^= 1 << bit
    path = whole.path.with_name("damaged.dedup")
    for each in path.parent.glob("damaged.dedup*"):
        each.unlink()
    path.write_bytes(data)
    result = "right"
    try:
        with Index.open(path) as index:
            for ask, expected in zip(questions(index), whole.answers, strict=True):
                try:
                    if ask() != expected:
                        return "wrong, seen" if index.verify() else "wrong, unseen"
                except IndexFileError:
                    result = "error"
            index.verify()
    except DedupError:
        return "refused"
    return result


TABLES = (
    "articles", "articles_by_fingerprint", "articles_by_id", "changes", "formulas", "groups",
    "groups_by_canonical", "members_by_canonical", "meta", "posting_filters", "posting_state", "postings",
    "recent_keys", "recent_postings", "relations", "relations_by_other", "sketches", "sqlite_schema",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_a_flipped_bit_is_an_error_or_changes_no_answer(table: str, whole: Whole) -> None:
    rng = random.Random(table)
    found: dict[str, list[int]] = {}
    for _ in range(NUM_FLIPS if len(whole.pages[table]) > 1 else NUM_FLIPS // 2):
        position = (rng.choice(whole.pages[table]) - 1) * 4096 + rng.randrange(4096)
        found.setdefault(outcome(whole, position, rng.randrange(8)), []).append(position)
    assert not found.get("wrong, unseen")
    # A bit of a key can hide a row from a look-up. Only reading the whole file tells, which `verify` does.
    assert len(found.get("wrong, seen", [])) <= 2


def test_a_flipped_bit_in_the_header_is_refused_or_changes_no_answer(whole: Whole) -> None:
    found = [outcome(whole, position, position % 8) for position in range(0, 100, 2)]
    assert set(found) <= {"refused", "error", "right"}
    assert found.count("refused") >= 10


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_file_is_refused(share: float, whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "short.dedup"
    path.write_bytes(whole.data[: int(len(whole.data) * share)])
    if share == 0.0:
        with pytest.raises(IndexFileError, match="is empty"):
            Index.open(path, create=False)
        return
    with pytest.raises(IndexFileError, match=r"truncated|damaged|not an index"):
        Index.open(path)
    assert len(path.read_bytes()) == int(len(whole.data) * share)


def test_a_file_that_is_cut_under_a_running_process_is_an_error(whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "cut.dedup"
    path.write_bytes(whole.data)
    with Index.open(path) as index, Index.open(path) as other:
        with path.open("r+b") as file:
            file.truncate(len(whole.data) // 2)
        for each in (index, other):
            problems = 0
            for ask, expected in zip(questions(each), whole.answers, strict=True):
                try:
                    assert ask() == expected
                except DedupError:
                    problems += 1
            assert problems > 0
            assert each.verify() != []


def test_a_log_with_a_flipped_bit_holds_no_half_of_a_transaction(tmp_path: Path) -> None:
    articles = articles_of(4, 60)
    path = tmp_path / "news.dedup"
    prefixes = {}
    with Index.open(path) as index:
        for start in range(0, 60, 10):
            list(index.add_many(articles[start : start + 10]))
            prefixes[start + 10] = state_of(index)
        copies = {name: path.with_name(path.name + name).read_bytes() for name in ("", "-wal")}
    rng = random.Random(1)
    for number in range(15):
        copy = tmp_path / f"copy{number}.dedup"
        log = bytearray(copies["-wal"])
        log[rng.randrange(len(log))] ^= 1 << rng.randrange(8)
        copy.write_bytes(copies[""])
        copy.with_name(copy.name + "-wal").write_bytes(log)
        try:
            with Index.open(copy) as index:
                assert index.verify() == []
                num_articles = index.stats()["articles"]
                assert num_articles == 0 or state_of(index) == prefixes[num_articles]
        except IndexFileError:
            continue


def test_an_index_that_is_damaged_names_the_damage_and_what_to_do(whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "damaged.dedup"
    path.write_bytes(whole.data)
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE sketches SET tokens = zeroblob(length(tokens))")
    connection.execute("UPDATE relations SET shared = shared + 1")
    connection.execute("UPDATE groups SET is_integer = 1 - is_integer")
    connection.execute("UPDATE changes SET kind = 'group-removed'")
    connection.execute("UPDATE articles SET canonical = no WHERE canonical != no")
    connection.close()
    with Index.open(path) as index:
        for ask in questions(index):
            with pytest.raises(IndexFileError, match=r"damaged.*restore a backup"):
                ask()
        with pytest.raises(IndexFileError, match="damaged"):
            index.add({"id": "copy", "text": articles_of(3, 100)[1]["text"] + " more"})
        problems = "\n".join(index.verify())
        for words in ("the sketch of", "a relation of", "the group", "change 1", "where article"):
            assert f"{words}" in problems
        assert "does not have its checksum" in problems
