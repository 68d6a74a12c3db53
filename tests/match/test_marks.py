"""Marks against a twin that keeps the low bits of the marked shingles in a set."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.match.marks import MARKS_A_SHINGLE, count_marked, mark_shingles, marks_mask

hashes = st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 300), max_size=60)


@given(marked=hashes, before=hashes, others=hashes)
def test_shingles_on_marks_are_counted(marked: list[int], before: list[int], others: list[int]) -> None:
    others = others + marked[: len(others)]
    marks = np.full(1024, 7, dtype=np.uint8)
    for values in (before, marked):  # what was marked before is gone
        mark_shingles(np.array(values, dtype=np.uint32), len(values), marks)
    size = 64
    while size < MARKS_A_SHINGLE * len(marked):
        size *= 2
    assert marks_mask(marks, len(marked)) == size - 1
    low_bits = {value % size for value in marked}
    counted = count_marked(np.array(others, dtype=np.uint32), len(others), marks, len(marked))
    assert counted == sum(value % size in low_bits for value in others)
    assert counted >= len(set(others) & set(marked))


def test_marks_take_no_more_places_than_there_are() -> None:
    marks = np.zeros(64, dtype=np.uint8)
    values = np.arange(100, dtype=np.uint32)
    mark_shingles(values, 100, marks)
    assert count_marked(values + np.uint32(64), 100, marks, 100) == 100
