"""The stages on parts of a corpus against plain twins."""

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.match.partitions import MAX_EARLIER, meet_in_bands, meet_in_wording, settle_pairs
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
@given(positions_and_keys, st.lists(st.sampled_from([NO_DAY, *range(8)]), min_size=41, max_size=41))
def test_wording_of_a_part_is_that_of_the_whole(entries: set[tuple[int, int]], days: list[int]) -> None:
    """Hashes divided among two parts give the meetings and formulas of both together."""
    bounds = (FORMULA_DAYS, 13)

    def meet(chosen: list[tuple[int, int]]) -> tuple[Counter[tuple[int, int]], set[tuple[int, int]]]:
        positions = np.array([position for position, _ in chosen], dtype=np.int64)
        hashes = np.array([key + 5 for _, key in chosen], dtype=np.uint32)
        of_entry = np.array([days[position] for position, _ in chosen], dtype=np.int64)
        counting = np.ones(len(chosen), dtype=np.bool_)
        met, formulas = meet_in_wording(positions, hashes, of_entry, counting, bounds)
        pairs = Counter[tuple[int, int]]()
        for a, b, count in zip(
            met.earlier.tolist(), met.later.tolist(), met.num_shared.tolist(), strict=True
        ):
            pairs[a, b] += count
        return pairs, set(zip(formulas.positions.tolist(), formulas.hashes.tolist(), strict=True))

    whole, formulas = meet(sorted(entries))
    parts = [meet([entry for entry in sorted(entries) if entry[1] % 2 == part]) for part in (0, 1)]
    assert parts[0][0] + parts[1][0] == whole
    assert parts[0][1] | parts[1][1] == formulas
    by_key = defaultdict(set)
    for position, key in entries:
        by_key[key].add(position)
    for key, members in by_key.items():
        dated = [days[position] for position in members if days[position] != NO_DAY]
        if len(members) > 1 and 2 * len(dated) >= len(members):
            is_formula = len(set(dated)) >= FORMULA_DAYS
            assert {position for position, value in formulas if value == key + 5} == (
                members if is_formula else set()
            )


@settings(max_examples=150)
@given(st.sets(st.tuples(st.integers(0, 25), st.integers(0, 25)).filter(lambda pair: pair[0] < pair[1])))
def test_members_are_those_of_the_scan_in_order(pairs: set[tuple[int, int]]) -> None:
    members: set[int] = set()
    for position in range(26):
        if any(a not in members for a, b in pairs if b == position):
            members.add(position)
    listed = np.array(sorted(pairs, key=lambda pair: pair[0] * 7 % 11), dtype=np.int64).reshape(-1, 2)
    assert settle_pairs(listed[:, 0], listed[:, 1]).tolist() == sorted(members)
