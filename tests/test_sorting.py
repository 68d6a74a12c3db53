"""The sort of kernels against Python's, on few and on many values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.sorting import sort_values


@given(
    values=st.lists(st.integers(-50, 50), max_size=200),
    before=st.integers(0, 3),
    kind=st.sampled_from([np.int64, np.int32]),
)
def test_values_between_the_bounds_are_sorted_and_others_stay(
    values: list[int], before: int, kind: type
) -> None:
    array = np.array([99] * before + values + [-99], dtype=kind)
    sort_values(array, before, before + len(values))
    assert array.tolist() == [99] * before + sorted(values) + [-99]


@pytest.mark.parametrize("count", [0, 1, 2, 24, 25, 26, 10_000])
@pytest.mark.parametrize("order", ["rising", "falling", "equal", "random"])
def test_any_order_and_any_number_of_values(count: int, order: str) -> None:
    values = {
        "rising": np.arange(count, dtype=np.uint32),
        "falling": np.arange(count, dtype=np.uint32)[::-1].copy(),
        "equal": np.full(count, 7, dtype=np.uint32),
        "random": np.random.default_rng(1).integers(0, 1 << 32, count, dtype=np.uint32),
    }[order]
    expected = np.sort(values)
    sort_values(values, 0, count)
    assert np.array_equal(values, expected)
