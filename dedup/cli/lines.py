"""JSON lines on standard output or in a file, as they come; a reader that goes away does no harm."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from dedup.cli.log import discard_output
from dedup.errors import OutputError


class Lines:
    """Where lines go. `is_wanted` says whether somebody reads them still."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name
        self.is_wanted = True

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        """Write each record as a line of JSON, UTF-8, and send them off."""
        if not self.is_wanted:
            return
        try:
            for record in records:
                self._stream.write(msgspec.json.encode(record) + b"\n")
            self._stream.flush()
        except BrokenPipeError:
            self.is_wanted = False
            discard_output()
        except OSError as error:
            discard_output()
            raise OutputError(f"{self._name} cannot be written: {error.strerror or error}") from error


@contextmanager
def open_lines(path: Path | None, others: Sequence[str | Path] = ()) -> Iterator[Lines]:
    """Give the lines of a file, written anew, or of standard output for None.

    Raises `OutputError` where the file is one of the `others`, which are read or written for another end.
    """
    if path is None:
        yield Lines(sys.stdout.buffer, "standard output")
        return
    for other in others:
        if _is_same(path, other):
            raise OutputError(f"{path} is read or written already, as {other}; choose another file")
    try:
        stream = path.open("wb")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    with stream:
        yield Lines(stream, str(path))


def _is_same(path: Path, other: str | Path) -> bool:
    """Return whether two paths are of one file, also one that is not there yet."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    return os.path.realpath(path) == os.path.realpath(other)
