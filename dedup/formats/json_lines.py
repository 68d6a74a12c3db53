"""JSON Lines: one JSON object a line, UTF-8. Bad lines are set aside; the rest is read."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from dedup.articles import Fields
from dedup.formats.byte_source import OneFile
from dedup.formats.chunks import FieldNames
from dedup.formats.json_records import JsonRecordReader
from dedup.formats.lines import BrokenLineError, LongLine, numbered_lines
from dedup.formats.records import MAX_RECORD_BYTES, Chunk


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
            for number, line in numbered_lines(self._source.blocks()):
                reader.num_bytes += len(line) + 1
                if not line or line.isspace():
                    continue
                if type(line) is LongLine:
                    reader.reject(number, f"longer than {MAX_RECORD_BYTES} bytes", line)
                else:
                    reader.read(number, line)
                if reader.is_full:
                    yield reader.take()
        except BrokenLineError as error:
            reader.reject(error.number, f"{error.reason}; the lines before are kept", error.start)
        yield reader.take()

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the lines with these numbers, byte for byte; see `RecordFile`."""
        wanted = iter(lines)
        next_wanted = next(wanted, None)
        try:
            for number, line in numbered_lines(self._source.blocks_again()):
                if next_wanted is None:
                    break
                if number == next_wanted:
                    out.write(line + b"\n")
                    next_wanted = next(wanted, None)
        except BrokenLineError:
            pass  # set aside at the first reading; nothing wanted lies behind
