"""JSON Lines: one JSON object a line, UTF-8. Bad lines are set aside; the rest is read."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from dedup.articles import MISSING_DATE, ArticleId, Fields
from dedup.errors import InputError
from dedup.formats.dates import parse_date
from dedup.formats.records import Chunk, Reject

_BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 256 << 20
"""A longer line is set aside unread."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class JsonLinesFile:
    """A JSON Lines file on disk, read in blocks."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._state: tuple[int, ...] | None = None

    def chunks(self, fields: Fields, text_field: str) -> Iterator[Chunk]:
        """Yield the records; see `RecordFile`."""
        decode = _decoder(fields, text_field)
        chunk = Chunk()
        with self._open() as file:
            self._state = _file_state(file)
            for number, line in _numbered_lines(file):
                chunk.num_bytes += len(line)
                _read_record(decode, self.name, number, line, chunk)
                if chunk.is_full:
                    yield chunk
                    chunk = Chunk()
        yield chunk

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the lines with these numbers, byte for byte; see `RecordFile`."""
        wanted = iter(lines)
        next_wanted = next(wanted, None)
        with self._open() as file:
            if _file_state(file) != self._state:
                raise InputError(f"{self.name} changed while it was read; run again on a file at rest")
            for number, line in _numbered_lines(file):
                if next_wanted is None:
                    break
                if number == next_wanted:
                    out.write(line + b"\n")
                    next_wanted = next(wanted, None)

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {error.strerror}") from error


def _file_state(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


def _numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line without its end, with its number from 1; a line too long is cut off as such."""
    number = 1
    start = b""
    while block := file.read(_BLOCK_BYTES):
        first, *others = block.split(b"\n")
        start = (start + first)[: MAX_LINE_BYTES + 1]
        for line in others:
            yield number, start
            number += 1
            start = line
    if start:
        yield number, start


def _decoder(fields: Fields, text_field: str) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads the named fields of an object and passes over the others."""
    names = {"id": fields.id, "text": text_field, "source": fields.source, "date": fields.date}
    record = msgspec.defstruct(
        "Record",
        [("id", ArticleId), ("text", str), ("source", Any, None), ("date", Any, None)],
        rename=names,
        gc=False,
    )
    return msgspec.json.Decoder(record)


def _read_record(
    decoder: msgspec.json.Decoder[Any], file: str, number: int, line: bytes, chunk: Chunk
) -> None:
    if number == 1:
        line = line.removeprefix(_BYTE_ORDER_MARK)
    if not line.strip():
        return
    if len(line) > MAX_LINE_BYTES:
        chunk.rejects.append(Reject.of(file, number, f"longer than {MAX_LINE_BYTES} bytes", line))
        return
    try:
        record = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        chunk.rejects.append(Reject.of(file, number, _reason(error), line))
        return
    chunk.ids.append(record.id)
    chunk.texts.append(record.text)
    chunk.sources.append(record.source if isinstance(record.source, str) else None)
    date = parse_date(record.date) if isinstance(record.date, str) and record.date else None
    chunk.num_bad_dates += date is None and record.date not in (None, "")
    chunk.dates.append(MISSING_DATE if date is None else date)
    chunk.lines.append(number)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)


def encode_line(record: dict[str, Any]) -> bytes:
    """Return a record as one line of JSON, UTF-8, keys in the order given."""
    return msgspec.json.encode(record) + b"\n"
