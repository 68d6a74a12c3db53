"""Shared wording against a twin that uses dicts, and what makes a shingle a formula."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE
from dedup.match import numbering, samples
from dedup.match.numbering import FORMULA_SPAN
from dedup.match.samples import SAMPLED_SHARE
from dedup.match.verify import Features, Rule
from dedup.match.waiting import start_waiting
from dedup.match.wording import (
    FORMULA_DAYS,
    Wording,
    find_wording,
    formula_share,
)
from dedup.text.kernels import word_shingles

SIZE = 2
DAY = 86_400_000_000
MEETING, WAITING = 6, 3  # lower than those of the package: texts here are short

Texts = Sequence[Sequence[int]]


def shingle_hashes(tokens: Sequence[int], rule: Rule) -> list[int]:
    count = max(0, len(tokens) - rule.shingle_size + 1)
    sums, out = np.empty(count, dtype=np.uint64), np.empty(count, dtype=np.uint32)
    array = np.array(tokens, dtype=np.uint32)
    word_shingles(array, 0, count, rule.shingle_size, rule.multipliers, sums, out)
    return out.tolist()


def wording_of(
    features: Features,
    rule: Rule,
    order: Sequence[int],
    taking_part: Sequence[bool],
    num_threads: int = 1,
) -> Wording:
    counting = np.ones(len(order), dtype=np.bool_)
    taking = np.array(taking_part, dtype=np.bool_)
    few_shingles = mock.patch.object(samples, "_SHINGLES_A_THREAD", 1)  # else so few texts have one thread
    with few_shingles, mock.patch.multiple(numbering, MAX_MEETING=MEETING, MAX_WAITING=WAITING):
        return find_wording(
            features, rule, np.array(order, dtype=np.int64), taking, counting, num_threads=num_threads
        )


@settings(max_examples=150)
@given(data=st.data(), texts=st.lists(st.lists(st.integers(0, 9), max_size=30), max_size=20))
def test_wording_equals_the_twin(
    data: st.DataObject, texts: list[list[int]], make_features: Any, make_rule: Any
) -> None:
    n = len(texts)
    order = data.draw(st.permutations(range(n)))
    taking_part = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    dates = data.draw(st.lists(st.sampled_from([MISSING_DATE, *range(-1, 14)]), min_size=n, max_size=n))
    dates = [date if date == MISSING_DATE else date * DAY + 5 for date in dates]
    rule = make_rule(SIZE, 0.4)
    num_threads = data.draw(st.integers(1, 4))
    wording = wording_of(make_features(texts, [[]] * n, dates), rule, order, taking_part, num_threads)

    members: dict[int, list[int]] = defaultdict(list)
    num_sampled = [0] * n
    for position, row in enumerate(order):
        if taking_part[position]:
            sampled = {value for value in shingle_hashes(texts[row], rule) if value % SAMPLED_SHARE == 0}
            num_sampled[position] = len(sampled)
            for value in sampled:
                members[value].append(position)
    assert wording.num_sampled.tolist() == num_sampled

    shared = sorted(value for value in members if len(members[value]) > 1)
    by_position = [
        [number for number, value in enumerate(shared) if position in members[value]] for position in range(n)
    ]
    lowest = [sorted(value for value in members if p in members[value]) for p in range(n)]
    for most, counts in ((MEETING, wording.num_meeting), (WAITING, wording.num_waiting)):
        assert counts.tolist() == [len(set(values[:most]) & set(shared)) for values in lowest]
    offsets = wording.buckets.offsets
    slices = [wording.buckets.buckets[offsets[p] : offsets[p + 1]].tolist() for p in range(n)]
    assert slices == by_position
    assert wording.buckets.num_buckets == len(shared) == len(wording.is_formula)

    day_of = [None if date == MISSING_DATE else max(0, date // DAY) for date in dates]
    days = {day for day in day_of if day is not None}
    for number, value in enumerate(shared):
        found_on = {day_of[order[position]] for position in members[value]} - {None}
        if len(days) >= FORMULA_DAYS:
            spans = [sum(first <= day < first + FORMULA_SPAN for day in found_on) for first in found_on]
            assert wording.is_formula[number] == (max(spans, default=0) >= FORMULA_DAYS)
        else:
            assert wording.is_formula[number] == (len(members[value]) > 16)


def test_text_that_repeats_one_sampled_shingle_over_and_over(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    rule = make_rule(1, 0.4)
    sampled = next(t for t in range(100) if shingle_hashes([t], rule)[0] % SAMPLED_SHARE == 0)
    features = make_features([[sampled] * 50_000, [sampled, sampled + 1]], [[], []])
    for num_threads in (1, 2):
        wording = wording_of(features, rule, [0, 1], [True, True], num_threads)
        assert wording.num_sampled.tolist()[0] == 1
        assert wording.buckets.num_buckets == 1
    rows = np.arange(2)
    assert len(samples.sample_shingles(features, rule, rows, rows).entries) <= 50_002


def test_no_text_and_headlines_have_no_wording(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    assert wording_of(make_features([], []), make_rule(SIZE, 0.4), [], []).buckets.num_buckets == 0
    features = make_features([list(range(50))] * 2, [[]] * 2)
    assert wording_of(features, make_rule(0, 0.4), [0, 1], [True, True]).num_sampled.tolist() == [0, 0]


def test_share_of_formulas_is_that_among_the_shared_shingles(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    formula, story = list(range(1000, 1040)), list(range(2000, 2060))
    days = FORMULA_DAYS + 1
    reports = [[*formula, *range(5000 + 100 * k, 5030 + 100 * k)] for k in range(days)]
    texts = [*reports, [*story, *formula], [*story, *formula, 7]]
    dates = [*(k * DAY for k in range(days)), 0, 1]
    features, rule = make_features(texts, [[]] * len(texts), dates), make_rule(SIZE, 0.4)
    wording = wording_of(features, rule, range(len(texts)), [True] * len(texts))
    in_formula = sum(value % SAMPLED_SHARE == 0 for value in shingle_hashes(formula, rule))
    in_both = sum(value % SAMPLED_SHARE == 0 for value in shingle_hashes([*story, *formula], rule))
    assert in_formula > 0
    buckets = start_waiting(wording.buckets, 0)
    assert formula_share(0, 1, buckets, wording.is_formula) == 1.0
    assert formula_share(days, days + 1, buckets, wording.is_formula) == in_formula / in_both
