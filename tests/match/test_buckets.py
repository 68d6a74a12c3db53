"""Buckets against a twin that uses dicts."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.match.buckets import Buckets, find_buckets

Lanes = list[tuple[list[int], list[list[int]]]]


def found(num_positions: int, lanes: Lanes, num_threads: int = 1) -> Buckets:
    return find_buckets(
        num_positions,
        [
            (
                np.array(positions, dtype=np.int64),
                len(bands),
                lambda band, bands=bands: np.array(bands[band], dtype=np.uint64),  # type: ignore[misc]
            )
            for positions, bands in lanes
        ],
        num_threads,
    )


def members_of(buckets: Buckets) -> list[tuple[int, ...]]:
    members: dict[int, list[int]] = defaultdict(list)
    for position in range(len(buckets.offsets) - 1):
        for bucket in buckets.buckets[buckets.offsets[position] : buckets.offsets[position + 1]].tolist():
            members[bucket].append(position)
    assert sorted(members) == list(range(buckets.num_buckets))
    return sorted(map(tuple, members.values()))


def twin(lanes: Lanes) -> list[tuple[int, ...]]:
    buckets: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for lane, (positions, bands) in enumerate(lanes):
        for band, keys in enumerate(bands):
            for position, key in zip(positions, keys, strict=True):
                buckets[lane, band, key].append(position)
    return sorted(tuple(positions) for positions in buckets.values() if len(positions) > 1)


# Keys of few values in the upper bits: the lowest bits are taken for the entry's number.
keys = st.sampled_from([0, 1 << 40, 1 << 41, (1 << 64) - (1 << 40), 0xDEADBEEF << 30])


@st.composite
def corpora(draw: st.DrawFn) -> tuple[int, Lanes]:
    num_positions = draw(st.integers(0, 40))
    lanes: Lanes = []
    for _ in range(draw(st.integers(0, 3))):
        chosen = draw(st.sets(st.integers(0, num_positions - 1))) if num_positions else set()
        size = len(chosen)
        bands = draw(st.lists(st.lists(keys, min_size=size, max_size=size), max_size=4))
        lanes.append((sorted(chosen), bands))
    return num_positions, lanes


@settings(max_examples=200)
@given(corpora(), st.sampled_from([1, 2, 5]))
@example((0, []), 1)
@example((3, [([1], [[5]])]), 1)
@example((2, [([0, 1], [[1 << 40, 1 << 40], [0, 1 << 40]])]), 2)
def test_buckets_equal_the_twin_whatever_the_number_of_threads(
    corpus: tuple[int, Lanes], num_threads: int
) -> None:
    num_positions, lanes = corpus
    buckets = found(num_positions, lanes, num_threads)
    assert members_of(buckets) == twin(lanes)
    alone = found(num_positions, lanes)
    assert np.array_equal(buckets.offsets, alone.offsets)
    assert np.array_equal(buckets.buckets, alone.buckets)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 9, 1000])
def test_all_in_one_bucket(size: int) -> None:
    buckets = found(size, [(list(range(size)), [[(1 << 64) - 1] * size])])
    assert members_of(buckets) == [tuple(range(size))]


def test_equal_keys_of_other_bands_and_lanes_do_not_meet() -> None:
    lanes: Lanes = [([0, 1], [[1 << 40, 1 << 41], [1 << 41, 1 << 40]]), ([0, 1], [[1 << 42, 1 << 40]])]
    assert members_of(found(2, lanes)) == []
