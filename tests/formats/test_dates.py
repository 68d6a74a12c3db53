"""Dates: the forms of feeds, and that nothing makes the parser fail."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.formats.dates import EARLIEST, LATEST, parse_date

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
