"""Sketches that arrive in parts, put together as they come: a part is copied once and then gone.

They gather in memory; on disk from the first on, or once what has come tells that they will not fit.
"""

import dataclasses
import mmap
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import OutputError
from dedup.run.room import Room
from dedup.run.sketches import LARGE, OFFSETS, ROWS, Sketches


class _MemoryColumn:
    """A bytearray. The system moves a large one by its page table, so that growing needs no second copy."""

    def __init__(self) -> None:
        self.data = bytearray()

    @property
    def num_bytes(self) -> int:
        return len(self.data)

    def append(self, data: memoryview) -> None:
        self.data += data

    def array(self, dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
        return np.frombuffer(self.data, dtype=dtype)


class _DiskColumn:
    """A file without a name that goes with the process, mapped to memory in the end.

    Its pages are in memory as far as there is room; the system writes out and drops what it needs back.
    """

    def __init__(self, folder: Path) -> None:
        self.num_bytes = 0
        self._folder = folder
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                self._descriptor = os.dup(file.fileno())
        except OSError as error:
            raise self._not_kept(error) from error
        weakref.finalize(self, os.close, self._descriptor)

    def append(self, data: memoryview) -> None:
        try:
            while len(data):
                written = os.write(self._descriptor, data)
                self.num_bytes += written
                data = data[written:]
        except OSError as error:
            raise self._not_kept(error) from error

    def array(self, dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
        if self.num_bytes == 0:
            return np.empty(0, dtype=dtype)
        try:
            mapped = mmap.mmap(self._descriptor, self.num_bytes)  # keeps the file until it is gone itself
        except OSError as error:
            raise self._not_kept(error) from error
        return np.frombuffer(mapped, dtype=dtype)

    def _not_kept(self, error: OSError) -> OutputError:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return OutputError(
            f"sketches that do not fit in memory cannot be kept in {self._folder}: {reason}, after "
            f"{self.num_bytes:,} bytes of one column; name a folder with more room (--scratch)"
        )


class GatheredSketches:
    """Sketches in the making."""

    def __init__(self, room: Room | None = None) -> None:
        self._room = room or Room()
        self._in_memory: dict[str, _MemoryColumn] = {}
        self._on_disk: dict[str, _DiskColumn] = {}
        if self._room.starts_on_disk:
            self._on_disk = {name: _DiskColumn(self._room.folder) for name in LARGE}
        self._shapes: dict[str, tuple[np.dtype[np.generic], tuple[int, ...]]] = {}
        self._num_rows = 0
        self._ends = dict.fromkeys(OFFSETS, 0)

    def append(self, part: Sketches) -> None:
        """Take a part behind those that came before; raises `OutputError` where a disk cannot take it."""
        for field in dataclasses.fields(Sketches):
            array = getattr(part, field.name)
            column = self._column(field.name)
            if field.name in ROWS:
                array = array + self._num_rows
            elif field.name in OFFSETS:
                array = array + self._ends[field.name]
                self._ends[field.name] = int(array[-1])
                array = array[1:] if column.num_bytes else array
            self._shapes[field.name] = array.dtype, array.shape[1:]
            if array.size:
                column.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        self._num_rows += len(part)
        in_memory = sum(column.num_bytes for column in self._in_memory.values())
        if not self._on_disk and self._room.is_short(in_memory):
            self._move_to_disk()

    @property
    def disk_bytes(self) -> int:
        """The bytes of the columns on disk, 0 where all are in memory."""
        return sum(column.num_bytes for column in self._on_disk.values())

    def fingerprint(self, row: int) -> int:
        """Return the fingerprint of a row that was taken."""
        data = self._in_memory["fingerprints"].data
        return int(np.frombuffer(data, dtype=np.uint64, count=1, offset=8 * row)[0])

    def finish(self) -> Sketches:
        """Return the sketches of all parts, at least one; they own the memory or files of the columns."""
        columns: dict[str, Any] = {name: self._array(name) for name in self._shapes}
        self._in_memory, self._on_disk = {}, {}
        return Sketches(**columns)

    def _column(self, name: str) -> _MemoryColumn | _DiskColumn:
        return self._on_disk.get(name) or self._in_memory.setdefault(name, _MemoryColumn())

    def _move_to_disk(self) -> None:
        for name in LARGE:
            column = _DiskColumn(self._room.folder)
            column.append(memoryview(self._in_memory.pop(name).data))
            self._on_disk[name] = column
        self._room.tell_of_move(self._num_rows)

    def _array(self, name: str) -> npt.NDArray[np.generic]:
        dtype, shape = self._shapes[name]
        flat = self._column(name).array(dtype)
        width = int(np.prod(shape, dtype=np.int64))
        num_rows = len(flat) // width if width else self._num_rows
        return flat.reshape(num_rows, *shape)


def expect_scattered_reads(*arrays: npt.NDArray[Any]) -> None:
    """Tell the system, where arrays are files, that they will be read here and there: not to read ahead.

    Where memory is short, reading ahead would drop what is needed for what is not, megabytes at a time.
    """
    for array in arrays:
        base: Any = array
        while isinstance(base, np.ndarray | memoryview):
            base = base.base if isinstance(base, np.ndarray) else base.obj
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_RANDOM"):
            base.madvise(mmap.MADV_RANDOM)
