"""Packed files, unpacked block by block: gzip, bzip2, xz and Zstandard."""

import bz2
import importlib
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

_PACKED_BYTES = 16 << 10
_BLOCK_BYTES = 64 << 10
"""Small blocks: where a file is damaged, at most the last one is lost, and a bomb never fills memory."""


class BrokenFileError(Exception):
    """The bytes end before the file does; what was read before is good."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipDecompressor:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._filled = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not (self._filled or self._inner.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        block = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._filled = len(block) == max_length  # then more may wait inside
        return block


MAGIC = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\x00",
    ".zst": b"\x28\xb5\x2f\xfd",
}
"""The suffixes of packed files and how such a file begins: RFC 1952, bzip2, the .xz format, RFC 8878."""

_NAMES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard"}


def unpack(file: BinaryIO, suffix: str) -> Iterator[bytes]:
    """Yield what the packed file holds from its start on, all its members one after the other.

    Raises `BrokenFileError` after the last good block if the file is cut off or damaged.
    """
    if suffix == ".zst" and sys.version_info < (3, 14):
        return _unpack_zstd_with_arrow(file)
    makers: dict[str, Callable[[], Any]] = {
        ".gz": _GzipDecompressor,
        ".bz2": bz2.BZ2Decompressor,
        ".xz": lzma.LZMADecompressor,
    }
    if suffix == ".zst":
        makers[".zst"] = importlib.import_module("compression.zstd").ZstdDecompressor
    return _unpack(file, makers[suffix], _NAMES[suffix])


def _unpack(file: BinaryIO, new_decompressor: Callable[[], _Decompressor], name: str) -> Iterator[bytes]:
    decompressor: _Decompressor | None = None
    while packed := file.read(_PACKED_BYTES):
        while packed or (decompressor and not decompressor.eof and not decompressor.needs_input):
            if decompressor is None or decompressor.eof:
                packed = packed.lstrip(b"\0") if decompressor else packed  # padding between members
                if not packed:
                    break
                decompressor = new_decompressor()
            try:
                block = decompressor.decompress(packed, _BLOCK_BYTES)
            except _faults() as error:
                raise BrokenFileError(f"the {name} data is damaged: {error}") from error
            packed = decompressor.unused_data if decompressor.eof else b""
            if block:
                yield block
    if decompressor is not None and not decompressor.eof:
        raise BrokenFileError(f"the {name} data is cut off")


def _faults() -> tuple[type[Exception], ...]:
    faults = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError)
    if sys.version_info >= (3, 14):
        return (*faults, importlib.import_module("compression.zstd").ZstdError)
    return faults


def _unpack_zstd_with_arrow(file: BinaryIO) -> Iterator[bytes]:
    """Arrow gives up the block in which it meets a fault; that one is read once more byte by byte."""
    num_good = 0
    try:
        for block in iter(partial(_arrow_stream(file).read, _BLOCK_BYTES), b""):
            num_good += len(block)
            yield block
        return
    except (OSError, pa.ArrowException) as error:
        reason = str(error)
    yield _bytes_after(file, num_good)
    if "truncated" in reason.lower():
        raise BrokenFileError("the Zstandard data is cut off")
    raise BrokenFileError(f"the Zstandard data is damaged: {reason}")


def _bytes_after(file: BinaryIO, num_good: int) -> bytes:
    stream = _arrow_stream(file)
    rest = bytearray()
    try:
        while num_good:
            num_good -= len(stream.read(min(num_good, _BLOCK_BYTES)))
        for byte in iter(partial(stream.read, 1), b""):
            rest += byte
    except (OSError, pa.ArrowException):
        pass
    return bytes(rest)


def _arrow_stream(file: BinaryIO) -> Any:
    file.seek(0)
    return pa.CompressedInputStream(pa.PythonFile(_Unclosed(file), "r"), "zstd")


class _Unclosed:
    """A file that stays open when Arrow is done with it."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read

    def close(self) -> None:
        """Do nothing; the owner closes the file."""
