"""What readers hand over: records in chunks, and the records that they set aside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from dedup.articles import ArticleId, Fields
from dedup.formats.dates import fitting_format

CHUNK_RECORDS = 2048
CHUNK_BYTES = 16 << 20
"""A chunk ends at this many records or bytes of input, so that memory stays bounded."""

MAX_RECORD_BYTES = 256 << 20
"""A longer record is set aside unread."""

EXTRAS = ("title", "url")
"""Fields of a record that matching does not need and an index keeps."""

_SHOWN_CHARACTERS = 60

START_BYTES = 200
"""How much of the raw record a reject shows."""


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
        return cls(file, line, reason, raw[:START_BYTES].decode("utf-8", "replace"))


@dataclass
class BadDates:
    """Dates that were not understood: how many, and the first, cut to what a message shows."""

    count: int = 0
    first: str = ""

    def add(self, value: Any) -> None:
        """Count one more."""
        if not self.count:
            self.first = str(value)[:_SHOWN_CHARACTERS]
        self.count += 1

    def __add__(self, later: "BadDates") -> "BadDates":
        """Return these and those of a later part of the input."""
        return BadDates(self.count + later.count, self.first if self.count else later.first)

    def message(self) -> str:
        """Return what to tell of them, and what to do."""
        order = fitting_format(self.first)
        remedy = f"--date-format {order}" if order else "--date-format with a form such as '%d %B %Y'"
        return (
            f"dates not understood and taken as missing: {self.count}, the first is {self.first!r}; "
            f"try {remedy}, docs/input.md has the forms that are read"
        )


@dataclass
class Chunk:
    """Records of one file, column by column. `lines` are their line numbers, from 1, rising.

    Where a format has no lines, the number of the record stands for it. `dates` are microseconds since
    1970 UTC, MISSING_DATE for none; a date that does not parse counts as none and is counted in
    `bad_dates`. `starts` shows how each raw record begins. `num_bytes` counts the input, unpacked.
    `texts` may make each string when it is asked for only (`JsonTexts`, `ArrowTexts`).
    `titles` and `urls` are as they came, whatever they are, None where they were not asked for.
    """

    ids: list[ArticleId] = field(default_factory=list)
    texts: Sequence[str] = field(default_factory=list)
    dates: list[int] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    titles: list[Any] = field(default_factory=list)
    urls: list[Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    starts: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    num_bytes: int = 0
    bad_dates: BadDates = field(default_factory=BadDates)

    @property
    def is_full(self) -> bool:
        """Whether it is time for the next chunk."""
        return len(self.lines) + len(self.rejects) >= CHUNK_RECORDS or self.num_bytes >= CHUNK_BYTES


def question_after(reason: str) -> str:
    """Return what to ask the user where no record can be used and the first cannot for this reason."""
    if MISSING in reason:
        return "; are the field names right?"
    if reason.startswith(_OF_ANOTHER_KIND):
        return "; does the file hold what its suffix says? Standard input is JSON Lines"
    return ""


MISSING = "is missing; the fields are"
_OF_ANOTHER_KIND = ("not JSON", "not UTF-8", "not readable")


class RecordFile(Protocol):
    """An input that can be read twice: once for its articles, once to copy the records that are kept."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size on disk, packed if it is packed; 0 where it cannot be read."""
        ...

    @property
    def bytes_read(self) -> int:
        """How many of these bytes the reading that is under way has passed, about."""
        ...

    def check(self, fields: Fields, text_field: str) -> None:
        """Raise `InputError` if the file as a whole cannot be read or lacks a field that it must have.

        Looks at the beginning (of Parquet, the end) only; to be called on every input before any is read.
        """
        ...

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield all records in order; raises `InputError` where the file as a whole cannot be read.

        `extras` are those of `EXTRAS` that are to be read too.
        """
        ...

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """Write the records that stand on `lines`, rising, to `out`, each as a line of JSON with its end.

        Raises `InputError` if the file is not the one that `chunks` read.
        """
        ...
