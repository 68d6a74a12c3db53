"""The nightly runs that an index knows, and what each of them touched."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.index import reads

Int64s = npt.NDArray[np.int64]

_ROWS_AT_ONCE = 1000


class NightRow(NamedTuple):
    """Which changes belong to a night: those behind `after_seq` up to `up_to_seq`, None for not ended."""

    after_seq: int
    up_to_seq: int | None


def read_night(connection: apsw.Connection, key: bytes) -> NightRow | None:
    """Return what is known of a night."""
    row = connection.execute("SELECT after_seq, up_to_seq FROM nights WHERE key = ?", (key,)).fetchone()
    return None if row is None else NightRow(*row)


def begin_night(connection: apsw.Connection, key: bytes, at: int) -> None:
    """Write a night that begins, or begins anew: behind the last one whose output is in place."""
    connection.execute(
        "INSERT OR REPLACE INTO nights(key, begun_at, after_seq)"
        " VALUES(?, ?, (SELECT coalesce(max(up_to_seq), 0) FROM nights WHERE written_at IS NOT NULL))",
        (key, at),
    )


def end_night(connection: apsw.Connection, key: bytes) -> None:
    """Write that all articles of a night are added; one that has ended stays as it is."""
    connection.execute(
        "UPDATE nights SET up_to_seq ="
        " (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes')"
        " WHERE key = ? AND up_to_seq IS NULL",
        (key,),
    )


def set_written(connection: apsw.Connection, key: bytes, at: int) -> None:
    """Write that the output of a night is in place."""
    connection.execute("UPDATE nights SET written_at = ? WHERE key = ?", (at, key))


def changes_between(connection: apsw.Connection, after: int, up_to: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the changes behind one number up to another."""
    while after < up_to:
        rows = reads.changes_after(connection, after, min(_ROWS_AT_ONCE, up_to - after))
        if not rows:
            return
        for row in rows:
            if row[0] > up_to:
                return
            yield row
        after = rows[-1][0]


def changed_canonicals(connection: apsw.Connection, after: int, up_to: int) -> Int64s:
    """Return the canonicals, by number, of the groups that changes speak of and that are still there."""
    found = connection.execute(
        "SELECT DISTINCT g.canonical FROM ("
        " SELECT CAST(group_id AS TEXT) AS id FROM changes WHERE seq > ?1 AND seq <= ?2"
        " UNION SELECT CAST(from_group_id AS TEXT) FROM changes WHERE seq > ?1 AND seq <= ?2) AS named"
        " JOIN groups AS g ON g.group_id = named.id WHERE g.canonical IS NOT NULL",
        (after, up_to),
    ).fetchall()
    return np.array(found, dtype=np.int64).reshape(-1)


def with_members(connection: apsw.Connection, canonicals: Int64s) -> Int64s:
    """Return those of the canonicals, in their order, that have members."""
    if not len(canonicals):
        return canonicals
    found = connection.execute(
        "SELECT value FROM carray(?1) WHERE EXISTS"
        " (SELECT 1 FROM articles WHERE canonical = value AND canonical != no)",
        (apsw.carray(canonicals),),
    ).fetchall()
    return np.array(found, dtype=np.int64).reshape(-1)


def relations_of_groups(
    connection: apsw.Connection, canonicals: Int64s, kinds: tuple[int, int]
) -> list[tuple[int, ...]]:
    """Return the relations of two kinds that lead from or to groups, as `reads.all_relations` does."""
    if not len(canonicals):
        return []
    found = connection.execute(
        "WITH mine(no) AS MATERIALIZED ("
        " SELECT value FROM carray(?1) UNION"
        " SELECT m.no FROM carray(?1) AS c CROSS JOIN articles AS m"
        "  ON m.canonical = c.value AND m.canonical != m.no"
        "), pairs(no, other_no) AS MATERIALIZED ("
        " SELECT r.no, r.other_no FROM mine CROSS JOIN relations AS r ON r.no = mine.no UNION"
        " SELECT r.no, r.other_no FROM carray(?1) AS c CROSS JOIN relations AS r ON r.other_no = c.value"
        ") SELECT a.canonical, b.canonical, r.checksum, r.no, r.other_no, r.kind, r.shared, r.own, r.other"
        " FROM pairs CROSS JOIN relations AS r ON r.no = pairs.no AND r.other_no = pairs.other_no"
        " JOIN articles AS a ON a.no = r.no JOIN articles AS b ON b.no = r.other_no"
        " WHERE r.kind IN (?2, ?3) ORDER BY r.no, r.other_no",
        (apsw.carray(canonicals), *kinds),
    )
    return reads.sound_relations(found)
