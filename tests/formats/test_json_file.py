"""JSON documents: arrays, one object, JSON Lines under the wrong name, and damaged ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.errors import InputError
from dedup.formats.json_file import JsonFile
from dedup.formats.records import Chunk

Read = Callable[..., Chunk]
Write = Callable[[bytes], JsonFile]
RECORDS: list[dict[str, Any]] = [
    {"id": "a", "text": "one\ntwo", "n": 1.5},
    {"id": 2, "text": "اثنان", "url": None},
    {"id": "c", "text": "x]}", "tags": [1, {"k": "v"}]},
]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: bytes) -> JsonFile:
        (tmp_path / "a.json").write_bytes(content)
        return JsonFile(tmp_path / "a.json")

    return write_file


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b"\r\n "])
def test_array(
    indent: int | None, ascii_only: bool, prefix: bytes, write: Write, read: Read, copy: Any
) -> None:
    file = write(prefix + json.dumps(RECORDS, ensure_ascii=ascii_only, indent=indent).encode() + b"\n")
    chunk = read(file)
    assert (chunk.ids, chunk.lines, chunk.rejects) == (["a", 2, "c"], [1, 2, 3], [])
    assert chunk.texts == [record["text"] for record in RECORDS]
    lines = copy(file, [1, 3]).splitlines()
    assert [json.loads(line) for line in lines] == [RECORDS[0], RECORDS[2]]


@pytest.mark.parametrize("indent", [None, 2])
def test_one_object(indent: int | None, write: Write, read: Read, copy_objects: Any) -> None:
    file = write(json.dumps(RECORDS[0], indent=indent).encode())
    assert (read(file).ids, read(file).rejects) == (["a"], [])
    assert copy_objects(file, [1]) == [RECORDS[0]]


def test_json_lines_under_this_name_are_read_as_such(write: Write, read: Read, copy: Any) -> None:
    content = b"\n" + b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS) + b"{bad\n"
    file = write(content)
    chunk = read(file)
    assert (chunk.ids, chunk.lines) == (["a", 2, "c"], [2, 3, 4])
    assert [reject.line for reject in chunk.rejects] == [5]
    assert copy(file, [3]) == json.dumps(RECORDS[1]).encode() + b"\n"


def test_numbers_are_kept_as_they_are_written(write: Write, read: Read, copy: Any) -> None:
    file = write(b'[\n{"id": 1,\n "text": "x", "n": 1.500e3, "big": 123456789012345678901}\n]')
    read(file)
    assert copy(file, [1]) == b'{"id":1,"text":"x","n":1.500e3,"big":123456789012345678901}\n'


def test_bad_elements_are_set_aside(write: Write, read: Read) -> None:
    chunk = read(
        write(
            b'[{"id":"a","text":"x"}, 5, {"id":null,"text":"x"}, {"id":"c","text":"\xff"}, '
            b'{"id":"b","text":"x"}]'
        )
    )
    assert chunk.ids == ["a", "b"]
    assert [(reject.line, reject.reason) for reject in chunk.rejects] == [
        (2, "the number 5; expected an object"),
        (3, "'id' is null; expected a string or an integer"),
        (4, "not UTF-8: byte 0xff at offset 18, invalid start byte"),
    ]


def test_lone_surrogate_is_kept(write: Write, read: Read, copy: Any) -> None:
    file = write(b'[{"id":"a",\n"text":"x\\ud800y"}]')
    chunk = read(file)
    assert (chunk.texts, chunk.rejects) == (["x\ufffdy"], [])
    assert copy(file, [1]) == b'{"id":"a", "text":"x\\ud800y"}\n'


BROKEN = {
    "cut off in an element": (
        b'[{"id":"a","text":"x"}, {"id":"b","te',
        1,
        2,
        "not JSON: Unterminated string",
    ),
    "cut off behind an element": (b'[{"id":"a","text":"x"}', 1, 2, "no comma between two elements"),
    "cut off behind a comma": (b'[{"id":"a","text":"x"},', 1, 2, "not JSON: Expecting value"),
    "no comma": (b'[{"id":"a","text":"x"} {"id":"b","text":"x"}]', 1, 2, "no comma between two elements"),
    "not UTF-8 and cut off": (
        b'[{"id":"a","text":"x"}, {"id":"b","text":"\xff',
        1,
        2,
        "byte 0xff at offset 42",
    ),
    "more behind it": (b'[{"id":"a","text":"x"}] 5', 1, 2, "more stands behind the end"),
    "no JSON": (b"<html>", 0, 1, "expected an array of objects, one object, or JSON Lines"),
    "a string": (b'"text"', 0, 1, "expected an array of objects, one object, or JSON Lines"),
    "object cut off": (
        b'{\n"id":"a",\n"tex',
        0,
        1,
        "expected an array of objects, one object, or JSON Lines",
    ),
    "deeply nested": (b"[" * 100_000, 0, 1, "not JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_document_keeps_what_stands_before_the_fault(name: str, write: Write, read: Read) -> None:
    content, num_kept, number, reason = BROKEN[name]
    chunk = read(write(content))
    assert len(chunk.ids) == num_kept
    [reject] = chunk.rejects
    assert reject.line == number
    assert reason in reject.reason


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xef\xbb\xbf", b"[]", b"[ ]\n"])
def test_empty_document_gives_none(content: bytes, write: Write, read: Read) -> None:
    chunk = read(write(content))
    assert (chunk.ids, chunk.rejects) == ([], [])


def test_file_changed_between_the_readings_is_refused(write: Write, read: Read, copy: Any) -> None:
    file = write(json.dumps(RECORDS).encode())
    read(file)
    write(json.dumps(RECORDS[:2]).encode())
    with pytest.raises(InputError, match="changed while it was read"):
        copy(file, [1])


@given(content=st.binary(max_size=100) | st.lists(st.sampled_from([
    b"{", b"}", b"[", b"]", b",", b'{"id":1,"text":"x"}', b"\n", b" ", b'"', b"\\ud800", b"1", b"\xff",
])).map(b"".join))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_bytes_are_read_or_set_aside(content: bytes, write: Write, read: Read, copy: Any) -> None:
    file = write(content)
    chunk = read(file)
    assert copy(file, chunk.lines).count(b"\n") == len(chunk.ids)
