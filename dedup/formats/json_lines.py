"""JSON Lines: one JSON object a line, UTF-8. Bad lines are set aside; the rest is read."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

import numpy as np

from dedup.articles import Fields
from dedup.formats.byte_source import BrokenFileError, OneFile
from dedup.formats.chunks import FieldNames
from dedup.formats.json_records import JsonRecordReader
from dedup.formats.lines import BrokenLineError, LongLine, copy_lines, line_runs
from dedup.formats.records import CHUNK_RECORDS, MAX_RECORD_BYTES, Chunk

_LINES_AT_ONCE = CHUNK_RECORDS // 4
"""Lines are given to a chunk in runs of so many, so that it ends near its bound."""


class JsonLinesFile(OneFile):
    """JSON Lines on disk, read in blocks."""

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`."""
        FieldNames.of(fields, text_field)
        self._source.check()

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield the records; see `RecordFile`."""
        reader = JsonRecordReader(self.name, FieldNames.of(fields, text_field, extras))
        try:
            for number, lines in line_runs(self._source.blocks()):
                if type(lines[0]) is LongLine:
                    reader.reject(number, f"longer than {MAX_RECORD_BYTES} bytes", lines[0])
                    reader.num_bytes += len(lines[0])
                    lines[0] = b""
                for first in range(0, len(lines), _LINES_AT_ONCE):
                    some = lines[first : first + _LINES_AT_ONCE]
                    reader.read_lines(number + first, some)
                    if reader.is_full:
                        yield reader.take()
        except BrokenLineError as error:
            reader.reject(error.number, f"{error.reason}; the lines before are kept", error.start)
        yield reader.take()

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the lines with these numbers, byte for byte; see `RecordFile`."""
        # Where the bytes end early: set aside at the first reading; nothing wanted lies behind.
        with suppress(BrokenFileError):
            copy_lines(self._source.blocks_again(), np.asarray(lines, dtype=np.int64), out)
