"""What articles say never becomes a part of the page that shows them."""

import datetime

import pytest

from dedup.report.moments import delay_in_words, time_in_words
from dedup.report.page import direction, is_report, legible

MINUTE = 60_000_000


@pytest.mark.parametrize(
    "hostile", ["\0", "\x1b[31m", "\ud800", "\N{RIGHT-TO-LEFT OVERRIDE}", "\ufffe", "\U0001ffff", "\x85"]
)
def test_what_a_page_cannot_hold_is_replaced(hostile: str) -> None:
    shown = legible(f"خبر{hostile}x")
    shown.encode("utf-8")
    assert "\N{REPLACEMENT CHARACTER}" in shown
    assert hostile not in shown


def test_what_arabic_needs_is_kept() -> None:
    text = "می\N{ZERO WIDTH NON-JOINER}خواهم\N{RIGHT-TO-LEFT MARK} أكّـد\n«٣»"
    assert legible(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BBC: قالت الهيئة", "rtl"),
        ("Al Ahram (الأهرام) writes", "ltr"),
        ("12,5", "auto"),
        ("", "auto"),
        (None, "auto"),
    ],
)
def test_direction_is_that_of_most_letters(text: str | None, expected: str) -> None:
    assert direction(text) == expected


def test_only_pages_of_this_program_are_reports() -> None:
    assert is_report(b'<meta name="generator" content="article-dedup 1.0">')
    assert not is_report(b'<meta name="generator" content="a site builder">')


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "at the same time"),
        (1, "1 minute later"),
        (60, "1 hour later"),
        (-180, "3 hours earlier"),
        (2880, "2 days later"),
    ],
)
def test_delays_in_words(minutes: int, words: str) -> None:
    assert delay_in_words(0, minutes * MINUTE) == words


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_times_of_any_year_can_be_shown(year: int) -> None:
    moment = datetime.datetime(year, 12, 31, 23, 59, tzinfo=datetime.UTC)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert (
        time_in_words((moment - epoch) // datetime.timedelta(microseconds=1))
        == f"{moment:%Y-%m-%d %H:%M} UTC"
    )
