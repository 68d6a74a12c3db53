"""Facts against a twin in plain Python, and what makes two articles tell other facts."""

from collections.abc import Callable
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.match.facts import MAX_SHARED_FACTS, MIN_FACTS, other_facts
from dedup.match.verify import Features, make_scratch
from dedup.text.hashing import hash_token

MANY = 64
SCRATCH = make_scratch(1, 1)


def facts_of(tokens: list[int]) -> list[int]:
    """Return the distinct facts of a text, in order: the sums of adjacent numbers, which are odd here."""
    runs = [sum(run) for is_number, run in groupby(tokens, lambda token: token % 2 == 1) if is_number]
    return list(dict.fromkeys(runs))[:MANY]


def other_by_twin(a: list[int], b: list[int]) -> bool:
    of_a, of_b = facts_of(a), facts_of(b)
    fewest = min(len(of_a), len(of_b))
    return fewest >= MIN_FACTS and len(set(of_a) & set(of_b)) <= MAX_SHARED_FACTS * fewest


@settings(max_examples=200)
@given(
    a=st.lists(st.integers(0, 60), max_size=60),
    b=st.lists(st.integers(0, 60), max_size=60),
)
def test_other_facts_equal_the_twin(
    a: list[int], b: list[int], make_features: Callable[..., Features]
) -> None:
    features = make_features([a, b], [[], []])
    assert other_facts(0, 1, features, SCRATCH) == other_by_twin(a, b) == other_facts(1, 0, features, SCRATCH)


def spaced(numbers: list[int]) -> list[int]:
    """Return a text of these numbers, each between two words."""
    return [100, *(token for number in numbers for token in (number, 102))]


@pytest.mark.parametrize(
    ("a", "b", "other"),
    [
        ([1, 3, 5, 7], [11, 13, 15, 17], True),
        ([1, 3, 5, 7], [1, 13, 15, 17], True),
        ([1, 3, 5, 7], [1, 3, 15, 17], False),
        ([1, 3, 5, 7], [7, 5, 3, 1], False),
        ([1, 3, 5], [11, 13, 15], False),
        ([1, 3, 3, 3], [11, 13, 15, 17], False),
        ([], [11, 13, 15, 17], False),
        (list(range(1, 400, 2)), list(range(401, 800, 2)), True),
    ],
)
def test_articles_that_share_few_of_their_numbers_tell_other_facts(
    a: list[int], b: list[int], other: bool, make_features: Callable[..., Features]
) -> None:
    assert other_facts(0, 1, make_features([spaced(a), spaced(b)], [[], []]), SCRATCH) == other


def test_digits_of_one_number_are_no_facts_of_their_own(make_features: Callable[..., Features]) -> None:
    """Four numbers of two tokens each, with all tokens in common and no number."""
    a, b = [1, 21, 301, 4001, 51, 601, 7001, 81], [21, 301, 4001, 51, 601, 7001, 81, 1]
    texts = [
        [token for k in range(0, 8, 2) for token in (100, *numbers[k : k + 2], 102)] for numbers in (a, b)
    ]
    assert other_facts(0, 1, make_features(texts, [[], []]), SCRATCH)
    turned = [token for k in range(0, 8, 2) for token in (100, a[k + 1], a[k], 102)]
    assert not other_facts(0, 1, make_features([texts[0], turned], [[], []]), SCRATCH)


def test_a_single_digit_is_no_fact(make_features: Callable[..., Features]) -> None:
    digits = [hash_token(digit) for digit in "1234"]
    texts = [spaced([*digits, 301, 303, 305, 307]), spaced([*digits, 401, 403, 405, 407])]
    assert other_facts(0, 1, make_features(texts, [[], []]), SCRATCH)
    assert not other_facts(0, 1, make_features([spaced(digits), spaced(digits)], [[], []]), SCRATCH)
