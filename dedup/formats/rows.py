"""Rows of delimited text out of its lines, each with the line on which it begins."""

import csv
from collections.abc import Iterator

from dedup.formats.lines import BrokenLineError, LongLine, numbered_lines
from dedup.formats.records import MAX_RECORD_BYTES, START_BYTES


class Rows:
    """The rows that are not blank, each with its line, from 1.

    Of the row given last: `fault` says why it cannot be used, if so; `start` is how it begins, and
    `num_bytes` how long it is. Raises `BrokenLineError` where the bytes end early.
    """

    def __init__(self, blocks: Iterator[bytes], delimiter: str) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))  # holds for the whole process
        self._lines = _RowLines(blocks)
        self._parser = csv.reader(self._lines, delimiter=delimiter)

    @property
    def fault(self) -> str | None:
        """Why the row cannot be used."""
        return self._lines.fault

    @property
    def start(self) -> bytes:
        """How the row begins."""
        return self._lines.start

    @property
    def num_bytes(self) -> int:
        """How long the row is."""
        return self._lines.num_bytes

    def __iter__(self) -> "Rows":
        return self

    def __next__(self) -> tuple[int, list[str]]:
        lines = self._lines
        while True:
            lines.begin_row()
            row: list[str] = []
            try:
                row = next(self._parser)
            except csv.Error as error:
                lines.fault = f"not readable as a row: {error}"
            except _LongRowError:
                lines.fault = f"longer than {MAX_RECORD_BYTES} bytes"
            except BrokenLineError as error:
                raise BrokenLineError(
                    error.reason, lines.number or error.number, lines.start or error.start
                ) from error
            if row or lines.fault:
                return lines.number, row


class _LongRowError(Exception):
    """Raised through the parser, which then begins a new row."""


class _RowLines:
    """The lines that the parser asks for, and what is to be known of the row that it makes of them."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._lines = numbered_lines(blocks)
        self.begin_row()

    def begin_row(self) -> None:
        """Forget the row before."""
        self.number = 0
        self.start = b""
        self.num_bytes = 0
        self.fault: str | None = None
        self._num_lines = 0

    def __iter__(self) -> "_RowLines":
        return self

    def __next__(self) -> str:
        number, line = next(self._lines, (0, None))
        if line is None:
            if self._num_lines:
                self.fault = f"a quote is opened and not closed; the row takes in {self._num_lines} lines"
            raise StopIteration
        if not self._num_lines:
            self.number = number
            self.start = line[:START_BYTES]
        self._num_lines += 1
        self.num_bytes += len(line) + 1
        if type(line) is LongLine or self.num_bytes > MAX_RECORD_BYTES:
            raise _LongRowError
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            place = f"byte 0x{line[error.start]:02x} at offset {error.start} of line {number}"
            self.fault = f"not UTF-8: {place}, {error.reason}"
            return line.decode(errors="replace") + "\n"
