"""Publication dates: the forms that news feeds use, as microseconds since 1970 UTC."""

import datetime
import re
from email.utils import parsedate_to_datetime
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_DAY = datetime.timedelta(days=1)

EARLIEST = (datetime.datetime.min.replace(tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND
LATEST = (datetime.datetime.max.replace(tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND
"""The first and the last time of the years 1 to 9999; others are no dates."""

_MAX_LENGTH = 100
"""A longer string is no date; the patterns below are not tried on it."""

_UNITS = ((10**11, 1_000_000.0), (10**14, 1000.0), (10**17, 1.0))
"""A number below the first bound counts seconds since 1970 (to the year 5138), below the second
milliseconds (from 1973), below the third microseconds, else nanoseconds: bound and microseconds each."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]*)?")

_DIGITS = re.compile(r"((?:19|20)[0-9]{2})(?:([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?)?")
"""YYYY, YYYYMMDD, YYYYMMDDhhmm, YYYYMMDDhhmmss."""

_NUMERIC = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?"
    r"(?:(?:\s*t\s*|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?"
    r"(?:\s*(z|utc|gmt|ut)|\s*(?:utc|gmt)?([-+\N{MINUS SIGN}])(\d{2}):?(\d{2})?)?",
    re.IGNORECASE,
)
"""The year first: "2015-07-21 10:20:30 +0300", "2015/7/21", "2015-07", "2015-07-21T24:00Z"."""


def parse_date(value: Any) -> int | None:
    """Return the time in microseconds since 1970 UTC, or None where `value` is no date.

    Reads ISO 8601 and the W3C's profile of it with the liberties that feeds take (a space for the T, a
    space before the offset, slashes), RFC 5322 and RFC 822 ("Tue, 24 Nov 2026 06:00:00 EST"), dates and
    datetimes, and numbers, also as strings: 20150721 is a day, 2015 a year, any other number the time
    since 1970 in seconds, milliseconds, microseconds or nanoseconds, whichever its size allows. Zero is
    no date: it stands for a missing one. A time without an offset is UTC, a day, month or year its first
    moment. The answer depends on neither the locale nor the machine's time zone. Never raises.

    >>> parse_date("1970-01-01T03:00:01+03:00"), parse_date("1970-01-01"), parse_date("yesterday")
    (1000000, 0, None)
    >>> parse_date(1432200000) == parse_date("1432200000000") == parse_date("2015-05-21 09:20 GMT")
    True
    """
    if isinstance(value, str):
        if value[4:5] == "-":  # mere digits count seconds, where `fromisoformat` sees days
            try:
                return _microseconds(datetime.datetime.fromisoformat(value))
            except ValueError:
                pass
        return _parse_text(value.strip())
    if isinstance(value, datetime.datetime):
        return _microseconds(value)
    if isinstance(value, datetime.date):
        return _microseconds(datetime.datetime(value.year, value.month, value.day))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _parse_number(value)
    return None


def moment_of(microseconds: int) -> datetime.datetime:
    """Return a time that `parse_date` gave, with the time zone UTC.

    >>> moment_of(1000000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return _EPOCH + datetime.timedelta(microseconds=microseconds)


def _parse_text(text: str) -> int | None:
    if len(text) > _MAX_LENGTH:
        return None
    if _NUMBER.fullmatch(text):
        return _parse_number(float(text) if "." in text else int(text))
    if match := _NUMERIC.fullmatch(text):
        return _numeric_date(match)
    return _parse_other_text(text)


def _parse_other_text(text: str) -> int | None:
    try:
        return _microseconds(parsedate_to_datetime(text if ":" in text else text + " 00:00:00"))
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    try:
        return _microseconds(datetime.datetime.fromisoformat(text))  # compact forms, 20150721T102030Z
    except ValueError:
        return None


def _parse_number(number: float) -> int | None:
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int) and (match := _DIGITS.fullmatch(str(number) if number < 10**14 else "")):
        year, *rest = (int(part) if part else None for part in match.groups())
        month, day, hour, minute, second = rest
        moment = _moment(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)
        if moment is not None:
            return _microseconds(moment)
    if not number or not -1e20 < number < 1e20:  # zero, infinite, or not a number
        return None
    size = abs(number)
    scale = next((scale for bound, scale in _UNITS if size < bound), 0.001)
    micros = number * int(scale) if isinstance(number, int) and scale >= 1 else int(number * scale)
    return micros if EARLIEST <= micros <= LATEST else None


def _numeric_date(match: re.Match[str]) -> int | None:
    year, _, month, day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = (
        match.groups()
    )
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    moment = _moment(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), micros
    )
    if moment is None:
        return None
    if sign:
        minutes = int(offset_hours) * 60 + int(offset_minutes or 0)
        if minutes >= 24 * 60:
            return None
        offset = datetime.timedelta(minutes=minutes if sign == "+" else -minutes)
        moment = moment.replace(tzinfo=datetime.timezone(offset))
    return _microseconds(moment)


def _moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, micros: int = 0
) -> datetime.datetime | None:
    """Return the time, None if there is none such; 24:00 is the next day, a leap second the one before."""
    next_day = hour == 24 and minute == second == micros == 0
    try:
        moment = datetime.datetime(
            year, month, day, 0 if next_day else hour, minute, 59 if second == 60 else second, micros
        )
        return moment + _DAY if next_day else moment
    except (ValueError, OverflowError):
        return None


def _microseconds(moment: datetime.datetime) -> int | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    micros = (moment - _EPOCH) // _MICROSECOND
    return micros if EARLIEST <= micros <= LATEST else None  # an offset can lead out of the years
