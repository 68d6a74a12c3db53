"""The stages on parts of a corpus against plain twins."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.match.numbering import FORMULA_SPAN
from dedup.match.partitions import (
    MAX_EARLIER,
    find_formulas,
    meet_in_bands,
    meet_in_wording,
    needed_in_wording,
    settle_pairs,
)
from dedup.match.samples import MAX_MEETING, MAX_WAITING
from dedup.match.wording import FORMULA_DAYS, NO_DAY

positions_and_keys = st.sets(st.tuples(st.integers(0, 40), st.integers(-5, 5)), max_size=120)


@settings(max_examples=100)
@given(positions_and_keys)
def test_all_articles_of_a_bucket_meet(entries: set[tuple[int, int]]) -> None:
    listed = sorted(entries, key=lambda entry: (entry[1] * 7 % 5, entry))
    positions = np.array([position * 1000 for position, _ in listed], dtype=np.int64)
    meetings = meet_in_bands(positions, np.array([key for _, key in listed], dtype=np.int64))
    twin = Counter(
        (a * 1000, b * 1000) for a, key in entries for b, other in entries if key == other and a < b
    )
    found = zip(meetings.earlier.tolist(), meetings.later.tolist(), meetings.num_shared.tolist(), strict=True)
    assert sorted(found) == sorted((*pair, count) for pair, count in twin.items())
    assert meetings.num_full == 0


def test_full_bucket_compares_with_its_earliest_only_and_is_counted() -> None:
    n = MAX_EARLIER + 50
    meetings = meet_in_bands(np.arange(n)[::-1].copy(), np.zeros(n, dtype=np.int64))
    assert meetings.num_full == 1
    pairs = set(zip(meetings.earlier.tolist(), meetings.later.tolist(), strict=True))
    assert pairs == {(a, b) for b in range(n) for a in range(min(b, MAX_EARLIER))}


@settings(max_examples=100)
@given(positions_and_keys, st.lists(st.integers(0, MAX_MEETING - 1), min_size=120, max_size=120))
def test_wording_of_parts_is_that_of_the_whole(entries: set[tuple[int, int]], ranks: list[int]) -> None:
    """Two meet in a bucket where the earlier waits; hashes divided among two parts give all meetings."""
    ranked = dict(zip(sorted(entries), ranks, strict=False))

    def meet(chosen: list[tuple[int, int]]) -> Counter[tuple[int, int]]:
        met = meet_in_wording(
            np.array([position for position, _ in chosen], dtype=np.int64),
            np.array([key + 5 for _, key in chosen], dtype=np.uint32),
            np.array([ranked[entry] for entry in chosen], dtype=np.int64),
        )
        assert met.num_full == 0
        listed = zip(met.earlier.tolist(), met.later.tolist(), met.num_shared.tolist(), strict=True)
        return Counter({(a, b): count for a, b, count in listed})

    twin = Counter(
        (a, b)
        for a, key in entries
        for b, other in entries
        if key == other and a < b and ranked[a, key] < MAX_WAITING
    )
    assert meet(sorted(entries)) == twin
    parts = [meet([entry for entry in sorted(entries) if entry[1] % 2 == part]) for part in (0, 1)]
    assert parts[0] + parts[1] == twin


def test_only_those_who_wait_fill_a_bucket_of_wording() -> None:
    n = MAX_EARLIER + 50
    ranks = np.full(n, MAX_WAITING)
    ranks[:MAX_EARLIER] = 0
    hashes = np.zeros(n, dtype=np.uint32)
    meetings = meet_in_wording(np.arange(n), hashes, ranks)
    assert meetings.num_full == 0
    assert set(meetings.earlier.tolist()) == set(range(MAX_EARLIER))
    assert set(meetings.later.tolist()) == set(range(1, n))
    ranks[MAX_EARLIER] = 0
    assert meet_in_wording(np.arange(n), hashes, ranks).num_full == 1


@pytest.mark.parametrize(
    ("earlier", "later", "needed"),
    [
        (6, 10, 2.0),  # never fewer than two
        (32, 64, 0.25 * 32),
        (128, 50, 0.25 * 50 * 32 / 128),  # the earlier waits in a quarter of its sample
        (100, 640, 0.25 * 100 * 0.1),  # the later looks in a tenth of its own
        (0, 5, 2.0),
    ],
)
def test_meetings_needed_are_in_proportion_to_what_two_articles_look_at(
    earlier: int, later: int, needed: float
) -> None:
    assert needed_in_wording(np.array([earlier]), np.array([later]), 0.25).tolist() == [needed]


@settings(max_examples=100)
@given(positions_and_keys, st.lists(st.sampled_from([NO_DAY, *range(8)]), min_size=41, max_size=41))
def test_formulas_of_parts_are_those_of_the_whole(entries: set[tuple[int, int]], days: list[int]) -> None:
    bounds = (FORMULA_DAYS, 13)

    def find(chosen: list[tuple[int, int]]) -> list[int]:
        hashes = np.array([key + 5 for _, key in chosen], dtype=np.uint32)
        of_entry = np.array([days[position] for position, _ in chosen], dtype=np.int64)
        return [hash_ - 5 for hash_ in find_formulas(hashes, of_entry, bounds).tolist()]

    whole = find(sorted(entries))
    parts = [find([entry for entry in sorted(entries) if entry[1] % 2 == part]) for part in (0, 1)]
    assert sorted(parts[0] + parts[1]) == whole
    by_key = defaultdict(set)
    for position, key in entries:
        by_key[key].add(position)
    for key, members in by_key.items():
        dated = [days[position] for position in members if days[position] != NO_DAY]
        if len(members) > 1 and 2 * len(dated) >= len(members):
            assert (key in whole) == (_most_days(dated) >= FORMULA_DAYS)


def _most_days(days: list[int]) -> int:
    """Return the number of distinct days in the best span of `FORMULA_SPAN`."""
    return max((len({d for d in days if first <= d < first + FORMULA_SPAN}) for first in days), default=0)


@settings(max_examples=150)
@given(st.sets(st.tuples(st.integers(0, 25), st.integers(0, 25)).filter(lambda pair: pair[0] < pair[1])))
def test_members_are_those_of_the_scan_in_order(pairs: set[tuple[int, int]]) -> None:
    members: set[int] = set()
    for position in range(26):
        if any(a not in members for a, b in pairs if b == position):
            members.add(position)
    listed = np.array(sorted(pairs, key=lambda pair: pair[0] * 7 % 11), dtype=np.int64).reshape(-1, 2)
    assert settle_pairs(listed[:, 0], listed[:, 1]).tolist() == sorted(members)
