"""Title and URL, which an index keeps: every kind of file gives them where they are asked for."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.articles import Fields
from dedup.formats.inputs import open_inputs
from dedup.formats.records import EXTRAS

RECORDS = [
    {"id": "a", "text": "rain", "title": "Weather", "url": "http://a"},
    {"id": "b", "text": "snow", "title": "Cold", "url": "http://b"},
]


def write(folder: Path, kind: str) -> Path:
    path = folder / f"in.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(RECORDS), path)
    elif kind == "csv":
        rows = [",".join(RECORDS[0]), *(",".join(record.values()) for record in RECORDS)]
        path.write_text("\n".join(rows))
    elif kind == "json":
        path.write_text(json.dumps(RECORDS))
    else:
        path.write_text("\n".join(map(json.dumps, RECORDS)))
    return path


def read(
    path: Path, fields: Fields, text_field: str = "text", extras: tuple[str, ...] = EXTRAS
) -> list[tuple]:
    (file,) = open_inputs([str(path)]).files
    chunks = list(file.chunks(fields, text_field, extras))
    return [
        row for chunk in chunks for row in zip(chunk.ids, chunk.texts, chunk.titles, chunk.urls, strict=True)
    ]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_title_and_url_come_where_they_are_asked_for(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, kind)
    assert read(path, Fields()) == [("a", "rain", "Weather", "http://a"), ("b", "snow", "Cold", "http://b")]
    assert read(path, Fields(), extras=()) == [("a", "rain", None, None), ("b", "snow", None, None)]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_a_field_can_be_the_title_and_what_is_compared_or_the_url_and_the_source(
    kind: str, tmp_path: Path
) -> None:
    fields = Fields(source="url")
    path = write(tmp_path, kind)
    assert read(path, fields, "title")[0] == ("a", "Weather", "Weather", "http://a")


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_a_title_that_is_not_there_is_none(kind: str, tmp_path: Path) -> None:
    assert read(write(tmp_path, kind), Fields(title="head", url="link"))[0] == ("a", "rain", None, None)


def test_a_record_that_is_read_slowly_has_its_title(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": 1, "text": "a\\ud800", "title": "T", "url": 5}\n')
    assert read(path, Fields()) == [(1, "a\N{REPLACEMENT CHARACTER}", "T", 5)]


def test_text_files_have_neither(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("rain")
    assert [row[1:] for row in read(path, Fields())] == [("rain", None, None)]
