"""The door for files: what the user names becomes files of records, each with its reader."""

import glob
import itertools
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from dedup.errors import InputError
from dedup.formats.byte_source import SpooledSource, display_name
from dedup.formats.delimited import DelimitedFile
from dedup.formats.html import HtmlField, HtmlFiles
from dedup.formats.json_file import JsonFile
from dedup.formats.json_lines import JsonLinesFile
from dedup.formats.packed import MAGIC
from dedup.formats.parquet import ParquetFile
from dedup.formats.records import RecordFile
from dedup.formats.text_files import TextFile, TextFiles

STANDARD_INPUT = "-"

_TEXT = ".txt"
_HTML = (".html", ".htm")
_ARTICLES = (_TEXT, *_HTML)
"""Suffixes of files that hold one article each."""
_PARQUET = ".parquet"
_READERS: dict[str, Callable[[Path], RecordFile]] = {
    ".jsonl": JsonLinesFile,
    ".ndjson": JsonLinesFile,
    ".json": JsonFile,
    ".csv": lambda path: DelimitedFile(path, ","),
    ".tsv": lambda path: DelimitedFile(path, "\t"),
    _PARQUET: ParquetFile,
}
_PACKABLE = [suffix for suffix in (*_READERS, *_ARTICLES) if suffix != _PARQUET]
SUPPORTED = f"{', '.join(_PACKABLE)} (each also packed: {', '.join(MAGIC)}) and {_PARQUET}"

_OUTPUT_FILES = ("summary.json", "groups.jsonl")
"""A folder that has both is the output of a run, and no input."""

UNREAD_KIND = "of a kind that is not read"
"""Why a file of a folder was passed over that has a suffix no reader knows."""


@dataclass(frozen=True)
class Inputs:
    """The files to read, in order, and what was passed over in folders: path and reason."""

    files: list[RecordFile]
    skipped: list[tuple[str, str]]


def open_inputs(
    arguments: Sequence[str], *, spool_folder: Path | None = None, standard_input: BinaryIO | None = None
) -> Inputs:
    """Return the files that the arguments stand for, in the order of the arguments.

    An argument is a file; a folder: all supported files in and below it, in the order of their paths as
    code points, without hidden ones and the outputs of earlier runs; a pattern with `*`, `?`, `[...]` and
    `**`, whether or not the shell expands it; or `-`: JSON Lines on standard input, packed or not, kept
    in a file without a name in `spool_folder` (default: the system's temporary folder). A file that comes
    twice, by its real path, is read once.

    Raises `InputError` for what does not exist, a kind that is not supported, and a folder or a pattern
    without a file. Whether a file can be read is for `RecordFile.check` to say.
    """
    search = _Search()
    for argument in arguments:
        search.look_for(argument)
    files: list[RecordFile] = []
    for kind, group in itertools.groupby(search.found.values(), key=lambda found: found.kind):
        if kind in _ARTICLES:
            files.append(_article_files(list(group), HtmlFiles if kind in _HTML else TextFiles))
        elif kind == STANDARD_INPUT:
            files.append(JsonLinesFile(_spooled(standard_input, spool_folder)))
        else:
            files.extend(_READERS[kind](found.path) for found in group)
    return Inputs(files, search.skipped)


@dataclass(frozen=True)
class _Found:
    """A file to read; `id` names its article if it is a text file."""

    path: Path
    kind: str
    id: str


@dataclass
class _Search:
    """What was found, by real path, in order."""

    found: dict[str, _Found] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def look_for(self, argument: str) -> None:
        """Add what an argument stands for."""
        path = Path(argument)
        if argument == STANDARD_INPUT:
            self.found.setdefault(argument, _Found(path, STANDARD_INPUT, ""))
        elif not os.path.lexists(argument) and glob.has_magic(argument):
            self._add_matches(argument)
        elif not stat.S_ISDIR(_mode_of(argument)):
            self._add_file(path)
        elif is_output(path):
            raise InputError(
                f"{display_name(path)} is the output of a run; name the files in it to read them"
            )
        elif not self._add_folder(path):
            raise InputError(f"{display_name(path)} has no file of a kind that is read: {SUPPORTED}")

    def _add_matches(self, pattern: str) -> None:
        any_file = False
        for match in sorted(glob.glob(pattern, recursive=True)):
            path = Path(match)
            if os.path.isdir(path):
                any_file |= not is_output(path) and self._add_folder(path)
            else:
                self._add_file(path)
                any_file = True
        if not any_file:
            raise InputError(f"nothing matches {display_name(pattern)}")

    def _add_file(self, path: Path) -> None:
        kind = _kind_of(path)
        if kind is None:
            raise InputError(f"{display_name(path)} has no suffix that is known; those are {SUPPORTED}")
        self._add(path, kind, path)

    def _add_folder(self, folder: Path) -> bool:
        """Add the files in and below a folder; return whether there are any."""
        paths = sorted(self._walk(folder), key=lambda path: path.relative_to(folder).as_posix())
        for path in paths:
            self._add(path, _kind_of(path) or "", path.relative_to(folder))
        return bool(paths)

    def _add(self, path: Path, kind: str, named: Path) -> None:
        stem = display_name(named.as_posix())
        while Path(stem).suffix.lower() in (*MAGIC, *_ARTICLES):
            stem = stem[: -len(Path(stem).suffix)]
        self.found.setdefault(os.path.realpath(path), _Found(path, kind, stem))

    def _walk(self, top: Path) -> Iterator[Path]:
        for folder, subfolders, names in os.walk(top, onerror=_raise_unreadable):
            for name in list(subfolders):
                path = Path(folder, name)
                reason = _why_not_folder(path)
                if reason:
                    subfolders.remove(name)
                    self._skip(path, reason)
            for name in names:
                path = Path(folder, name)
                if name.startswith("."):
                    self._skip(path, "hidden")
                elif _kind_of(path) is None:
                    self._skip(path, UNREAD_KIND)
                else:
                    yield path

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped.append((display_name(path), reason))


def _mode_of(argument: str) -> int:
    try:
        return os.stat(argument).st_mode
    except OSError as error:
        raise InputError(f"{display_name(argument)!r} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a null character in the name
        raise InputError(f"{argument!a} cannot be read: {error}") from error


def _why_not_folder(path: Path) -> str | None:
    if path.name.startswith("."):
        return "hidden"
    if os.path.islink(path):
        return "a link to a folder"
    return "the output of a run" if is_output(path) else None


def is_output(folder: Path) -> bool:
    """Return whether a folder is the output of a run."""
    return all(os.path.isfile(folder / name) for name in _OUTPUT_FILES)  # False where it may not look


def _raise_unreadable(error: OSError) -> NoReturn:
    raise InputError(f"{display_name(error.filename)} cannot be read: {error.strerror}") from error


def _kind_of(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in MAGIC:
        suffix = path.with_suffix("").suffix.lower()
        return suffix if suffix in _PACKABLE else None
    return suffix if suffix in _READERS or suffix in _ARTICLES else None


def _spooled(stream: BinaryIO | None, folder: Path | None) -> SpooledSource:
    if stream is None and sys.stdin is None:
        raise InputError("standard input is closed; nothing can be read from -")
    return SpooledSource("standard input", stream or sys.stdin.buffer, folder)


def html_fields(files: Sequence[RecordFile]) -> list[RecordFile]:
    """Return files whose texts are HTML, so that the articles in them are read; HTML files as they are."""
    return [file if isinstance(file, HtmlFiles) else HtmlField(file) for file in files]


def _article_files(found: Sequence[_Found], reader: type[TextFiles]) -> TextFiles:
    name = display_name(found[0].path)
    if len(found) > 1:
        name = f"{len(found)} {reader.kind} from {name} on"
    return reader(name, [TextFile(item.id, item.path) for item in found])
