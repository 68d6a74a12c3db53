"""The log of the keys that came into `recent_postings`, from which each process makes a filter in memory.

A filter in the file would have a page written for each key of an article; a row of the log is a part of one.
Each row names the stamp of the one before, the state names the first and the last: a log that lacks a row is
told from a whole one, and what a process has read is a filter for all states that begin and end in it.
"""

import itertools
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.index.bloom import admit_keys, filter_words, insert_keys
from dedup.index.posting_state import PostingState, new_stamp, put_state, read_state
from dedup.index.rows import row_checksum

Int64s = npt.NDArray[np.int64]

_LEAST_KEYS = 1 << 15
"""The least room that a filter in memory has."""

_KNOWN_STAMPS = 10_000


class LogRow(NamedTuple):
    """A row of `recent_keys`: the keys, little-endian int64, and the stamps of the row before and its own."""

    seq: int
    before: int
    stamp: int
    keys: bytes

    def checksum(self) -> int:
        """Return the CRC-32 of all values."""
        return zlib.crc32(self.keys, row_checksum(*self[:-1]))


class LogEnd(NamedTuple):
    """The last row of the log at some time."""

    seq: int
    stamp: int


def log_keys(connection: apsw.Connection, keys: Int64s) -> None:
    """Write the keys, which rise, behind the log; nothing where the state is lost."""
    state = read_state(connection)
    if state is None or not len(keys):
        return
    row = LogRow(log_end(connection).seq + 1, state.log_end, new_stamp(), keys.astype("<i8").tobytes())
    connection.execute(
        "INSERT INTO recent_keys(checksum, seq, before, stamp, keys) VALUES(?, ?, ?, ?, ?)",
        (row.checksum(), *row),
    )
    put_state(connection, state._replace(log_end=row.stamp, log_keys=state.log_keys + len(keys)))


def log_end(connection: apsw.Connection) -> LogEnd:
    """Return the last row of the log, zeros where it has none."""
    found: Any = connection.execute("SELECT seq, stamp FROM recent_keys ORDER BY seq DESC LIMIT 1").fetchone()
    return LogEnd(0, 0) if found is None else LogEnd(*found)


def cut_log(connection: apsw.Connection, end: LogEnd) -> None:
    """Delete the log up to what was its end before all recent posting rows of then were merged."""
    state = read_state(connection)
    found: Any = connection.execute("SELECT stamp FROM recent_keys WHERE seq = ?", (end.seq,)).fetchone()
    if state is None or found != (end.stamp,):  # the state is lost, or another merge or a vacuum cut it
        return
    connection.execute("DELETE FROM recent_keys WHERE seq <= ?", (end.seq,))
    put_state(connection, state._replace(log_begin=end.stamp, log_keys=_count_keys(connection)))


def _count_keys(connection: apsw.Connection) -> int:
    found: Any = connection.execute("SELECT coalesce(sum(length(keys)) / 8, 0) FROM recent_keys").fetchone()
    return int(found[0])


class RecentKeys:
    """The filter in memory: all keys of the log that were read, also those that have gone since."""

    def __init__(self, state: PostingState) -> None:
        self._begin = state.log_begin
        self._end = LogEnd(0, state.log_begin)
        self._known = {state.log_begin}
        self._room = max(_LEAST_KEYS, 2 * state.log_keys)
        self._num_keys = 0
        self._words = np.zeros(filter_words(self._room), dtype=np.uint64)

    def covers(self, state: PostingState) -> bool:
        """Return whether all keys that the log had at this state are in the filter.

        One that begins before it may have keys that are not: those of rows that were cut since.
        """
        known = self._known
        return state.log_end in known and state.log_begin in known

    def read_on(self, connection: apsw.Connection, state: PostingState) -> bool:
        """Read what is behind the last row that was read; return whether that is all, and there was room.

        One thread at a time. Others may ask meanwhile: a bit that is set stays.
        """
        for row, is_whole in read_log(connection, self._end.seq):
            if not is_whole or row.before != self._end.stamp or self._num_keys > self._room:
                return False
            keys = np.frombuffer(row.keys, dtype="<i8").astype(np.int64)
            insert_keys(keys, self._words)
            self._num_keys += len(keys)
            self._end = LogEnd(row.seq, row.stamp)
            if len(self._known) > _KNOWN_STAMPS:
                self._known = {self._begin}
            self._known.add(row.stamp)
        return self.covers(state)

    def admitted(self, keys: Int64s) -> Int64s:
        """Return those of the keys that may have a row of `recent_postings`."""
        found = np.empty(len(keys), dtype=np.int64)
        return found[: admit_keys(keys, self._words, found)]


def read_log(connection: apsw.Connection, after: int) -> Iterator[tuple[LogRow, bool]]:
    """Yield the rows of the log behind one, and whether they are as written."""
    found = connection.execute(
        "SELECT checksum, seq, before, stamp, keys FROM recent_keys WHERE seq > ? ORDER BY seq", (after,)
    )
    values: Any
    for checksum, *values in found:
        row = LogRow(*values)
        is_whole = isinstance(row.keys, bytes) and len(row.keys) % 8 == 0 and row.checksum() == checksum
        yield row, is_whole


def find_problems(connection: apsw.Connection, keys_at_once: int) -> Iterator[str]:
    """Yield what is wrong with the log, in words."""
    state = read_state(connection)
    if state is None:
        yield "the state of the posting rows is lost"
        return
    num_keys = _count_keys(connection)
    if num_keys != state.log_keys:
        yield f"the log of recent keys has {num_keys} keys, not {state.log_keys}"
    recent = RecentKeys(state._replace(log_keys=num_keys))
    if not recent.read_on(connection, state):
        yield "the log of recent keys is not whole, so look-ups take longer"
        return
    rows = (key for (key,) in connection.execute("SELECT key FROM recent_postings"))
    while len(keys := np.fromiter(itertools.islice(rows, keys_at_once), np.int64)):
        for key in np.setdiff1d(keys, recent.admitted(keys)).tolist():
            yield f"the log of recent keys lacks the key {key} of a posting row, which hides it"
