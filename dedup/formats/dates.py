"""Publication dates: the forms that news feeds use, as microseconds since 1970 UTC."""

import datetime
from email.utils import parsedate_to_datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def parse_date(value: str | datetime.date) -> int | None:
    """Return the time in microseconds since 1970 UTC, or None where `value` is no date.

    Reads ISO 8601 and RFC 5322 ("Tue, 24 Nov 2026 06:00:00 +0300"); a time without an offset is UTC, a
    day without a time its first moment.

    >>> parse_date("1970-01-01T03:00:01+03:00"), parse_date("1970-01-01"), parse_date("yesterday")
    (1000000, 0, None)
    """
    if isinstance(value, str):
        moment = _parse_text(value.strip())
        if moment is None:
            return None
    elif isinstance(value, datetime.datetime):
        moment = value
    else:
        moment = datetime.datetime(value.year, value.month, value.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - _EPOCH) // _MICROSECOND


def _parse_text(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
