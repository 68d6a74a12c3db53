"""Groups of titles: the compiled walk equals its twin, and what the rule promises holds."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE
from dedup.match.evidence import (
    PRIOR_TITLES,
    UNKNOWN_ALIKE,
    Evidence,
    KeyCounts,
    Titles,
    count_keys,
    weigh_keys,
)
from dedup.match.headlines import MAX_MET, group_headlines
from dedup.match.scan import Scan
from dedup.match.verify import Features
from dedup.run.stages import rule_of
from dedup.settings import Settings

HOUR = 3_600_000_000
EVIDENCE = Evidence(needed=12.0)
RULE = rule_of(Settings.of("headline"))
NONE = KeyCounts(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int64), 0)

Title = tuple[tuple[int, ...], int, int]
"""The numbers of its words, hours since the first title (-1 for no date) and its source (-1 for none)."""


def compressed(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return np.array([value for row in rows for value in row], dtype=np.uint32), offsets


def grouped(titles: Sequence[Title], evidence: Evidence = EVIDENCE, counts: KeyCounts | None = None) -> Scan:
    """Return the groups of titles in the order given; keys are the words times four, each word one token."""
    tokens, offsets = compressed([[4 * word for word in words] for words, _, _ in titles])
    keys, key_offsets = compressed([sorted({4 * word for word in words}) for words, _, _ in titles])
    dates = np.array([MISSING_DATE if hours < 0 else hours * HOUR for _, hours, _ in titles])
    features = Features(dates, tokens, offsets[:-1], offsets[1:], keys, key_offsets[:-1], key_offsets[1:])
    prints = np.array([hash(words) & 0xFFFF for words, _, _ in titles], dtype=np.uint64)
    sources = np.array([source for _, _, source in titles], dtype=np.int64)
    order = np.arange(len(titles), dtype=np.int64)
    return group_headlines(
        order, prints, features, RULE, Titles(keys, key_offsets, sources), evidence, counts
    )


class Twin:
    """The same in plain Python, each pair weighed."""

    def __init__(self, titles: Sequence[Title]) -> None:
        self.titles = titles
        self.firsts = [[words for words, _, _ in titles].index(words) if words else k
                       for k, (words, _, _) in enumerate(titles)]  # fmt: skip
        walked = [k for k, first in enumerate(self.firsts) if first == k]
        self.counts: dict[int, int] = {}
        for k in walked:
            for word in set(titles[k][0]):
                self.counts[word] = self.counts.get(word, 0) + 1
        self.num_titles = len(walked)
        self.groups: list[list[int]] = []
        for k in walked:
            self.join([k])
        later = self.groups
        self.groups = []
        for group in later:
            self.join(group)
        of = {member: group[0] for group in self.groups for member in group}
        self.canonicals = [of[first] for first in self.firsts]

    def worth(self, words: set[int]) -> float:
        others = {word: max(self.counts[word] - 2, 0) + 1 for word in words}
        return sum(math.log((self.num_titles + PRIOR_TITLES) / others[word]) for word in words)

    def evidence(self, a: int, b: int) -> float:
        (first, hours, source), (second, other_hours, other_source) = self.titles[a], self.titles[b]
        gap = 168 if min(hours, other_hours) < 0 else abs(hours - other_hours)
        shared = self.worth(set(first) & set(second))
        unshared = min(self.worth(set(first)), self.worth(set(second))) - shared
        found = shared - 0.2 * unshared - 4 * math.log(1 + gap / 12)
        found -= 10 if source >= 0 and source == other_source else 0
        union = self.worth(set(first) | set(second))
        floor = UNKNOWN_ALIKE * PRIOR_TITLES / (PRIOR_TITLES + self.num_titles)
        return found if shared >= floor * union - 1e-6 else min(found, 0.0)

    def join(self, group: list[int]) -> None:
        """Put a group with the earlier one of the highest mean, if one of its pairs has enough evidence."""
        best, best_mean = None, 12.0
        for other in self.groups:
            found = [self.evidence(a, b) for a in group for b in other]
            met = any(self.meet(a, b) for a in group for b in other)
            if met and sum(found) / len(found) > best_mean + 1e-9:
                best, best_mean = other, sum(found) / len(found)
        if best is None:
            self.groups.append(list(group))
        else:
            best.extend(group)

    def meet(self, a: int, b: int) -> bool:
        return len(set(self.titles[a][0]) & set(self.titles[b][0])) >= 2 and self.evidence(a, b) >= 12


TITLES = st.lists(
    st.tuples(st.lists(st.integers(0, 9), max_size=6).map(tuple), st.integers(-1, 60), st.integers(-1, 3)),
    min_size=1,
    max_size=14,
)


@settings(deadline=None)
@given(TITLES)
def test_groups_equal_those_of_the_twin(titles: list[Title]) -> None:
    assert grouped(titles).canonicals.tolist() == Twin(titles).canonicals


def test_weights_are_the_logarithm_of_rarity_without_the_pair_itself() -> None:
    keys, offsets = compressed([[4, 8], [4, 8], [4, 13], [4]])
    titles = Titles(keys, offsets, np.full(4, -1, dtype=np.int64))
    weights = weigh_keys(titles, count_keys(titles, np.ones(4, dtype=np.bool_)))
    assert weights[0] == pytest.approx(math.log((4 + PRIOR_TITLES) / 3))
    assert weights[1] == pytest.approx(math.log(4 + PRIOR_TITLES))
    assert weights[5] == pytest.approx(math.log(4 + PRIOR_TITLES) / 2)  # a run of two characters


def test_with_no_counts_all_keys_are_alike_and_three_shared_words_within_a_day_are_enough() -> None:
    titles: list[Title] = [((1, 2, 3), 0, 0), ((1, 2, 3, 4), 5, 1), ((1, 5, 6), 6, 2)]
    assert grouped(titles, counts=NONE).canonicals.tolist() == [0, 0, 2]


def test_with_no_counts_a_shared_formula_in_unlike_titles_is_not_enough() -> None:
    formula: list[Title] = [((1, 2, 3, 4, 5, 6, 7, 8), 0, 0), ((1, 2, 3, 14, 15, 16, 17, 18), 1, 1)]
    assert grouped(formula, counts=NONE).canonicals.tolist() == [0, 1]
    many = KeyCounts(NONE.keys, NONE.counts, 100_000)
    assert grouped(formula, counts=many).canonicals.tolist() == [0, 0]


def test_what_is_common_elsewhere_does_not_speak_for_one_item() -> None:
    titles: list[Title] = [((1, 2, 3), 0, 0), ((1, 2, 3, 4), 5, 1)]
    keys = np.array([4, 8, 12], dtype=np.uint32)
    counts = KeyCounts(keys, np.array([900, 900, 900], dtype=np.int64), 10_000)
    assert grouped(titles, counts=counts).canonicals.tolist() == [0, 1]


def test_distance_in_time_and_one_source_speak_against() -> None:
    near: list[Title] = [((1, 2, 3), 0, 0), ((1, 2, 3, 4), 1, 1)]
    far = [near[0], (near[1][0], 24 * 60, 1)]
    assert grouped(near).canonicals.tolist() == [0, 0]
    assert grouped(far).canonicals.tolist() == [0, 1]
    close: list[Title] = [((1, 2, 3), 0, 0), ((1, 2, 4), 1, 1)]
    assert grouped(close).canonicals.tolist() == [0, 0]
    assert grouped([close[0], (close[1][0], 1, 0)]).canonicals.tolist() == [0, 1]


def test_the_same_words_are_one_group_whatever_speaks_against() -> None:
    scan = grouped([((1,), 0, 0), ((2, 3), 0, 0), ((1,), 500, 0)])
    assert scan.canonicals.tolist() == [0, 1, 0]
    assert scan.exact.tolist() == [False, False, True]


def test_titles_that_resemble_a_member_more_than_the_canonical_join_by_the_mean() -> None:
    words = [(1, 2, 3, 4), (1, 2, 3, 4, 5, 6, 7), (5, 6, 7, 4, 3)]
    assert grouped([(row, k, k) for k, row in enumerate(words)]).canonicals.tolist() == [0, 0, 0]


def test_a_chain_of_unlike_ends_is_not_one_group() -> None:
    titles: list[Title] = [(tuple(range(3 * k, 3 * k + 6)), 0, k) for k in range(30)]
    sizes = np.bincount(grouped(titles).canonicals)
    assert sizes.max() <= 4


def test_many_titles_of_one_formula_cost_a_bounded_number_of_comparisons() -> None:
    num = 3000
    titles: list[Title] = [((1, 2, 3, 10 + k), k, k) for k in range(num)]
    scan = grouped(titles)
    assert scan.num_candidates <= 3 * MAX_MET * num
    assert scan.num_full_buckets == 3
    assert np.array_equal(scan.canonicals, np.arange(num))


def test_a_threshold_of_one_asks_for_the_very_keys() -> None:
    strict = EVIDENCE._replace(least_alike=1.0)
    titles: list[Title] = [((1, 2, 3), 0, 0), ((3, 2, 1), 0, 1), ((1, 2, 3, 4), 0, 2)]
    assert grouped(titles, strict).canonicals.tolist() == [0, 0, 2]


def test_a_further_group_is_recorded_with_the_member() -> None:
    titles: list[Title] = [((1, 2, 3, 4), 0, 0), ((5, 6, 7), 0, 1), ((1, 2, 3, 4, 5, 6, 7), 0, 2)]
    scan = grouped(titles)
    assert scan.canonicals.tolist() == [0, 1, 0]
    assert scan.relations[:, :2].tolist() == [[2, 1]]


def test_no_titles_and_empty_titles() -> None:
    assert len(grouped([]).canonicals) == 0
    assert grouped([((), 0, 0), ((), 0, 1)]).canonicals.tolist() == [0, 1]
