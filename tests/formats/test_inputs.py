"""What the arguments stand for: files, folders, patterns, standard input; and what is refused."""

import gzip
import io
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dedup.articles import Fields
from dedup.errors import InputError, OutputError
from dedup.formats.inputs import Inputs, open_inputs
from dedup.formats.records import Chunk

Read = Callable[..., Chunk]
RECORD = b'{"id":"a","text":"x"}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the working folder, with files of each kind."""
    names = [
        "b.jsonl",
        "a.csv",
        "Z.json",
        "sub/c.tsv",
        "sub/deep/d.ndjson.gz",
        "ب.parquet",
        "1.txt",
        "sub/2.txt",
    ]
    for name in [*names, "notes.md", ".hidden.jsonl", "sub/data.parquet.gz"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _names(inputs: Inputs) -> list[str]:
    return [file.name for file in inputs.files]


ALL = [
    "1.txt", "Z.json", "a.csv", "b.jsonl", "sub/2.txt", "sub/c.tsv", "sub/deep/d.ndjson.gz", "ب.parquet",
]  # fmt: skip


def test_folder_gives_its_files_in_the_order_of_code_points(folder: Path) -> None:
    inputs = open_inputs(["."])
    assert _names(inputs) == ALL
    assert sorted(inputs.skipped) == [
        (".hidden.jsonl", "hidden"),
        ("notes.md", "of a kind that is not read"),
        ("sub/data.parquet.gz", "of a kind that is not read"),
    ]
    for file in inputs.files:
        file.check(Fields(), "text")


def test_arguments_keep_their_order(folder: Path) -> None:
    assert _names(open_inputs(["b.jsonl", "sub", "a.csv"])) == [
        "b.jsonl", "sub/2.txt", "sub/c.tsv", "sub/deep/d.ndjson.gz", "a.csv",
    ]  # fmt: skip


def test_patterns_are_expanded(folder: Path) -> None:
    assert _names(open_inputs(["*.jsonl"])) == ["b.jsonl"]
    assert _names(open_inputs(["[ab].*"])) == ["a.csv", "b.jsonl"]
    assert _names(open_inputs(["**/*.gz", "**/?.tsv"][1:])) == ["sub/c.tsv"]
    assert _names(open_inputs(["**/*.ndjson.gz"])) == ["sub/deep/d.ndjson.gz"]
    assert _names(open_inputs(["s*"])) == ["sub/2.txt", "sub/c.tsv", "sub/deep/d.ndjson.gz"]


def test_name_with_brackets_is_a_name_first(folder: Path) -> None:
    (folder / "x[ab].jsonl").touch()
    assert _names(open_inputs(["x[ab].jsonl"])) == ["x[ab].jsonl"]


def test_file_named_twice_is_read_once(folder: Path) -> None:
    (folder / "link.jsonl").symlink_to("b.jsonl")
    arguments = ["b.jsonl", "link.jsonl", "./b.jsonl", str(folder / "b.jsonl"), "*.jsonl"]
    assert _names(open_inputs(arguments)) == ["b.jsonl"]


def test_same_name_in_two_folders_is_two_files(folder: Path) -> None:
    (folder / "sub/b.jsonl").touch()
    assert _names(open_inputs(["**/b.jsonl"])) == ["b.jsonl", "sub/b.jsonl"]


def test_suffixes_may_be_capitals(folder: Path, read: Read) -> None:
    (folder / "NEWS.JSONL.GZ").write_bytes(gzip.compress(RECORD))
    [file] = open_inputs(["NEWS.JSONL.GZ"]).files
    assert read(file).ids == ["a"]


def test_neighbouring_text_files_are_one_input(folder: Path) -> None:
    for name in ("2.txt", "3.txt"):
        (folder / name).touch()
    assert _names(open_inputs(["1.txt", "2.txt", "b.jsonl", "3.txt"])) == [
        "2 text files from 1.txt on", "b.jsonl", "3.txt",
    ]  # fmt: skip


REFUSED = {
    "no.jsonl": r"'no\.jsonl' cannot be read: No such file or directory",
    "notes.md": r"notes\.md has no suffix that is known; those are \.jsonl, .* and \.parquet",
    "sub/data.parquet.gz": "has no suffix that is known",
    "*.xml": r"nothing matches \*\.xml",
    "empty": "empty has no file of a kind that is read: ",
    "empty*": r"nothing matches empty\*",
    "out": "out is the output of a run; name the files in it to read them",
    "broken.jsonl": r"broken\.jsonl' cannot be read: No such file",
    "": "'' cannot be read: No such file",
    "a\0b.jsonl": "cannot be read: embedded null",
}


@pytest.mark.parametrize("argument", REFUSED)
def test_argument_that_stands_for_nothing_is_refused(argument: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "empty/readme").touch()
    (folder / "broken.jsonl").symlink_to("nowhere")
    _make_output(folder / "out")
    with pytest.raises(InputError, match=REFUSED[argument]):
        open_inputs(["b.jsonl", argument])


def _make_output(path: Path) -> None:
    path.mkdir()
    for name in ("summary.json", "groups.jsonl", "unique.jsonl"):
        (path / name).write_bytes(RECORD)


def test_outputs_of_earlier_runs_are_passed_over(folder: Path) -> None:
    _make_output(folder / "sub/out")
    inputs = open_inputs(["."])
    assert _names(inputs) == ALL
    assert ("sub/out", "the output of a run") in inputs.skipped
    assert _names(open_inputs(["sub/out/unique.jsonl"])) == ["sub/out/unique.jsonl"]
    assert _names(open_inputs(["sub/*t"]))[:1] == ["sub/2.txt"]


def test_links_to_folders_are_passed_over_and_listed(folder: Path) -> None:
    (folder / "sub/loop").symlink_to(folder)
    inputs = open_inputs(["."])
    assert _names(inputs) == ALL
    assert ("sub/loop", "a link to a folder") in inputs.skipped
    assert _names(open_inputs(["sub/loop/b.jsonl"])) == ["sub/loop/b.jsonl"]


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


UNREADABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a folder": (Path.mkdir, "is a folder|has no file of a kind that is read"),
    "a pipe": (os.mkfifo, "is no regular file; .* standard input"),
    "a socket": (_bind, "is no regular file"),
    "a broken link": (lambda path: path.symlink_to("nowhere"), "cannot be read: No such file"),
    "a loop of links": (lambda path: path.symlink_to(path.name), "cannot be read"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet", ".txt"])
def test_what_is_no_file_is_refused_by_its_check(kind: str, suffix: str, folder: Path) -> None:
    make, message = UNREADABLE[kind]
    path = folder / f"odd/x{suffix}"
    path.parent.mkdir()
    os.chdir(path.parent)
    make(path)
    with pytest.raises(InputError, match=message):
        _open_and_check("x" + suffix if kind == "a folder" else ".")


def _open_and_check(argument: str) -> None:
    for file in open_inputs([argument]).files:
        file.check(Fields(), "text")


@pytest.fixture
def closed_folder(folder: Path) -> Iterator[Path]:
    """The folder with files and a folder that may not be read, even where the tests run as root."""
    is_root = os.geteuid() == 0
    closed = [folder / name for name in ("b.jsonl", "a.csv", "ب.parquet", "1.txt", "sub")]
    for path in closed:
        path.chmod(0)
    if is_root:
        for path in (folder, *list(folder.parents)[:2]):
            path.chmod(0o755)
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)
    for path in closed:
        path.chmod(0o700)


@pytest.mark.parametrize("name", ["b.jsonl", "a.csv", "ب.parquet", "1.txt"])
def test_file_without_permission_is_refused_by_its_check(name: str, closed_folder: Path) -> None:
    [file] = open_inputs([name]).files
    with pytest.raises(InputError, match=f"{name} cannot be read: Permission denied"):
        file.check(Fields(), "text")


@pytest.mark.parametrize("argument", [".", "sub", "s*", "sub/c.tsv"])
def test_folder_without_permission_is_refused(argument: str, closed_folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        open_inputs([argument])


def test_pattern_below_a_folder_without_permission_matches_nothing(closed_folder: Path) -> None:
    with pytest.raises(InputError, match="nothing matches"):
        open_inputs(["sub/*.tsv"])


def test_file_that_vanishes_is_refused(folder: Path) -> None:
    [file] = open_inputs(["b.jsonl"]).files
    (folder / "b.jsonl").unlink()
    with pytest.raises(InputError, match=r"b\.jsonl cannot be read: No such file"):
        next(file.chunks(Fields(), "text"))


def test_names_that_are_not_utf_8_can_be_written(folder: Path, read: Read) -> None:
    name = os.fsdecode(b"\xff.txt")
    try:
        (folder / name).write_bytes(b"x")
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    [file] = open_inputs([name]).files
    assert (file.name, read(file).ids) == ("\ufffd.txt", ["\ufffd"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_twice(
    pack: Callable[[bytes], bytes], tmp_path: Path, read: Read, copy: Any
) -> None:
    stream = io.BytesIO(pack(b"\xef\xbb\xbf" + RECORD + b"bad\n"))
    [file] = open_inputs(["-"], spool_folder=tmp_path, standard_input=stream).files
    assert list(tmp_path.iterdir()) == []  # the file has no name; it goes with the process
    for _ in range(2):
        chunk = read(file)
        assert (chunk.ids, chunk.lines) == (["a"], [1])
        assert [(reject.file, reject.line) for reject in chunk.rejects] == [("standard input", 2)]
        assert copy(file, [1]) == RECORD
        assert file.bytes_read == file.size_bytes


def test_standard_input_keeps_its_place(folder: Path) -> None:
    arguments = ["b.jsonl", "-", "a.csv", "-"]
    assert _names(open_inputs(arguments, standard_input=io.BytesIO())) == [
        "b.jsonl",
        "standard input",
        "a.csv",
    ]


def test_standard_input_is_kept_only_when_all_arguments_are_good(folder: Path) -> None:
    stream = io.BytesIO(RECORD)
    with pytest.raises(InputError, match="cannot be read"):
        open_inputs(["-", "no.jsonl"], standard_input=stream)
    assert stream.tell() == 0


def test_spool_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"standard input cannot be kept in .*nowhere: No such file"):
        open_inputs(["-"], spool_folder=tmp_path / "nowhere", standard_input=io.BytesIO())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_while_standard_input_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Path("/dev/full").open("wb"))  # noqa: SIM115
    with pytest.raises(OutputError, match=r"standard input cannot be kept in .*: No space left on device"):
        open_inputs(["-"], standard_input=io.BytesIO(RECORD))


def test_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        open_inputs(["-"])
