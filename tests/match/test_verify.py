"""Verification against Python sets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE
from dedup.match.verify import (
    BY_CHARACTERS,
    BY_WORDS,
    NO_MATCH,
    Features,
    Rule,
    alike,
    jaccard_of,
    load_article,
    make_scratch,
    measure_article,
    shared_characters,
    shared_words,
)

Article = tuple[list[int], list[int]]

few_values = st.lists(st.integers(0, 12), max_size=40)
# Values that fall into the same slots of a small table.
crowded_values = st.lists(st.integers(0, 40).map(lambda k: (k << 20) % (1 << 32)), max_size=60)
values = st.one_of(few_values, crowded_values)
articles = st.lists(st.tuples(values, values), min_size=2, max_size=5)


def word_set(article: Article, size: int) -> set[tuple[int, ...]]:
    tokens = article[0]
    return {tuple(tokens[k : k + size]) for k in range(len(tokens) - size + 1)} if size else set()


def expected_match(a: Article, b: Article, rule: Rule) -> tuple[int, int, int, int]:
    words_a, words_b = word_set(a, rule.shingle_size), word_set(b, rule.shingle_size)
    if a[0] and a[0] == b[0]:  # the very same text, however short, and whatever spaces divide it
        size = len(words_a) or max(1, len(set(a[1])))
        return (BY_WORDS if words_a else BY_CHARACTERS), size, size, size
    if words_a and words_b and len(words_a & words_b) / len(words_a | words_b) >= rule.threshold:
        return BY_WORDS, len(words_a & words_b), len(words_a), len(words_b)
    characters_a, characters_b = set(a[1]), set(b[1])
    length = min(len(a[0]), len(b[0]), len(rule.character_thresholds) - 1)
    if characters_a and characters_b:
        shared = len(characters_a & characters_b)
        if shared / len(characters_a | characters_b) >= rule.character_thresholds[length]:
            return BY_CHARACTERS, shared, len(characters_a), len(characters_b)
    return NO_MATCH, 0, 0, 0


@settings(max_examples=300)
@given(
    corpus=articles,
    size=st.sampled_from([0, 1, 2, 3]),
    threshold=st.sampled_from([0.05, 0.25, 0.5, 2 / 3, 1.0]),
    by_length=st.sampled_from([(0.5,), (1.0, 0.1), (0.2, 0.4, 0.5, 0.9, 1.0)]),
)
@example(corpus=[([], []), ([], [])], size=3, threshold=0.5, by_length=(0.5,))
@example(corpus=[([1, 2, 3], []), ([1, 2, 3], [])], size=3, threshold=1.0, by_length=(0.5,))
@example(corpus=[([1], [5]), ([2], [5])], size=3, threshold=1.0, by_length=(1.0, 1.0))
def test_match_counts_and_sizes_equal_those_of_python_sets(
    corpus: list[Article],
    size: int,
    threshold: float,
    by_length: tuple[float, ...],
    make_features: Callable[..., Features],
    make_rule: Callable[..., Rule],
) -> None:
    features = make_features([tokens for tokens, _ in corpus], [characters for _, characters in corpus])
    rule = make_rule(size, threshold, by_length)
    # Scratch as it is in a walk: for the longest, used again and again, its owners never the same.
    scratch = make_scratch(max(len(t) for t, _ in corpus), max(len(c) for _, c in corpus))
    sizes = np.zeros((len(corpus), 2), dtype=np.int64)
    for row, (_, characters) in enumerate(corpus):
        sizes[row] = load_article(row, features, rule, scratch, row)
        assert sizes[row].tolist() == [len(word_set(corpus[row], size)), len(set(characters))]
    for loaded, a in enumerate(corpus):
        owner = len(corpus) + loaded
        load_article(loaded, features, rule, scratch, owner)
        for row, b in enumerate(corpus):
            if row == loaded:
                continue
            assert alike(loaded, row, sizes, features, rule, scratch, owner) == expected_match(a, b, rule)


def test_shared_shingles_are_counted_once_whatever_their_repeats(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    features = make_features([[1, 1, 1, 2], [1, 1, 2, 1, 1]], [[7, 7, 8], [7, 8, 8, 9, 7]])
    rule = make_rule(1, 0.5)
    scratch = make_scratch(5, 5)
    assert load_article(0, features, rule, scratch, 0) == (2, 2)
    assert shared_words(0, 1, features, rule, scratch, 0) == 2
    assert shared_characters(0, 1, features, scratch, 0) == 2


@settings(max_examples=100)
@given(corpus=articles, size=st.sampled_from([0, 1, 3]))
def test_articles_are_measured_once_and_leave_the_loaded_one_alone(
    corpus: list[Article], size: int, make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    features = make_features([tokens for tokens, _ in corpus], [characters for _, characters in corpus])
    rule = make_rule(size, 0.5)
    scratch = make_scratch(max(len(t) for t, _ in corpus), max(len(c) for _, c in corpus))
    expected = [[len(word_set(article, size)), len(set(article[1]))] for article in corpus]
    sizes = np.full((len(corpus), 2), -1, dtype=np.int64)
    for loaded in range(len(corpus)):
        load_article(loaded, features, rule, scratch, loaded)
        for row in range(len(corpus)):
            measure_article(row, features, rule, scratch, sizes)
        assert sizes.tolist() == expected
        other = (loaded + 1) % len(corpus)
        assert shared_characters(loaded, other, features, scratch, loaded) == len(
            set(corpus[loaded][1]) & set(corpus[other][1])
        )


@settings(max_examples=200)
@given(
    only_a=st.integers(0, 50),
    only_b=st.integers(0, 50),
    shared=st.integers(0, 50),
    threshold=st.floats(0.05, 1),
)
def test_length_filter_never_rejects_a_match(
    only_a: int, only_b: int, shared: int, threshold: float, make_features: Any, make_rule: Any
) -> None:
    a, b = only_a + shared, only_b + shared
    if not a or not b or shared / (only_a + only_b + shared) < threshold:
        return
    tokens = [list(range(a)), [*range(shared), *range(1000, 1000 + only_b)]]
    features, rule = make_features(tokens, [[], []]), make_rule(1, threshold)
    scratch = make_scratch(100, 0)
    sizes = np.array([load_article(row, features, rule, scratch, row) for row in (1, 0)])[::-1].copy()
    assert alike(0, 1, sizes, features, rule, scratch, 0) == (BY_WORDS, shared, a, b)


@pytest.mark.parametrize(
    ("shared", "a", "b", "jaccard"), [(0, 0, 0, 0.0), (0, 3, 0, 0.0), (3, 3, 3, 1.0), (1, 2, 2, 1 / 3)]
)
def test_jaccard_of_counts(shared: int, a: int, b: int, jaccard: float) -> None:
    assert jaccard_of(shared, a, b) == jaccard


@pytest.mark.parametrize("longest", [1, 7, 8, 15, 16, 17, 1000])
def test_table_holds_the_longest_set_it_was_made_for(
    longest: int, make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    tokens = list(range(longest))
    features = make_features([tokens, tokens[::-1]], [tokens, tokens])
    rule = make_rule(1, 1.0)
    scratch = make_scratch(longest, longest)
    assert load_article(0, features, rule, scratch, 0) == (longest, longest)
    assert shared_words(0, 1, features, rule, scratch, 0) == longest
    assert shared_characters(0, 1, features, scratch, 0) == longest


@pytest.mark.parametrize(
    ("dates", "window", "matches"),
    [
        ((0, 5), 5, True),
        ((5, 0), 5, True),
        ((0, 6), 5, False),
        ((6, 0), 5, False),
        ((-3, 3), 5, False),
        ((7, 7), 0, True),
        ((MISSING_DATE, 0), 0, True),
        ((0, MISSING_DATE), 0, True),
        ((MISSING_DATE, MISSING_DATE), 0, True),
        ((0, 1 << 60), MISSING_DATE, True),
    ],
)
def test_articles_out_of_the_window_do_not_match_and_those_without_a_date_do(
    dates: tuple[int, int],
    window: int,
    matches: bool,
    make_features: Callable[..., Features],
    make_rule: Callable[..., Rule],
) -> None:
    features = make_features([[1, 2, 3], [1, 2, 3]], [[], []], dates)
    rule = make_rule(3, 1.0, (0.7,), window=window)
    scratch = make_scratch(3, 0)
    sizes = np.array([load_article(row, features, rule, scratch, row) for row in (1, 0)])[::-1].copy()
    assert (alike(0, 1, sizes, features, rule, scratch, 0)[0] != NO_MATCH) == matches
