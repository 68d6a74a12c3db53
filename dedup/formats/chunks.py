"""From the values of a record to a row of a chunk, or to the reason why it cannot be one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from dedup.articles import MISSING_DATE, ArticleId, Fields
from dedup.errors import InputError
from dedup.formats.dates import date_reader, parse_date
from dedup.formats.records import MISSING, START_BYTES, Chunk, Reject

_ROLES = ("id", "text", "source", "date", "title", "url")


@dataclass(frozen=True)
class FieldNames:
    """What the user calls the fields that are read, None for what nobody asked for; and what reads dates."""

    id: str
    text: str
    source: str
    date: str
    title: str | None = None
    url: str | None = None
    read_date: Callable[[Any], int | None] = field(default=parse_date, repr=False)

    @classmethod
    def of(cls, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Self:
        """Return the names; raises `InputError` where two are the same, but for extras, of `EXTRAS`.

        Raises `SettingsError` for a format of dates that is none.
        """
        read_date = date_reader(fields.date_format)
        names = cls(fields.id, text_field, fields.source, fields.date, read_date=read_date)
        for name, count in Counter((names.id, names.text, names.source, names.date)).items():
            if count > 1:
                roles = " and ".join(role for role in _ROLES if getattr(names, role) == name)
                raise InputError(f"the {roles} are all to be read from the field {name!r}; name one for each")
        return replace(names, **{role: getattr(fields, role) for role in extras})

    def columns(self) -> dict[str, str]:
        """Return the different names by the role under which each is read."""
        role_of: dict[str, str] = {}
        for role in _ROLES:
            if name := getattr(self, role):
                role_of.setdefault(name, role)
        return {role: name for name, role in role_of.items()}

    def role(self, extra: str) -> str | None:
        """Return the role under which an extra is read, that of its namesake if it has one."""
        name = getattr(self, extra)
        return next((role for role, column in self.columns().items() if column == name), None)

    def require(self, columns: Iterable[str], file: str) -> None:
        """Raise `InputError` if the id or the text is not one of the columns, or a field is two of them."""
        counts = Counter(columns)
        for name in (self.id, self.text):
            if name not in counts:
                raise InputError(f"{file} has no column {name!r}; its columns are {list(counts)}")
        for name in self.columns().values():
            if counts[name] > 1:
                raise InputError(f"{file} has {counts[name]} columns {name!r}; expected one")


class ChunkBuilder:
    """The chunk that a reader is filling."""

    def __init__(self, file: str, names: FieldNames) -> None:
        self.file = file
        self.names = names
        self._texts: list[str] = []
        self.chunk = Chunk(texts=self._texts)
        self._read_date = names.read_date

    @property
    def is_full(self) -> bool:
        """Whether it is time to `take` the chunk."""
        return self.chunk.is_full

    def take(self) -> Chunk:
        """Return the chunk and start the next."""
        chunk, self._texts = self.chunk, []
        self.chunk = Chunk(texts=self._texts)
        return chunk

    def add(
        self,
        line: int,
        id_: ArticleId,
        text: str,
        source: Any,
        date: Any,
        raw: bytes,
        title: Any = None,
        url: Any = None,
    ) -> None:
        """Add a record whose id and text have the right types; an empty id sets it aside.

        A source that is not a string is none. A date that does not parse is none and counted; null and
        the empty string are none.
        """
        if id_ == "":
            self.reject(line, self.empty_id, raw)
            return
        chunk = self.chunk
        chunk.ids.append(id_)
        self._texts.append(text)
        chunk.sources.append(source if isinstance(source, str) and source else None)
        chunk.dates += self._dates([date])
        chunk.titles.append(title)
        chunk.urls.append(url)
        chunk.lines.append(line)
        chunk.starts.append(raw[:START_BYTES])

    def add_columns(
        self,
        lines: Sequence[int],
        records: Sequence[Any],
        raws: Sequence[bytes],
        title: str | None,
        url: str | None,
    ) -> None:
        """Add records that have the right types as attributes, but for their texts, as `add` adds each.

        `title` and `url` are the attributes that have them, None where nobody asked for them.
        """
        chunk = self.chunk
        chunk.ids += [record.id for record in records]
        chunk.sources += [
            record.source if isinstance(record.source, str) and record.source else None for record in records
        ]
        chunk.dates += self._dates([record.date for record in records])
        chunk.titles += [getattr(record, title) for record in records] if title else [None] * len(records)
        chunk.urls += [getattr(record, url) for record in records] if url else [None] * len(records)
        chunk.lines += lines
        chunk.starts += [raw[:START_BYTES] for raw in raws]

    def _dates(self, values: list[Any]) -> list[int]:
        """Return the dates; null, the empty string and what does not parse are none; the last is counted."""
        read = self._read_date
        dates = [None if value is None or value == "" else read(value) for value in values]
        if None in dates:
            for value, date in zip(values, dates, strict=True):
                if date is None and value is not None and value != "":
                    self.chunk.bad_dates.add(value)
        return [MISSING_DATE if date is None else date for date in dates]

    def checked_object(self, record: Any) -> dict[str, Any] | str:
        """Return the values of a record as a JSON decoder gives it, by role, or the reason why it is none.

        Lone surrogates become U+FFFD, which separates words; an id with one is not usable.
        """
        names = self.names
        if not isinstance(record, dict):
            return f"{_describe(record)}; expected an object"
        reason = self._why_not_id(record) or self._why_not_text(record)
        if reason:
            return reason
        values: dict[str, Any] = {role: record.get(name) for role, name in names.columns().items()}
        for role in ("text", "source"):
            if isinstance(values[role], str):
                values[role] = without_surrogates(values[role])
        return values

    @property
    def empty_id(self) -> str:
        """Why a record is set aside whose id is empty."""
        return f"{self.names.id!r} is empty"

    def reject(self, line: int, reason: str, raw: bytes) -> None:
        """Set a record aside."""
        self.chunk.rejects.append(Reject.of(self.file, line, reason, raw))

    def _why_not_id(self, record: dict[str, Any]) -> str | None:
        name = self.names.id
        if name not in record:
            return _missing(name, record)
        value = record[name]
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return f"{name!r} is {_describe(value)}; expected a string or an integer"
        if isinstance(value, str) and value != without_surrogates(value):
            return f"{name!r} has a lone surrogate, {value!a}; such an id cannot be written"
        return None

    def _why_not_text(self, record: dict[str, Any]) -> str | None:
        name = self.names.text
        if name not in record:
            return _missing(name, record)
        if not isinstance(record[name], str):
            return f"{name!r} is {_describe(record[name])}; expected a string"
        return None


def without_surrogates(text: str) -> str:
    r"""Return the text with U+FFFD for each lone surrogate.

    >>> without_surrogates("a\ud800b") == "a\N{REPLACEMENT CHARACTER}b"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _missing(name: str, record: dict[str, Any]) -> str:
    fields = ", ".join(map(ascii, list(record)[:20])) or "none"
    return f"{name!r} {MISSING} {fields}"


def _describe(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value!r:.40}"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"
