"""Dates: the forms of feeds, and that nothing makes the parser fail."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import SettingsError
from dedup.formats.dates import EARLIEST, LATEST, date_reader, fitting_format, parse_date

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data/dates.jsonl").read_text(encoding="utf-8").splitlines()
]
EPOCH = datetime.datetime(1970, 1, 1)
ZONES = st.integers(-23 * 60, 23 * 60).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)
TIMES = st.datetimes(
    min_value=datetime.datetime(2, 1, 1), max_value=datetime.datetime(9998, 12, 31), timezones=ZONES
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["form"])
def test_form(case: dict[str, Any]) -> None:
    micros = parse_date(case["date"])
    moment = None if micros is None else EPOCH + datetime.timedelta(microseconds=micros)
    assert moment == (case["utc"] and datetime.datetime.fromisoformat(case["utc"]))


@given(st.one_of(st.text(), st.from_regex(r"[0-9:TZ/+ .a-z-]{0,40}"), st.floats(), st.integers()))
def test_nothing_makes_it_fail(value: Any) -> None:
    micros = parse_date(value)
    assert micros is None or EARLIEST <= micros <= LATEST


@given(st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")), st.sampled_from(CASES))
def test_damaged_forms_do_not_make_it_fail(noise: str, case: dict[str, Any]) -> None:
    parse_date(str(case["date"])[: len(noise) // 2] + noise)


@given(TIMES)
def test_iso_format_comes_back(moment: datetime.datetime) -> None:
    expected = moment.replace(tzinfo=None) - moment.utcoffset() - EPOCH
    for text in (moment.isoformat(), moment.isoformat(" "), str(moment).replace("+", " +")):
        assert parse_date(text) == expected // datetime.timedelta(microseconds=1)
    assert parse_date(moment) == parse_date(moment.isoformat())


@given(TIMES)
def test_rfc_5322_comes_back_to_the_second(moment: datetime.datetime) -> None:
    from email.utils import format_datetime

    if moment.year >= 1000:
        assert parse_date(format_datetime(moment)) == parse_date(moment.replace(microsecond=0))


@given(st.integers(10**8, 4 * 10**9).filter(lambda seconds: not 190_000_000 <= seconds // 10 <= 210_012_31))
def test_seconds_and_milliseconds_agree(seconds: int) -> None:
    assert parse_date(seconds) == seconds * 1_000_000
    assert parse_date(seconds * 1000) == parse_date(str(seconds)) == parse_date(float(seconds))


def test_a_long_string_is_no_date() -> None:
    assert parse_date("2015-07-21" + " " * 10_000_000 + "x") is None
    assert parse_date("1" * 10_000_000) is None


MAY_17 = parse_date("2015-05-17")


@pytest.mark.parametrize(
    ("date_format", "value", "same_as"),
    [
        ("dmy", "17/05/2015", "2015-05-17"),
        ("dmy", "7/5/2015", "2015-05-07"),
        ("mdy", "7/5/2015", "2015-07-05"),
        ("dmy", "17-5-15", "2015-05-17"),
        ("dmy", "17.05.69", "1969-05-17"),
        ("dmy", "17.05.68", "2068-05-17"),
        ("dmy", " 17 / 05 / 2015 10:20 ", "2015-05-17T10:20"),
        ("dmy", "17/05/2015, 10:20:30 +0300", "2015-05-17T07:20:30"),
        ("dmy", "17/05/2015 12:10 am", "2015-05-17T00:10"),
        ("dmy", "17/05/2015 12:10 PM", "2015-05-17T12:10"),
        ("dmy", "\N{ARABIC-INDIC DIGIT ONE}7/05/2015 03:20 \N{ARABIC LETTER MEEM}", "2015-05-17T15:20"),
        ("dmy", "\N{RIGHT-TO-LEFT MARK}17/05/2015\N{RIGHT-TO-LEFT MARK}", "2015-05-17"),
        ("%d %B %Y", "17 May 2015", "2015-05-17"),
        ("%Y%d%m", "20151705", "2015-05-17"),
        ("%d/%m/%Y %H:%M %z", "17/05/2015 10:20 +0300", "2015-05-17T07:20"),
    ],
)
def test_a_format_reads_dates_in_its_order(date_format: str, value: str, same_as: str) -> None:
    expected = parse_date(same_as)
    assert expected is not None
    assert date_reader(date_format)(value) == expected


@pytest.mark.parametrize("date_format", ["dmy", "mdy", "%d %B %Y"])
def test_with_a_format_the_usual_forms_are_read_as_ever(date_format: str) -> None:
    for value in ("2015-05-17", "Sun, 17 May 2015 00:00:00 GMT", 20150517, "1431820800"):
        assert date_reader(date_format)(value) == MAY_17
    for value in (None, "", "yesterday", "17/17/2015", "17/05/2015 13:00 pm", "17/05-2015", "1" * 5000, [1]):
        assert date_reader(date_format)(value) is None


@pytest.mark.parametrize("date_format", ["", "dym", "%d", "%d/%m", "%Q", "%", "%H:%M"])
def test_a_format_that_does_not_tell_the_day_is_refused(date_format: str) -> None:
    with pytest.raises(SettingsError, match=r"^date_format is .*; it is dmy, mdy, or a format of strptime"):
        date_reader(date_format)


@pytest.mark.parametrize(
    ("value", "fitting"),
    [("17/05/2015", "dmy"), ("05/17/2015", "mdy"), ("5/7/2015", "dmy or mdy"), ("soon", None)],
)
def test_the_fitting_format_is_found(value: str, fitting: str | None) -> None:
    assert fitting_format(value) == fitting
