"""What is written to an index, each within a transaction of the caller."""

from collections.abc import Iterable, Sequence

import apsw

from dedup.articles import ArticleId
from dedup.index.rows import ChangeRow, Facts, Place, Relation, SketchRow, row_checksum

_INT64 = range(-(1 << 63), 1 << 63)


def insert_articles(connection: apsw.Connection, facts: Iterable[Facts], places: Iterable[Place]) -> None:
    """Write new articles; both in the same order."""
    rows = (
        (
            *place, one.fingerprint, one.published, one.num_tokens, one.added_at, one.is_integer,
            one.checksum(), row_checksum(*place), one.content, one.id, one.source, one.title,
            one.url,
        )
        for one, place in zip(facts, places, strict=True)
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO articles(no, canonical, kind, exact, shared, own, other, full_buckets, fingerprint,"
        " published, num_tokens, added_at, is_integer, checksum, place_checksum, content, id, source, title,"
        " url) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def update_facts(connection: apsw.Connection, facts: Facts) -> None:
    """Write the facts of an article that is held."""
    connection.execute(
        "UPDATE articles SET content = ?, title = ?, url = ?, checksum = ? WHERE no = ?",
        (facts.content, facts.title, facts.url, facts.checksum(), facts.no),
    )


def insert_sketches(connection: apsw.Connection, rows: Iterable[SketchRow]) -> None:
    """Write sketches with their checksums."""
    connection.executemany(
        "INSERT INTO sketches(no, tokens, characters, checksum) VALUES(?, ?, ?, ?)",
        ((*row, row.checksum()) for row in rows),
    )


def update_places(connection: apsw.Connection, places: Iterable[Place]) -> None:
    """Write where articles that are held stand from now on."""
    connection.executemany(
        "UPDATE articles SET canonical = ?2, kind = ?3, exact = ?4, shared = ?5, own = ?6, other = ?7,"
        " full_buckets = ?8, place_checksum = ?9 WHERE no = ?1",
        ((*place, row_checksum(*place)) for place in places),
    )


def insert_relations(connection: apsw.Connection, relations: Iterable[Relation]) -> None:
    """Write further relations."""
    connection.executemany(
        "INSERT INTO relations VALUES(?, ?, ?, ?, ?, ?, ?)",
        ((*relation, row_checksum(*relation)) for relation in relations),
    )


def delete_articles(connection: apsw.Connection, nos: Sequence[int]) -> None:
    """Delete articles with their sketches and relations, but for their posting rows and groups."""
    forget_relations(connection, nos)
    rows = [(no,) for no in nos]
    connection.executemany("DELETE FROM relations WHERE other_no = ?", rows)
    connection.executemany("DELETE FROM sketches WHERE no = ?", rows)
    connection.executemany("DELETE FROM articles WHERE no = ?", rows)


def forget_relations(connection: apsw.Connection, nos: Sequence[int]) -> None:
    """Delete what articles, those of `nos`, were found to be like."""
    connection.executemany("DELETE FROM relations WHERE no = ?", [(no,) for no in nos])


def put_group(connection: apsw.Connection, group_id: ArticleId, canonical: int | None) -> None:
    """Write a group and its canonical; None for a group that is gone."""
    row = str(group_id), int(isinstance(group_id, int)), canonical
    connection.execute("INSERT OR REPLACE INTO groups VALUES(?, ?, ?, ?)", (*row, row_checksum(*row)))


def insert_changes(connection: apsw.Connection, at: int, changes: Sequence[ChangeRow]) -> None:
    """Write changes in their order."""
    rows = ((at, change.kind, *map(_stored, change[1:])) for change in changes)
    connection.executemany(
        "INSERT INTO changes(at, kind, group_id, article_id, canonical_id, from_group_id, checksum)"
        " VALUES(?, ?, ?, ?, ?, ?, ?)",
        ((*row, row_checksum(*row)) for row in rows),
    )


def delete_changes(connection: apsw.Connection, up_to: int) -> int:
    """Delete the changes up to a number; return how many."""
    connection.execute("DELETE FROM changes WHERE seq <= ?", (up_to,))
    return int(connection.changes())


def _stored(id_: ArticleId | None) -> ArticleId | None:
    """Return an id as SQLite can hold it: integers beyond 64 bits as strings."""
    return str(id_) if isinstance(id_, int) and id_ not in _INT64 else id_


def put_formulas(
    connection: apsw.Connection, version: int, hashes: bytes, num_articles: int, at: int
) -> None:
    """Write the formulas of a new version."""
    checksum = SketchRow(version, hashes, None).checksum()
    connection.execute(
        "INSERT INTO formulas VALUES(?, ?, ?, ?, ?)", (version, hashes, checksum, num_articles, at)
    )
