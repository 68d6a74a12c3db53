"""Texts as Arrow arrays of strings, which is how sketching reads them, from all that holds texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arguments import described
from dedup.errors import InputError
from dedup.formats.arrow_texts import ArrowTexts
from dedup.formats.json_texts import JsonTexts
from dedup.formats.parquet_values import is_string


def checked_texts(texts: pa.Array | pa.ChunkedArray | Sequence[str]) -> pa.LargeStringArray:
    """Return what a caller gave as texts; raise `InputError` for what is no list of strings."""
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        return _checked_column(texts)
    return _checked_list(texts)


def _checked_column(texts: pa.Array | pa.ChunkedArray) -> pa.LargeStringArray:
    if not is_string(texts.type):
        raise InputError(f"texts are an Arrow array of {texts.type}; expected strings")
    if texts.null_count:
        raise InputError(
            f"texts: number {texts.is_null().to_pylist().index(True)} is null; expected a string"
        )
    array = texts.cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.large_string())
    return array


def _checked_list(texts: Any) -> pa.LargeStringArray:
    if isinstance(texts, (str, bytes, Mapping)) or not isinstance(texts, Iterable):
        raise InputError(f"texts is {described(texts)}; expected a list of strings or an Arrow array")
    given = list(texts)
    for number, text in enumerate(given):
        if not isinstance(text, str):
            raise InputError(f"texts: number {number} is {described(text)}; expected a string")
    return text_array(given)


def text_array(texts: Sequence[str]) -> pa.LargeStringArray:
    """Return the strings as an Arrow array; surrogates become "?", which separates words."""
    if isinstance(texts, JsonTexts | ArrowTexts):
        return texts.to_arrow()
    if len(texts) == 1 and isinstance(texts[0], str):  # one that comes alone: half the time
        # Of bytes the buffer would be read-only, and kernels compiled for it once more.
        data = bytearray(texts[0], "utf-8", "replace")
        offsets = np.array([0, len(data)], dtype=np.int64)
        return pa.LargeStringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(data))
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        clean = [text and text.encode("utf-8", "replace").decode() for text in texts]
        return pa.array(clean, pa.large_string())


def taken(texts: Sequence[str], rows: Sequence[int]) -> Sequence[str]:
    """Return some of the texts, in the form in which they are."""
    if isinstance(texts, JsonTexts | ArrowTexts):
        return texts.take(rows)
    return [texts[row] for row in rows]


def string_buffers(texts: pa.LargeStringArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return offsets int64[n + 1] and bytes uint8 of an Arrow string array, without copying them."""
    _, offset_buffer, data_buffer = texts.buffers()
    if len(texts) == 0 or offset_buffer is None:
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    # An array of no bytes that can be written, as of all texts: kernels are compiled for each kind.
    data = np.frombuffer(data_buffer if data_buffer else bytearray(), dtype=np.uint8)
    if texts.null_count:
        return string_buffers(texts.fill_null(""))
    return offsets, data
