"""CSV and tab-separated values: rows over several lines, bad rows, headers."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE, Fields
from dedup.errors import DedupError, InputError
from dedup.formats.delimited import DelimitedFile
from dedup.formats.records import Chunk

Read = Callable[..., Chunk]
Write = Callable[..., DelimitedFile]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: bytes, delimiter: str = ",") -> DelimitedFile:
        (tmp_path / "a.csv").write_bytes(content)
        return DelimitedFile(tmp_path / "a.csv", delimiter)

    return write_file


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_rows_over_several_lines(
    end: bytes, mark: bytes, write: Write, read: Read, copy_objects: Any
) -> None:
    rows = [b"id,text,n", b'a,"one', b'two, ""three""",1', b"", b"b,four,2", b'"c","', b"", b'five",3']
    file = write(mark + end.join(rows) + end)
    chunk = read(file)
    line_end = end.decode()
    assert (chunk.ids, chunk.lines, chunk.rejects) == (["a", "b", "c"], [2, 5, 6], [])
    assert chunk.texts == [f'one{line_end}two, "three"', "four", line_end * 2 + "five"]
    assert copy_objects(file, [2, 5]) == [
        {"id": "a", "text": f'one{line_end}two, "three"', "n": "1"},
        {"id": "b", "text": "four", "n": "2"},
    ]


def test_tabs(write: Write, read: Read) -> None:
    chunk = read(write(b'text\tid\n"a\tb"\t1\nc, d\t2\n', "\t"))
    assert (chunk.ids, chunk.texts) == (["1", "2"], ["a\tb", "c, d"])


def test_empty_cells(write: Write, read: Read) -> None:
    chunk = read(write(b"id,text,source,published_at\na,,,\n,x,s,2015\nb,x,s,1970-01-01\nc,x,s,soon\n"))
    assert (chunk.ids, chunk.texts, chunk.sources) == (["a", "b", "c"], ["", "x", "x"], [None, "s", "s"])
    assert (chunk.dates, chunk.bad_dates.count) == ([MISSING_DATE, 0, MISSING_DATE], 1)
    assert [(reject.line, reject.reason) for reject in chunk.rejects] == [(3, "'id' is empty")]


def test_values_are_not_guessed(write: Write, read: Read, copy: Any) -> None:
    file = write(b"id,text,n,empty\n 007 , x ,1.50,\n")
    chunk = read(file)
    assert (chunk.ids, chunk.texts) == ([" 007 "], [" x "])
    assert copy(file, [2]) == b'{"id":" 007 ","text":" x ","n":"1.50","empty":""}\n'


BAD_ROWS = {
    "too few fields": (b"a,x", "the row has 2 fields, the header 3"),
    "too many fields": (b"a,x,y,z", "the row has 4 fields, the header 3"),
    "not UTF-8": (b"a,x\xff,y", "not UTF-8: byte 0xff at offset 3 of line 3, invalid start byte"),
    "not UTF-8 in its second line": (b'a,"x\n\xffy",z', "not UTF-8: byte 0xff at offset 0 of line 4"),
    "carriage return in it": (b"a,x\ry,z", "not readable as a row"),
    "no id": (b",x,y", "'id' is empty"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_row_is_set_aside_and_the_rest_is_read(name: str, write: Write, read: Read, copy: Any) -> None:
    row, reason = BAD_ROWS[name]
    file = write(b"id,text,n\nfirst,x,y\n" + row + b"\nlast,x,y\n")
    chunk = read(file)
    assert chunk.ids == ["first", "last"]
    [reject] = chunk.rejects
    assert reject.line == 3
    assert reason in reject.reason
    assert reject.start == row.split(b"\n")[0].decode("utf-8", "replace")
    assert [json.loads(line)["id"] for line in copy(file, chunk.lines).splitlines()] == ["first", "last"]


@pytest.mark.parametrize("row", [b'a,x,"cut off\nin a quoted field\n', b'a,"cut off\nin,y\n', b'"'])
def test_quote_that_is_never_closed(row: bytes, write: Write, read: Read) -> None:
    chunk = read(write(b"id,text,n\nfirst,x,y\n" + row))
    assert chunk.ids == ["first"]
    [reject] = chunk.rejects
    assert reject.line == 3
    assert (
        f"a quote is opened and not closed; the row takes in {max(1, row.count(10))} lines" in reject.reason
    )


def test_null_characters_are_text(write: Write, read: Read) -> None:
    assert read(write(b"id,text\na,x\0y\n")).texts == ["x\0y"]


def test_field_of_megabytes_is_kept(write: Write, read: Read) -> None:
    chunk = read(write(b'id,text\na,"' + b"word, \n" * 1_000_000 + b'"\nb,x\n'))
    assert (chunk.ids, [len(text) for text in chunk.texts]) == (["a", "b"], [7_000_000, 1])


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf", b"id,text\n", b"id,text"])
def test_file_without_a_row_gives_none(content: bytes, write: Write, read: Read) -> None:
    chunk = read(write(content))
    assert (chunk.ids, chunk.rejects) == ([], [])


BAD_HEADERS = {
    b"key,text\n": r"a\.csv has no column 'id'; its columns are \['key', 'text'\]",
    b"id,body\n": r"a\.csv has no column 'text'; its columns are \['id', 'body'\]",
    b"id;text\n": r"its columns are \['id;text'\]",
    b"id,text,id\n": "has 2 columns 'id'; expected one",
    b"\xff\xfei\0d\0\n": "line 1: not UTF-8: byte 0xff at offset 0 of line 1, .* expected a header",
    b'id,"text\n': "a quote is opened and not closed",
}


@pytest.mark.parametrize("header", BAD_HEADERS)
def test_bad_header_is_refused_before_anything_is_read(header: bytes, write: Write) -> None:
    with pytest.raises(InputError, match=BAD_HEADERS[header]):
        write(header).check(Fields(), "text")


def test_columns_without_a_name_of_their_own_are_kept(write: Write, read: Read, copy_objects: Any) -> None:
    file = write(b"id,text,n,n,,\n1,x,a,b,c,d\n")
    read(file)
    assert copy_objects(file, [2]) == [{"id": "1", "text": "x", "n": "a", "n_4": "b", "_5": "c", "_6": "d"}]


def test_file_changed_between_the_readings_is_refused(write: Write, read: Read, copy: Any) -> None:
    file = write(b"id,text\na,x\n")
    read(file)
    write(b"id,text\na,xx\n")
    with pytest.raises(InputError, match="changed while it was read"):
        copy(file, [2])


CELLS = st.text(st.characters(codec="utf-8"))


@given(
    rows=st.lists(st.tuples(CELLS.filter(bool), CELLS, CELLS), max_size=6), delimiter=st.sampled_from(",\t")
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_back_as_written(
    rows: list[tuple[str, ...]], delimiter: str, write: Write, read: Read, copy_objects: Any
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "text", "more"), *rows])
    file = write(out.getvalue().encode(), delimiter)
    chunk = read(file)
    assert chunk.rejects == []
    assert list(zip(chunk.ids, chunk.texts, strict=True)) == [row[:2] for row in rows]
    copied = copy_objects(file, chunk.lines)
    assert copied == [dict(zip(("id", "text", "more"), row, strict=True)) for row in rows]


@given(content=st.binary(max_size=200) | st.lists(st.sampled_from([
    b",", b'"', b"\n", b"\r", b"\r\n", b"a", b"id,text\n", b'""', b"\xff", b"\0", b"\xef\xbb\xbf",
])).map(b"".join), header=st.sampled_from([b"", b"id,text\n"]))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_bytes_are_read_or_set_aside(
    content: bytes, header: bytes, write: Write, read: Read, copy: Any
) -> None:
    file = write(header + content)
    try:
        chunk = read(file)
    except DedupError:
        assert not header
        return
    assert copy(file, chunk.lines).count(b"\n") == len(chunk.ids)
