"""Text files: one article each, named by their paths."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedup.articles import MISSING_DATE, Fields
from dedup.errors import InputError
from dedup.formats.inputs import open_inputs
from dedup.formats.records import Chunk, RecordFile

Read = Callable[..., Chunk]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfsecond\r\nline")
    (tmp_path / "a.v2.txt").write_bytes("أول".encode())
    (tmp_path / "sub/c.txt").write_bytes(b"")
    return tmp_path


def _open(*arguments: object) -> RecordFile:
    [file] = open_inputs([str(argument) for argument in arguments]).files
    return file


def test_folder_is_read_as_one_input(folder: Path, read: Read, copy_objects: Any) -> None:
    file = _open(folder)
    chunk = read(file)
    assert chunk.ids == ["a.v2", "b", "sub/c"]
    assert chunk.texts == ["أول", "second\r\nline", ""]
    assert (chunk.dates, chunk.sources) == ([MISSING_DATE] * 3, [None] * 3)
    assert copy_objects(file, [2, 3]) == [{"id": "b", "text": "second\r\nline"}, {"id": "sub/c", "text": ""}]
    assert file.bytes_read == file.size_bytes


def test_records_have_the_names_that_the_user_gave(folder: Path, read: Read, copy_objects: Any) -> None:
    file = _open(folder)
    read(file, Fields(id="key", text="body"), "body")
    assert copy_objects(file, [3]) == [{"key": "sub/c", "body": ""}]


def test_files_named_alone_have_their_paths_as_ids(
    folder: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert read(_open("b.txt", "./sub/c.txt")).ids == ["b", "sub/c"]
    assert read(_open("*.txt")).ids == ["a.v2", "b"]


def test_bad_files_are_set_aside_by_name(folder: Path, read: Read) -> None:
    (folder / "bad.txt").write_bytes(b"x\xffy")
    chunk = read(_open(folder))
    assert len(chunk.ids) == 3
    [reject] = chunk.rejects
    assert (reject.file, reject.line) == (str(folder / "bad.txt"), 1)
    assert reject.reason == "not UTF-8: byte 0xff at offset 1, invalid start byte"


def test_file_that_is_too_long_is_set_aside(folder: Path, read: Read) -> None:
    with (folder / "long.txt").open("wb") as file:
        file.truncate(300 << 20)
    chunk = read(_open(folder))
    assert [reject.reason for reject in chunk.rejects] == ["longer than 268435456 bytes"]
    assert len(chunk.ids) == 3


def test_titles_cannot_be_compared(folder: Path) -> None:
    with pytest.raises(InputError, match="text files have no 'title'"):
        _open(folder).check(Fields(), "title")


def test_file_changed_between_the_readings_is_refused(folder: Path, read: Read, copy: Any) -> None:
    file = _open(folder)
    read(file)
    (folder / "b.txt").write_bytes(b"other")
    copy(file, [1, 3])
    with pytest.raises(InputError, match=r"b\.txt changed while it was read"):
        copy(file, [2])
    (folder / "b.txt").unlink()
    with pytest.raises(InputError, match=r"b\.txt cannot be read"):
        copy(file, [2])
