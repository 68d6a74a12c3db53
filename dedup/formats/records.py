"""What readers hand over: records in chunks, and the records that they set aside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from dedup.articles import ArticleId, Fields

CHUNK_RECORDS = 2048
CHUNK_BYTES = 16 << 20
"""A chunk ends at this many records or bytes of text, so that memory stays bounded."""


@dataclass(frozen=True)
class Reject:
    """A record that was set aside: the file, its line (from 1), why, and how the raw line begins."""

    file: str
    line: int
    reason: str
    start: str

    @classmethod
    def of(cls, file: str, line: int, reason: str, raw: bytes) -> "Reject":
        """Return a reject that shows the first 200 bytes of the raw record."""
        return cls(file, line, reason, raw[:200].decode("utf-8", "replace"))


@dataclass
class Chunk:
    """Records of one file, column by column. `lines` are their line numbers, from 1, rising.

    `dates` are microseconds since 1970 UTC, MISSING_DATE for none; a date that does not parse counts as
    none and is counted in `num_bad_dates`.
    """

    ids: list[ArticleId] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    dates: list[int] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    raw_starts: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    num_bytes: int = 0
    num_bad_dates: int = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time for the next chunk."""
        return len(self.lines) + len(self.rejects) >= CHUNK_RECORDS or self.num_bytes >= CHUNK_BYTES


class RecordFile(Protocol):
    """An input that can be read twice: once for its articles, once to copy the records that are kept."""

    name: str

    def chunks(self, fields: Fields, text_field: str) -> Iterator[Chunk]:
        """Yield all records in order; raises `InputError` where the file as a whole cannot be read."""
        ...

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the raw records that stand on `lines`, rising, to `out`, each with its line end."""
        ...
