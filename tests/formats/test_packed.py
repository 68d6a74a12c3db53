"""Packed files: whole, of several members, cut off, damaged, and under the wrong name."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.articles import Fields
from dedup.errors import DedupError, InputError
from dedup.formats.inputs import open_inputs
from dedup.formats.packed import MAGIC
from dedup.formats.records import Chunk, RecordFile


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": _zstd,
}
Read = Callable[..., Chunk]
Open = Callable[[bytes, str], RecordFile]
RECORDS = b"".join(b'{"id":%d,"text":"word %d and %d"}\n' % (i, i * 7919, i * i) for i in range(60_000))


@pytest.fixture
def open_packed(tmp_path: Path) -> Open:
    def write_and_open(content: bytes, name: str) -> RecordFile:
        (tmp_path / name).write_bytes(content)
        [file] = open_inputs([str(tmp_path / name)]).files
        return file

    return write_and_open


def test_every_packing_has_a_case() -> None:
    assert set(PACK) == set(MAGIC)


@pytest.mark.parametrize("suffix", PACK)
def test_packed_records(suffix: str, open_packed: Open, read: Read, copy: Any) -> None:
    file = open_packed(PACK[suffix](RECORDS), "a.jsonl" + suffix)
    chunk = read(file)
    assert (chunk.ids, chunk.rejects) == (list(range(60_000)), [])
    assert file.bytes_read == file.size_bytes
    assert copy(file, chunk.lines) == RECORDS


@pytest.mark.parametrize("suffix", PACK)
def test_every_format_is_unpacked(suffix: str, open_packed: Open, read: Read) -> None:
    contents = {
        "a.csv": b"id,text\n1,x\n",
        "a.tsv": b"id\ttext\n1\tx\n",
        "a.json": b'[{"id":"1","text":"x"}]',
        "a.ndjson": b'{"id":"1","text":"x"}',
        "1.txt": b"x",
    }
    for name, content in contents.items():
        chunk = read(open_packed(PACK[suffix](content), name + suffix.upper()))
        assert (chunk.texts, chunk.rejects) == (["x"], [])


@pytest.mark.parametrize("suffix", PACK)
def test_several_members(suffix: str, open_packed: Open, read: Read) -> None:
    middle = RECORDS.index(b"\n", len(RECORDS) // 2) - 5
    content = PACK[suffix](RECORDS[:middle]) + PACK[suffix](RECORDS[middle:])
    chunk = read(open_packed(content, "a.jsonl" + suffix))
    assert (len(chunk.ids), chunk.rejects) == (60_000, [])


def test_padding_behind_gzip(open_packed: Open, read: Read) -> None:
    chunk = read(open_packed(gzip.compress(b'{"id":1,"text":"x"}\n') + b"\0" * 100_000, "a.jsonl.gz"))
    assert (chunk.ids, chunk.rejects) == ([1], [])


@pytest.mark.parametrize("suffix", PACK)
def test_truncated_file_keeps_what_stands_before(
    suffix: str, open_packed: Open, read: Read, copy: Any
) -> None:
    content = PACK[suffix](RECORDS)
    file = open_packed(content[: len(content) * 3 // 4], "a.jsonl" + suffix)
    chunk = read(file)
    assert chunk.ids == list(range(len(chunk.ids)))
    assert len(chunk.ids) > 20_000
    [reject] = chunk.rejects
    assert "data is cut off; the lines before are kept" in reject.reason
    assert reject.line == len(chunk.ids) + 1
    assert reject.file == file.name
    assert copy(file, chunk.lines) == RECORDS[: RECORDS.index(b'{"id":%d,' % len(chunk.ids))]


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.txt", "a.jsonl"])
@pytest.mark.parametrize("size", [3, -8, -1])
def test_truncated_file_of_any_format_is_named(
    suffix: str, name: str, size: int, open_packed: Open, read: Read
) -> None:
    content = {
        "a.csv": b"id,text\n1,x\n2,y",
        "a.json": b'[{"id":"1","text":"x"},\n {"id":"2","text":"y"}]',
        "a.txt": b"x",
        "a.jsonl": b'{"id":"1","text":"x"}\n{"id":"2","text":"y"}',
    }
    packed = PACK[suffix](content[name])
    file = open_packed(packed[:size], name + suffix)
    chunk = read(file)
    [reject] = chunk.rejects
    assert "cut off" in reject.reason
    assert reject.file == file.name


@pytest.mark.parametrize("suffix", PACK)
def test_damaged_file_keeps_what_stands_before(suffix: str, open_packed: Open, read: Read) -> None:
    content = bytearray(PACK[suffix](RECORDS))
    content[len(content) // 2 :] = b"\xff" * (len(content) // 2)
    chunk = read(open_packed(bytes(content), "a.jsonl" + suffix))
    assert chunk.ids == list(range(len(chunk.ids)))
    assert len(chunk.ids) > 15_000
    [reject] = chunk.rejects
    assert "damaged" in reject.reason or "cut off" in reject.reason


@pytest.mark.parametrize("suffix", PACK)
def test_file_that_is_not_packed_is_refused(suffix: str, open_packed: Open) -> None:
    with pytest.raises(InputError, match=f"is named as a {suffix} file"):
        open_packed(RECORDS, "a.jsonl" + suffix).check(Fields(), "text")


@pytest.mark.parametrize("suffix", PACK)
def test_file_of_0_bytes_gives_none(suffix: str, open_packed: Open, read: Read) -> None:
    chunk = read(open_packed(b"", "a.csv" + suffix))
    assert (chunk.ids, chunk.rejects) == ([], [])


def test_bomb_is_read_block_by_block(open_packed: Open, read: Read) -> None:
    chunk = read(open_packed(gzip.compress(b"[" * (300 << 20)), "a.jsonl.gz"))
    assert [reject.reason for reject in chunk.rejects] == ["longer than 268435456 bytes"]


@pytest.mark.parametrize("suffix", PACK)
@given(
    noise=st.binary(max_size=100),
    cut=st.integers(0, 60),
    name=st.sampled_from(["a.jsonl", "a.csv", "a.json", "a.txt"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_read_or_set_aside(
    suffix: str, noise: bytes, cut: int, name: str, open_packed: Open, read: Read, copy: Any
) -> None:
    start = PACK[suffix](b'id,text\n{"id":1,"text":"x"}\n')[:cut] or MAGIC[suffix]
    file = open_packed(start + noise, name + suffix)
    try:
        chunk = read(file)
    except DedupError:
        return
    assert copy(file, chunk.lines).count(b"\n") == len(chunk.ids)
