"""The one row that tells whether what a process keeps of the keys of the posting tables is still theirs."""

import secrets
from typing import Any, NamedTuple

import apsw


class PostingState(NamedTuple):
    """The stamp of the filter of `postings`, and of the log of recent keys: begin, end and number of keys.

    A stamp is a random number that is written in the transaction that changes what it stands for. So one that
    was rolled back, or is of another copy of the file, is never taken for one that holds.
    """

    filter_stamp: int
    log_begin: int
    log_end: int
    log_keys: int


def new_stamp() -> int:
    """Return a number that nobody has drawn."""
    return secrets.randbits(62)


def read_state(connection: apsw.Connection) -> PostingState | None:
    """Return the state that a transaction sees, None where it is lost."""
    found: Any = connection.execute(
        "SELECT filter_stamp, log_begin, log_end, log_keys FROM posting_state WHERE no = 1"
    ).fetchone()
    return None if found is None or set(map(type, found)) != {int} else PostingState(*found)


def put_state(connection: apsw.Connection, state: PostingState) -> None:
    """Write the state."""
    connection.execute("INSERT OR REPLACE INTO posting_state VALUES(1, ?, ?, ?, ?)", state)
