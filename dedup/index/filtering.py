"""Which keys of an article are looked up in the posting tables: those that may be there.

What a process keeps for that holds for the state of the posting rows, see `posting_state`; where it does not
hold, all keys are looked up.
"""

import threading
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.index import key_filter, recent_keys
from dedup.index.key_filter import KeyFilter
from dedup.index.posting_state import PostingState, new_stamp, put_state, read_state
from dedup.index.recent_keys import RecentKeys

Int64s = npt.NDArray[np.int64]

_WORTH_READING = 64
"""The log is read once a process has asked for one key for each so many of it: until then that takes longer
than looking all keys up."""


class Admitted(NamedTuple):
    """The keys that may have rows of `recent_postings` and of `postings`, int64, rising."""

    recent: Int64s
    large: Int64s


class Filtering:
    """What a process keeps of the keys of an index; the connections of a store share it."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._large: KeyFilter | None = None
        self._recent: RecentKeys | None = None
        self._num_asked = 0

    def admitted(self, connection: apsw.Connection, keys: Int64s) -> Admitted:
        """Return those of the keys, which rise, that may have rows in this transaction."""
        state = read_state(connection)
        if state is None:
            return Admitted(keys, keys)
        large = self._large
        if large is None or large.stamp != state.filter_stamp:
            large = self._large = KeyFilter(connection, state.filter_stamp, large)
        recent = self._recent
        if recent is None or not recent.covers(state):
            recent = self._read_recent(connection, state, len(keys))
        return Admitted(keys if recent is None else recent.admitted(keys), large.admitted(connection, keys))

    def _read_recent(
        self, connection: apsw.Connection, state: PostingState, num_asked: int
    ) -> RecentKeys | None:
        """Return the filter with all recent keys of a state, None where it is not worth while or damaged."""
        with self._reading:
            recent = self._recent
            if recent is not None and (recent.covers(state) or recent.read_on(connection, state)):
                return recent
            self._num_asked += num_asked
            if self._num_asked * _WORTH_READING < state.log_keys:
                return None
            self._num_asked = 0
            recent = RecentKeys(state)
            if not recent.read_on(connection, state):
                return None
            self._recent = recent
            return recent


class FilteringConnection(apsw.Connection):
    """A connection that knows what its process keeps of the keys."""

    filtering: Filtering


def write_anew(connection: apsw.Connection) -> None:
    """Write filter, log and state anew from the posting rows that are there."""
    keys = connection.execute("SELECT key FROM recent_postings ORDER BY key").fetchall()
    begin = new_stamp()
    connection.execute("DELETE FROM recent_keys")
    put_state(connection, PostingState(begin, begin, begin, 0))
    recent_keys.log_keys(connection, np.array(keys, dtype=np.int64).reshape(-1))
    key_filter.write_filter(connection)
