"""Publication dates: the forms that news feeds use, as microseconds since 1970 UTC."""

import datetime
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from dedup.errors import SettingsError

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
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

_TIME = (
    r"(?:(?:\s*t\s*|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?%s)?"
    r"(?:\s*(?:z|utc|gmt|ut)|\s*(?:utc|gmt)?(?P<sign>[-+\N{MINUS SIGN}])"
    r"(?P<offset_hours>\d{2}):?(?P<offset_minutes>\d{2})?)?"
)
_NUMERIC = re.compile(
    r"(?P<year>\d{4})(?:(?P<between>[-/.])(?P<month>\d{1,2})(?:(?P=between)(?P<day>\d{1,2}))?)?" + _TIME % "",
    re.IGNORECASE,
)
"""The year first: "2015-07-21 10:20:30 +0300", "2015/7/21", "2015-07", "2015-07-21T24:00Z"."""


_HALF_DAY = r"(?:\s*(?P<half>am|pm|\N{ARABIC LETTER SAD}|\N{ARABIC LETTER MEEM}))?"
_ORDERS = {
    order: re.compile(
        rf"(?P<{first}>\d{{1,2}})\s*(?P<between>[-/.])\s*(?P<{second}>\d{{1,2}})\s*(?P=between)\s*"
        r"(?P<year>\d{4}|\d{2}),?" + _TIME % _HALF_DAY,
        re.IGNORECASE,
    )
    for order, first, second in (("dmy", "day", "month"), ("mdy", "month", "day"))
}
"""The year last: "17/05/2015", "17-5-15 10:20", "17.05.2015 10:20 PM +0300", in Arabic digits too."""

_AFTERNOON = ("pm", "\N{ARABIC LETTER MEEM}")
_FIRST_OF_LAST_CENTURY = 69  # of years of two digits, as POSIX has it
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"))
"""Marks of direction, which pages in Arabic put into dates."""


def date_reader(date_format: str | None) -> Callable[[Any], int | None]:
    """Return what reads dates as `parse_date` does, those of a format first.

    The format is "dmy" or "mdy", the order of numbers with the year last, or one of `datetime.strptime`. A
    date that does not follow it is read as ever. Raises `SettingsError` for another format, and for one that
    does not tell the day.

    >>> date_reader("dmy")("02/01/1970"), date_reader("%d %B %Y")("2 January 1970"), parse_date("02/01/1970")
    (86400000000, 86400000000, None)
    """
    if date_format is None:
        return parse_date
    if date_format not in _ORDERS:
        _check_format(date_format)

    def read(value: Any) -> int | None:
        if isinstance(value, str) and len(value) <= _MAX_LENGTH:
            text = value.translate(_MARKS).strip()
            found = _by_order(text, date_format) if date_format in _ORDERS else _by_format(text, date_format)
            if found is not None:
                return found
        return parse_date(value)

    return read


def fitting_format(value: str) -> str | None:
    """Return the order of numbers, "dmy" or "mdy", by which a string is a date; both of them if both may be.

    >>> fitting_format("17/05/2015"), fitting_format("7/5/2015"), fitting_format("May")
    ('dmy', 'dmy or mdy', None)
    """
    return " or ".join(order for order in _ORDERS if date_reader(order)(value) is not None) or None


def _check_format(date_format: str) -> None:
    example = datetime.datetime(2001, 2, 13, tzinfo=datetime.UTC)
    try:
        told = datetime.datetime.strptime(example.strftime(date_format), date_format)
    except ValueError as error:
        reason = str(error)
    else:
        if told.date() == example.date():
            return
        reason = "it does not tell year, month and day"
    raise SettingsError(
        f"date_format is {date_format!r}: {reason}; it is dmy, mdy, or a format of strptime, '%d %B %Y'"
    )


def _by_order(text: str, order: str) -> int | None:
    match = _ORDERS[order].fullmatch(text)
    return _numeric_date(match) if match else None


def _by_format(text: str, date_format: str) -> int | None:
    try:
        return _microseconds(datetime.datetime.strptime(text, date_format))
    except (ValueError, OverflowError):
        return None


def parse_date(value: Any) -> int | None:
    """Return the time in microseconds since 1970 UTC, or None where `value` is no date.

    Reads ISO 8601 and the W3C's profile of it with the liberties that feeds take (a space for the T, a
    space before the offset, slashes), RFC 5322 and RFC 822 ("Tue, 24 Nov 2026 06:00:00 EST"), dates and
    datetimes, and numbers, also as strings: 20150721 is a day, 2015 a year, 12 digits are a day with its hour
    and minute, 14 with the second too; any other number is the time since 1970 in seconds, milliseconds,
    microseconds or nanoseconds, whichever its size allows. Zero is no date: it stands for a missing one. A
    time without an offset is UTC, a day, month or year its first moment. The answer depends on neither the
    locale nor the machine's time zone. Never raises.

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
    found = match.groupdict()
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if len(found["year"]) == 2:
        year += 1900 if year >= _FIRST_OF_LAST_CENTURY else 2000
    if half := found.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() in _AFTERNOON else 0)
    micros = int((found["fraction"] or "")[:6].ljust(6, "0"))
    moment = _moment(year, month, day, hour, minute, second, micros)
    if moment is None:
        return None
    if sign := found["sign"]:
        minutes = int(found["offset_hours"]) * 60 + int(found["offset_minutes"] or 0)
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
    passed = moment - (_EPOCH if moment.tzinfo else _NAIVE_EPOCH)
    micros = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return micros if EARLIEST <= micros <= LATEST else None  # an offset can lead out of the years
