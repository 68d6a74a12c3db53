"""Columns of Arrow as lists of plain values, whatever they hold: no value makes these functions fail."""

import datetime
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from dedup.formats.dates import EARLIEST, LATEST

_EPOCH = datetime.datetime(1970, 1, 1)  # naive is UTC
_UNITS = {"s": (1_000_000, 1), "ms": (1000, 1), "us": (1, 1), "ns": (1, 1000)}
_DAY = (86_400_000_000, 1)
_UNREADABLE = (ValueError, OverflowError, TypeError, pa.ArrowException)  # UnicodeDecodeError among them


def is_string(kind: Any) -> bool:
    """Return whether a column of this type holds strings, coded by a dictionary or not."""
    value = value_type(kind)
    return bool(
        pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)
    )


def value_type(kind: Any) -> Any:
    """Return the type of the values of a column of this type."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def plain_values(column: Any) -> list[Any]:
    """Return the values as Python has them.

    A string that is not UTF-8 comes as its bytes; a time that Python cannot hold as a number.
    """
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except _UNREADABLE:
        return [_plain_value(value) for value in column]


def _plain_value(value: Any) -> Any:
    try:
        return value.as_py()
    except _UNREADABLE:
        pass
    if is_string(value.type):
        inner = value.value if pa.types.is_dictionary(value.type) else value
        return inner.as_buffer().to_pybytes()
    try:
        return value.cast(pa.int64()).as_py()
    except _UNREADABLE:
        return None


def string_values(column: Any) -> list[Any]:
    """Return the strings, bytes where they are not UTF-8; None throughout if the column holds others."""
    return plain_values(column) if is_string(column.type) else [None] * len(column)


def date_values(column: Any) -> list[Any]:
    """Return what `parse_date` reads: naive times for timestamps and days, other values as they are.

    A time outside the years 1 to 9999 comes as a string that is no date; NaN is none.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        factor, divisor = _UNITS[kind.unit]
        numbers = column.cast(pa.int64())
    elif pa.types.is_date32(kind):
        factor, divisor = _DAY
        numbers = column.cast(pa.int32())
    elif pa.types.is_date64(kind):
        factor, divisor = _UNITS["ms"]
        numbers = column.cast(pa.int64())
    else:
        return [None if value != value else value for value in plain_values(column)]  # noqa: PLR0124
    return [None if number is None else _time(number * factor // divisor) for number in numbers.to_pylist()]


def _time(micros: int) -> datetime.datetime | str:
    if not EARLIEST <= micros <= LATEST:
        return "out of range"
    return _EPOCH + datetime.timedelta(microseconds=micros)


def rows_of(batch: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows as objects that can be written as JSON; nanoseconds are cut to microseconds."""
    names = batch.schema.names
    for row in zip(*map(_json_values, batch.columns), strict=True):
        yield dict(zip(names, row, strict=True))


def _json_values(column: Any) -> list[Any]:
    kind = column.type
    if is_string(kind):
        return [
            value.decode(errors="replace") if isinstance(value, bytes) else value
            for value in plain_values(column)
        ]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":  # else their class depends on pandas
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_duration(kind) and kind.unit == "ns":
        column = column.cast(pa.duration("us"), safe=False)
    return plain_values(column)
