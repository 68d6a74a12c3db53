"""The posting tables, the small one that takes what is new and the large one into which it is merged."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.errors import IndexFileError
from dedup.index import key_filter
from dedup.index.filtering import FilteringConnection
from dedup.index.packing import BAND_BYTES, SHINGLE_BYTES, SHINGLE_KEYS, pack, unpack
from dedup.index.recent_keys import LogEnd, cut_log, log_end, log_keys
from dedup.index.rows import NO_POSTINGS, Postings, all_rows, one_value

Int64s = npt.NDArray[np.int64]

MERGED_ROWS = 100_000
"""Posting rows that move in one transaction, so that other writers wait for a fraction of a second."""

_FIND = "SELECT p.key, p.waiting FROM carray(?{}) AS c CROSS JOIN {} AS p ON p.key = c.value"
_FIND_RECENT = _FIND.format(1, "recent_postings")
_FIND_LARGE = _FIND.format(1, "postings")
_FIND_BOTH = f"{_FIND_RECENT} UNION ALL {_FIND.format(2, 'postings')}"

# SQLite joins blobs byte by byte and calls the outcome text.
_JOINED = "ON CONFLICT(key) DO UPDATE SET waiting = CAST(waiting || excluded.waiting AS BLOB)"


def find_postings(connection: apsw.Connection, keys: Int64s) -> Postings:
    """Return who waits in the keys, which rise."""
    recent = large = keys
    if isinstance(connection, FilteringConnection):
        recent, large = connection.filtering.admitted(connection, keys)
    if len(recent) and len(large):
        return _find(connection, _FIND_BOTH, recent, large)
    return _find(connection, _FIND_RECENT, recent) if len(recent) else _find(connection, _FIND_LARGE, large)


def _find(connection: apsw.Connection, query: str, *keys: Int64s) -> Postings:
    if not len(keys[0]):
        return NO_POSTINGS
    found = unpack(all_rows(connection.execute(query, tuple(map(apsw.carray, keys)))))
    if found is None:
        raise IndexFileError("posting rows are damaged; `verify` lists all damage; restore a backup")
    return found


def all_postings(connection: apsw.Connection, at_once: int) -> Iterator[list[tuple[int, bytes]]]:
    """Yield all packed posting rows in lists, those of a key in both tables as one."""
    found = connection.execute(
        "SELECT coalesce(p.key, r.key), coalesce(p.waiting, x''), coalesce(r.waiting, x'')"
        " FROM postings AS p FULL JOIN recent_postings AS r ON r.key = p.key"
    )
    while rows := list(itertools.islice(found, at_once)):
        yield [(row[0], _both(*row[1:])) for row in rows]


def _both(waiting: Any, recent: Any) -> Any:
    """Return two blobs as one; of damaged values the one that is no blob."""
    if isinstance(waiting, bytes) and isinstance(recent, bytes):
        return waiting + recent
    return recent if isinstance(waiting, bytes) else waiting


def count_recent(connection: apsw.Connection) -> int:
    """Return the number of keys in which somebody waits since the last merge."""
    return one_value(connection, "SELECT count(*) FROM recent_postings")


def count_postings(connection: apsw.Connection) -> int:
    """Return how often canonicals wait in the rows of all keys."""
    return sum(one_value(connection, num_waiting(table)) for table in ("postings", "recent_postings"))


def num_waiting(table: str) -> str:
    """Return the query for how often canonicals wait in the rows of one of the tables."""
    return (
        f"SELECT coalesce(sum(length(waiting) / CASE WHEN key < {SHINGLE_KEYS} THEN {SHINGLE_BYTES}"  # noqa: S608
        f" ELSE {BAND_BYTES} END), 0) FROM {table}"
    )


def insert_postings(connection: apsw.Connection, postings: Postings) -> None:
    """Write who waits from now on, in the order of the keys."""
    connection.executemany(f"INSERT INTO recent_postings VALUES(?, ?) {_JOINED}", pack(postings))
    log_keys(connection, np.unique(postings.keys))


def delete_postings(connection: apsw.Connection, keys: Int64s, nos: Int64s) -> None:
    """Have canonicals wait in keys no longer; `keys` and `nos` are pairs, some of which need not be there."""
    if not len(keys):
        return
    leaving = set(zip(keys.tolist(), nos.tolist(), strict=True))
    distinct = np.unique(keys)
    for table, query in (("recent_postings", _FIND_RECENT), ("postings", _FIND_LARGE)):
        found = _find(connection, query, distinct)
        pairs = zip(found.keys.tolist(), found.nos.tolist(), strict=True)
        stays = np.array([pair not in leaving for pair in pairs], dtype=np.bool_)
        touched = np.unique(found.keys[~stays])
        left = stays & np.isin(found.keys, touched)
        connection.executemany(
            f"DELETE FROM {table} WHERE key = ?",  # noqa: S608
            ((key,) for key in touched.tolist()),
        )
        connection.executemany(  # none of these keys is new to its table
            f"INSERT INTO {table} VALUES(?, ?)",
            pack(Postings(*(column[left] for column in found))),
        )


class MergePoint(NamedTuple):
    """How far a merge has come, and the end of the log of recent keys when it began, None before that."""

    next_key: int
    log_end: LogEnd | None


MERGE_START = MergePoint(0, None)


def merge_postings(connection: apsw.Connection, at: MergePoint = MERGE_START) -> MergePoint | None:
    """Move some recent posting rows to the large table; return where to go on, None at the end."""
    end = log_end(connection) if at.log_end is None else at.log_end
    found = connection.execute(
        "SELECT key FROM recent_postings WHERE key >= ? ORDER BY key LIMIT ?", (at.next_key, MERGED_ROWS)
    )
    keys = np.fromiter((key for (key,) in found), np.int64)
    if len(keys):
        bounds = int(keys[0]), int(keys[-1])
        connection.execute(
            "INSERT INTO postings SELECT key, waiting FROM recent_postings"  # noqa: S608
            f" WHERE key BETWEEN ? AND ? ORDER BY key {_JOINED}",
            bounds,
        )
        connection.execute("DELETE FROM recent_postings WHERE key BETWEEN ? AND ?", bounds)
        key_filter.put_keys(connection, keys)
    if len(keys) == MERGED_ROWS:
        return MergePoint(int(keys[-1]) + 1, end)
    cut_log(connection, end)
    return None
