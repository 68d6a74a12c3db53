"""Texts as they stand in JSON, between quotes and with escapes: undone only where they are read.

Making a `str` of a text, and UTF-8 of the `str` again for the kernels, takes as long as sketching it. Here
the bytes stay what they are until a thread without Python's lock undoes the escapes.
"""

from collections.abc import Sequence
from typing import Any, overload

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.text.json_strings import find_ends, is_utf8, unescape

_QUOTE = ord('"')


class JsonTexts(Sequence[str]):
    """The strings that n JSON literals stand for; a `str` is made where one is asked for.

    Literal k is data[begins[k]:ends[k]], uint8, with its quotes; `begins` and `ends` are int64[n].
    """

    def __init__(
        self, data: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> None:
        self._data = data
        self._begins = begins
        self._ends = ends

    def __len__(self) -> int:
        return len(self._begins)

    @overload
    def __getitem__(self, item: int) -> str: ...
    @overload
    def __getitem__(self, item: slice) -> "JsonTexts": ...
    def __getitem__(self, item: int | slice) -> "str | JsonTexts":
        if isinstance(item, slice):
            return JsonTexts(self._data, self._begins[item], self._ends[item])
        return _DECODER.decode(self._data[self._begins[item] : self._ends[item]].data)

    def take(self, rows: Sequence[int]) -> "JsonTexts":
        """Return the texts of these rows; the bytes are shared."""
        chosen = np.array(rows, dtype=np.int64)
        return JsonTexts(self._data, self._begins[chosen], self._ends[chosen])

    def to_arrow(self) -> pa.LargeStringArray:
        """Return the strings as an Arrow array, made without Python's lock."""
        data = np.empty(int(np.sum(self._ends - self._begins)), dtype=np.uint8)
        offsets = np.zeros(len(self) + 1, dtype=np.int64)
        unescape(self._data, self._begins, self._ends, data, offsets)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data[: offsets[-1]])]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)


def json_texts(literals: Sequence[Any]) -> JsonTexts | None:
    r"""Return the texts of JSON values that msgspec passed over; None where one is no string, or not UTF-8.

    It has checked escapes and control characters then, but not UTF-8. A `str` among them is encoded.

    >>> list(json_texts([msgspec.Raw(b'"a\\n\\u0062"'), "c"]))
    ['a\nb', 'c']
    >>> json_texts([msgspec.Raw(b'"\xff"')]), json_texts([msgspec.Raw(b"null")])
    (None, None)
    """
    pieces = [_ENCODER.encode(each) if type(each) is str else each for each in literals]
    data = np.frombuffer(b"\n".join(pieces), dtype=np.uint8)  # no literal has a line break
    if not is_utf8(data):
        return None
    ends = np.empty(len(pieces), dtype=np.int64)
    find_ends(data, ends)
    begins = np.zeros(len(pieces), dtype=np.int64)
    begins[1:] = ends[:-1] + 1
    # Another value may have line breaks; then it, or one before, does not begin with a quote.
    if pieces and not (ends[-1] == len(data) and bool(np.all(data[begins] == _QUOTE))):
        return None
    return JsonTexts(data, begins, ends)


def is_utf8_string(value: msgspec.Raw) -> bool:
    """Return whether a JSON value is a string, and its bytes are UTF-8."""
    try:
        return bytes(value).decode().startswith('"')
    except UnicodeDecodeError:
        return False


_DECODER = msgspec.json.Decoder(str)
_ENCODER = msgspec.json.Encoder()
