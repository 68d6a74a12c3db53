"""Where the bytes of an input come from: a file on disk, packed or not, or standard input kept aside."""

import os
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dedup.errors import InputError, OutputError
from dedup.formats.packed import MAGIC, BrokenFileError, unpack

__all__ = ["BYTE_ORDER_MARK", "BrokenFileError", "ByteSource", "FileSource", "SpooledSource", "display_name"]

_BLOCK_BYTES = 4 << 20
_MAGIC_BYTES = max(map(len, MAGIC.values()))
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def display_name(path: str | os.PathLike[str]) -> str:
    """Return a path as text that can be written as UTF-8, whatever bytes it is made of."""
    return os.fsencode(path).decode("utf-8", "replace")


class ByteSource:
    """Bytes that are read twice and must be the same both times; packed ones are unpacked on the way."""

    def __init__(self, name: str, packed: str | None) -> None:
        self.name = name
        self.bytes_read = 0
        self._packed = packed
        self._state: tuple[int, ...] | None = None

    @property
    def size_bytes(self) -> int:
        """The size on disk; 0 where the file cannot be looked at."""
        raise NotImplementedError

    def _open(self) -> BinaryIO:
        raise NotImplementedError

    def check(self) -> None:
        """Raise `InputError` if this is no regular file, cannot be read or is not packed as its name says."""
        with self._open() as file, self._reading():
            start = file.read(_MAGIC_BYTES)
        magic = MAGIC[self._packed] if self._packed else b""
        if start[: len(magic)] != magic[: len(start)]:
            raise InputError(
                f"{self.name} is named as a {self._packed} file, which begins with {magic!r}; "
                f"it begins with {start!r}"
            )

    def open(self) -> BinaryIO:
        """Return the bytes as they lie on disk, for the first reading."""
        file = self._open()
        self._state = _state_of(file)
        return file

    def open_again(self) -> BinaryIO:
        """Return the bytes for the second reading; raises `InputError` if they are not those of the first."""
        file = self._open()
        if _state_of(file) != self._state:
            file.close()
            raise InputError(f"{self.name} changed while it was read; run again on a file at rest")
        return file

    def blocks(self) -> Iterator[bytes]:
        """Yield the unpacked bytes for the first time.

        Raises `BrokenFileError` where packed bytes end early, `InputError` where the disk gives none.
        """
        with self.open() as file:
            yield from self._blocks(file)

    def blocks_again(self) -> Iterator[bytes]:
        """Yield the unpacked bytes once more; raises `InputError` if the file changed, else as `blocks`."""
        with self.open_again() as file:
            yield from self._blocks(file)

    def _blocks(self, file: BinaryIO) -> Iterator[bytes]:
        with self._reading():
            unpacked = (
                unpack(file, self._packed) if self._packed else iter(lambda: file.read(_BLOCK_BYTES), b"")
            )
            for block in unpacked:
                self.bytes_read = file.tell() if file.seekable() else 0
                yield block
            self.bytes_read = file.tell() if file.seekable() else 0

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {error.strerror or error}") from error


class FileSource(ByteSource):
    """A file on disk; its last suffix says whether it is packed."""

    def __init__(self, path: Path) -> None:
        suffix = path.suffix.lower()
        super().__init__(display_name(path), suffix if suffix in MAGIC else None)
        self.path = path

    @property
    def size_bytes(self) -> int:
        """The size on disk; 0 where the file cannot be looked at."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _open(self) -> BinaryIO:
        with self._reading():
            mode = self.path.stat().st_mode
            if stat.S_ISREG(mode):
                return self.path.open("rb")
        if stat.S_ISDIR(mode):
            raise InputError(f"{self.name} is a folder; expected a file")
        # Opening a pipe would wait for its other end, and it cannot be read twice.
        raise InputError(
            f"{self.name} is no regular file; name a file, or send it to standard input and give -"
        )


class SpooledSource(ByteSource):
    """A stream kept in a temporary file that has no name and goes with the process."""

    def __init__(self, name: str, stream: BinaryIO, folder: Path | None) -> None:
        """Read the stream to its end; raises `OutputError` if the folder cannot take it."""
        super().__init__(name, None)
        blocks = self._blocks(stream)
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                self._descriptor = os.dup(file.fileno())
                weakref.finalize(self, os.close, self._descriptor)
                for block in blocks:
                    file.write(block)
        except OSError as error:
            where = folder or tempfile.gettempdir()
            raise OutputError(f"{name} cannot be kept in {where}: {error.strerror or error}") from error
        with self._open() as file:
            start = file.read(_MAGIC_BYTES)
        self._packed = next((kind for kind, magic in MAGIC.items() if start.startswith(magic)), None)

    @property
    def size_bytes(self) -> int:
        """The size on disk."""
        return os.fstat(self._descriptor).st_size

    def _open(self) -> BinaryIO:
        file = os.fdopen(os.dup(self._descriptor), "rb")
        file.seek(0)
        return file


def _state_of(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class OneFile:
    """What readers of one file have in common: its name, and how much of it there is and was read."""

    def __init__(self, source: ByteSource | Path) -> None:
        self._source = FileSource(source) if isinstance(source, Path) else source
        self.name = self._source.name

    @property
    def size_bytes(self) -> int:
        """See `RecordFile`."""
        return self._source.size_bytes

    @property
    def bytes_read(self) -> int:
        """See `RecordFile`."""
        return self._source.bytes_read
