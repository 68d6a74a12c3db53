"""Words of two texts that stand for each other."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dedup.report.alignment import MOVED_WORDS, align, moved, without_strays

words = st.lists(st.sampled_from("abcdefghij"), max_size=40)


@given(words, words)
def test_partners_are_equal_words_and_rise(a: list[str], b: list[str]) -> None:
    for partners in (align(a, b), without_strays(align(a, b), len(b))):
        assert len(partners) == len(a)
        pairs = [(place, partner) for place, partner in enumerate(partners) if partner >= 0]
        assert all(a[place] == b[partner] for place, partner in pairs)
        assert all(first[1] < second[1] for first, second in itertools.pairwise(pairs))


@given(words)
def test_a_text_is_all_the_same_as_itself(a: list[str]) -> None:
    assert align(a, a) == list(range(len(a)))


@given(words, words, words)
def test_an_insertion_leaves_all_other_words_their_partners(
    a: list[str], b: list[str], new: list[str]
) -> None:
    inserted = [word.upper() for word in new]
    partners = align(a + b, a + inserted + b)
    assert partners == [*range(len(a)), *range(len(a) + len(new), len(a) + len(new) + len(b))]


@given(words, words)
def test_moved_words_have_no_partner_and_are_in_both(a: list[str], b: list[str]) -> None:
    partners = align(a, b)
    in_a, in_b = moved(a, b, partners)
    assert all(partners[place] < 0 for place in in_a)
    assert not in_b & set(partners)
    assert {a[place] for place in in_a} == {b[place] for place in in_b}
    assert bool(in_a) == bool(in_b)
    assert not in_a or len(in_a) >= MOVED_WORDS


def test_words_that_repeat_all_over_are_left_unmatched() -> None:
    assert set(align(["x", "y"] * 5_000, ["y", "x", "x"] * 3_000)) == {-1}
