"""Ids of articles while files are read: told apart by a table of hashes, kept as bytes in one buffer.

A list of ids and a dict of their rows take 140 bytes an article as Python has them. Here they take 20 to 35
and what is in the ids, and 9 and that once all are read.
"""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.articles import ArticleId
from dedup.compiling import inner_kernel, kernel
from dedup.errors import InputError
from dedup.formats.arrow_columns import numbers, strings

u64 = np.uint64

MAX_IDS = (1 << 32) - 1
"""A slot of the table has 32 bits for a row."""

_ROW_BITS = u64(32)
_ROW_MASK = u64(0xFFFFFFFF)
_FIRST_SLOTS = 4096
_BLOCK = 4096  # ids made at a time while all are walked


class Admitted(NamedTuple):
    """The rows of ids, int64[k], and whether each was new, bool[k]."""

    rows: npt.NDArray[np.int64]
    is_new: npt.NDArray[np.bool_]


class ArticleIds(Sequence[ArticleId]):
    """Distinct ids, row by row; a `str` or `int` is made where one is asked for.

    Ids are the same if they are the same as strings. The table is scattered by a number drawn by chance, so
    that no input can be made to fill one place of it; nothing that is found depends on that number.
    """

    def __init__(self) -> None:
        self._data = bytearray()  # UTF-8 of the ids as strings, one behind the other
        self._offsets = bytearray(8)  # int64[n + 1]
        self._is_integer = bytearray()
        self._slots = np.zeros(_FIRST_SLOTS, dtype=np.uint64)
        self._seed = u64(secrets.randbits(64))

    def __len__(self) -> int:
        return len(self._is_integer)

    @overload
    def __getitem__(self, item: int) -> ArticleId: ...
    @overload
    def __getitem__(self, item: slice) -> list[ArticleId]: ...
    def __getitem__(self, item: int | slice) -> ArticleId | list[ArticleId]:
        if isinstance(item, slice):
            return [self[row] for row in range(len(self))[item]]
        row = range(len(self))[item]
        begin, end = np.frombuffer(self._offsets, np.int64, 2, 8 * row).tolist()
        text = self._data[begin:end].decode()
        return int(text) if self._is_integer[row] else text

    def __iter__(self) -> Iterator[ArticleId]:
        column = self.to_arrow()
        for start in range(0, len(self), _BLOCK):
            texts = column[start : start + _BLOCK].to_pylist()
            are_integers = self._is_integer[start : start + _BLOCK]
            if any(are_integers):
                texts = [int(text) if is_ else text for text, is_ in zip(texts, are_integers, strict=True)]
            yield from texts

    @property
    def has_strings(self) -> bool:
        """Whether an id is a string, not an integer."""
        return 0 in self._is_integer

    def to_arrow(self) -> pa.LargeStringArray:
        """Return the ids as strings, which are not copied: while the array is there, none can be admitted."""
        buffers = [None, pa.py_buffer(self._offsets), pa.py_buffer(self._data)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)

    def admit(self, ids: Sequence[ArticleId]) -> Admitted:
        """Return the row of each id; those that are new get the next rows."""
        num_known, num_bytes = len(self), len(self._data)
        self._make_room(num_known + len(ids))
        encoded = [str(id_).encode() for id_ in ids]
        self._data += b"".join(encoded)
        self._offsets += bytes(8 * len(ids))
        ends = num_bytes + np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        admitted = Admitted(np.empty(len(ids), dtype=np.int64), np.empty(len(ids), dtype=np.bool_))
        num_ids, num_bytes = _admit(
            np.frombuffer(self._data, dtype=np.uint8), np.frombuffer(self._offsets, dtype=np.int64),
            num_known, ends, self._slots, self._seed, *admitted,
        )  # fmt: skip
        del self._data[num_bytes:], self._offsets[8 * (num_ids + 1) :]
        are_integers = [type(id_) is int for id_ in ids]
        self._is_integer += bytes(itertools.compress(are_integers, admitted.is_new.tolist()))
        return admitted

    def _make_room(self, num_ids: int) -> None:
        """Grow the table so that two thirds of it at most are in use."""
        if num_ids > MAX_IDS:
            raise InputError(
                f"more than {MAX_IDS:,} articles; one run takes no more: group fewer days at a time"
            )
        while 3 * num_ids > 2 * len(self._slots):
            larger = np.zeros(2 * len(self._slots), dtype=np.uint64)
            _move_slots(self._slots, larger)
            self._slots = larger

    def close(self) -> None:
        """Let go of the table: all ids were admitted."""
        self._slots = np.empty(0, dtype=np.uint64)


@kernel
def _admit(data, offsets, num_ids, ends, slots, seed, rows, is_new):
    """Find ids among those known or put them behind; return how many are known now, and their bytes.

    The ids to be found stand behind the known ones, to `ends` int64[k]; the bytes of new ones are moved to
    the front. A slot, uint64, has the upper half of the hash of an id and, in the lower half, its row and
    one; 0 is free.
    """
    mask = u64(len(slots) - 1)
    begin = offsets[num_ids]
    for k in range(len(ends)):
        end = ends[k]
        state = _hash_bytes(data, begin, end, seed)
        tag = state >> _ROW_BITS
        slot = tag & mask
        row = np.int64(-1)
        while slots[slot] != u64(0):
            if slots[slot] >> _ROW_BITS == tag:
                candidate = np.int64(slots[slot] & _ROW_MASK) - 1
                if _are_equal(data, offsets[candidate], offsets[candidate + 1], begin, end):
                    row = candidate
                    break
            slot = (slot + u64(1)) & mask
        is_new[k] = row < 0
        if row < 0:
            row = num_ids
            to = offsets[row]
            for i in range(end - begin):
                data[to + i] = data[begin + i]
            num_ids += 1
            offsets[num_ids] = to + end - begin
            slots[slot] = tag << _ROW_BITS | u64(num_ids)
        rows[k] = row
        begin = end
    return num_ids, offsets[num_ids]


@inner_kernel
def _hash_bytes(data, begin, end, seed):
    state = seed
    for i in range(begin, end):
        state = (state ^ u64(data[i])) * u64(0x9E3779B97F4A7C15)  # wraps modulo 2**64, as intended
        state ^= state >> u64(32)
    return state * u64(0xD6E8FEB86659FD93)


@inner_kernel
def _are_equal(data, begin, end, other_begin, other_end):
    if end - begin != other_end - other_begin:
        return False
    for i in range(end - begin):  # noqa: SIM110 - kernels have no generators
        if data[begin + i] != data[other_begin + i]:
            return False
    return True


@kernel
def _move_slots(slots, larger):
    mask = u64(len(larger) - 1)
    for value in slots:
        if value != u64(0):
            slot = (value >> _ROW_BITS) & mask
            while larger[slot] != u64(0):
                slot = (slot + u64(1)) & mask
            larger[slot] = value


def id_strings(ids: Sequence[ArticleId]) -> pa.LargeStringArray:
    """Return ids as an Arrow array of strings."""
    if isinstance(ids, ArticleIds):
        return ids.to_arrow()
    return strings([str(id_) for id_ in ids])


def id_arrays(*columns: Sequence[ArticleId]) -> list[pa.Array]:
    """Return columns of ids as int64 if all ids are integers that fit, else as strings."""
    if all(map(_fit_int64, columns)):
        return [numbers(np.fromiter(ids, dtype=np.int64, count=len(ids))) for ids in columns]
    return [id_strings(ids) for ids in columns]


def _fit_int64(ids: Sequence[ArticleId]) -> bool:
    if isinstance(ids, ArticleIds) and ids.has_strings:
        return False
    return all(isinstance(id_, int) and -(1 << 63) <= id_ < 1 << 63 for id_ in ids)
