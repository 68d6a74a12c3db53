"""A JSON document: an array of objects, or one object. A file that is in fact JSON Lines is read as such."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from dedup.articles import Fields
from dedup.formats.byte_source import BYTE_ORDER_MARK, ByteSource, OneFile
from dedup.formats.chunks import FieldNames
from dedup.formats.json_lines import JsonLinesFile
from dedup.formats.json_records import JsonRecordReader
from dedup.formats.lines import BrokenLineError, numbered_lines
from dedup.formats.packed import BrokenFileError
from dedup.formats.records import START_BYTES, Chunk

_SPACE = " \t\r\n"
_EXPECTED = "expected an array of objects, one object, or JSON Lines"


class JsonFile(OneFile):
    """A JSON document on disk; an array is held in memory while it is read. Its lines are its elements."""

    def __init__(self, source: ByteSource | Path) -> None:
        super().__init__(source)
        self._as_lines: JsonLinesFile | None = None

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`."""
        FieldNames.of(fields, text_field)
        self._source.check()

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield the records; see `RecordFile`."""
        self._as_lines = JsonLinesFile(self._source) if _is_json_lines(self._source) else None
        if self._as_lines:
            yield from self._as_lines.chunks(fields, text_field, extras)
            return
        reader = JsonRecordReader(self.name, FieldNames.of(fields, text_field, extras))
        number = 1
        try:
            for number, raw in enumerate(_elements(self._source.blocks()), 1):
                reader.num_bytes += len(raw)
                reader.read(number, raw)
                number += 1  # noqa: PLW2901 - where the next one would stand
                if reader.is_full:
                    yield reader.take()
        except _BrokenDocumentError as error:
            reader.reject(number, error.reason, error.start)
        yield reader.take()

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the elements with these numbers, each as one line; see `RecordFile`."""
        if self._as_lines:
            self._as_lines.copy_records(lines, out)
            return
        wanted = set(lines)
        try:
            for number, raw in enumerate(_elements(self._source.blocks_again()), 1):
                if number in wanted:
                    out.write(_on_one_line(raw) + b"\n")
        except _BrokenDocumentError:
            pass  # set aside at the first reading; nothing wanted lies behind


class _BrokenDocumentError(Exception):
    """The document cannot be read on: why, and how the rest begins."""

    def __init__(self, reason: str, start: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.start = start


def _is_json_lines(source: ByteSource) -> bool:
    """Return whether the first line that is not blank is an object of its own."""
    try:
        for _, line in numbered_lines(source.blocks()):
            if not line or line.isspace():
                continue
            return isinstance(json.loads(line.decode()), dict)
    except (BrokenLineError, ValueError, RecursionError):
        pass
    return False


def _elements(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text of each element of the array, or of the one object.

    Raises `_BrokenDocumentError` after the last good element where the document is at fault.
    """
    pieces: list[bytes] = []
    broken = None
    try:
        pieces.extend(blocks)
    except BrokenFileError as error:
        broken = f"{error.reason}; the records before are kept"
    document = b"".join(pieces).removeprefix(BYTE_ORDER_MARK)
    pieces.clear()
    if not document or document.isspace():
        if broken:
            raise _BrokenDocumentError(broken, b"")
        return
    try:
        elements = msgspec.json.decode(document, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from _elements_one_by_one(document, broken)
        return
    yield from map(bytes, elements)
    if broken:  # in what stands behind the array
        raise _BrokenDocumentError(broken, b"")


def _elements_one_by_one(document: bytes, broken: str | None) -> Iterator[bytes]:
    try:
        text = document.decode()
    except UnicodeDecodeError as error:
        text = document[: error.start].decode()
        byte = document[error.start]
        broken = broken or f"not UTF-8: byte 0x{byte:02x} at offset {error.start}, {error.reason}; {_KEPT}"
    decode = json.JSONDecoder().raw_decode
    at = _skip(text, 0)
    is_array = text[at : at + 1] == "["
    at = _skip(text, at + is_array)
    while True:
        try:
            value, end = decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = broken or f"not JSON: {error}; {_KEPT if is_array else _EXPECTED}"
            raise _BrokenDocumentError(reason, _start(text, at)) from error
        if not is_array and not isinstance(value, dict):
            raise _BrokenDocumentError(f"not a document with records; {_EXPECTED}", _start(text, at))
        yield text[at:end].encode()
        at = _skip(text, end)
        if not is_array:
            break
        if text[at : at + 1] == "]":
            at = _skip(text, at + 1)
            break
        if text[at : at + 1] != ",":
            raise _BrokenDocumentError(
                broken or f"not JSON: no comma between two elements; {_KEPT}", _start(text, at)
            )
        at = _skip(text, at + 1)
    if broken or at < len(text):
        raise _BrokenDocumentError(broken or f"more stands behind the end; {_EXPECTED}", _start(text, at))


_KEPT = "the records before are kept, what follows is not read"


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in _SPACE and at < len(text):
        at += 1
    return at


def _start(text: str, at: int) -> bytes:
    return text[at : at + START_BYTES].encode()


def _on_one_line(raw: bytes) -> bytes:
    if b"\n" not in raw and b"\r" not in raw:
        return raw
    try:
        return msgspec.json.format(raw, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return raw.replace(b"\n", b" ").replace(b"\r", b" ")  # in JSON they stand between tokens only
