"""Records as JSON: each decoded for its few fields, or the reason why it cannot be."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec

from dedup.articles import ArticleId
from dedup.formats.chunks import ChunkBuilder, FieldNames
from dedup.formats.json_texts import is_string_literal, is_utf8_string, json_texts
from dedup.formats.records import CHUNK_BYTES, CHUNK_RECORDS, EXTRAS, Chunk

_Waiting = tuple[int, bytes, str | None]
"""The number of a record, its bytes, and why it is set aside unread, if it is."""


class JsonRecordReader:
    """Reads records that are JSON objects into chunks; fields that are not named are passed over.

    Records wait until the chunk is taken. Texts are passed over too and stay as they are, `JsonTexts`,
    unless one is not UTF-8; then the records of the chunk are read once more, each text looked at.
    """

    def __init__(self, file: str, names: FieldNames) -> None:
        self.num_bytes = 0
        self._builder = ChunkBuilder(file, names)
        self._waiting: list[_Waiting] = []
        self._title, self._url = names.role("title"), names.role("url")
        self._leaves_texts = "text" not in (self._title, self._url)
        self._decode = _decoder(names, msgspec.Raw if self._leaves_texts else str).decode

    @property
    def is_full(self) -> bool:
        """Whether it is time to `take` the chunk."""
        return len(self._waiting) >= CHUNK_RECORDS or self.num_bytes >= CHUNK_BYTES

    def read(self, number: int, raw: bytes) -> None:
        """Take a record, which is one JSON value; if it is no usable one it will be among the rejects."""
        self._waiting.append((number, raw, None))

    def reject(self, number: int, reason: str, raw: bytes) -> None:
        """Set a record aside."""
        self._waiting.append((number, raw, reason))

    def take(self) -> Chunk:
        """Return the chunk of the records that wait, and start the next."""
        chunk = self._chunk_of(self._waiting)
        chunk.num_bytes, self.num_bytes = self.num_bytes, 0
        self._waiting = []
        return chunk

    def _chunk_of(self, records: Sequence[_Waiting]) -> Chunk:
        chunk = self._read_all(records, is_string_literal)
        if self._leaves_texts:
            texts = json_texts(chunk.texts)
            if texts is None:
                chunk = self._read_all(records, is_utf8_string)
                texts = json_texts(chunk.texts)
            chunk.texts = chunk.texts if texts is None else texts
        return chunk

    def _read_all(self, records: Sequence[_Waiting], is_text: Callable[[msgspec.Raw], bool]) -> Chunk:
        for record in records:
            self._read(record, is_text)
        return self._builder.take()

    def _read(self, waiting: _Waiting, is_text: Callable[[msgspec.Raw], bool]) -> None:
        """Add the record to the chunk, or set it aside."""
        number, raw, reason = waiting
        if reason:
            self._builder.reject(number, reason, raw)
            return
        try:
            record = self._decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._read_slowly(number, raw)
            return
        text = record.text
        if type(text) is msgspec.Raw and not is_text(text):
            self._read_slowly(number, raw)
            return
        title = getattr(record, self._title) if self._title else None
        url = getattr(record, self._url) if self._url else None
        self._builder.add(number, record.id, text, record.source, record.date, raw, title, url)

    def _read_slowly(self, number: int, raw: bytes) -> None:
        """Find out with the standard library what msgspec stumbled over.

        Some of it is no fault: lone surrogates, and numbers out of range in fields that may be anything.
        """
        try:
            record = json.loads(raw.decode(), parse_constant=_refuse)
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            reason = f"not UTF-8: byte 0x{byte:02x} at offset {error.start}, {error.reason}"
        except json.JSONDecodeError as error:
            what = error.msg.removesuffix(" at")  # some messages end with it
            reason = f"not JSON: {what} at character {error.pos + 1}{_guess(raw)}"
        except RecursionError:
            reason = "not usable: nested too deeply"
        except ValueError as error:
            reason = f"not usable: {error}"
        else:
            self._builder.add_object(number, record, raw)
            return
        self._builder.reject(number, reason, raw)


def _guess(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or raw[1:8:2] == b"\0" * 4:
        return "; the file seems to be UTF-16, expected UTF-8"
    if raw.lstrip().startswith(b"{") and not raw.rstrip().endswith(b"}"):
        return "; it seems to be cut off"
    return ""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _decoder(names: FieldNames, text: type[str] | type[msgspec.Raw]) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads the named fields of an object, as `text` its text, and no others."""
    columns = names.columns()
    extras = [(role, Any, None) for role in EXTRAS if role in columns]
    record = msgspec.defstruct(
        "Record",
        [("id", ArticleId), ("text", text), ("source", Any, None), ("date", Any, None), *extras],
        rename=columns,
        gc=False,
    )
    return msgspec.json.Decoder(record)


def encode_line(record: dict[str, Any]) -> bytes:
    """Return a record as one line of JSON, UTF-8, keys in the order given; dates become ISO 8601."""
    return _ENCODER.encode(record) + b"\n"


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
