"""The rows of an index in Python, and their checksums."""

import zlib
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import ArticleId


def row_checksum(*values: Any) -> int:
    """Return the CRC-32 of the values of a row, of whatever types they are."""
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


class Facts(NamedTuple):
    """What is kept of an article beside its sketch; never changed by what other articles do."""

    no: int
    id: str
    is_integer: int
    content: bytes
    fingerprint: int | None
    published: int | None
    num_tokens: int
    added_at: int
    source: str | None
    title: str | None
    url: str | None

    @property
    def article_id(self) -> ArticleId:
        """The id as it was given."""
        return given_id(self.id, self.is_integer)

    def checksum(self) -> int:
        """Return the CRC-32 of all values."""
        return row_checksum(*self)


class Place(NamedTuple):
    """Where an article stands: its canonical's number and how it joined, as in `match.scan.Scan`."""

    no: int
    canonical: int
    kind: int
    exact: int
    shared: int
    own: int
    other: int
    full_buckets: int


class Relation(NamedTuple):
    """One further relation of an article to a canonical: a match, a part or a whole."""

    no: int
    other_no: int
    kind: int
    shared: int
    own: int
    other: int


class SketchRow(NamedTuple):
    """Token hashes of an article and, for a short text, character shingle hashes: little-endian uint32."""

    no: int
    tokens: bytes
    characters: bytes | None

    def checksum(self) -> int:
        """Return the CRC-32 of both, begun with the number, so that rows cannot be exchanged."""
        return zlib.crc32(self.characters or b"", zlib.crc32(self.tokens, self.no & 0xFFFFFFFF))

    def has(self, checksum: int) -> bool:
        """Return whether this is the checksum; damage can also leave other types of values."""
        is_whole = isinstance(self.tokens, bytes) and isinstance(self.characters, bytes | None)
        return is_whole and self.checksum() == checksum


class Postings(NamedTuple):
    """Posting rows as columns, int64[k]: a key, a canonical that waits in it, and the size of its sample.

    The size is that of its sampled shingles where the key is one of them, 0 where it is a band's.
    """

    keys: npt.NDArray[np.int64]
    nos: npt.NDArray[np.int64]
    sampled: npt.NDArray[np.int64]


NO_POSTINGS = Postings(*np.empty((3, 0), dtype=np.int64))


class Name(NamedTuple):
    """How the world knows a canonical: its id and its group's."""

    article_id: ArticleId
    group_id: ArticleId


class ChangeRow(NamedTuple):
    """One row of the changes, before it has a number."""

    kind: str
    group_id: ArticleId | None
    article_id: ArticleId | None
    canonical_id: ArticleId | None
    from_group_id: ArticleId | None = None


def given_id(text: str, is_integer: int) -> ArticleId:
    """Return the id as it was given."""
    return int(text) if is_integer else text


def all_rows(cursor: apsw.Cursor) -> list[Any]:
    """Return all rows; the tables say what is in them."""
    return cursor.fetchall()


def one_value(connection: apsw.Connection, query: str) -> int:
    """Return the one number that a query gives."""
    ((value,),) = all_rows(connection.execute(query))
    return int(value)
