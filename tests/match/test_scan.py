"""The canonical scan against a plain quadratic twin, with bands that are certain to find all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.articles import MISSING_DATE
from dedup.match import scan as scan_module
from dedup.match import waiting as waiting_module
from dedup.match.buckets import find_buckets
from dedup.match.grouping import Lane, find_firsts, group_articles, pair_articles
from dedup.match.likely import MANY_BANDED
from dedup.match.scan import MAX_BANDED, Scan
from dedup.match.verify import BY_CHARACTERS, BY_WORDS, NO_MATCH, PART, WHOLE, Features, Rule
from dedup.match.wording import find_wording

SIZE = 2

Tokens = Sequence[int]


@dataclass(frozen=True)
class Corpus:
    """Articles as token lists, their dates, and the rows in canonical order."""

    tokens: Sequence[Tokens]
    dates: Sequence[int]
    order: Sequence[int]


def characters_of(tokens: Tokens) -> list[int]:
    """Return what stands for the character shingles of a short text: a function of its tokens."""
    return [token // 2 + 1000 for token in tokens] if len(tokens) <= 4 else []


def fingerprint(tokens: Tokens) -> int:
    """Return a number of the text's own, 0 for a text without a token; tokens are below 9999 here."""
    return sum((token + 1) * 10_007**k for k, token in enumerate(tokens)) % ((1 << 64) - 59)


def one_bucket(num_rows: int, rows: Sequence[int] | None = None) -> Lane:
    """Return a lane in which all rows meet."""
    chosen = np.array(range(num_rows) if rows is None else rows, dtype=np.int64)
    return Lane(chosen, 1, lambda band: np.full(len(chosen), 1 << 63, dtype=np.uint64))


def scan_of(
    corpus: Corpus,
    rule: Rule,
    make_features: Callable[..., Features],
    lanes: list[Lane],
    num_threads: int = 1,
) -> Scan:
    features = make_features(corpus.tokens, [characters_of(t) for t in corpus.tokens], corpus.dates)
    return group_articles(
        np.array(corpus.order, dtype=np.int64),
        np.array([fingerprint(tokens) for tokens in corpus.tokens], dtype=np.uint64),
        features,
        rule,
        lanes,
        np.empty((len(corpus.tokens), 0), dtype=np.uint32),
        num_threads,
    )


def shingle_set(tokens: Tokens) -> set[tuple[int, ...]]:
    return {tuple(tokens[k : k + SIZE]) for k in range(len(tokens) - SIZE + 1)}


Found = tuple[int, int, int, int]
"""What one article is to another: kind, |A and B|, |A|, |B|."""


def jaccard_of(found: Found) -> float:
    return found[1] / (found[2] + found[3] - found[1])


def in_window(a: int, b: int, corpus: Corpus, rule: Rule) -> bool:
    dates = corpus.dates[a], corpus.dates[b]
    return MISSING_DATE in dates or abs(dates[0] - dates[1]) <= rule.window


def twin_alike(
    a: int, b: int, corpus: Corpus, rule: Rule, kinds: tuple[int, ...] = (BY_WORDS, BY_CHARACTERS)
) -> Found:
    """Return how two rows are alike."""
    first, second = corpus.tokens[a], corpus.tokens[b]
    if not in_window(a, b, corpus, rule):
        return NO_MATCH, 0, 0, 0
    if first and list(first) == list(second):
        size = len(shingle_set(first)) or max(1, len(set(characters_of(first))))
        return (BY_WORDS if shingle_set(first) else BY_CHARACTERS), size, size, size
    length = min(len(first), len(second), len(rule.character_thresholds) - 1)
    sets = {
        BY_WORDS: (shingle_set(first), shingle_set(second), rule.threshold),
        BY_CHARACTERS: (
            set(characters_of(first)),
            set(characters_of(second)),
            rule.character_thresholds[length],
        ),
    }
    for kind in kinds:
        set_a, set_b, threshold = sets[kind]
        shared = len(set_a & set_b)
        if set_a and set_b and shared / len(set_a | set_b) >= threshold:
            return kind, shared, len(set_a), len(set_b)
    return NO_MATCH, 0, 0, 0


def twin_judge(a: int, b: int, corpus: Corpus, rule: Rule) -> Found:
    """Return what row a is to row b by the rule of groups, where no wording is a formula."""
    if not in_window(a, b, corpus, rule):
        return NO_MATCH, 0, 0, 0
    if corpus.tokens[a] and list(corpus.tokens[a]) == list(corpus.tokens[b]):
        return twin_alike(a, b, corpus, rule)
    set_a, set_b = shingle_set(corpus.tokens[a]), shingle_set(corpus.tokens[b])
    if set_a and set_b:
        shared, sizes = len(set_a & set_b), sorted((len(set_a), len(set_b)))
        ratio = sizes[0] / sizes[1]
        if shared / len(set_a | set_b) >= rule.threshold and ratio >= rule.copy_length_ratio:
            return BY_WORDS, shared, len(set_a), len(set_b)
        is_part = shared >= rule.part_coverage * sizes[0] and ratio <= rule.part_length_ratio
        by_characters = twin_alike(a, b, corpus, rule, (BY_CHARACTERS,))
        if is_part and (by_characters[0] == NO_MATCH or differ_in_numbers(a, b, corpus)):
            return (PART if len(set_a) < len(set_b) else WHOLE), shared, len(set_a), len(set_b)
    if differ_in_numbers(a, b, corpus):
        return NO_MATCH, 0, 0, 0
    return twin_alike(a, b, corpus, rule, (BY_CHARACTERS,))


def differ_in_numbers(a: int, b: int, corpus: Corpus) -> bool:
    """Return whether both rows hold three distinct numbers (odd tokens) or more and share a third at most."""
    first, second = ({token for token in corpus.tokens[row] if token % 2} for row in (a, b))
    fewer = min(len(first), len(second))
    return fewer >= 3 and len(first & second) <= fewer / 3


@dataclass
class Twin:
    """What the plain scan finds, by position; relations as position, canonical and `Found`."""

    canonicals: list[int]
    matches: dict[int, Found]
    relations: set[tuple[int, ...]]


def twin_scan(corpus: Corpus, rule: Rule) -> Twin:
    """Return the canonical scan, each article against all earlier canonicals (DESIGN, groups 1 to 4)."""
    n = len(corpus.order)
    twin = Twin(list(range(n)), {}, set())
    for position, row in enumerate(corpus.order):
        earlier = [p for p in range(position) if twin.canonicals[p] == p]
        text = list(corpus.tokens[row])
        same = [p for p in range(position) if text and list(corpus.tokens[corpus.order[p]]) == text]
        if same and rule.window == MISSING_DATE:  # the very same text goes where the first one went
            twin.canonicals[position] = twin.canonicals[same[0]]
            if same[0] in twin.matches:
                twin.matches[position] = twin.matches[same[0]]
            continue
        judged = {p: twin_judge(row, corpus.order[p], corpus, rule) for p in earlier}
        copies = [p for p, found in judged.items() if found[0] in (BY_WORDS, BY_CHARACTERS)]
        if copies:  # highest score first, the earlier canonical where scores tie
            best = max(copies, key=lambda p: (jaccard_of(judged[p]), -p))
            twin.canonicals[position], twin.matches[position] = best, judged[best]
        for p, found in judged.items():
            if found[0] != NO_MATCH and p != twin.canonicals[position]:
                twin.relations.add((position, p, *found))
    return twin


base = st.lists(st.integers(0, 6), max_size=9)


UNDATED = st.just(MISSING_DATE)


@st.composite
def corpora(draw: st.DrawFn, dates: st.SearchStrategy[int] = UNDATED) -> Corpus:
    """Return up to 30 articles: some texts, and edited copies and exact copies of them."""
    bases = draw(st.lists(base, min_size=1, max_size=4))
    tokens = []
    for _ in range(draw(st.integers(0, 30))):
        text = list(draw(st.sampled_from(bases)))
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            at = draw(st.integers(0, len(text)))
            text[at : at + draw(st.integers(0, 1))] = draw(st.lists(st.integers(0, 9), max_size=2))
        tokens.append(text)
    order = draw(st.permutations(range(len(tokens))))
    return Corpus(tokens, [draw(dates) for _ in tokens], order)


def check_against_twin(
    corpus: Corpus, rule: Rule, make_features: Callable[..., Features], num_threads: int = 1
) -> None:
    scan = scan_of(corpus, rule, make_features, [one_bucket(len(corpus.tokens))], num_threads)
    twin = twin_scan(corpus, rule)
    assert scan.canonicals.tolist() == twin.canonicals
    texts = [list(corpus.tokens[row]) for row in corpus.order]
    exact = [c != p and texts[c] == texts[p] for p, c in enumerate(twin.canonicals)]
    assert scan.exact.tolist() == exact
    sizes = np.stack([scan.kinds, scan.shared, scan.own, scan.other], axis=1)
    nothing = (NO_MATCH, 0, 0, 0)
    assert [tuple(row) for row in sizes.tolist()] == [twin.matches.get(p, nothing) for p in range(len(texts))]
    assert sorted(map(tuple, scan.relations.tolist())) == sorted(twin.relations)
    assert scan.num_full_buckets == 0


RULES = [
    {"threshold": 0.2},
    {"threshold": 0.4, "character_thresholds": (0.3, 0.3, 0.6, 0.9)},
    {"threshold": 0.6, "character_thresholds": (0.5,)},
    {"threshold": 1.0, "character_thresholds": (1.0,)},
    {"threshold": 0.3, "copy_length_ratio": 0.6, "part_coverage": 0.5},
    {"threshold": 0.4, "copy_length_ratio": 0.9, "part_coverage": 0.8, "part_length_ratio": 0.9},
    {"threshold": 1.0, "part_coverage": 0.3, "part_length_ratio": 1.0, "character_thresholds": (0.5,)},
]


@settings(max_examples=350)
@given(corpus=corpora(), fields=st.sampled_from(RULES))
@example(corpus=Corpus([], [], []), fields=RULES[0])
def test_scan_equals_the_quadratic_twin(
    corpus: Corpus,
    fields: dict[str, Any],
    make_features: Callable[..., Features],
    make_rule: Callable[..., Rule],
) -> None:
    check_against_twin(corpus, make_rule(SIZE, **fields), make_features)


@settings(max_examples=150)
@given(
    corpus=corpora(),
    fields=st.sampled_from(RULES),
    num_threads=st.integers(2, 3),
    length=st.integers(1, 9),
    most_marks=st.sampled_from([1, 1 << 14]),
)
def test_scan_on_threads_equals_the_quadratic_twin(
    corpus: Corpus,
    fields: dict[str, Any],
    num_threads: int,
    length: int,
    most_marks: int,
    make_features: Callable[..., Features],
    make_rule: Callable[..., Rule],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan_module, "_SHORT_STRETCH", length)
        patch.setattr(scan_module, "_LONG_STRETCH", length)
        patch.setattr(waiting_module, "_MOST_MARKS", most_marks)  # with one, buckets share bits
        check_against_twin(corpus, make_rule(SIZE, **fields), make_features, num_threads)


@settings(max_examples=150, report_multiple_bugs=False)
@given(corpus=corpora(st.sampled_from([MISSING_DATE, 0, 4, 6, 11])), window=st.sampled_from([0, 5, 6]))
def test_canonicals_within_a_window_equal_those_of_the_quadratic_twin(
    corpus: Corpus, window: int, make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    rule = make_rule(SIZE, 0.4, (0.5,), window=window)
    scan = scan_of(corpus, rule, make_features, [one_bucket(len(corpus.tokens))])
    assert scan.canonicals.tolist() == twin_scan(corpus, rule).canonicals


def test_very_text_of_a_canonical_out_of_the_window_does_not_join_it(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    text = list(range(10))
    corpus = Corpus([text, text], [0, 100], [0, 1])
    scan = scan_of(corpus, make_rule(SIZE, 0.4, (0.5,), window=5), make_features, [one_bucket(2)])
    assert scan.canonicals.tolist() == [0, 1]


def test_repeat_of_a_member_out_of_the_window_gathers_its_own_copies(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    member = [*range(9), 50]
    late = [*range(8), 50, 51]
    corpus = Corpus([list(range(10)), member, member, late], [0, 3, 100, 101], [0, 1, 2, 3])
    scan = scan_of(corpus, make_rule(SIZE, 0.4, (0.5,), window=5), make_features, [one_bucket(4)])
    assert scan.canonicals.tolist() == [0, 0, 2, 2]


def test_chain_of_likes_makes_no_chain(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    """Each text shares 60% of its words with the next and little with the one after it."""
    texts = [list(range(40 * k, 40 * k + 100)) for k in range(12)]
    corpus = Corpus(texts, [MISSING_DATE] * 12, range(12))
    rule = make_rule(1, 0.4)
    features = make_features(texts, [[]] * 12)
    fingerprints = np.arange(1, 13, dtype=np.uint64)
    order = np.arange(12, dtype=np.int64)
    scan = group_articles(order, fingerprints, features, rule, [one_bucket(12)], np.empty((12, 0), np.uint32))
    assert scan.canonicals.tolist() == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10]
    # A member is alike to the next canonical no less, but that one comes later.
    assert len(scan.relations) == 0
    pairs = pair_articles(fingerprints, features, rule, [one_bucket(12)])
    assert pairs.pairs.tolist() == [[k, k + 1] for k in range(11)]
    assert corpus.order == range(12)


def test_member_that_matches_two_canonicals_joins_the_better_and_lists_the_other(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    first, second = list(range(100, 110)), list(range(200, 210))
    both = [*first[:6], *second[:9]]
    corpus = Corpus([first, second, both], [MISSING_DATE] * 3, [0, 1, 2])
    scan = scan_of(corpus, make_rule(SIZE, 0.2), make_features, [one_bucket(3)])
    assert scan.canonicals.tolist() == [0, 1, 1]
    assert scan.relations.tolist() == [[2, 0, BY_WORDS, 5, 14, 9]]


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2]])
def test_earlier_canonical_wins_a_tie(
    order: list[int], make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    first, second = list(range(100, 106)), list(range(200, 206))
    corpus = Corpus([first, second, [*first, *second]], [MISSING_DATE] * 3, order)
    scan = scan_of(corpus, make_rule(SIZE, 0.4), make_features, [one_bucket(3)])
    assert scan.canonicals.tolist() == [0, 1, 0]
    assert scan.relations.tolist() == [[2, 1, BY_WORDS, 5, 11, 5]]


def test_repeat_of_a_member_goes_where_the_member_went(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    member = list(range(20))
    first = [*range(13), *range(300, 307)]  # 12 of 19 shared
    between = [*range(2, 20), 401, 402, 403]  # closer to the member, far enough from `first`
    corpus = Corpus([first, member, between, member], [MISSING_DATE] * 4, [0, 1, 2, 3])
    scan = scan_of(corpus, make_rule(SIZE, 0.45), make_features, [one_bucket(4)])
    assert scan.canonicals.tolist() == [0, 0, 2, 0]
    assert scan.exact.tolist() == [False] * 4
    assert scan.relations.tolist() == []


def test_copies_of_one_text_cost_no_comparison(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    corpus = Corpus([list(range(50))] * 1000, [MISSING_DATE] * 1000, range(1000))
    scan = scan_of(corpus, make_rule(SIZE, 0.4), make_features, [one_bucket(1000)])
    assert scan.canonicals.tolist() == [0] * 1000
    assert scan.exact.tolist() == [False] + [True] * 999
    assert scan.num_candidates == 0


def test_edited_copies_of_one_text_cost_one_comparison_each(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    texts = [[*range(50), 1000 + k] for k in range(1000)]
    corpus = Corpus(texts, [MISSING_DATE] * 1000, range(1000))
    scan = scan_of(corpus, make_rule(SIZE, 0.4), make_features, [one_bucket(1000)])
    assert scan.canonicals.tolist() == [0] * 1000
    assert scan.num_candidates == 999


def unlike_texts(count: int) -> list[Tokens]:
    return [list(range(20 * k, 20 * k + 10)) for k in range(count)]


def test_many_further_matches_are_all_listed(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    """More than the table has room for at first."""
    canonicals = [[*range(100), *range(1000 * (k + 1), 1000 * (k + 1) + 160)] for k in range(20)]
    members = [[*range(100), 100_000 + k] for k in range(400)]
    texts = [*canonicals, *members]
    corpus = Corpus(texts, [MISSING_DATE] * len(texts), range(len(texts)))
    scan = scan_of(corpus, make_rule(SIZE, 0.35), make_features, [one_bucket(len(texts))])
    assert scan.canonicals.tolist() == [*range(20), *[0] * 400]
    expected = [(p, c, BY_WORDS, 99, 100, 259) for p in range(20, 420) for c in range(1, 20)]
    assert sorted(map(tuple, scan.relations.tolist())) == expected


def test_full_bucket_is_counted_and_costs_only_those_who_meet_nowhere_else(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    n = MAX_BANDED + 2
    texts = [*unlike_texts(n), unlike_texts(n)[0], [*unlike_texts(n)[-1], 7777], [*unlike_texts(n)[1], 7777]]
    corpus = Corpus(texts, [MISSING_DATE] * len(texts), range(len(texts)))
    rule = make_rule(SIZE, 0.4)
    scan = scan_of(corpus, rule, make_features, [one_bucket(len(texts))])
    # The last of the unlike texts found no room, so that its edited copy stays alone.
    assert scan.canonicals.tolist() == [*range(n), 0, n + 1, 1]
    assert scan.num_full_buckets == 1
    second_bucket = one_bucket(len(texts), [n - 1, n + 1])
    scan = scan_of(corpus, rule, make_features, [one_bucket(len(texts)), second_bucket])
    assert scan.canonicals.tolist() == [*range(n), 0, n - 1, 1]
    assert scan.num_full_buckets == 1


@pytest.mark.parametrize(("num_threads", "length"), [(1, 1024), (2, 10), (2, 25)])
def test_signatures_only_drop_candidates_that_cannot_match(
    num_threads: int,
    length: int,
    make_features: Callable[..., Features],
    make_rule: Callable[..., Rule],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With many candidates, one that only bands speak for is dropped where signatures agree too little.

    Of stretches of 25 the last one meets too few ahead for that, and the others among its own.
    """
    monkeypatch.setattr(scan_module, "_SHORT_STRETCH", length)
    monkeypatch.setattr(scan_module, "_LONG_STRETCH", length)
    n = MANY_BANDED + 8
    rule, order = make_rule(SIZE, 0.5), np.arange(n + 1, dtype=np.int64)
    unlike = unlike_texts(n)
    wording = find_wording(
        make_features(unlike, [[]] * n), rule, order[:n], *[np.ones(n, dtype=np.bool_)] * 2
    )
    target = int(np.flatnonzero(wording.num_sampled < 2)[0])  # too few for its wording to be met
    features = make_features([*unlike, [*unlike[target], 7777]], [[]] * (n + 1))
    fingerprints = np.arange(1, n + 2, dtype=np.uint64)
    signatures = np.arange((n + 1) * 64, dtype=np.uint32).reshape(n + 1, 64)
    lanes = [one_bucket(n + 1)]
    scan = group_articles(order, fingerprints, features, rule, lanes, signatures, num_threads)
    assert scan.canonicals[-1] == n
    signatures[n, :32] = signatures[target, :32]  # as alike as the threshold says
    scan = group_articles(order, fingerprints, features, rule, lanes, signatures, num_threads)
    assert scan.canonicals[-1] == target


@settings(max_examples=200)
@given(corpus=corpora(st.sampled_from([MISSING_DATE, 0, 9])))
def test_pairs_equal_the_quadratic_twin(
    corpus: Corpus, make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    n = len(corpus.tokens)
    rule = make_rule(SIZE, 0.4, (0.5,), window=5)
    features = make_features(corpus.tokens, [characters_of(t) for t in corpus.tokens], corpus.dates)
    fingerprints = np.array([fingerprint(tokens) for tokens in corpus.tokens], dtype=np.uint64)
    found = pair_articles(fingerprints, features, rule, [one_bucket(n)])
    judged = {(a, b): twin_alike(a, b, corpus, rule) for a in range(n) for b in range(a + 1, n)}
    columns = (
        found.pairs[:, 0],
        found.pairs[:, 1],
        found.kinds,
        found.shared,
        found.first_sizes,
        found.second_sizes,
    )
    assert sorted(map(tuple, np.stack(columns, axis=1).tolist())) == [
        (*pair, *alike) for pair, alike in judged.items() if alike[0] != NO_MATCH
    ]


def test_more_pairs_than_the_table_has_room_for_at_first(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    n = 120
    features = make_features([list(range(20))] * n, [[]] * n)
    fingerprints = np.full(n, 9, dtype=np.uint64)
    found = pair_articles(fingerprints, features, make_rule(SIZE, 0.4), [one_bucket(n)])
    assert sorted(map(tuple, found.pairs.tolist())) == [(a, b) for a in range(n) for b in range(a + 1, n)]


@settings(max_examples=200)
@given(corpora())
def test_firsts_are_the_first_positions_of_the_very_same_tokens(corpus: Corpus) -> None:
    values = np.array([t for tokens in corpus.tokens for t in tokens], dtype=np.uint32)
    offsets = np.cumsum([0, *map(len, corpus.tokens)]).astype(np.int64)
    none = np.zeros(len(corpus.tokens), dtype=np.int64)
    features = Features(none, values, offsets[:-1].copy(), offsets[1:].copy(), values, none, none)
    prints = np.array([fingerprint(tokens) for tokens in corpus.tokens], dtype=np.uint64)
    firsts = find_firsts(np.array(corpus.order, dtype=np.int64), prints, features)
    texts = [tuple(corpus.tokens[row]) for row in corpus.order]
    assert firsts.tolist() == [texts.index(text) if text else p for p, text in enumerate(texts)]


def test_unlike_texts_of_one_fingerprint_are_told_apart(
    make_features: Callable[..., Features], make_rule: Callable[..., Rule]
) -> None:
    texts = [[1, 2, 3], [4, 5, 6], [7, 8], [1, 2, 3]]
    features, order = make_features(texts, [[]] * 4), np.arange(4, dtype=np.int64)
    firsts = find_firsts(order, np.full(4, 77, dtype=np.uint64), features)
    assert firsts.tolist() == [0, 1, 2, 0]


def test_no_lanes_leave_all_alone_but_the_very_same() -> None:
    buckets = find_buckets(3, [])
    assert buckets.num_buckets == 0
    assert buckets.offsets.tolist() == [0, 0, 0, 0]
