"""Canonical order: each key alone, and all together against a plain sort."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE
from dedup.match.order import canonical_order


def order_of(rows: list[tuple[Any, int, int, int]], keep: str = "earliest") -> list[int]:
    """Return the order of rows of (id, published, source rank, number of tokens)."""
    ids, published, ranks, lengths = zip(*rows, strict=True) if rows else ((), (), (), ())
    order = canonical_order(
        ids=pa.array(map(str, ids), pa.large_string()),
        published=np.array(published, dtype=np.int64),
        source_ranks=np.array(ranks, dtype=np.int64),
        num_tokens=np.array(lengths, dtype=np.int64),
        keep=keep,
    )
    assert order.dtype == np.int64
    return order.tolist()


CASES = [
    ("earlier comes first", [("a", 2, 0, 9), ("b", 1, 5, 1)], [1, 0]),
    ("before 1970 is before", [("a", 0, 0, 1), ("b", -5, 0, 1)], [1, 0]),
    ("missing dates come last", [("a", MISSING_DATE, 0, 9), ("b", MISSING_DATE - 1, 9, 1)], [1, 0]),
    ("a better source comes first", [("a", 1, 1, 9), ("b", 1, 0, 1)], [1, 0]),
    ("the longer comes first", [("a", 1, 1, 3), ("b", 1, 1, 4)], [1, 0]),
    ("the id decides the rest", [("b", 1, 1, 3), ("a", 1, 1, 3)], [1, 0]),
    ("integer ids are ordered as strings", [(9, 1, 1, 3), (10, 1, 1, 3), (-1, 1, 1, 3)], [2, 1, 0]),
    ("ids of both kinds are ordered as strings", [("9", 1, 1, 3), (10, 1, 1, 3), ("1", 1, 1, 3)], [2, 1, 0]),
    (
        "ids are ordered by code point",
        [("\U00010000", 1, 1, 3), ("\uffff", 1, 1, 3), ("z", 1, 1, 3)],
        [2, 1, 0],
    ),
    ("a prefix comes first", [("ab", 1, 1, 3), ("a", 1, 1, 3), ("", 1, 1, 3)], [2, 1, 0]),
    ("no rows", [], []),
]


@pytest.mark.parametrize(("rows", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_earliest_orders_by_date_source_length_and_id(rows: list[Any], expected: list[int]) -> None:
    assert order_of(rows) == expected


def test_longest_puts_length_before_date_and_source() -> None:
    rows = [("a", 1, 0, 3), ("b", 9, 9, 4), ("c", 8, 9, 4), ("d", 8, 1, 4)]
    assert order_of(rows, "longest") == [3, 2, 1, 0]


def test_first_seen_is_the_order_of_the_rows() -> None:
    assert order_of([("z", 9, 9, 1), ("a", 1, 0, 5), ("b", 1, 0, 5)], "first-seen") == [0, 1, 2]


articles = st.lists(
    st.tuples(
        st.one_of(st.integers(-20, 120), st.text(st.characters(exclude_categories=("Cs",)), max_size=3)),
        st.sampled_from([MISSING_DATE, 0, -1, 7]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    unique_by=lambda row: str(row[0]),
    max_size=30,
)


@given(articles, st.randoms(use_true_random=False))
def test_order_is_the_plain_sort_whatever_the_order_of_the_input(rows: list[Any], random: Any) -> None:
    def key(row: Any) -> Any:
        return row[1], row[2], -row[3], str(row[0]).encode()

    def longest_key(row: Any) -> Any:
        return -row[3], row[1], row[2], str(row[0]).encode()

    random.shuffle(rows)
    assert [rows[k] for k in order_of(rows)] == sorted(rows, key=key)
    assert [rows[k] for k in order_of(rows, "longest")] == sorted(rows, key=longest_key)
