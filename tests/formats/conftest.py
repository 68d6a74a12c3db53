"""Reading a file of records to its end, and copying records out of it."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dedup.articles import Fields
from dedup.formats.records import Chunk, RecordFile
from dedup.run.text_arrays import text_array


def _read(file: RecordFile, fields: Fields | None = None, text_field: str = "text") -> Chunk:
    """Return all records as one chunk, as the nightly run would read them: checked first."""
    fields = fields or Fields()
    file.check(fields, text_field)
    whole = Chunk()
    for chunk in file.chunks(fields, text_field):
        texts = text_array(chunk.texts).to_pylist()  # as they are sketched
        assert texts == list(chunk.texts)
        for name, value in {**vars(chunk), "texts": texts}.items():
            setattr(whole, name, getattr(whole, name) + value)
    assert len(whole.ids) == len(whole.texts) == len(whole.dates) == len(whole.sources)
    assert len(whole.ids) == len(whole.lines) == len(whole.starts)
    assert whole.lines == sorted(set(whole.lines))
    return whole


def _copy(file: RecordFile, lines: Sequence[int]) -> bytes:
    out = io.BytesIO()
    file.copy_records(lines, out)
    return out.getvalue()


@pytest.fixture
def read() -> Callable[..., Chunk]:
    return _read


@pytest.fixture
def copy() -> Callable[[RecordFile, Sequence[int]], bytes]:
    return _copy


@pytest.fixture
def copy_objects() -> Callable[[RecordFile, Sequence[int]], list[dict[str, Any]]]:
    """Copy records and decode the lines."""
    return lambda file, lines: [json.loads(line) for line in _copy(file, lines).splitlines()]
