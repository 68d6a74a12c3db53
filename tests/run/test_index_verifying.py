"""`verify` computes posting rows anew: one that is missing, wrong or too many is a problem."""

import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from benchmarks.kill_cases import articles_of
from dedup import Index

ROWS = "SELECT key, no, sampled FROM all_postings ORDER BY no, key"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "news.dedup") as opened:
        opened.add_all(articles_of(3, 100))
        opened.remove(articles_of(3, 100)[0]["id"])
        yield opened


def change(index: Index, statement: str, *values: int) -> None:
    connection = apsw.Connection(str(index.path))
    connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("merged", [False, True])
def test_each_posting_row_that_is_missing_is_seen(index: Index, merged: bool) -> None:
    if merged:
        index.merge()
    table = "postings" if merged else "recent_postings"
    assert index.verify() == []
    with index.store.reading() as connection:
        rows = connection.execute(ROWS).fetchall()
    for key, no, sampled in random.Random(1).sample(rows, 20):
        change(index, f"DELETE FROM {table} WHERE key = ? AND no = ?", key, no)
        (problem,) = index.verify()
        num_rows = sum(row[1] == no for row in rows)
        assert problem == f"article number {no} has {num_rows - 1} of its {num_rows} posting rows"
        change(index, f"INSERT INTO {table} VALUES(?, ?, ?)", key, no, sampled)
    assert index.verify() == []


def test_rows_with_another_key_or_size_are_seen(index: Index) -> None:
    with index.store.reading() as connection:
        key, no, _ = connection.execute(
            "SELECT key, no, sampled FROM all_postings WHERE sampled > 1"
        ).fetchone()
    change(index, "UPDATE recent_postings SET sampled = sampled + 1 WHERE key = ? AND no = ?", key, no)
    missing, extra = index.verify()
    assert missing.startswith(f"article number {no} has ")
    assert extra == "posting rows that do not follow from the sketch of their article: 1"
    change(index, "UPDATE recent_postings SET sampled = sampled - 1 WHERE key = ? AND no = ?", key, no)
    assert index.verify() == []
    change(index, "INSERT INTO recent_postings VALUES(12345, ?, 1)", no)
    assert index.verify() == ["posting rows that do not follow from the sketch of their article: 1"]


def test_rows_that_a_full_bucket_did_not_take_are_not_missed(tmp_path: Path) -> None:
    boilerplate = " ".join(f"shared{number}" for number in range(40))
    articles = [
        {"id": k, "text": f"{boilerplate} " + " ".join(f"own{k}x{number}" for number in range(220))}
        for k in range(60)
    ]
    with Index.open(tmp_path / "news.dedup") as index:
        assert index.add_all(articles).num_full_buckets > 0
        assert index.verify() == []
        for k in range(30):  # room again, which those that came before do not take
            index.remove(k)
        assert index.verify() == []
