"""Signatures that the scan can ask for, against a twin in plain Python."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.match import buckets as buckets_module
from dedup.match.buckets import by_position, integers_for
from dedup.match.crowded import crowded_signatures
from dedup.match.grouping import Lane, group_articles
from dedup.match.verify import Features

MOST_WAITING, MANY = 3, 4


def twin(buckets_of: list[list[int]], is_short: list[bool]) -> list[int]:
    members: dict[int, list[int]] = defaultdict(list)
    for position, buckets in enumerate(buckets_of):
        for bucket in buckets:
            members[bucket].append(position)
    asked: set[int] = set()
    for buckets, short in zip(buckets_of, is_short, strict=True):
        others = sum(min(MOST_WAITING, len(members[bucket]) - 1) for bucket in buckets)
        if others > MANY and not short:
            asked.update(*(members[bucket] for bucket in buckets))
    return sorted(asked)


@given(
    articles=st.lists(st.tuples(st.lists(st.integers(0, 5), unique=True, max_size=4), st.booleans())),
    data=st.data(),
)
def test_signatures_are_those_of_crowded_buckets(
    articles: list[tuple[list[int], bool]], data: st.DataObject
) -> None:
    n = len(articles)
    rows = np.array(data.draw(st.permutations(range(n))), dtype=np.int64)
    members = np.array([k for k, (chosen, _) in enumerate(articles) for _ in chosen], dtype=np.int64)
    numbers = np.array([bucket for chosen, _ in articles for bucket in chosen], dtype=np.int64)
    buckets = by_position(members, numbers, n, 6)
    is_short = [short for _, short in articles]
    ends = np.zeros(n, dtype=np.int64)
    ends[rows] = is_short
    nothing, none = np.zeros(n, dtype=np.int64), np.empty(0, dtype=np.uint32)
    features = Features(nothing, none, nothing, nothing, none, nothing, ends)
    signatures = np.arange(2 * n, dtype=np.uint32).reshape(n, 2)
    crowded = crowded_signatures(buckets, rows, features, signatures, most_waiting=MOST_WAITING, many=MANY)
    expected = twin([chosen for chosen, _ in articles], is_short)
    assert np.flatnonzero(crowded.entries >= 0).tolist() == expected
    assert crowded.values.shape == (len(expected), 2)
    for position in expected:
        entry = crowded.entries[position]
        assert crowded.values[entry].tolist() == signatures[rows[position]].tolist()


def test_numbers_have_64_bits_where_32_do_not_do() -> None:
    assert (integers_for(2**31 - 1), integers_for(2**31)) == (np.int32, np.int64)


@pytest.mark.usefixtures("numbers_of_64_bits")
def test_groups_are_the_same_with_numbers_of_64_bits(grouped: Callable[[], list[int]]) -> None:
    assert grouped() == [0, 1, 0, 3, 1]


@pytest.fixture
def numbers_of_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets_module, "MAX_INT32", 0)


@pytest.fixture
def grouped(
    make_features: Callable[..., Features], make_rule: Callable[..., object]
) -> Callable[[], list[int]]:
    def group() -> list[int]:
        tokens = [[*range(20)], [*range(50, 70)], [*range(19), 99], [*range(200, 220)], [*range(50, 70)]]
        lane = Lane(np.arange(5), 1, lambda band: np.full(5, 1 << 63, dtype=np.uint64))
        scan = group_articles(
            np.arange(5),
            np.array([1, 2, 3, 4, 2], dtype=np.uint64),
            make_features(tokens, [[]] * 5),
            make_rule(2, 0.4),  # type: ignore[arg-type]
            [lane],
            np.empty((5, 0), dtype=np.uint32),
        )
        return [int(canonical) for canonical in scan.canonicals]

    return group
