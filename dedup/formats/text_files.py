"""Plain text files, one article each; the name gives the id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dedup.articles import Fields
from dedup.errors import InputError
from dedup.formats.byte_source import BYTE_ORDER_MARK, BrokenFileError, FileSource
from dedup.formats.chunks import ChunkBuilder, FieldNames
from dedup.formats.json_records import encode_line
from dedup.formats.records import MAX_RECORD_BYTES, START_BYTES, Chunk, Reject


@dataclass(frozen=True)
class TextFile:
    """An article in a file of its own."""

    id: str
    path: Path


class TextFiles:
    """Text files on disk, read one after the other. Its lines are their numbers in this order, from 1."""

    kind = "text files"
    has_title = False
    has_date = False

    def __init__(self, name: str, files: Sequence[TextFile]) -> None:
        self.name = name
        self.bytes_read = 0
        self._ids = [file.id for file in files]
        self._sources = [FileSource(file.path) for file in files]
        self._fields: Fields | None = None

    @property
    def size_bytes(self) -> int:
        """See `RecordFile`."""
        return sum(source.size_bytes for source in self._sources)

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`; text files have no title, nor another field that could be compared."""
        FieldNames.of(fields, text_field)
        if text_field != fields.text and not (self.has_title and text_field == fields.title):
            raise InputError(f"{self.name}: {self.kind} have no {text_field!r}; give records that have one")
        for source in self._sources:
            source.check()

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield the articles; see `RecordFile`. A reject names the text file, and its first line."""
        self._fields = fields
        self.bytes_read = 0
        builder = ChunkBuilder(self.name, FieldNames.of(fields, text_field, extras))
        for number, (id_, source) in enumerate(zip(self._ids, self._sources, strict=True), 1):
            content, reason = _read(source.blocks())
            if reason is None:
                try:
                    record = self.article(content, fields)
                except UnicodeDecodeError as error:
                    byte = content[error.start]
                    reason = f"not UTF-8: byte 0x{byte:02x} at offset {error.start}, {error.reason}"
                except ValueError as error:
                    reason = str(error)
                else:
                    text, source_name = record.get(text_field, ""), record.get(fields.source)
                    builder.add(
                        number, id_, text, source_name, record.get(fields.date), content,
                        record.get(fields.title), record.get(fields.url),
                    )  # fmt: skip
            if reason is not None:
                builder.chunk.rejects.append(Reject.of(source.name, 1, reason, content))
            builder.chunk.num_bytes += len(content)
            self.bytes_read += source.bytes_read
            if builder.is_full:
                yield builder.take()
        yield builder.take()

    def article(self, content: bytes, fields: Fields) -> dict[str, str]:
        """Return the article of a file as a record without id; raises `ValueError` where there is none."""
        return {fields.text: content.decode()}

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write these articles as JSON, with id and text; see `RecordFile`."""
        if self._fields is None:
            raise InputError(f"{self.name} was not read")
        for number in lines:
            content, _ = _read(self._sources[number - 1].blocks_again())
            article = self.article(content, self._fields)
            out.write(encode_line({self._fields.id: self._ids[number - 1]} | article))


def _read(blocks: Iterator[bytes]) -> tuple[bytes, str | None]:
    """Return the content without a byte order mark, and why it cannot be used, if so."""
    pieces: list[bytes] = []
    num_bytes = 0
    reason = None
    try:
        for block in blocks:
            pieces.append(block)
            num_bytes += len(block)
            if num_bytes > MAX_RECORD_BYTES:
                return pieces[0][:START_BYTES], f"longer than {MAX_RECORD_BYTES} bytes"
    except BrokenFileError as error:
        reason = error.reason
    return b"".join(pieces).removeprefix(BYTE_ORDER_MARK), reason
