"""Parquet: read batch by batch, only the columns that are needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.articles import Fields
from dedup.errors import InputError
from dedup.formats.arrow_texts import ArrowTexts, checked_strings
from dedup.formats.byte_source import OneFile
from dedup.formats.chunks import ChunkBuilder, FieldNames
from dedup.formats.json_records import encode_line
from dedup.formats.parquet_values import (
    date_values,
    is_string,
    plain_values,
    rows_of,
    string_values,
    value_type,
)
from dedup.formats.records import CHUNK_BYTES, CHUNK_RECORDS, START_BYTES, Chunk

_BUFFER_BYTES = 1 << 20
"""A column is read off the disk in pieces of this size, not a row group at once."""

_Faults = (pa.ArrowException, OSError)


class ParquetFile(OneFile):
    """A Parquet file on disk. Its lines are its rows, from 1."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`."""
        names = FieldNames.of(fields, text_field)
        self._source.check()
        with self._source.open() as file, self._whole(file) as table:
            if table:
                _check_columns(table.schema_arrow, names, self.name)

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield the records; see `RecordFile`."""
        names = FieldNames.of(fields, text_field, extras)
        builder = ChunkBuilder(self.name, names)
        with self._source.open() as file, self._whole(file) as table:
            if table is None:
                return
            _check_columns(table.schema_arrow, names, self.name)
            columns = [name for name in names.columns().values() if name in table.schema_arrow.names]
            first = 1
            try:
                for batch in _batches(table, columns):
                    chunk = _chunk_of(batch, first, builder)
                    first += batch.num_rows
                    chunk.num_bytes = batch.nbytes
                    self._source.bytes_read = self.size_bytes * first // max(1, table.metadata.num_rows)
                    yield chunk
            except _Faults as error:
                builder.reject(first, f"the Parquet data is damaged: {error}; the rows before are kept", b"")
        yield builder.take()

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write these rows as JSON, all columns; see `RecordFile`."""
        wanted = set(lines)
        last = max(wanted, default=0)
        first = 1
        with self._source.open_again() as file, self._whole(file) as table:
            batches = _batches(table, None) if table and wanted else iter(())
            while first <= last:
                try:
                    batch = next(batches)
                except _Faults as error:
                    raise InputError(f"{self.name} cannot be read from row {first} on: {error}") from error
                if not wanted.isdisjoint(range(first, first + batch.num_rows)):
                    for line, record in enumerate(rows_of(batch), first):
                        if line in wanted:
                            out.write(encode_line(record))
                first += batch.num_rows

    @contextmanager
    def _whole(self, file: BinaryIO) -> Iterator[Any]:
        """Give the file with its metadata, None for an empty one."""
        if not file.seek(0, 2):
            yield None
            return
        file.seek(0)
        try:
            table = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except _Faults as error:
            raise InputError(f"{self.name} is no Parquet file, or it is cut off: {error}") from error
        with table:
            yield table


def _check_columns(schema: Any, names: FieldNames, file: str) -> None:
    names.require(schema.names, file)
    id_type, text_type = schema.field(names.id).type, schema.field(names.text).type
    if not (is_string(id_type) or pa.types.is_integer(value_type(id_type))):
        raise InputError(f"{file}: column {names.id!r} holds {id_type}; expected strings or integers")
    if not is_string(text_type):
        raise InputError(f"{file}: column {names.text!r} holds {text_type}; expected strings")


def _batches(table: Any, columns: list[str] | None) -> Iterator[Any]:
    """Yield the rows in batches of about the size of a chunk, judged by each row group's average."""
    for group in range(table.num_row_groups):
        metadata = table.metadata.row_group(group)
        if not metadata.num_rows:
            continue
        row_bytes = max(1, metadata.total_byte_size // metadata.num_rows)
        batch_size = max(1, min(CHUNK_RECORDS, CHUNK_BYTES // row_bytes))
        yield from table.iter_batches(batch_size, row_groups=[group], columns=columns, use_threads=False)


def _chunk_of(batch: Any, first: int, builder: ChunkBuilder) -> Chunk:
    """Return the chunk of the builder with the rows of a batch; texts stay in Arrow if all are UTF-8."""
    import pyarrow.compute as pc  # makes some hundred functions, which takes as long as 10,000 lines to read

    names = builder.names
    array = checked_strings(batch.column(names.text))
    if array is None:
        _add_rows(batch, string_values(batch.column(names.text)), first, builder)
        return builder.take()
    _add_rows(batch, pc.utf8_slice_codeunits(array, 0, START_BYTES).to_pylist(), first, builder)
    chunk = builder.take()
    texts = ArrowTexts(array)
    chunk.texts = (
        texts if len(chunk.lines) == len(texts) else texts.take([line - first for line in chunk.lines])
    )
    return chunk


def _add_rows(batch: Any, texts: Sequence[Any], first: int, builder: ChunkBuilder) -> None:
    """Add the rows of a batch with their texts, or how these begin."""
    names = builder.names
    columns = {name: batch.column(name) for name in batch.schema.names}
    nothing = [None] * batch.num_rows
    ids = plain_values(columns[names.id])
    sources = string_values(columns[names.source]) if names.source in columns else nothing
    dates = date_values(columns[names.date]) if names.date in columns else nothing
    titles = string_values(columns[names.title]) if names.title in columns else nothing
    urls = string_values(columns[names.url]) if names.url in columns else nothing
    records = zip(ids, texts, sources, dates, titles, urls, strict=True)
    for row, (id_, text, source, date, title, url) in enumerate(records, first):
        start = _row_start(names, id_, text)
        if isinstance(id_, (str, int)) and isinstance(text, str):
            builder.add(row, id_, text, source, date, start, title, url)
        elif isinstance(id_, bytes) or isinstance(text, bytes):
            name = names.id if isinstance(id_, bytes) else names.text
            builder.reject(row, f"{name!r} is not UTF-8", start)
        else:
            builder.reject(row, f"{names.id if id_ is None else names.text!r} is null", start)


def _row_start(names: FieldNames, id_: Any, text: Any) -> bytes:
    start = text[:START_BYTES] if isinstance(text, str) else None
    return encode_line({names.id: str(id_) if isinstance(id_, bytes) else id_, names.text: start})
