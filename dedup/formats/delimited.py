"""Delimited text with a header: CSV as in RFC 4180, and the same with tabs. Read as a stream of lines."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from dedup.articles import Fields
from dedup.errors import InputError
from dedup.formats.byte_source import ByteSource, OneFile
from dedup.formats.chunks import ChunkBuilder, FieldNames
from dedup.formats.json_records import encode_line
from dedup.formats.lines import BrokenLineError
from dedup.formats.records import Chunk
from dedup.formats.rows import Rows


class DelimitedFile(OneFile):
    """CSV or tab-separated values on disk; a quoted field may hold line ends. The first row is the header."""

    def __init__(self, source: ByteSource | Path, delimiter: str) -> None:
        super().__init__(source)
        self._delimiter = delimiter

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`."""
        names = FieldNames.of(fields, text_field)
        self._source.check()
        with suppress(BrokenLineError):  # set aside when it is read
            self._header(Rows(self._source.blocks(), self._delimiter), names)
        self._source.bytes_read = 0

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield the records; see `RecordFile`. A record's line is the one on which it begins."""
        names = FieldNames.of(fields, text_field, extras)
        builder = ChunkBuilder(self.name, names)
        rows = Rows(self._source.blocks(), self._delimiter)
        try:
            header = self._header(rows, names)
            place: dict[str | None, int] = {name: at for at, name in enumerate(header)}
            at_id, at_text = place.get(names.id, 0), place.get(names.text, 0)
            others = [place.get(name) for name in (names.source, names.date, names.title, names.url)]
            for line, row in rows:
                builder.chunk.num_bytes += rows.num_bytes
                if reason := rows.fault or _why_not(row, header):
                    builder.reject(line, reason, rows.start)
                else:
                    source, date, title, url = (None if at is None else row[at] for at in others)
                    builder.add(line, row[at_id], row[at_text], source, date, rows.start, title, url)
                if builder.is_full:
                    yield builder.take()
        except BrokenLineError as error:
            builder.reject(error.number, f"{error.reason}; the records before are kept", error.start)
        yield builder.take()

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the records that begin on these lines as JSON, every field a string; see `RecordFile`."""
        wanted = set(lines)
        rows = Rows(self._source.blocks_again(), self._delimiter)
        try:
            header = _unique(next((row for _, row in rows), []))
            for line, row in rows:
                if line in wanted:
                    out.write(encode_line(dict(zip(header, row, strict=True))))
        except BrokenLineError:
            pass  # set aside at the first reading; nothing wanted lies behind

    def _header(self, rows: Rows, names: FieldNames) -> list[str]:
        """Return the header, empty for a file without a row."""
        line, header = next(rows, (0, []))
        if rows.fault:
            raise InputError(f"{self.name}, line {line}: {rows.fault}; expected a header")
        if header:
            names.require(header, self.name)
        return header


def _why_not(row: list[str], header: list[str]) -> str | None:
    if len(row) != len(header):
        return f"the row has {len(row)} fields, the header {len(header)}"
    return None


def _unique(header: list[str]) -> list[str]:
    """Return the header with names that differ; a repeated or empty one gets its column's number."""
    names: list[str] = []
    for column, name in enumerate(header, 1):
        unused = name if name and name not in names else f"{name}_{column}"
        names.append(unused)
    return names
