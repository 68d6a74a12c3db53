"""What is wrong with the file of an index: damage to pages, rows and the bonds between rows."""

from collections.abc import Callable, Iterator

import apsw
import numpy as np

from dedup.index import key_filter, reads, recent_keys
from dedup.index.packing import unpack
from dedup.index.posting_tables import all_postings
from dedup.index.rows import SketchRow, row_checksum

_Check = Callable[[apsw.Connection], Iterator[str]]

_LISTED = 20
"""Problems of one kind that are listed one by one; the rest is counted."""

_POSTINGS_AT_ONCE = 100_000

_BROKEN_BONDS = {
    "article number {} has no sketch": "SELECT no FROM articles WHERE no NOT IN (SELECT no FROM sketches)",
    "a sketch is there of number {}, which no article has": (
        "SELECT no FROM sketches WHERE no NOT IN (SELECT no FROM articles)"
    ),
    "article number {} has a canonical that is none": (
        "SELECT a.no FROM articles a LEFT JOIN articles c ON c.no = a.canonical"
        " WHERE c.no IS NULL OR c.canonical != c.no"
    ),
    "a relation is there of number {}, which no article has": (
        "SELECT DISTINCT no FROM relations WHERE no NOT IN (SELECT no FROM articles)"
    ),
    "a relation leads to number {}, which is no canonical": (
        "SELECT DISTINCT r.other_no FROM relations r LEFT JOIN articles a ON a.no = r.other_no"
        " WHERE a.no IS NULL OR a.canonical != a.no"
    ),
    "group {} has a canonical that is none": (
        "SELECT g.group_id FROM groups g LEFT JOIN articles a ON a.no = g.canonical"
        " WHERE g.canonical IS NOT NULL AND (a.no IS NULL OR a.canonical != a.no)"
    ),
    "canonical number {} has members and no row of groups": (
        "SELECT DISTINCT canonical FROM articles WHERE canonical != no"
        " AND canonical NOT IN (SELECT canonical FROM groups WHERE canonical IS NOT NULL)"
    ),
    "canonical number {} has several groups": (
        "SELECT canonical FROM groups WHERE canonical IS NOT NULL GROUP BY canonical HAVING count(*) > 1"
    ),
}


def find_problems(connection: apsw.Connection) -> list[str]:
    """Return all that is wrong, in words; each check goes as far as the damage lets it."""
    checks: list[_Check] = [_pages, _facts, _sketches, _formulas, _postings, _keys, _changes]
    checks += [_checksums(words, query) for words, query in _CHECKED_ROWS.items()]
    checks += [_bond(words, query) for words, query in _BROKEN_BONDS.items()]
    return [problem for check in checks for problem in listed(check(connection))]


def listed(found: Iterator[str]) -> list[str]:
    """Return the problems of one kind: the first ones, how many more, and where reading failed, why."""
    problems: list[str] = []
    count = 0
    try:
        for problem in found:
            count += 1
            if count <= _LISTED:
                problems.append(problem)
    except (apsw.Error, UnicodeDecodeError) as error:
        problems.append(f"reading failed: {error}")
    if count > _LISTED:
        problems.append(f"and {count - _LISTED} more like the last")
    return problems


def _pages(connection: apsw.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"SQLite: {line}"


def _facts(connection: apsw.Connection) -> Iterator[str]:
    for checksum, facts in reads.all_facts(connection):
        if facts.checksum() != checksum:
            yield f"article number {facts.no} (id {facts.id!r}) does not have its checksum"


def _sketches(connection: apsw.Connection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT s.no, s.tokens, s.characters, s.checksum, a.num_tokens FROM sketches s LEFT JOIN articles a"
        " ON a.no = s.no"
    )
    for no, tokens, characters, checksum, num_tokens in rows:
        if not SketchRow(no, tokens, characters).has(checksum):
            yield f"the sketch of article number {no} does not have its checksum"
        elif num_tokens is not None and len(tokens) != 4 * num_tokens:
            yield f"article number {no} has {num_tokens} words and a sketch of {len(tokens) // 4}"


def _formulas(connection: apsw.Connection) -> Iterator[str]:
    for version, hashes, checksum in connection.execute("SELECT version, hashes, checksum FROM formulas"):
        if not SketchRow(version, hashes, None).has(checksum):
            yield f"the formulas of version {version} do not have their checksum"


def _postings(connection: apsw.Connection) -> Iterator[str]:
    canonicals = reads.all_canonicals(connection)
    strangers: set[int] = set()
    twice: set[int] = set()
    for rows in all_postings(connection, _POSTINGS_AT_ONCE):
        found = unpack(rows)
        if found is None:
            yield from (
                f"the posting row of key {row[0]} is damaged" for row in rows if unpack([row]) is None
            )
            continue
        strangers.update(found.nos[~np.isin(found.nos, canonicals)].tolist())
        order = np.lexsort((found.nos, found.keys))
        keys, nos = found.keys[order], found.nos[order]
        twice.update(nos[1:][(keys[1:] == keys[:-1]) & (nos[1:] == nos[:-1])].tolist())
    for no in sorted(strangers):
        yield f"posting rows are there of number {no}, which is no canonical"
    for no in sorted(twice):
        yield f"posting rows are there twice of number {no}"


def _keys(connection: apsw.Connection) -> Iterator[str]:
    yield from key_filter.find_problems(connection, _POSTINGS_AT_ONCE)
    yield from recent_keys.find_problems(connection, _POSTINGS_AT_ONCE)


def _changes(connection: apsw.Connection) -> Iterator[str]:
    """Yield whether numbers of changes are wrong: they rise by one to the last that was given."""
    first, last, count, given = reads.numbers_of_changes(connection)
    if count and (last != given or last - first + 1 != count):
        yield f"the {count} changes are numbered {first} to {last}, and the last number given is {given}"


_CHECKED_ROWS = {
    "where article number {} stands": (
        "SELECT no, place_checksum, no, canonical, kind, exact, shared, own, other, full_buckets"
        " FROM articles"
    ),
    "a relation of article number {}": (
        "SELECT no, checksum, no, other_no, kind, shared, own, other FROM relations"
    ),
    "the group {!r}": "SELECT group_id, checksum, group_id, is_integer, canonical FROM groups",
    "change {}": (
        "SELECT seq, checksum, at, kind, group_id, article_id, canonical_id, from_group_id FROM changes"
    ),
}


def _checksums(words: str, query: str) -> _Check:
    def check(connection: apsw.Connection) -> Iterator[str]:
        for name, checksum, *values in connection.execute(query):
            if row_checksum(*values) != checksum:
                yield f"{words.format(name)} does not have its checksum"

    return check


def _bond(words: str, query: str) -> _Check:
    def check(connection: apsw.Connection) -> Iterator[str]:
        for (value,) in connection.execute(query):
            yield words.format(value)

    return check
