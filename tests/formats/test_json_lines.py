"""JSON Lines: what is kept, and what is set aside with which words."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE, Fields
from dedup.errors import InputError
from dedup.formats.json_lines import JsonLinesFile
from dedup.formats.records import Chunk

Read = Callable[..., Chunk]
GOOD = b'{"id":"good","text":"x"}'


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], JsonLinesFile]:
    def write_file(content: bytes) -> JsonLinesFile:
        (tmp_path / "a.jsonl").write_bytes(content)
        return JsonLinesFile(tmp_path / "a.jsonl")

    return write_file


Write = Callable[[bytes], JsonLinesFile]

BAD_LINES = {
    "no JSON": (b"hello", "not JSON: Expecting value at character 1"),
    "cut off": (b'{"id":"a","text":"to be conti', "it seems to be cut off"),
    "cut off in a string": (b'{"id":"a","text":"x', "not JSON: Unterminated string starting at character 18"),
    "two objects": (b'{"id":"a","text":"x"}{"id":"b"}', "not JSON: Extra data at character 22"),
    "NaN": (b'{"id":"a","text":"x","score":NaN}', "NaN is no JSON"),
    "raw control character": (b'{"id":"a","text":"x\x00"}', "not JSON: Invalid control character"),
    "zeros": (b"\0" * 50, "not JSON"),
    "an array": (b'[{"id":"a","text":"x"}]', "an array; expected an object"),
    "a number": (b"5", "the number 5; expected an object"),
    "null": (b"null", "null; expected an object"),
    "no id": (b'{"url":"u","text":"x"}', "'id' is missing; the fields are 'url', 'text'"),
    "no text": (b'{"id":"a"}', "'text' is missing; the fields are 'id'"),
    "null id": (b'{"id":null,"text":"x"}', "'id' is null; expected a string or an integer"),
    "null text": (b'{"id":"a","text":null}', "'text' is null; expected a string"),
    "empty id": (b'{"id":"","text":"x"}', "'id' is empty"),
    "id true": (b'{"id":true,"text":"x"}', "'id' is true; expected a string or an integer"),
    "id with a fraction": (
        b'{"id":1.5,"text":"x"}',
        "'id' is the number 1.5; expected a string or an integer",
    ),
    "id an array": (b'{"id":[1],"text":"x"}', "'id' is an array; expected"),
    "text a number": (b'{"id":"a","text":5}', "'text' is the number 5; expected a string"),
    "text an object": (b'{"id":"a","text":{"html":"x"}}', "'text' is an object; expected a string"),
    "not UTF-8": (b'{"id":"a","text":"x\xff"}', "not UTF-8: byte 0xff at offset 19, invalid start byte"),
    "a surrogate as UTF-8": (b'{"id":"a","text":"\xed\xa0\x80"}', "not UTF-8: byte 0xed at offset 18"),
    "id with a lone surrogate": (b'{"id":"\\ud800","text":"x"}', "'id' has a lone surrogate, '\\ud800'"),
    "an id of too many digits": (b'{"id":' + b"1" * 5000 + b',"text":"x"}', "not usable: Exceeds the limit"),
    "deeply nested": (b'{"id":"a","text":' + b"[" * 100_000, "nested too deeply"),
    "UTF-16": ('{"id":"a","text":"x"}'.encode("utf-16"), "not UTF-8: byte 0xff at offset 0"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_bad_line_is_set_aside_and_the_rest_is_read(name: str, write: Write, read: Read) -> None:
    line, reason = BAD_LINES[name]
    file = write(GOOD.replace(b"good", b"g1") + b"\n" + line + b"\n" + GOOD + b"\n")
    chunk = read(file)
    assert chunk.ids == ["g1", "good"]
    assert chunk.lines == [1, 3]
    [reject] = chunk.rejects
    assert (reject.file, reject.line) == (file.name, 2)
    assert reason in reject.reason
    assert reject.start == line[:200].decode("utf-8", "replace")


def test_truncated_last_line_is_set_aside(write: Write, read: Read) -> None:
    chunk = read(write(GOOD + b'\n{"id":"b","te'))
    assert chunk.ids == ["good"]
    assert [reject.line for reject in chunk.rejects] == [2]


def test_last_line_needs_no_end(write: Write, read: Read) -> None:
    assert read(write(GOOD)).ids == ["good"]


def test_reasons_name_the_fields_as_the_user_does(write: Write, read: Read) -> None:
    chunk = read(write(b'{"key":"a","text":"x"}'), Fields(id="key", text="body"), "body")
    assert chunk.rejects[0].reason == "'body' is missing; the fields are 'key', 'text'"


def test_two_fields_of_one_name_are_refused(write: Write) -> None:
    with pytest.raises(InputError, match="id and source are all to be read from the field 'url'"):
        write(GOOD).check(Fields(id="url", source="url"), "text")


GOOD_LINES: dict[str, tuple[bytes, Any, str]] = {
    "escaped null character": (b'{"id":"a","text":"x\\u0000y"}', "a", "x\0y"),
    "lone high surrogate": (b'{"id":"a","text":"x\\ud800y"}', "a", "x\ufffdy"),
    "lone low surrogate": (b'{"id":"a","text":"x\\udc00"}', "a", "x\ufffd"),
    "swapped pair": (b'{"id":"a","text":"\\udc00\\ud800"}', "a", "\ufffd\ufffd"),
    "pair": (b'{"id":"a","text":"\\ud83d\\ude00"}', "a", "\U0001f600"),
    "pair and lone surrogate": (b'{"id":"a","text":"\\ud83d\\ude00\\ud800"}', "a", "\U0001f600\ufffd"),
    "lone surrogate elsewhere": (b'{"id":"a","text":"x","title":"\\ud800"}', "a", "x"),
    "huge number elsewhere": (b'{"id":"a","text":"x","n":1e999}', "a", "x"),
    "integer id": (b'{"id":7,"text":"x"}', 7, "x"),
    "negative id": (b'{"id":-7,"text":"x"}', -7, "x"),
    "id beyond 64 bits": (b'{"id":1000000000000000000000,"text":"x"}', 10**21, "x"),
    "id with spaces": (b'{"id":" a ","text":"x"}', " a ", "x"),
    "empty text": (b'{"id":"a","text":""}', "a", ""),
    "spaces around": (b'  {"id" : "a", "text" : "x"}\t\r', "a", "x"),
    "a field twice": (b'{"id":"a","text":"x","text":"y"}', "a", "y"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD_LINES)
def test_unusual_line_is_kept(name: str, write: Write, read: Read, copy: Any) -> None:
    line, id_, text = GOOD_LINES[name]
    file = write(line + b"\n")
    chunk = read(file)
    assert (chunk.ids, chunk.texts, chunk.rejects) == ([id_], [text], [])
    assert type(chunk.ids[0]) is type(id_)
    assert copy(file, [1]) == line + b"\n"


def test_dates_and_sources(write: Write, read: Read) -> None:
    values = [b'"1970-01-01T00:00:01Z"', b"100000", b'"soon"', b"null", b'""', b"true", b"[1]", b"1e999"]
    chunk = read(
        write(b"\n".join(b'{"id":%d,"text":"x","published_at":%s}' % (i, v) for i, v in enumerate(values)))
    )
    assert chunk.dates == [1_000_000, 100_000_000_000] + [MISSING_DATE] * 6
    assert chunk.bad_dates.count == 4
    assert chunk.rejects == []
    chunk = read(
        write(
            b'{"id":1,"text":"x","source":"s"}\n{"id":2,"text":"x","source":5}\n{"id":3,"text":"x","source":""}'
        )
    )
    assert chunk.sources == ["s", None, None]


def test_byte_order_mark_blank_lines_and_windows_line_ends(write: Write, read: Read, copy: Any) -> None:
    file = write(b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n  \n" + GOOD.replace(b"good", b"b") + b"\r\n")
    chunk = read(file)
    assert (chunk.ids, chunk.lines, chunk.rejects) == (["good", "b"], [1, 4], [])
    assert copy(file, [1, 4]) == GOOD + b"\r\n" + GOOD.replace(b"good", b"b") + b"\r\n"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n\r\n"])
def test_file_without_a_record_gives_none(content: bytes, write: Write, read: Read) -> None:
    chunk = read(write(content))
    assert (chunk.ids, chunk.rejects) == ([], [])


def test_article_of_50_megabytes_is_kept(write: Write, read: Read, copy: Any) -> None:
    line = json.dumps({"id": "big", "text": "كلمة " * 10_000_000}, ensure_ascii=False).encode()
    assert len(line) > 50 << 20
    file = write(GOOD + b"\n" + line + b"\n")
    chunk = read(file)
    assert chunk.ids == ["good", "big"]
    assert len(chunk.texts[1]) == 50_000_000
    assert copy(file, [2]) == line + b"\n"


LONG_LINE = """
import resource, sys
from pathlib import Path
from dedup.articles import Fields
from dedup.formats.inputs import open_inputs
[file] = open_inputs([sys.argv[1]]).files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
chunks = list(file.chunks(Fields(), "text"))
print([id_ for chunk in chunks for id_ in chunk.ids])
print([(reject.line, reject.reason) for chunk in chunks for reject in chunk.rejects])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(("name", "first", "last"), [
    ("a.jsonl", b'{"id":"a","text":"x"}\n', b'\n{"id":"b","text":"x"}\n'),
    ("a.csv", b'id,text\na,x\n', b'\nb,x\n'),
    ("a.tsv", b'id\ttext\na\tx\n', b'\nb\tx\n'),
])  # fmt: skip
def test_line_of_a_gigabyte_is_set_aside_in_bounded_memory(
    name: str, first: bytes, last: bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(first)
        file.seek(1 << 30, 1)  # a hole: a gigabyte of zeros that takes no room on the disk
        file.write(last)
    command = [sys.executable, "-c", LONG_LINE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ids, rejects, grown_mebibytes = done.stdout.splitlines()
    assert ids == "['a', 'b']"
    assert rejects == f"[({first.count(10) + 1}, 'longer than 268435456 bytes')]"
    assert int(grown_mebibytes) < 400


def test_chunks_are_bounded(write: Write) -> None:
    lines = b"".join(b'{"id":%d,"text":"x"}\n' % i for i in range(5000))
    chunks = list(write(lines).chunks(Fields(), "text"))
    assert [len(chunk.ids) for chunk in chunks] == [2048, 2048, 904]
    chunks = list(write(b"not JSON\n" * 5000).chunks(Fields(), "text"))
    assert [len(chunk.rejects) for chunk in chunks] == [2048, 2048, 904]


def test_bytes_read_reach_the_size(write: Write, read: Read) -> None:
    file = write((GOOD + b"\n") * 10)
    assert (file.bytes_read, file.size_bytes) == (0, len(GOOD) * 10 + 10)
    read(file)
    assert file.bytes_read == file.size_bytes


def test_file_changed_between_the_readings_is_refused(write: Write, read: Read, copy: Any) -> None:
    file = write(GOOD)
    read(file)
    write(GOOD + b"\n")
    with pytest.raises(InputError, match=r"a\.jsonl changed while it was read"):
        copy(file, [1])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.fixed_dictionaries(
    {"id": st.text(st.characters(codec="utf-8"), min_size=1) | st.integers(), "text": st.text()},
    optional={"source": JSON_VALUES, "title": JSON_VALUES, "extra": JSON_VALUES},
)


@given(records=st.lists(RECORDS, max_size=5), ascii_only=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_come_back_as_written(
    records: list[dict[str, Any]], ascii_only: bool, end: str, write: Write, read: Read, copy: Any
) -> None:
    content = "".join(json.dumps(record, ensure_ascii=ascii_only) + end for record in records)
    raw = content.encode("utf-8", "replace")
    file = write(raw)
    chunk = read(file)
    assert chunk.rejects == []
    assert chunk.ids == [record["id"] for record in records]
    assert chunk.texts == [record["text"] for record in records]
    assert copy(file, chunk.lines) == raw


@given(content=st.binary(max_size=200) | st.lists(st.sampled_from([
    b"{", b"}", b"[", b"]", b'"', b":", b",", b'"id"', b'"text"', b"\\ud800", b"\\", b"\n", b"\r", b"1",
    b"\xff", b"\xef\xbb\xbf", b"null", b'{"id":1,"text":"', b'"}\n',
])).map(b"".join))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_bytes_are_read_or_set_aside(content: bytes, write: Write, read: Read, copy: Any) -> None:
    file = write(content)
    chunk = read(file)
    num_lines = sum(bool(line.strip()) for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    assert len(chunk.ids) + len(chunk.rejects) == num_lines
    copied = copy(file, chunk.lines)
    assert copied.count(b"\n") == len(chunk.ids)
