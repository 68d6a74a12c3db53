"""Passages against a twin in plain Python: long runs of words that the other article does not hold."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.match.passages import OWN_SHARE, OWN_WORDS, PASSAGE_WORDS, both_go_on_alone
from dedup.match.verify import Features, Rule, load_article, make_scratch, shared_words

SIZE = 3


def own_words(text: list[int], other: list[int]) -> int:
    """Return the words of `text` in runs of PASSAGE_WORDS or more that no shared shingle covers."""
    theirs = {tuple(other[k : k + SIZE]) for k in range(len(other) - SIZE + 1)}
    covered = [False] * len(text)
    for k in range(len(text) - SIZE + 1):
        if tuple(text[k : k + SIZE]) in theirs:
            covered[k : k + SIZE] = [True] * SIZE
    runs = "".join("x" if word else "." for word in covered).split("x")
    return sum(len(run) for run in runs if len(run) >= PASSAGE_WORDS)


def alone_by_twin(a: list[int], b: list[int]) -> bool:
    return all(
        own_words(text, other) >= max(OWN_WORDS, OWN_SHARE * len(text)) for text, other in ((a, b), (b, a))
    )


@pytest.fixture
def alone(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> Callable[[list[int], list[int]], bool]:
    """Return a function that judges two texts, the first one loaded."""

    def judge_two(a: list[int], b: list[int]) -> bool:
        features, rule = make_features([a, b], [[], []]), make_rule(SIZE, 0.3)
        scratch = make_scratch(max(len(a), len(b)), 0)
        load_article(0, features, rule, scratch, 7)
        shared_words(0, 1, features, rule, scratch, 7)
        return bool(both_go_on_alone(0, 1, features, rule, scratch, 7))

    return judge_two


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32))
def test_passages_equal_the_twin(
    seed: int, make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    rng = random.Random(seed)
    blocks = [
        [rng.randrange(2, 1 << 30) for _ in range(rng.choice((3, 10, 29, 30, 45, 80)))] for _ in range(8)
    ]
    a, b = ([word for block in rng.sample(blocks, 4) for word in block] for _ in range(2))
    features, rule = make_features([a, b], [[], []]), make_rule(SIZE, 0.3)
    scratch = make_scratch(max(len(a), len(b)), 0)
    for owner, (loaded, row) in enumerate(((0, 1), (1, 0))):
        load_article(loaded, features, rule, scratch, owner)
        shared_words(loaded, row, features, rule, scratch, owner)
        assert both_go_on_alone(loaded, row, features, rule, scratch, owner) == alone_by_twin(a, b)


SHARED = list(range(1000, 1100))
MINE, YOURS = list(range(2000, 2000 + OWN_WORDS)), list(range(3000, 3000 + OWN_WORDS))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (SHARED + MINE, SHARED + YOURS, True),
        (MINE + SHARED, SHARED + YOURS, True),
        (SHARED + MINE[1:], SHARED + YOURS, False),
        (SHARED + MINE, SHARED, False),
        (SHARED[:50] + MINE + SHARED[50:], SHARED + YOURS, True),
        (SHARED[50:] + SHARED[:50], SHARED, False),
        (MINE, YOURS, True),
        (SHARED, SHARED, False),
        ([1, 2], YOURS, False),
    ],
)
def test_articles_go_on_alone_where_each_has_passages_of_its_own(
    a: list[int], b: list[int], expected: bool, alone: Callable[[list[int], list[int]], bool]
) -> None:
    assert alone(a, b) == expected


def test_edits_all_over_are_no_passage(alone: Callable[[list[int], list[int]], bool]) -> None:
    text = list(range(1000, 1600))
    edited = [word + 5000 if k % 5 == 0 else word for k, word in enumerate(text)]
    assert not alone(text, edited)


def test_of_a_long_text_a_share_is_asked_for(alone: Callable[[list[int], list[int]], bool]) -> None:
    long = np.arange(1000, 1000 + round(OWN_WORDS / OWN_SHARE)).tolist()
    assert not alone(long + MINE, long + YOURS)
