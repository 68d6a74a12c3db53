"""Records as JSON: each decoded for its few fields, or the reason why it cannot be."""

import json
from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple, NoReturn

import msgspec

from dedup.articles import ArticleId
from dedup.formats.chunks import ChunkBuilder, FieldNames
from dedup.formats.json_texts import is_utf8_string, json_texts
from dedup.formats.records import CHUNK_BYTES, CHUNK_RECORDS, EXTRAS, Chunk

_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Rows(NamedTuple):
    """Records that are or may be usable: number, bytes, and what was decoded or else the reason why not."""

    numbers: list[int]
    raws: list[bytes]
    records: list[Any]


class JsonRecordReader:
    """Reads records that are JSON objects into chunks; fields that are not named are passed over.

    Records wait until the chunk is taken and are then decoded column by column. Texts are passed over too
    and stay as they are, `JsonTexts`, unless one is not UTF-8; then each text of the chunk is looked at.
    """

    def __init__(self, file: str, names: FieldNames) -> None:
        self.num_bytes = 0
        self._builder = ChunkBuilder(file, names)
        self._numbers: list[int] = []
        self._raws: list[bytes] = []
        self._title, self._url = names.role("title"), names.role("url")
        self._leaves_texts = "text" not in (self._title, self._url)
        self._record = _record_type(names, msgspec.Raw if self._leaves_texts else str)
        self._decode = msgspec.json.Decoder(self._record).decode

    @property
    def is_full(self) -> bool:
        """Whether it is time to `take` the chunk."""
        num_records = len(self._raws) + len(self._builder.chunk.rejects)
        return num_records >= CHUNK_RECORDS or self.num_bytes >= CHUNK_BYTES

    def read(self, number: int, raw: bytes) -> None:
        """Take a record, which is one JSON value; if it is no usable one it will be among the rejects."""
        self._numbers.append(number)
        self._raws.append(raw)

    def read_lines(self, first: int, lines: Sequence[bytes]) -> None:
        """Take the records on lines of which the first has this number; blank ones are passed over."""
        self.num_bytes += sum(map(len, lines)) + len(lines)
        numbers: Sequence[int] = range(first, first + len(lines))
        if b"" in lines or any(map(bytes.isspace, lines)):
            numbers = [number for number, line in zip(numbers, lines, strict=True) if line.strip()]
            lines = [line for line in lines if line.strip()]
        self._numbers += numbers
        self._raws += lines

    def reject(self, number: int, reason: str, raw: bytes) -> None:
        """Set a record aside."""
        self._builder.reject(number, reason, raw)

    def take(self) -> Chunk:
        """Return the chunk of the records that wait, and start the next."""
        rows = self._usable(_Rows(self._numbers, self._raws, self._decode_all(self._raws)))
        self._numbers, self._raws = [], []
        texts: Sequence[Any] | None = [record.text for record in rows.records]
        if self._leaves_texts:
            texts = json_texts(texts or ())
            if texts is None:
                rows = self._usable(rows._replace(records=list(map(self._checked, rows.raws, rows.records))))
                texts = json_texts([record.text for record in rows.records])
        self._builder.add_columns(rows.numbers, rows.records, rows.raws, self._title, self._url)
        chunk = self._builder.take()
        chunk.texts = texts or []
        chunk.rejects.sort(key=lambda reject: reject.line)
        chunk.num_bytes, self.num_bytes = self.num_bytes, 0
        return chunk

    def _usable(self, rows: _Rows) -> _Rows:
        """Return the rows with records that can be used; the others are set aside."""
        reasons = [
            record if type(record) is str else self._builder.empty_id if record.id == "" else None
            for record in rows.records
        ]
        if not any(reasons):
            return rows
        for number, raw, reason in zip(rows.numbers, rows.raws, reasons, strict=True):
            if reason:
                self._builder.reject(number, reason, raw)
        is_usable = [reason is None for reason in reasons]
        return _Rows(*(list(compress(column, is_usable)) for column in rows))

    def _decode_all(self, raws: Sequence[bytes]) -> list[Any]:
        """Return the records, or the reasons why they are none."""
        try:
            return list(map(self._decode, raws))
        except _UNDECODED:
            return list(map(self._decode_one, raws))

    def _decode_one(self, raw: bytes) -> Any:
        try:
            return self._decode(raw)
        except _UNDECODED:
            return self._decode_slowly(raw)

    def _checked(self, raw: bytes, record: Any) -> Any:
        """Return a record if its text is a string and UTF-8, else what becomes of it."""
        if type(record.text) is str or is_utf8_string(record.text):
            return record
        return self._decode_slowly(raw)

    def _decode_slowly(self, raw: bytes) -> Any:
        """Return with the standard library what msgspec stumbled over: a record, or the reason why not.

        Some of it is no fault: lone surrogates, and numbers out of range in fields that may be anything.
        """
        try:
            found = json.loads(raw.decode(), parse_constant=_refuse)
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            return f"not UTF-8: byte 0x{byte:02x} at offset {error.start}, {error.reason}"
        except json.JSONDecodeError as error:
            what = error.msg.removesuffix(" at")  # some messages end with it
            return f"not JSON: {what} at character {error.pos + 1}{_guess(raw)}"
        except RecursionError:
            return "not usable: nested too deeply"
        except ValueError as error:
            return f"not usable: {error}"
        values = self._builder.checked_object(found)
        return values if isinstance(values, str) else self._record(**values)


def _guess(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or raw[1:8:2] == b"\0" * 4:
        return "; the file seems to be UTF-16, expected UTF-8"
    if raw.lstrip().startswith(b"{") and not raw.rstrip().endswith(b"}"):
        return "; it seems to be cut off"
    return ""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _record_type(names: FieldNames, text: type[str] | type[msgspec.Raw]) -> Any:
    """Return the class of an object's named fields, of no others; its text is read as `text`."""
    columns = names.columns()
    extras = [(role, Any, None) for role in EXTRAS if role in columns]
    return msgspec.defstruct(
        "Record",
        [("id", ArticleId), ("text", text), ("source", Any, None), ("date", Any, None), *extras],
        rename=columns,
        gc=False,
    )


def encode_line(record: dict[str, Any]) -> bytes:
    """Return a record as one line of JSON, UTF-8, keys in the order given; dates become ISO 8601."""
    return _ENCODER.encode(record) + b"\n"


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
