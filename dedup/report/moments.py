"""Times of publication in words."""

import datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECONDS_A_MINUTE = 60_000_000
_UNITS = (("day", 1440), ("hour", 60), ("minute", 1))


def time_in_words(microseconds: int) -> str:
    """Return a time, microseconds since 1970 UTC, to the minute; a day alone where it is midnight.

    >>> time_in_words(0), time_in_words(90 * 10**6)
    ('1970-01-01', '1970-01-01 00:01 UTC')
    """
    moment = _EPOCH + datetime.timedelta(microseconds=microseconds)
    is_midnight = not (moment.hour or moment.minute or moment.second)
    return moment.strftime("%Y-%m-%d" if is_midnight else "%Y-%m-%d %H:%M UTC")


def delay_in_words(first: int | None, second: int | None) -> str | None:
    """Return how long after the first time the second is, both microseconds since 1970; None where one lacks.

    >>> delay_in_words(0, 3 * 3600 * 10**6), delay_in_words(90 * 10**6, 0), delay_in_words(0, None)
    ('3 hours later', '1 minute earlier', None)
    """
    if first is None or second is None:
        return None
    minutes = abs(second - first) // _MICROSECONDS_A_MINUTE
    if not minutes:
        return "at the same time"
    unit, size = next((unit, size) for unit, size in _UNITS if minutes >= size)
    number = round(minutes / size)
    return f"{number:,} {unit}{'' if number == 1 else 's'} {'later' if second > first else 'earlier'}"
