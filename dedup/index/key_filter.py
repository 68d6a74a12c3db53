"""The filter of the keys of `postings`: most keys of an article are in no row, and are not looked up there.

It never hides a row. Its parts divide the keys by their order, so that a merge, which goes by that order too,
touches few in each step; a part that is absent or damaged admits all keys. Each transaction that gives
`postings` a new key puts it into the filter and draws a new stamp; what a process keeps of the filter is used
only where its transaction sees the stamp with which it was read. Keys that go stay in the filter until
their part is written anew.
"""

import itertools
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.index.bloom import admit_keys_of_parts, filter_words, insert_keys
from dedup.index.posting_state import new_stamp, put_state, read_state
from dedup.index.rows import all_rows, row_checksum

Int64s = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

MAX_KEYS = 32_768
"""Keys of a part. With one more it is written anew as two, so that a key has 11 bits on average."""

PART_WORDS = filter_words(MAX_KEYS)

_END = (1 << 63) - 1
"""Above all keys."""


class Part(NamedTuple):
    """A row of `posting_filters`: the keys from `first_key` up to `end_key`, and when they were written."""

    first_key: int
    end_key: int
    num_keys: int
    stamp: int
    bits: bytes

    def checksum(self) -> int:
        """Return the CRC-32 of all values."""
        return zlib.crc32(self.bits, row_checksum(*self[:-1]))

    def is_whole(self, checksum: int) -> bool:
        """Return whether this is the checksum, and the bits are bits of a part."""
        return (
            isinstance(self.bits, bytes) and len(self.bits) == 8 * PART_WORDS and self.checksum() == checksum
        )

    def words(self) -> Words:
        """Return the bits, uint64[PART_WORDS], to be written to."""
        return np.frombuffer(self.bits, dtype="<u8").astype(np.uint64)


class KeyFilter:
    """What a process keeps of the filter with one stamp; parts are read when they are first needed."""

    def __init__(self, connection: apsw.Connection, stamp: int, earlier: "KeyFilter | None" = None) -> None:
        self.stamp = stamp
        ranges, self._stamps = _read_ranges(connection)
        self._firsts, self._ends = ranges
        self._is_read = np.zeros(len(self._stamps), dtype=np.bool_)
        # Of this the system gives memory only for what is written.
        self._words = np.empty((len(self._stamps), PART_WORDS), dtype=np.uint64)
        known = {} if earlier is None else earlier.parts()
        mine = set(zip(self._firsts.tolist(), self._stamps, strict=True))
        self._known: dict[tuple[int, int], Words] = {
            part: words.copy() for part, words in known.items() if part in mine
        }

    def parts(self) -> dict[tuple[int, int], Words]:
        """Return the parts that were read, by first key and stamp."""
        read = np.flatnonzero(self._is_read).tolist()
        return self._known | {
            (int(self._firsts[part]), self._stamps[part]): self._words[part] for part in read
        }

    def admitted(self, connection: apsw.Connection, keys: Int64s) -> Int64s:
        """Return those of the keys, which rise, that may have a row of `postings`."""
        found = np.empty(len(keys), dtype=np.int64)
        while True:
            is_read = self._is_read.copy()  # another thread may be reading a part
            count = admit_keys_of_parts(keys, self._firsts, self._ends, is_read, self._words, found)
            if count >= 0:
                return found[:count]
            self._read(connection, -1 - count)

    def _read(self, connection: apsw.Connection, at: int) -> None:
        first_key = int(self._firsts[at])
        words = self._known.pop((first_key, self._stamps[at]), None)
        if words is None:
            part = next((part for part, is_whole in read_parts(connection, first_key) if is_whole), None)
            is_it = part is not None and part.end_key == self._ends[at] and part.stamp == self._stamps[at]
            words = part.words() if part is not None and is_it else _ADMITS_ALL
        self._words[at] = words
        self._is_read[at] = True


_ADMITS_ALL = np.full(PART_WORDS, 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)


def put_keys(connection: apsw.Connection, keys: Int64s) -> None:
    """Put keys, which rise, into the filter; `postings` has them by now. A damaged part is deleted."""
    if not len(keys):
        return
    stamp = _draw_stamp(connection)
    first_key, last_key = int(keys[0]), int(keys[-1])
    parts = list(read_parts(connection, first_key, last_key))
    if not parts and not _has_rows(connection):
        _write_anew(connection, 0, _END, stamp)
    for part, is_whole in parts:
        if not is_whole:  # its end is not known either; without a part all its keys are admitted
            connection.execute("DELETE FROM posting_filters WHERE first_key = ?", (part.first_key,))
            continue
        mine = keys[np.searchsorted(keys, part.first_key) : np.searchsorted(keys, part.end_key)]
        words = part.words()
        num_keys = part.num_keys + insert_keys(mine, words)
        if num_keys > MAX_KEYS:
            _write_anew(connection, part.first_key, part.end_key, stamp)
        elif num_keys > part.num_keys:
            _put_part(connection, part._replace(num_keys=num_keys, stamp=stamp, bits=_bytes(words)))


def write_filter(connection: apsw.Connection) -> None:
    """Write the whole filter anew from the keys that are there."""
    _write_anew(connection, 0, _END, _draw_stamp(connection))


def find_problems(connection: apsw.Connection, keys_at_once: int) -> Iterator[str]:
    """Yield what is wrong with the filter, in words."""
    end = 0
    for part, is_whole in read_parts(connection, 0, _END):
        if not is_whole:
            yield f"the filter of the keys from {part.first_key} does not have its checksum"
        if part.first_key != end:
            yield f"the filter has no part for the keys from {end}, so look-ups take longer"
        end = part.end_key
    if end != _END and len(_first_of(_keys_between(connection, 0, _END), 1)):
        yield f"the filter has no part for the keys from {end}, so look-ups take longer"
    keys = _keys_between(connection, 0, _END)
    as_read = KeyFilter(connection, 0)
    while len(some := _first_of(keys, keys_at_once)):
        for key in np.setdiff1d(some, as_read.admitted(connection, some)).tolist():
            yield f"the filter lacks the key {key} of a posting row, which hides it"


def read_parts(
    connection: apsw.Connection, first_key: int, last_key: int | None = None
) -> Iterator[tuple[Part, bool]]:
    """Yield the parts that have keys of a range, by default of one key, and whether they are as written."""
    found = connection.execute(
        "SELECT checksum, first_key, end_key, num_keys, stamp, bits FROM posting_filters WHERE first_key >="
        " (SELECT coalesce(max(first_key), 0) FROM posting_filters WHERE first_key <= ?1) AND first_key <= ?2"
        " ORDER BY first_key",
        (first_key, first_key if last_key is None else last_key),
    )
    for checksum, *values in all_rows(found):
        part = Part(*values)
        yield part, part.is_whole(checksum)


def _write_anew(connection: apsw.Connection, first_key: int, end_key: int, stamp: int) -> None:
    """Write the parts of a range anew, each half full, from the keys that `postings` has there."""
    connection.execute(
        "DELETE FROM posting_filters WHERE first_key >= ? AND first_key < ?", (first_key, end_key)
    )
    counted = "SELECT count(*) FROM postings WHERE key >= ? AND key < ?"
    ((num_keys,),) = all_rows(connection.execute(counted, (first_key, end_key)))
    num_parts = max(1, round(2 * num_keys / MAX_KEYS))
    size = max(1, -(-num_keys // num_parts))
    rows = _keys_between(connection, first_key, end_key)
    keys = _first_of(rows, size)
    while True:
        following = _first_of(rows, size)
        next_key = int(following[0]) if len(following) else end_key
        words = np.zeros(PART_WORDS, dtype=np.uint64)
        insert_keys(keys, words)
        _put_part(connection, Part(first_key, next_key, len(keys), stamp, _bytes(words)))
        if next_key == end_key:
            return
        first_key, keys = next_key, following


def _put_part(connection: apsw.Connection, part: Part) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO posting_filters(checksum, first_key, end_key, num_keys, stamp, bits)"
        " VALUES(?, ?, ?, ?, ?, ?)",
        (part.checksum(), *part),
    )


def _bytes(words: Words) -> bytes:
    return words.astype("<u8", copy=False).tobytes()


def _keys_between(connection: apsw.Connection, first_key: int, end_key: int) -> Iterator[int]:
    rows = connection.execute(
        "SELECT key FROM postings WHERE key >= ? AND key < ? ORDER BY key", (first_key, end_key)
    )
    return (key for (key,) in rows)


def _first_of(keys: Iterator[int], count: int) -> Int64s:
    return np.fromiter(itertools.islice(keys, count), np.int64)


def _has_rows(connection: apsw.Connection) -> bool:
    return connection.execute("SELECT 1 FROM posting_filters LIMIT 1").fetchone() is not None


def _draw_stamp(connection: apsw.Connection) -> int:
    """Return the stamp that this transaction gives to the filter; a state that is lost has none."""
    stamp, state = new_stamp(), read_state(connection)
    if state is not None:
        put_state(connection, state._replace(filter_stamp=stamp))
    return stamp


def _read_ranges(connection: apsw.Connection) -> tuple[Int64s, list[int]]:
    """Return first and end keys of the parts, int64[2, n], and their stamps; none where they are damaged."""
    rows = all_rows(
        connection.execute("SELECT first_key, end_key, stamp FROM posting_filters ORDER BY first_key")
    )
    if not all(isinstance(end_key, int) for _, end_key, _ in rows):
        return np.empty((2, 0), dtype=np.int64), []
    columns = np.array([row[:2] for row in rows], dtype=np.int64).reshape(-1, 2).T
    return np.ascontiguousarray(columns), [row[2] for row in rows]
