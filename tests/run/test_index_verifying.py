"""`verify` computes posting rows anew: one that is missing, wrong or too many is a problem."""

import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from benchmarks.kill_cases import articles_of
from dedup import Index
from dedup.index.packing import pack, unpack
from dedup.index.posting_tables import all_postings
from dedup.index.rows import Postings

Entry = tuple[int, int, int]
"""A key, the number of a canonical that waits in it, and the size of its sample."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "news.dedup") as opened:
        opened.add_all(articles_of(3, 100))
        opened.remove(articles_of(3, 100)[0]["id"])
        yield opened


def entries_of(index: Index) -> list[Entry]:
    with index.store.reading() as connection:
        (rows,) = all_postings(connection, 1 << 20)
    found = unpack(rows)
    assert found is not None
    return list(zip(*(column.tolist() for column in found), strict=True))


def write_row(index: Index, table: str, key: int, entries: list[Entry]) -> None:
    packed = pack(Postings(*np.array(entries, dtype=np.int64).reshape(-1, 3).T))
    connection = apsw.Connection(str(index.path))
    connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))
    connection.executemany(f"INSERT INTO {table} VALUES(?, ?)", packed)
    connection.close()


@pytest.mark.parametrize("merged", [False, True])
def test_each_posting_row_that_is_missing_is_seen(index: Index, merged: bool) -> None:
    if merged:
        index.merge()
    table = "postings" if merged else "recent_postings"
    assert index.verify() == []
    entries = entries_of(index)
    for entry in random.Random(1).sample(entries, 20):
        key, no, _ = entry
        of_key = [each for each in entries if each[0] == key]
        write_row(index, table, key, [each for each in of_key if each != entry])
        (problem,) = index.verify()
        num_rows = sum(each[1] == no for each in entries)
        assert problem == f"article number {no} has {num_rows - 1} of its {num_rows} posting rows"
        write_row(index, table, key, of_key)
    assert index.verify() == []


def test_rows_with_another_key_or_size_are_seen(index: Index) -> None:
    entries = entries_of(index)
    key, no, sampled = next(entry for entry in entries if entry[2] > 1)
    of_key = [each for each in entries if each[0] == key]
    others = [each for each in of_key if each[1] != no]
    write_row(index, "recent_postings", key, [*others, (key, no, sampled + 1)])
    missing, extra = index.verify()
    assert missing.startswith(f"article number {no} has ")
    assert extra == "posting rows that do not follow from the sketch of their article: 1"
    write_row(index, "recent_postings", key, of_key)
    assert index.verify() == []
    write_row(index, "recent_postings", 12345, [(12345, no, 1)])
    assert index.verify() == [
        "the log of recent keys lacks the key 12345 of a posting row, which hides it",
        "posting rows that do not follow from the sketch of their article: 1",
    ]


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
