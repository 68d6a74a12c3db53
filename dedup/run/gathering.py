"""Sketches that arrive in parts, put together as they come: a part is copied once and then gone."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.run.sketches import OFFSETS, ROWS, Sketches


class GatheredSketches:
    """Sketches in the making.

    Each column is a bytearray that grows at its end. The system moves a large one by its page table, so
    that growing needs no room for a second copy, as joining all parts at the end would.
    """

    def __init__(self) -> None:
        self._columns: dict[str, bytearray] = {}
        self._shapes: dict[str, tuple[np.dtype[np.generic], tuple[int, ...]]] = {}
        self._num_rows = 0
        self._ends = dict.fromkeys(OFFSETS, 0)

    def append(self, part: Sketches) -> None:
        """Take a part behind those that came before."""
        for field in dataclasses.fields(Sketches):
            array = getattr(part, field.name)
            column = self._columns.setdefault(field.name, bytearray())
            if field.name in ROWS:
                array = array + self._num_rows
            elif field.name in OFFSETS:
                array = array + self._ends[field.name]
                self._ends[field.name] = int(array[-1])
                array = array[1:] if column else array
            self._shapes[field.name] = array.dtype, array.shape[1:]
            if array.size:
                column += np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        self._num_rows += len(part)

    def fingerprint(self, row: int) -> int:
        """Return the fingerprint of a row that was taken."""
        return int(np.frombuffer(self._columns["fingerprints"], dtype=np.uint64, count=1, offset=8 * row)[0])

    def finish(self) -> Sketches:
        """Return the sketches of all parts, at least one; they own the memory of the columns."""
        columns: dict[str, Any] = {name: self._array(name) for name in self._columns}
        self._columns = {}
        return Sketches(**columns)

    def _array(self, name: str) -> npt.NDArray[np.generic]:
        dtype, shape = self._shapes[name]
        flat = np.frombuffer(self._columns[name], dtype=dtype)
        width = int(np.prod(shape, dtype=np.int64))
        num_rows = len(flat) // width if width else self._num_rows
        return flat.reshape(num_rows, *shape)
