"""The most distinct days within a span, against a twin that tries every span."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.match.days import most_days


@given(days=st.lists(st.integers(-20, 20), max_size=40), span=st.integers(1, 12), spare=st.integers(0, 3))
def test_most_days_equal_the_twin(days: list[int], span: int, spare: int) -> None:
    distinct = set(days)
    expected = max((sum(first <= day < first + span for day in distinct) for first in distinct), default=0)
    kept = np.array([*days, *[99] * spare], dtype=np.int64)
    assert most_days(kept, len(days), span) == expected


@pytest.mark.parametrize(
    ("days", "most"),
    [([], 0), ([3, 3, 3], 1), ([0, 1, 2, 3, 4, 5, 6], 7), ([0, 7, 14, 21], 1), ([0, 6, 7], 2)],
)
def test_days_count_once_and_only_within_a_week(days: list[int], most: int) -> None:
    assert most_days(np.array(days, dtype=np.int64), len(days), 7) == most
