"""One record as JSON: decoded for its few fields, or the reason why it cannot be."""

import json
from typing import Any, NoReturn

import msgspec

from dedup.articles import ArticleId
from dedup.formats.chunks import ChunkBuilder, FieldNames
from dedup.formats.records import EXTRAS


class JsonRecordReader:
    """Reads records that are JSON objects into chunks; fields that are not named are passed over."""

    def __init__(self, builder: ChunkBuilder) -> None:
        self._builder = builder
        self._decode = _decoder(builder.names).decode
        self._title, self._url = builder.names.role("title"), builder.names.role("url")

    def read(self, number: int, raw: bytes) -> None:
        """Add the record, or set it aside; `raw` is one JSON value."""
        try:
            record = self._decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._read_slowly(number, raw)
            return
        title = getattr(record, self._title) if self._title else None
        url = getattr(record, self._url) if self._url else None
        self._builder.add(number, record.id, record.text, record.source, record.date, raw, title, url)

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


def _decoder(names: FieldNames) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads the named fields of an object and passes over the others."""
    columns = names.columns()
    extras = [(role, Any, None) for role in EXTRAS if role in columns]
    record = msgspec.defstruct(
        "Record",
        [("id", ArticleId), ("text", str), ("source", Any, None), ("date", Any, None), *extras],
        rename=columns,
        gc=False,
    )
    return msgspec.json.Decoder(record)


def encode_line(record: dict[str, Any]) -> bytes:
    """Return a record as one line of JSON, UTF-8, keys in the order given; dates become ISO 8601."""
    return _ENCODER.encode(record) + b"\n"


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
