"""Parquet: column types, nulls, dates, damaged files, and records copied out with all their fields."""

import datetime
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.articles import MISSING_DATE, Fields
from dedup.errors import InputError
from dedup.formats.parquet import ParquetFile
from dedup.formats.records import Chunk

Read = Callable[..., Chunk]
Write = Callable[..., ParquetFile]
UTC = datetime.UTC


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(columns: Any, **options: Any) -> ParquetFile:
        pq.write_table(pa.table(columns), tmp_path / "a.parquet", **options)
        return ParquetFile(tmp_path / "a.parquet")

    return write_file


STRINGS = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
}


@pytest.mark.parametrize("kind", STRINGS)
def test_strings_of_every_type(kind: str, write: Write, read: Read, copy_objects: Any) -> None:
    column = pa.array(["a", "ب", ""]).cast(STRINGS[kind])
    file = write({"id": pa.array(["x", "y", "z"]).cast(STRINGS[kind]), "text": column, "source": column})
    chunk = read(file)
    assert (chunk.ids, chunk.texts, chunk.sources) == (["x", "y", "z"], ["a", "ب", ""], ["a", "ب", None])
    assert chunk.lines == [1, 2, 3]
    assert copy_objects(file, [2]) == [{"id": "y", "text": "ب", "source": "ب"}]


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint64", "dictionary"])
def test_integer_ids_of_every_type(kind: str, write: Write, read: Read) -> None:
    number = 2**64 - 1 if kind == "uint64" else 7
    ids = (
        pa.array([number]).dictionary_encode()
        if kind == "dictionary"
        else pa.array([number], getattr(pa, kind)())
    )
    chunk = read(write({"id": ids, "text": ["x"]}))
    assert chunk.ids == [number]
    assert type(chunk.ids[0]) is int


MOMENT = datetime.datetime(2015, 7, 21, 10, 20, 30)
MICROS = int(MOMENT.replace(tzinfo=UTC).timestamp()) * 1_000_000
DAY_MICROS = int(datetime.datetime(2015, 7, 21, tzinfo=UTC).timestamp()) * 1_000_000
DATES: dict[str, tuple[Any, int]] = {
    "timestamp in seconds": (pa.array([MOMENT], pa.timestamp("s")), MICROS),
    "timestamp in milliseconds": (pa.array([MOMENT], pa.timestamp("ms")), MICROS),
    "timestamp in microseconds": (pa.array([MOMENT], pa.timestamp("us")), MICROS),
    "timestamp in nanoseconds": (pa.array([MOMENT], pa.timestamp("ns")), MICROS),
    "timestamp with a zone": (pa.array([MICROS], pa.timestamp("us", "Asia/Baghdad")), MICROS),
    "day": (pa.array([MOMENT.date()], pa.date32()), DAY_MICROS),
    "day in milliseconds": (pa.array([MOMENT.date()], pa.date64()), DAY_MICROS),
    "string": (pa.array(["2015-07-21 13:20:30 +0300"]), MICROS),
    "integer": (pa.array([MICROS // 1_000_000]), MICROS),
    "float": (pa.array([MICROS / 1000]), MICROS),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_of_every_type(kind: str, write: Write, read: Read) -> None:
    column, micros = DATES[kind]
    column = pa.concat_arrays([column, pa.nulls(1, column.type)])
    chunk = read(write({"id": [1, 2], "text": ["x", "y"], "published_at": column}))
    assert (chunk.dates, chunk.bad_dates.count) == ([micros, MISSING_DATE], 0)


BAD_DATES = {
    "year 146 million": pa.array([2**62], pa.timestamp("ms")),
    "year before the first": pa.array([-(2**60)], pa.timestamp("us")),
    "day after the last": pa.array([10**9], pa.date32()),
    "words": pa.array(["soon"]),
    "true": pa.array([True]),
    "list": pa.array([[1]]),
    "duration": pa.array([1], pa.duration("ns")),
    "time": pa.array([1], pa.time64("ns")),
}


@pytest.mark.parametrize("kind", BAD_DATES)
def test_bad_date_is_none_and_counted(kind: str, write: Write, read: Read, copy_objects: Any) -> None:
    file = write({"id": [1], "text": ["x"], "published_at": BAD_DATES[kind]})
    chunk = read(file)
    assert (chunk.dates, chunk.bad_dates.count, chunk.rejects) == ([MISSING_DATE], 1, [])
    assert copy_objects(file, [1])[0]["id"] == 1


def test_not_a_number_is_no_date_and_not_counted(write: Write, read: Read) -> None:
    chunk = read(write({"id": [1], "text": ["x"], "published_at": pa.array([float("nan")])}))
    assert (chunk.dates, chunk.bad_dates.count) == ([MISSING_DATE], 0)


def test_nulls_and_empty_ids_are_set_aside(write: Write, read: Read) -> None:
    chunk = read(write({"id": ["a", None, "c", "", "e"], "text": ["x", "y", None, "z", ""]}))
    assert (chunk.ids, chunk.texts, chunk.lines) == (["a", "e"], ["x", ""], [1, 5])
    assert [(reject.line, reject.reason, reject.start) for reject in chunk.rejects] == [
        (2, "'id' is null", '{"id":null,"text":"y"}\n'),
        (3, "'text' is null", '{"id":"c","text":null}\n'),
        (4, "'id' is empty", '{"id":"","text":"z"}\n'),
    ]


def _invalid_strings() -> Any:
    valid = pa.array([b"ok", b"x\xff", b"y"], pa.binary())
    return pa.StringArray.from_buffers(3, valid.buffers()[1], valid.buffers()[2])


@pytest.mark.parametrize("coded", [False, True])
def test_strings_that_are_not_utf_8(coded: bool, write: Write, read: Read, copy_objects: Any) -> None:
    invalid = _invalid_strings().dictionary_encode() if coded else _invalid_strings()
    chunk = read(write({"id": ["a", "b", "c"], "text": invalid}))
    assert (chunk.ids, chunk.texts) == (["a", "c"], ["ok", "y"])
    assert [(reject.line, reject.reason) for reject in chunk.rejects] == [(2, "'text' is not UTF-8")]
    chunk = read(write({"id": invalid, "text": ["a", "b", "c"]}))
    assert (chunk.ids, len(chunk.rejects)) == (["ok", "y"], 1)
    file = write({"id": [1, 2, 3], "text": ["a", "b", "c"], "more": invalid})
    assert read(file).ids == [1, 2, 3]
    assert [record["more"] for record in copy_objects(file, [1, 2, 3])] == ["ok", "x\ufffd", "y"]


def test_missing_column_is_refused_before_anything_is_read(write: Write) -> None:
    file = write({"key": [1], "body": ["x"]})
    with pytest.raises(InputError, match=r"a\.parquet has no column 'id'; its columns are \['key', 'body'\]"):
        file.check(Fields(), "text")
    with pytest.raises(InputError, match="has no column 'text'"):
        file.check(Fields(id="key"), "text")
    file.check(Fields(id="key"), "body")


@pytest.mark.parametrize("ids", [pa.array([1.5]), pa.array([True]), pa.array([[1]]), pa.array([b"x"])])
def test_ids_of_another_type_are_refused(ids: Any, write: Write) -> None:
    with pytest.raises(InputError, match=r"column 'id' holds .*; expected strings or integers"):
        write({"id": ids, "text": ["x"]}).check(Fields(), "text")


def test_text_of_another_type_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="column 'text' holds int64; expected strings"):
        write({"id": [1], "text": [5]}).check(Fields(), "text")


@pytest.mark.parametrize("content", [b"hello", b"PAR1" * 10, b"\0" * 1000])
def test_what_is_not_parquet_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.parquet is no Parquet file, or it is cut off"):
        ParquetFile(tmp_path / "a.parquet").check(Fields(), "text")


def test_truncated_file_is_refused(write: Write, tmp_path: Path) -> None:
    write({"id": [1], "text": ["x"]})
    path = tmp_path / "a.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="is no Parquet file, or it is cut off"):
        ParquetFile(path).check(Fields(), "text")


def test_damaged_row_group_keeps_the_rows_before(write: Write, read: Read, tmp_path: Path) -> None:
    texts = [f"text number {i} " * 20 for i in range(300)]
    write({"id": list(range(300)), "text": texts}, row_group_size=100, use_dictionary=False)
    path = tmp_path / "a.parquet"
    data = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(1).column(1)
    data[chunk.data_page_offset : chunk.data_page_offset + 100] = b"\xff" * 100
    path.write_bytes(data)
    chunk = read(ParquetFile(path))
    assert chunk.ids == list(range(100))
    [reject] = chunk.rejects
    assert reject.line == 101
    assert "the Parquet data is damaged" in reject.reason


@pytest.mark.parametrize("columns", [{"id": pa.array([], pa.string()), "text": pa.array([], pa.string())}])
def test_file_without_a_row_gives_none(columns: Any, write: Write, read: Read) -> None:
    assert read(write(columns)).ids == []


def test_file_of_0_bytes_gives_none(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").touch()
    assert read(ParquetFile(tmp_path / "a.parquet")).ids == []


def test_all_fields_are_copied(write: Write, read: Read, copy_objects: Any) -> None:
    file = write({
        "id": [1, 2],
        "text": ["x", "y"],
        "published_at": pa.array([MOMENT, None], pa.timestamp("ns")),
        "seen": pa.array([MICROS, None], pa.timestamp("us", "Asia/Baghdad")),
        "day": pa.array([MOMENT.date(), None]),
        "n": [1.5, None],
        "price": pa.array([Decimal("1.50"), None]),
        "flag": [True, None],
        "tags": [["a", "b"], None],
        "inner": [{"k": 1, "when": MOMENT}, None],
        "raw": pa.array([b"ab", None]),
        "span": pa.array([1_500_000_000, None], pa.duration("ns")),
    })  # fmt: skip
    read(file)
    first, second = copy_objects(file, [1, 2])
    assert first == {
        "id": 1, "text": "x", "published_at": "2015-07-21T10:20:30", "seen": "2015-07-21T13:20:30+03:00",
        "day": "2015-07-21", "n": 1.5, "price": 1.5, "flag": True, "tags": ["a", "b"],
        "inner": {"k": 1, "when": "2015-07-21T10:20:30"}, "raw": "YWI=", "span": "PT1.5S",
    }  # fmt: skip
    assert second == dict.fromkeys(first) | {"id": 2, "text": "y"}


def test_rows_of_many_groups_are_copied_in_order(write: Write, read: Read, copy_objects: Any) -> None:
    file = write({"id": list(range(10_000)), "text": ["x"] * 10_000}, row_group_size=3000)
    chunk = read(file)
    assert chunk.lines == list(range(1, 10_001))
    wanted = list(range(1, 10_001, 7))
    assert [record["id"] for record in copy_objects(file, wanted)] == [line - 1 for line in wanted]
    assert copy_objects(file, []) == []


def test_file_changed_between_the_readings_is_refused(write: Write, read: Read, copy: Any) -> None:
    file = write({"id": [1], "text": ["x"]})
    read(file)
    write({"id": [1], "text": ["longer"]})
    with pytest.raises(InputError, match="changed while it was read"):
        copy(file, [1])


MEMORY = """
import resource, sys
from pathlib import Path
from dedup.articles import Fields
from dedup.formats.parquet import ParquetFile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
file = ParquetFile(Path(sys.argv[1]))
lines = []
for chunk in file.chunks(Fields(), "text"):
    lines.extend(chunk.lines)
with open("/dev/null", "wb") as out:
    file.copy_records(lines, out)
print(len(lines), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_one_large_row_group_is_read_in_bounded_memory(write: Write, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    texts = [rng.bytes(5000).hex() for _ in range(50_000)]  # 500 MB in one row group
    write({"id": np.arange(50_000), "text": texts}, row_group_size=50_000, use_dictionary=False)
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "a.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    num_lines, grown_mebibytes = map(int, done.stdout.split())
    assert num_lines == 50_000
    assert grown_mebibytes < 250
