"""Texts that stay in an Arrow column until they are read."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.articles import Fields
from dedup.formats.arrow_texts import ArrowTexts, checked_strings
from dedup.formats.parquet import ParquetFile

TEXTS = ["", "خبر عاجل", "a\nb", "\U0001f600"]


def test_texts_are_a_sequence_of_strings() -> None:
    texts = ArrowTexts(pa.array(TEXTS, pa.large_string()))
    assert list(texts) == TEXTS
    assert list(texts[1:]) == TEXTS[1:]
    assert list(texts.take([3, 0])) == [TEXTS[3], TEXTS[0]]
    assert texts.take([]).to_arrow().to_pylist() == []
    with pytest.raises(IndexError):
        texts[len(TEXTS)]


@pytest.mark.parametrize("kind", [pa.string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_strings_of_every_kind_are_checked(kind: pa.DataType) -> None:
    found = checked_strings(pa.array(TEXTS, pa.string()).cast(kind))
    assert found is not None
    assert found.to_pylist() == TEXTS


def test_strings_that_are_not_utf8_are_found() -> None:
    offsets, data = pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")
    assert checked_strings(pa.Array.from_buffers(pa.string(), 1, [None, offsets, data])) is None


def test_rows_that_are_set_aside_leave_the_texts_of_the_others(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", None, "", "d", "e"], "text": ["1", "2", "3", None, "x" * 500]})
    pq.write_table(table, tmp_path / "a.parquet")
    chunk, last = ParquetFile(tmp_path / "a.parquet").chunks(Fields(), "text")
    assert (chunk.ids, list(chunk.texts), chunk.lines) == (["a", "e"], ["1", "x" * 500], [1, 5])
    assert [reject.line for reject in chunk.rejects] == [2, 3, 4]
    assert all(len(start) <= 250 for start in chunk.starts)
    assert not last.lines
