"""Packed posting rows: what goes in comes out, also when SQLite joins blobs."""

from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import Index
from dedup.errors import IndexFileError
from dedup.index.packing import pack, unpack
from dedup.index.posting_tables import delete_postings, find_postings, insert_postings, merge_postings
from dedup.index.rows import Postings
from dedup.index.schema import TABLES

UINT32S = st.integers(0, 2**32 - 1)
ENTRIES = st.lists(
    st.tuples(st.one_of(st.integers(0, 3), UINT32S, st.integers(2**32, 2**47)), UINT32S, UINT32S)
)


def postings_of(entries: list[tuple[int, int, int]]) -> Postings:
    """Return postings in the order of keys; those of bands have no size."""
    rows = [(key, no, sampled if key < 2**32 else 0) for key, no, sampled in entries]
    columns = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, 3).T
    return Postings(*np.ascontiguousarray(columns))


def unpacked(key: int, blob: bytes) -> list[tuple[int, int, int]]:
    """Return the entries of a packed row, in plain Python."""
    values = [int.from_bytes(blob[at : at + 4], "little") for at in range(0, len(blob), 4)]
    if key >= 2**32:
        return [(key, no, 0) for no in values]
    return [(key, no, sampled) for no, sampled in zip(values[::2], values[1::2], strict=True)]


def rows_of(postings: Postings) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in postings), strict=True))


@given(ENTRIES)
def test_packed_rows_hold_what_the_plain_twin_reads_from_them(entries: list[tuple[int, int, int]]) -> None:
    postings = postings_of(entries)
    packed = list(pack(postings))
    assert [key for key, _ in packed] == sorted({key for key, _, _ in entries})
    assert [entry for row in packed for entry in unpacked(*row)] == rows_of(postings)
    found = unpack(packed)
    assert found is not None
    assert rows_of(found) == rows_of(postings)


@pytest.mark.parametrize(
    "row", [(1, b"abc"), (1, b"abcd"), (2**40, b"abcdef"), (1, b""), (1, "12345678"), (1, None)]
)
def test_a_row_of_another_length_or_type_is_damaged(row: tuple[int, bytes]) -> None:
    assert unpack([(5, b"12345678"), row]) is None


@given(ENTRIES, ENTRIES, ENTRIES)
def test_rows_written_merged_and_deleted_are_those_of_a_list(
    first: list[tuple[int, int, int]], second: list[tuple[int, int, int]], gone: list[tuple[int, int, int]]
) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(TABLES)
    insert_postings(connection, postings_of(first))
    assert merge_postings(connection) is None
    insert_postings(connection, postings_of(second))
    insert_postings(connection, postings_of(first))
    leaving = postings_of([*gone, *first[::2]])
    delete_postings(connection, leaving.keys, leaving.nos)
    pairs = set(zip(leaving.keys.tolist(), leaving.nos.tolist(), strict=True))
    everything = [row for part in (first, second, first) for row in rows_of(postings_of(part))]
    expected = sorted(row for row in everything if row[:2] not in pairs)
    keys = np.unique(np.array([row[0] for row in everything], dtype=np.int64))
    assert sorted(rows_of(find_postings(connection, keys))) == expected
    assert merge_postings(connection) is None
    assert sorted(rows_of(find_postings(connection, keys))) == expected


def test_a_damaged_row_is_an_error_where_it_is_read(tmp_path: Path) -> None:
    article = {"id": 1, "text": "one two three four five six seven eight nine ten eleven twelve"}
    with Index.open(tmp_path / "news.dedup") as index:
        index.add(article)
    other = apsw.Connection(str(tmp_path / "news.dedup"))
    other.execute("UPDATE recent_postings SET waiting = x'0102'")
    other.close()
    with Index.open(tmp_path / "news.dedup") as index:
        with pytest.raises(IndexFileError, match="posting rows are damaged"):
            index.check({"id": 2, "text": article["text"] + " thirteen"})
        with pytest.raises(IndexFileError, match="posting rows are damaged"):
            index.remove(1)
