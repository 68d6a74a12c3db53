"""Texts as an Arrow column has them: a `str` is made only where one is asked for."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa

from dedup.formats.arrow_columns import numbers


class ArrowTexts(Sequence[str]):
    """The strings of an Arrow array without a null."""

    def __init__(self, array: pa.LargeStringArray) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, item: int) -> str: ...
    @overload
    def __getitem__(self, item: slice) -> "ArrowTexts": ...
    def __getitem__(self, item: int | slice) -> "str | ArrowTexts":
        found = self._array[item]
        return ArrowTexts(found) if isinstance(item, slice) else found.as_py()

    def take(self, rows: Sequence[int]) -> "ArrowTexts":
        """Return the texts of these rows."""
        return ArrowTexts(self._array.take(numbers(np.array(rows, dtype=np.int64))))

    def to_arrow(self) -> pa.LargeStringArray:
        """Return the array."""
        return self._array


def checked_strings(column: Any) -> pa.LargeStringArray | None:
    """Return a column of strings, coded or not, as they are; None where one is not UTF-8."""
    try:
        array = column.cast(pa.large_string())
        array.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return array
