"""What is read of an index, each within a transaction of the caller."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import apsw
import numpy as np
import numpy.typing as npt

from dedup.errors import IndexFileError
from dedup.index.posting_tables import num_waiting
from dedup.index.rows import (
    Facts,
    Name,
    Place,
    Relation,
    SketchRow,
    all_rows,
    given_id,
    one_value,
    row_checksum,
)

Int64s = npt.NDArray[np.int64]
_Row = TypeVar("_Row")

_ALL_FACTS = """
    SELECT a.checksum, a.no, a.id, a.is_integer, a.content, a.fingerprint, a.published, a.num_tokens,
        a.added_at, a.source, a.title, a.url
    FROM articles AS a
"""
_FACTS = _ALL_FACTS.replace("FROM", "FROM carray(?1) AS c CROSS JOIN") + " ON a.no = c.value"
_PLACES = """
    SELECT a.place_checksum, a.no, a.canonical, a.kind, a.exact, a.shared, a.own, a.other, a.full_buckets
    FROM carray(?1) AS c CROSS JOIN articles AS a ON a.no = c.value
"""


def read_meta(connection: apsw.Connection) -> dict[str, str]:
    """Return the values of `meta` by name."""
    return dict(all_rows(connection.execute("SELECT name, value FROM meta")))


def next_number(connection: apsw.Connection) -> int:
    """Return the number of the next article."""
    return 1 + one_value(connection, "SELECT coalesce(max(no), 0) FROM articles")


def find_ids(connection: apsw.Connection, ids: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """Return number and content hash of those of the ids, as strings, that are held."""
    found = connection.executemany(
        "SELECT id, no, content FROM articles WHERE id = ?", ((id_,) for id_ in ids)
    )
    return {id_: (no, content) for id_, no, content in found}


def find_fingerprints(connection: apsw.Connection, fingerprints: Int64s) -> list[tuple[int, int]]:
    """Return fingerprint and number of the first held article with each of the distinct fingerprints."""
    if not len(fingerprints):
        return []
    found = connection.execute(
        "SELECT value, (SELECT no FROM articles WHERE fingerprint = value ORDER BY no LIMIT 1) AS first"
        " FROM carray(?1) WHERE first IS NOT NULL",
        (apsw.carray(fingerprints),),
    )
    return all_rows(found)


def all_with_fingerprint(connection: apsw.Connection, fingerprint: int) -> list[int]:
    """Return the numbers of all held articles with a fingerprint, rising."""
    found = connection.execute("SELECT no FROM articles WHERE fingerprint = ? ORDER BY no", (fingerprint,))
    return [no for (no,) in found]


def read_sketches(connection: apsw.Connection, nos: Int64s) -> tuple[list[SketchRow], list[int | None]]:
    """Return the sketch and the publication time of articles, in the order of `nos`.

    Raises `IndexFileError` where a row is not what was written, or missing.
    """
    if not len(nos):
        return [], []
    rows, dates = [], []
    found = connection.execute(
        "SELECT s.no, s.tokens, s.characters, s.checksum, a.published FROM carray(?1) AS c"
        " CROSS JOIN sketches AS s ON s.no = c.value CROSS JOIN articles AS a ON a.no = c.value",
        (apsw.carray(nos),),
    )
    for no, tokens, characters, checksum, published in found:
        row = SketchRow(no, tokens, characters)
        if not row.has(checksum):
            raise IndexFileError(
                f"the sketch of article number {no} is damaged; `verify` lists all damage; restore a backup"
            )
        rows.append(row)
        dates.append(published)
    if len(rows) != len(nos):
        raise IndexFileError(
            f"{len(nos) - len(rows)} articles have no sketch, so the index is damaged; restore a backup"
        )
    return rows, dates


def read_facts(connection: apsw.Connection, nos: Int64s) -> list[Facts]:
    """Return what is kept of articles, in the order of `nos`; raise `IndexFileError` where it is damaged."""
    if not len(nos):
        return []
    found = connection.execute(_FACTS, (apsw.carray(nos),))
    return _all_of(nos, [_checked(checksum, Facts(*values)) for checksum, *values in found])


def all_facts(connection: apsw.Connection) -> Iterator[tuple[int, Facts]]:
    """Yield the stored checksum and the facts of all articles, unchecked."""
    for checksum, *values in connection.execute(_ALL_FACTS):
        yield checksum, Facts(*values)


def _sound(what: str, checksum: int, *values: Any) -> tuple[Any, ...]:
    """Return the values of a row if they have their checksum."""
    if row_checksum(*values) != checksum:
        raise IndexFileError(f"{what} is damaged ({values}); `verify` lists all damage; restore a backup")
    return values


def _all_of(nos: Int64s, rows: list[_Row]) -> list[_Row]:
    """Return the rows if there is one for each number."""
    if len(rows) != len(nos):
        raise IndexFileError(
            f"{len(nos) - len(rows)} articles that the index refers to are not there, so it is damaged; "
            "restore a backup"
        )
    return rows


def _checked(checksum: int, facts: Facts) -> Facts:
    if facts.checksum() != checksum:
        raise IndexFileError(
            f"article number {facts.no} (id {facts.id!r}) is damaged; `verify` lists all damage; "
            "restore a backup"
        )
    return facts


def read_places(connection: apsw.Connection, nos: Int64s) -> list[Place]:
    """Return where articles stand, in the order of `nos`."""
    if not len(nos):
        return []
    found = connection.execute(_PLACES, (apsw.carray(nos),))
    return _all_of(nos, [Place(*_sound("where an article stands", *values)) for values in found])


def read_relations(connection: apsw.Connection, no: int) -> list[Relation]:
    """Return the further relations of an article."""
    found = connection.execute(
        "SELECT checksum, no, other_no, kind, shared, own, other FROM relations WHERE no = ?"
        " ORDER BY other_no",
        (no,),
    )
    return [Relation(*_sound("a relation", *values)) for values in found]


def all_relations(connection: apsw.Connection, kinds: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return relations of two kinds: number and canonical of both articles, kind and sizes."""
    found = connection.execute(
        "SELECT a.canonical, b.canonical, r.checksum, r.no, r.other_no, r.kind, r.shared, r.own, r.other"
        " FROM relations r JOIN articles a ON a.no = r.no JOIN articles b ON b.no = r.other_no"
        " WHERE r.kind IN (?, ?) ORDER BY r.no, r.other_no",
        kinds,
    )
    return sound_relations(found)


def sound_relations(rows: Iterable[Sequence[Any]]) -> list[tuple[int, ...]]:
    """Return relations as `all_relations` does, from rows with both canonicals, checksum and values."""
    relations = []
    for canonical, other_canonical, *row in rows:
        no, other_no, *rest = _sound("a relation", *row)
        relations.append((no, canonical, other_no, other_canonical, *rest))
    return relations


def read_names(connection: apsw.Connection, nos: Int64s) -> dict[int, Name]:
    """Return id and group id of canonicals by number."""
    if not len(nos):
        return {}
    found = connection.execute(
        "SELECT a.no, a.id, a.is_integer, g.group_id, g.is_integer, g.checksum FROM carray(?1) AS c"
        " CROSS JOIN articles AS a ON a.no = c.value LEFT JOIN groups AS g ON g.canonical = a.no",
        (apsw.carray(nos),),
    )
    names = {}
    for no, id_, is_integer, group_id, group_is_integer, checksum in found:
        own = given_id(id_, is_integer)
        if group_id is None:
            names[no] = Name(own, own)
        else:
            _sound("a group", checksum, group_id, group_is_integer, no)
            names[no] = Name(own, given_id(group_id, group_is_integer))
    return names


def registered(connection: apsw.Connection, canonicals: Int64s) -> set[int]:
    """Return those of the canonicals, by number, whose groups have a row."""
    if not len(canonicals):
        return set()
    found = connection.execute(
        "SELECT value FROM carray(?1) WHERE EXISTS (SELECT 1 FROM groups WHERE canonical = value)",
        (apsw.carray(canonicals),),
    )
    return {no for (no,) in found}


def used_group_ids(connection: apsw.Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are or were the id of a group with a row."""
    found = connection.executemany("SELECT group_id FROM groups WHERE group_id = ?", ((id_,) for id_ in ids))
    return {id_ for (id_,) in found}


def members_of(connection: apsw.Connection, canonical: int) -> list[int]:
    """Return the numbers of the members of a canonical, itself left out, rising."""
    found = connection.execute(
        "SELECT no FROM articles WHERE canonical = ?1 AND canonical != no ORDER BY no", (canonical,)
    )
    return [no for (no,) in found]


def find_group(connection: apsw.Connection, group_id: str) -> int | None:
    """Return the number of the canonical of a group that has a row and is not gone."""
    row = connection.execute("SELECT canonical FROM groups WHERE group_id = ?", (group_id,)).fetchone()
    return None if row is None else row[0]


def group_canonicals(connection: apsw.Connection) -> Iterator[int]:
    """Yield the numbers of the canonicals that have members, rising."""
    for (no,) in connection.execute(
        "SELECT DISTINCT canonical FROM articles WHERE canonical != no ORDER BY canonical"
    ):
        yield no


def numbers_before(
    connection: apsw.Connection, published: int, after: int, limit: int, *, members: bool
) -> list[int]:
    """Return numbers above `after` of members, or of canonicals, published before a time, rising."""
    found = connection.execute(
        "SELECT no FROM articles WHERE published < ?1 AND no > ?2 AND (canonical != no) = ?3"
        " ORDER BY no LIMIT ?4",
        (published, after, int(members), limit),
    )
    return [no for (no,) in found]


def count_articles(connection: apsw.Connection) -> int:
    """Return the number of articles."""
    return one_value(connection, _COUNTS["articles"])


def all_numbers(connection: apsw.Connection) -> Int64s:
    """Return the numbers of all articles, rising."""
    found = connection.execute("SELECT no FROM articles ORDER BY no").fetchall()
    return np.array(found, dtype=np.int64).reshape(-1)


def all_canonicals(connection: apsw.Connection) -> Int64s:
    """Return the numbers of all canonicals, rising."""
    found = connection.execute("SELECT no FROM articles WHERE canonical = no ORDER BY no").fetchall()
    return np.array(found, dtype=np.int64).reshape(-1)


def formula_version(connection: apsw.Connection) -> int:
    """Return the version of the formulas in force, 0 for none."""
    return one_value(connection, "SELECT coalesce(max(version), 0) FROM formulas")


def read_formulas(connection: apsw.Connection, version: int) -> bytes:
    """Return the formulas of a version, rising little-endian uint32."""
    row = connection.execute("SELECT hashes, checksum FROM formulas WHERE version = ?", (version,)).fetchone()
    if row is None or not SketchRow(version, row[0], None).has(row[1]):
        raise IndexFileError(f"the formulas of version {version} are damaged; restore a backup")
    return bytes(row[0])


def changes_after(connection: apsw.Connection, seq: int, limit: int) -> list[tuple[Any, ...]]:
    """Return the changes behind number `seq`, at most `limit`, as rows."""
    found = connection.execute(
        "SELECT seq, checksum, at, kind, group_id, article_id, canonical_id, from_group_id FROM changes"
        " WHERE seq > ? ORDER BY seq LIMIT ?",
        (seq, limit),
    )
    return [(number, *_sound("a change", *values)) for number, *values in found]


def numbers_of_changes(connection: apsw.Connection) -> tuple[int, int, int, int]:
    """Return the first and the last number of the changes, how many there are, and the last number given."""
    ((*found, given),) = all_rows(
        connection.execute(
            "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0), count(*),"
            " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) FROM changes"
        )
    )
    first, last, count = found
    return first, last, count, given


_COUNTS = {
    "articles": "SELECT count(*) FROM articles",
    "copies": "SELECT count(*) FROM articles WHERE canonical != no",
    "groups": "SELECT count(DISTINCT canonical) FROM articles WHERE canonical != no",
    "links": (  # as `run.index_groups.best_links` does: at most one from a group to another
        "SELECT count(*) FROM (SELECT DISTINCT CASE r.kind WHEN 3 THEN a.canonical ELSE b.canonical END,"
        " CASE r.kind WHEN 3 THEN b.canonical ELSE a.canonical END"
        " FROM relations r JOIN articles a ON a.no = r.no JOIN articles b ON b.no = r.other_no"
        " WHERE r.kind IN (3, 4) AND a.canonical != b.canonical)"
    ),
    "posting_rows": num_waiting("postings"),
    "recent_posting_rows": num_waiting("recent_postings"),
    "changes": "SELECT coalesce(max(seq), 0) FROM changes",
    "formula_version": "SELECT coalesce(max(version), 0) FROM formulas",
    "formulas": "SELECT coalesce((SELECT length(hashes) / 4 FROM formulas ORDER BY version DESC LIMIT 1), 0)",
}


def counts(connection: apsw.Connection) -> dict[str, int]:
    """Return how many there are of each kind of row; reads the whole of several tables."""
    return {name: one_value(connection, query) for name, query in _COUNTS.items()}
