"""Grouping, pairing and comparing of articles in memory."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dedup import Fields, Group, Settings, compare, find_groups, find_pairs
from dedup.run.groups import Groups
from dedup.settings import NGRAM_LENGTHS
from dedup.text import normalize, reference

DEFAULT = Settings()
HEADLINE = Settings.of("headline")

STORY = "The harbour office said on Monday that the new ferry will sail twice a day from June"
ARABIC = (
    "أكد وزير الخارجية المصري خلال اتصال هاتفي مع نظيره الأمريكي أن الخيارات العسكرية لن تحقق السلام "
    "والاستقرار في المنطقة وأن وقف إطلاق النار في قطاع غزة ضرورة لا تقبل التأجيل"
)
OTHER = "Rain is expected in the north of the country this week and the river may rise by a metre"


def ids_of(groups: Groups) -> list[list[Any]]:
    return [[member.id for member in group.members] for group in groups]


def random_text(generator: random.Random, num_words: int) -> list[str]:
    return [
        "".join(generator.choices("ابتثجحخدرسصعفقكلمنهوي", k=generator.randint(3, 8)))
        for _ in range(num_words)
    ]


def edited(generator: random.Random, words: list[str], num_edits: int) -> list[str]:
    words = list(words)
    for _ in range(num_edits):
        at = generator.randrange(len(words) + 1)
        words[at : at + generator.choice([0, 1])] = random_text(generator, generator.choice([0, 1]))
    return words


seeds = st.integers(0, 1 << 32)


@st.composite
def corpora(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return up to 30 records: edited copies of a few texts, short and long, some without date or words."""
    generator = random.Random(draw(seeds))
    bases = [random_text(generator, generator.choice([0, 1, 4, 15, 17, 40, 120])) for _ in range(4)]
    records = []
    for number in range(draw(st.integers(0, 30))):
        words = edited(generator, generator.choice(bases), generator.choice([0, 0, 1, 3, 8]))
        record: dict[str, Any] = {"id": number if number % 3 else f"n{number}", "text": " ".join(words)}
        record["source"] = generator.choice(["spa", "okaz", "", None])
        record["published_at"] = generator.choice([None, "", "2024-05-01", "2024-05-02T10:00+03:00"])
        records.append(record)
    return records


def same_groups(a: Groups, b: Groups) -> None:
    assert list(a) == list(b)
    assert [group.members for group in a] == [group.members for group in b]
    by_id = [sorted(groups.to_table().to_pylist(), key=lambda row: str(row["id"])) for groups in (a, b)]
    assert by_id[0] == by_id[1]


@pytest.mark.parametrize("keep", ["earliest", "longest"])
@settings(max_examples=60)
@given(records=corpora(), seed=seeds)
def test_groups_ignore_the_order_of_input_and_the_number_of_threads(
    keep: str, records: list[dict[str, Any]], seed: int
) -> None:
    chosen = Settings(keep=keep, source_priority=("okaz", "spa"))
    groups = find_groups(records, chosen)
    permuted = list(records)
    random.Random(seed).shuffle(permuted)
    same_groups(groups, find_groups(permuted, chosen, num_threads=3))


@settings(max_examples=60)
@given(corpora())
def test_every_member_matches_its_canonical_and_canonicals_are_no_close_copies(
    records: list[dict[str, Any]],
) -> None:
    sure = Settings(recall=0.999999)
    groups = find_groups(records, sure)
    texts = {record["id"]: record["text"] for record in records}
    for group in groups:
        assert group.size == len(group.members) > 1
        assert group.group_id == group.canonical_id == group.members[0].id
        assert group.members[0].relation == "canonical"
        for member in group.members[1:]:
            comparison = compare(texts[member.id], texts[group.canonical_id], sure)
            assert comparison.verdict == member.relation
            assert member.jaccard == round(comparison.jaccard, 4)
            assert member.coverage == round(comparison.coverage_a, 4)
            for further in member.also_matches:
                assert further.canonical_id != group.canonical_id
                other = compare(texts[member.id], texts[further.canonical_id], sure)
                assert further.jaccard == round(other.jaccard, 4) <= member.jaccard
    kept = [record["id"] for record, keep in zip(records, groups.is_canonical, strict=True) if keep]
    for number, first in enumerate(kept):
        for second in kept[:number]:
            comparison = compare(texts[first], texts[second], sure)
            assert comparison.verdict != "exact"
            if comparison.verdict == "near":  # bands find close copies, wording the others but for a few
                assert comparison.shingles == "words"
                assert comparison.jaccard < 0.72


def reference_score(a: str, b: str, chosen: Settings) -> tuple[float, float, float, str]:
    """Return Jaccard, both coverages and the kind by which two texts match, "" for no match."""
    words = [reference.tokens(text) for text in (a, b)]
    if chosen.uses_words:
        sets = [set(normalize.word_shingles(text, chosen.shingle_size)) for text in (a, b)]
        if all(sets) and len(sets[0] & sets[1]) / len(sets[0] | sets[1]) >= chosen.threshold:
            shared = len(sets[0] & sets[1])
            return shared / len(sets[0] | sets[1]), shared / len(sets[0]), shared / len(sets[1]), "words"
    sets = [set(normalize.character_shingles(text, NGRAM_LENGTHS)) for text in (a, b)]
    lengths = [len(tokens) for tokens in words]
    if min(lengths) > 0 and max(lengths) <= chosen.max_short_words:
        shared = len(sets[0] & sets[1])
        jaccard = shared / len(sets[0] | sets[1])
        if jaccard >= chosen.character_threshold(min(lengths)):
            return jaccard, shared / len(sets[0]), shared / len(sets[1]), "characters"
    return 0.0, 0.0, 0.0, ""


PAIR_SETTINGS = [
    *(Settings(recall=0.999999), Settings(num_perm=256, shingle_size=2)),
    *(HEADLINE, Settings(threshold=0.8, short_words=5)),
]


@pytest.mark.parametrize("chosen", PAIR_SETTINGS)
@settings(max_examples=20)
@given(records=corpora())
def test_pairs_equal_brute_force_over_sets_of_strings(
    chosen: Settings, records: list[dict[str, Any]]
) -> None:
    records = [{**record, chosen.text_field: record["text"]} for record in records]
    found = {(pair.a_id, pair.b_id): pair for pair in find_pairs(records, chosen, num_threads=2)}
    missed = total = 0
    for number, a in enumerate(records):
        for b in records[number + 1 :]:
            jaccard, coverage_a, coverage_b, kind = reference_score(a["text"], b["text"], chosen)
            pair = found.pop((a["id"], b["id"]), None)
            total += bool(kind)
            if pair is None:
                missed += bool(kind)
                continue
            assert pair.shingles == kind
            scores = (pair.jaccard, pair.coverage_a, pair.coverage_b)
            assert scores == pytest.approx((jaccard, coverage_a, coverage_b))
    assert not found
    assert missed <= 1 + 0.02 * total


# --- the short lane


def verdict_of(a: list[str], b: list[str]) -> str:
    return compare(" ".join(a), " ".join(b)).verdict


@settings(max_examples=1000)
@given(seed=seeds, num_words=st.integers(4, DEFAULT.max_short_words + 4), num_edits=st.integers(1, 2))
def test_appending_the_same_word_to_both_never_loses_a_copy(
    seed: int, num_words: int, num_edits: int
) -> None:
    """The last two words are the same in both, so that what the new word adds is the same in both too.

    The word is as long as any: thresholds go by words, scores by characters.
    """
    generator = random.Random(seed)
    words, last = random_text(generator, num_words - 2), random_text(generator, 2)
    changed = list(words)
    for _ in range(num_edits):
        changed[generator.randrange(len(changed))] = random_text(generator, 1)[0]
    a, b = [*words, *last], [*changed, *last]
    if verdict_of(a, b) == "near":
        assert verdict_of([*a, "اسطرلاب"], [*b, "اسطرلاب"]) == "near"


@settings(max_examples=40)
@given(
    seed=seeds,
    num_words=st.integers(8, DEFAULT.max_short_words + 4),
    num_added=st.integers(0, 6),
    num_edits=st.integers(0, 4),
)
def test_growing_through_the_lengths_of_both_lanes_never_loses_a_copy(
    seed: int, num_words: int, num_added: int, num_edits: int
) -> None:
    """One text has words of its own in front and a few changed; then both grow by the same long words."""
    generator = random.Random(seed)
    a = random_text(generator, num_words)
    b = [*random_text(generator, num_added), *edited(generator, a, num_edits)]
    tail = ["".join(generator.choices("ابتجدرسعفقكلمنهوي", k=8)) for _ in range(DEFAULT.max_short_words + 10)]
    was_copy = False
    for length in range(2, len(tail)):
        is_copy = verdict_of([*a, *tail[:length]], [*b, *tail[:length]]) in ("near", "exact")
        assert is_copy or not was_copy, f"lost at {len(a) + length} and {len(b) + length} words"
        was_copy = is_copy


@pytest.mark.parametrize("num_added", range(1, 10))
def test_text_under_a_lead_of_some_words_is_found_at_every_length_once_it_is(num_added: int) -> None:
    """As the text grows under its lead it goes from part to copy, with no gap between."""
    generator = random.Random(num_added)
    lead, text = random_text(generator, num_added), random_text(generator, 80)
    verdicts = [verdict_of(text[:length], [*lead, *text[:length]]) for length in range(3, 81)]
    found = [verdict != "different" for verdict in verdicts]
    assert found[-1]
    assert found == sorted(found), [(k + 3, verdict) for k, verdict in enumerate(verdicts)]


@pytest.mark.parametrize("num_words", [1, 2, 3, 15, 16, 17, 33, 34, 35, 36, 60])
def test_identical_texts_of_any_length_are_exact_and_a_pair(num_words: int) -> None:
    text = " ".join(random_text(random.Random(num_words), num_words))
    assert ids_of(find_groups([text, text, OTHER])) == [[0, 1]]
    assert [(pair.a_id, pair.b_id, pair.jaccard) for pair in find_pairs([text, text, OTHER])] == [(0, 1, 1.0)]
    comparison = compare(text, text)
    assert (comparison.verdict, comparison.jaccard, comparison.estimated_jaccard) == ("exact", 1.0, 1.0)


@pytest.mark.parametrize("short_words", [0, 1, 16])
@pytest.mark.parametrize("shingle_size", [1, 3, 16])
@pytest.mark.parametrize("text", ["rain", "rain today", "rain today in the north of the country", STORY])
def test_identical_texts_are_a_pair_whatever_the_lanes(
    text: str, shingle_size: int, short_words: int
) -> None:
    chosen = Settings(short_words=short_words, shingle_size=shingle_size)
    assert ids_of(find_groups([text, text], chosen)) == [[0, 1]]
    assert compare(text, text, chosen).jaccard == 1.0
    assert len(find_pairs([text, text], chosen)) == 1


def test_short_texts_of_other_words_do_not_collide() -> None:
    texts = [
        "Rain today",
        "Snow today",
        "Prices rise",
        "خبر عاجل",
        "غزة",
        "القاهرة",
        "a",
        "b",
        "新",
        "12",
        "13",
    ]
    assert ids_of(find_groups(texts)) == []


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("سعر الذهب اليوم في مصر", "سعر الذهب أمس في قطر"),
        ("Real Madrid 2 - 1 Barcelona", "Valencia 4 - 3 Sevilla"),
        ("درجات الحرارة في الرياض 41", "درجات الحرارة في مكة 43"),
    ],
)
def test_short_templates_are_not_copies(a: str, b: str) -> None:
    assert compare(a, b).verdict == "different"


@pytest.mark.parametrize(("num_own", "num_added"), [(3, 10), (2, 8), (4, 12), (5, 14), (6, 20), (10, 30)])
def test_growing_text_goes_from_part_to_copy_with_no_gap_between(num_own: int, num_added: int) -> None:
    """Two versions of a story under leads of their own, the second lead longer."""
    generator = random.Random(num_added)
    own, added, text = (random_text(generator, num) for num in (num_own, num_added, 200))
    verdicts = [verdict_of([*own, *text[:length]], [*added, *text[:length]]) for length in range(3, 201)]
    found = [verdict != "different" for verdict in verdicts]
    assert found[-1]
    lost = [(k + 3, verdicts[k - 1]) for k in range(1, len(found)) if found[k - 1] and not found[k]]
    assert lost == []


# --- empty texts


@pytest.mark.parametrize("empty", ["", "   ", "،؛؟ !", "\N{ARABIC TATWEEL}\N{ARABIC FATHA}", "🙂", "\ud800"])
@pytest.mark.parametrize("chosen", [DEFAULT, HEADLINE], ids=["article", "headline"])
def test_empty_texts_match_nothing_and_are_counted(empty: str, chosen: Settings) -> None:
    groups = find_groups([empty, empty, "", STORY, STORY], chosen)
    assert ids_of(groups) == [[3, 4]]
    assert groups.num_empty == 3
    assert groups.num_articles == 5
    assert groups.num_copies == 1
    assert groups.to_table().column("relation").to_pylist() == ["empty"] * 3 + ["canonical", "exact"]
    assert groups.is_canonical.tolist() == [True, True, True, True, False]
    assert len(find_pairs([empty, empty, ""], chosen)) == 0
    comparison = compare(empty, "", chosen)
    assert (comparison.verdict, comparison.jaccard, comparison.estimated_jaccard) == ("different", 0.0, 0.0)
    assert compare(empty, STORY, chosen).verdict == "different"


@pytest.mark.parametrize("chosen", [DEFAULT, HEADLINE], ids=["article", "headline"])
def test_no_records_give_no_groups_and_no_pairs(chosen: Settings) -> None:
    groups = find_groups([], chosen)
    assert (len(groups), list(groups), groups.num_articles, groups.num_copies) == (0, [], 0, 0)
    assert groups.to_table().num_rows == 0
    assert list(find_pairs([], chosen)) == []
    assert ids_of(find_groups([STORY], chosen)) == []


# --- groups and their table


def test_table_has_a_row_an_article_in_the_order_of_the_input() -> None:
    records = [
        {"id": "late", "text": ARABIC + " كما قال", "published_at": "2024-05-03"},
        {"id": "alone", "text": OTHER, "published_at": "2024-05-01"},
        {"id": "same", "text": ARABIC + "!", "published_at": "2024-05-02"},
        {"id": "empty", "text": "...", "published_at": "2024-05-01"},
        {"id": "first", "text": ARABIC, "published_at": "2024-05-01"},
    ]
    table = find_groups(records).to_table()
    scores = ["jaccard", "coverage", "relation", "cut_share"]
    columns = ["id", "group_id", "canonical_id", "is_canonical", *scores]
    assert table.column_names == columns
    rows = {row["id"]: row for row in table.to_pylist()}
    assert list(rows) == [record["id"] for record in records]
    assert [row["relation"] for row in rows.values()] == ["near", "unique", "exact", "empty", "canonical"]
    assert [row["group_id"] for row in rows.values()] == ["first", "alone", "first", "empty", "first"]
    assert [row["is_canonical"] for row in rows.values()] == [False, True, False, True, True]
    num_shingles = len(reference.tokens(ARABIC)) - 2
    assert rows["late"]["jaccard"] == pytest.approx(num_shingles / (num_shingles + 2))
    assert rows["late"]["coverage"] == pytest.approx(num_shingles / (num_shingles + 2))
    assert [rows[id_]["jaccard"] for id_ in ("alone", "same", "empty", "first")] == [None, 1.0, None, 1.0]


def test_members_are_listed_in_canonical_order_with_scores_against_the_canonical() -> None:
    records = [
        {"id": 3, "text": STORY + ", officials say", "published_at": "2024-05-03"},
        {"id": 2, "text": STORY.upper(), "published_at": "2024-05-02"},
        {"id": 1, "text": STORY, "published_at": "2024-05-01"},
    ]
    (group,) = find_groups(records)
    assert isinstance(group, Group)
    assert [(m.id, m.relation) for m in group.members] == [(1, "canonical"), (2, "exact"), (3, "near")]
    assert group.members[0].jaccard == group.members[1].jaccard == 1.0
    size = len(reference.tokens(STORY)) - 2
    assert group.members[2].jaccard == round(size / (size + 2), 4)


def test_article_that_matches_two_groups_says_so() -> None:
    generator = random.Random(2)
    first, second = random_text(generator, 100), random_text(generator, 110)
    texts = [" ".join(words) for words in (first, second, [*first[:70], *second[:80]])]
    (group,) = find_groups(texts, Settings(keep="first-seen"))
    assert group.canonical_id == 1
    assert group.members[1].jaccard == round(78 / (148 + 108 - 78), 4)
    (further,) = group.members[1].also_matches
    assert (further.canonical_id, further.jaccard) == (0, round(68 / (148 + 98 - 68), 4))


# --- links


def test_cut_copy_is_a_link_and_no_member() -> None:
    generator = random.Random(3)
    whole, other = random_text(generator, 200), random_text(generator, 200)
    records = [
        {"id": "part", "text": " ".join(whole[:80]), "published_at": "2024-05-01"},
        {"id": "whole", "text": " ".join(whole), "published_at": "2024-05-02"},
        {"id": "other", "text": " ".join(other), "published_at": "2024-05-02"},
        {"id": "part again", "text": " ".join([*whole[:80], "later"]), "published_at": "2024-05-03"},
        {"id": "part of other", "text": " ".join(other[100:]), "published_at": "2024-05-03"},
    ]
    groups = find_groups(records)
    assert ids_of(groups) == [["part", "part again"]]
    links = {(link.part_id, link.whole_id): link for link in groups.links}
    assert set(links) == {("part", "whole"), ("part of other", "other")}
    assert links["part", "whole"].coverage == 1.0
    assert links["part", "whole"].jaccard == round(78 / 198, 4)


def test_two_parts_of_one_roundup_stay_apart() -> None:
    generator = random.Random(4)
    first, second = random_text(generator, 90), random_text(generator, 90)
    groups = find_groups([" ".join(first), " ".join(second), " ".join([*first, *second])])
    assert ids_of(groups) == []
    assert {(link.part_id, link.whole_id) for link in groups.links} == {(0, 2), (1, 2)}


@settings(max_examples=30)
@given(seed=seeds)
def test_links_ignore_the_order_of_input(seed: int) -> None:
    generator = random.Random(seed)
    bases = [random_text(generator, 150) for _ in range(3)]
    texts = []
    for number in range(12):
        words = edited(generator, generator.choice(bases), 3)
        cut = generator.choice([40, 80, len(words)])
        texts.append({"id": number, "text": " ".join(words[:cut])})
    links = find_groups(texts).links
    generator.shuffle(texts)
    assert find_groups(texts).links == links


KEEP_RECORDS = [
    {"id": "b", "text": STORY, "source": "weekly", "published_at": "2024-05-02"},
    {"id": "long", "text": STORY + " and later", "source": "paper", "published_at": "2024-05-03"},
    {"id": "a", "text": STORY, "source": "agency", "published_at": "2024-05-02"},
    {"id": "old", "text": STORY, "source": "weekly", "published_at": "2024-05-01"},
]


@pytest.mark.parametrize(
    ("keep", "sources", "records", "canonical"),
    [
        ("earliest", (), KEEP_RECORDS, "old"),
        ("earliest", (), KEEP_RECORDS[:3], "a"),
        ("earliest", ("weekly", "agency"), KEEP_RECORDS[:3], "b"),
        ("earliest", ("agency", "weekly"), KEEP_RECORDS[:3], "a"),
        ("earliest", ("elsewhere",), KEEP_RECORDS[:3], "a"),
        ("earliest", ("paper",), KEEP_RECORDS, "old"),
        ("longest", (), KEEP_RECORDS, "long"),
        ("longest", ("weekly",), [KEEP_RECORDS[2], KEEP_RECORDS[0]], "b"),
        ("first-seen", (), KEEP_RECORDS, "b"),
        ("first-seen", ("agency",), KEEP_RECORDS[::-1], "old"),
    ],
)
def test_policy_and_source_priority_choose_the_canonical(
    keep: str, sources: tuple[str, ...], records: list[dict[str, Any]], canonical: str
) -> None:
    (group,) = find_groups(records, Settings(keep=keep, source_priority=sources))
    assert group.canonical_id == canonical


@pytest.mark.parametrize("repeat", [STORY, "Ferry to sail twice"])
def test_window_keeps_apart_what_was_published_further_apart(repeat: str) -> None:
    records = [
        {"id": "may", "text": repeat, "published_at": "2024-05-01"},
        {"id": "may 2", "text": repeat, "published_at": "2024-05-02"},
        {"id": "june", "text": repeat, "published_at": "2024-06-01"},
        {"id": "june 2", "text": repeat + "!", "published_at": "2024-06-02"},
    ]
    assert ids_of(find_groups(records, Settings(window_days=1))) == [["may", "may 2"], ["june", "june 2"]]
    assert len(find_pairs(records, Settings(window_days=1))) == 2
    assert len(find_groups(records)) == 1


def test_window_that_holds_all_articles_changes_nothing() -> None:
    """Fifteen outlets reprint a story word for word, one with changes that leave less than half of it."""
    generator = random.Random(8)
    story = random_text(generator, 120)
    changed = [*story[:80], *random_text(generator, 40)]
    records = [{"id": k, "text": " ".join(story), "published_at": "2024-05-01"} for k in range(15)]
    records.append({"id": 15, "text": " ".join(changed), "published_at": "2024-05-02"})
    same_groups(find_groups(records), find_groups(records, Settings(window_days=30)))
    assert [group.size for group in find_groups(records)] == [16]


# --- compare


def test_comparison_names_what_keeps_two_texts_apart() -> None:
    frame = "the index closed at {} points after {} shares in {} trades worth {} million riyals today"
    one, other = frame.format(101, 202, 303, 404), frame.format(511, 612, 713, 814)
    body = " ".join(f"and the board of company number{k} said nothing about it" for k in range(8))
    assert compare(f"{one} {body}", f"{other} {body}").reason.endswith("they hold other numbers")
    begun = [f"word{k}" for k in range(22)]
    scarce = [" ".join(begun + [f"{name}{k}" for k in range(18)]) for name in ("first", "second")]
    assert compare(*scarce).jaccard > 0.28
    assert "of fewer than 24 shared shingles a copy needs Jaccard 0.6" in compare(*scarce).reason
    own = [" ".join(f"{name}{k}" for k in range(90)) for name in ("first", "second")]
    shared = " ".join(f"both{k}" for k in range(160))
    apart = compare(f"{shared} {own[0]}", f"{shared} {own[1]}")
    assert (apart.verdict, apart.jaccard > 0.28) == ("different", True)
    assert "each has passages of its own" in apart.reason


def test_comparison_tells_scores_and_reason() -> None:
    part = " ".join(STORY.split()[:12])
    comparison = compare(part, STORY)
    assert comparison.coverage_a == 1.0
    assert comparison.coverage_b == pytest.approx(10 / 15)
    assert comparison.jaccard == pytest.approx(10 / 15)
    assert (comparison.verdict, comparison.shingles) == ("near", "words")
    assert "Jaccard 0.667" in comparison.reason
    assert comparison.reason.endswith("a copy")
    assert abs(comparison.estimated_jaccard - 10 / 15) < 0.2


@settings(max_examples=80)
@given(corpora(), st.sampled_from([DEFAULT, HEADLINE, Settings(shingle_size=1)]))
def test_compare_is_symmetric_and_agrees_with_pairs(records: list[dict[str, Any]], chosen: Settings) -> None:
    assume(len(records) > 1)
    a, b = records[0]["text"], records[1]["text"]
    there, back = compare(a, b, chosen), compare(b, a, chosen)
    assert (there.coverage_a, there.coverage_b) == (back.coverage_b, back.coverage_a)
    for name in ("jaccard", "estimated_jaccard", "shingles", "verdict"):
        assert getattr(there, name) == getattr(back, name)
    assert 0 <= there.jaccard <= min(there.coverage_a, there.coverage_b) <= 1
    pairs = list(find_pairs([a, b], replace(chosen, recall=0.999999)))
    assert pairs or there.verdict in ("part", "different")
    for pair in pairs:
        if pair.shingles == there.shingles:
            assert (pair.jaccard, pair.coverage_a) == (there.jaccard, there.coverage_a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("中国人民银行", "中 国 人 民 银 行"),
        ("中国 人民", "中国人民"),
        ("北京", "北 京"),
        ("กรุงเทพ มหานคร", "กรุงเทพมหานคร"),
    ],
)
@pytest.mark.parametrize("chosen", [DEFAULT, HEADLINE], ids=["article", "headline"])
def test_texts_of_the_very_same_words_are_exact_in_scores_and_pairs_too(
    a: str, b: str, chosen: Settings
) -> None:
    assert normalize.tokens(a) == normalize.tokens(b)
    assert ids_of(find_groups([a, b], chosen)) == [[0, 1]]
    comparison = compare(a, b, chosen)
    assert (comparison.verdict, comparison.jaccard) == ("exact", 1.0)
    assert [(pair.a_id, pair.b_id) for pair in find_pairs([a, b], chosen)] == [(0, 1)]


def test_threshold_of_one_asks_for_equal_sets() -> None:
    chosen = Settings(threshold=1.0, short_threshold=1.0)
    texts = [STORY, STORY + " again", STORY.upper(), "Rain", "rain!", "rains"]
    assert ids_of(find_groups(texts, chosen)) == [[0, 2], [3, 4]]
    assert Settings(threshold=1.0).max_short_words < 100_000


# --- the headline profile


def test_headline_profile_groups_titles_by_characters() -> None:
    records = [
        {"id": 1, "title": "وزير الخارجية: الخيارات العسكرية لا تحقق السلام والاستقرار"},
        {"id": 2, "title": "وزير الخارجيّة - الخيارات العسكرية تثبت فشلها ولا تحقّق السلام والاستقرار"},
        {"id": 3, "title": "أسعار النفط ترتفع مع تراجع المخزونات الأمريكية"},
    ]
    groups = find_groups(records, HEADLINE)
    assert [sorted(ids) for ids in ids_of(groups)] == [[1, 2]]
    assert groups.by_characters.any()
    (pair,) = find_pairs(records, HEADLINE)
    assert pair.shingles == "characters"
    assert pair.jaccard >= HEADLINE.threshold
    assert len(find_groups(records, replace(HEADLINE, threshold=0.95))) == 0


def test_headline_profile_compares_the_title_field_and_needs_no_text() -> None:
    records = [
        {"key": 1, "head": "Ferry to sail twice a day"},
        {"key": 2, "head": "Ferry to sail twice a day!"},
    ]
    (group,) = find_groups(records, HEADLINE, fields=Fields(id="key", title="head"))
    assert {member.id for member in group.members} == {1, 2}


def test_full_buckets_are_counted_and_copies_are_found_through_others() -> None:
    """150 articles of one formula: they share buckets and are not copies of each other."""
    generator = random.Random(4)
    formula = random_text(generator, 200)
    texts = [" ".join([*formula, *random_text(generator, 330)]) for _ in range(150)]
    groups = find_groups(texts)
    assert len(groups) == 0
    assert groups.scan.num_full_buckets > 0
    copies = [*texts, texts[140] + " end", texts[3] + " end"]
    assert sorted(map(sorted, ids_of(find_groups(copies)))) == [[3, 151], [140, 150]]


@example(num=3)
@given(num=st.integers(2, 40))
@settings(max_examples=5)
def test_copies_of_one_text_are_one_group_whatever_their_number(num: int) -> None:
    groups = find_groups([STORY] * num)
    assert [group.size for group in groups] == [num]
    assert len(find_pairs([STORY] * num)) == num * (num - 1) // 2
    assert isinstance(groups.canonical_rows, np.ndarray)
    assert groups.canonical_rows.tolist() == [0] * num


def test_flood_of_one_template_on_one_day_of_many_makes_no_group() -> None:
    generator = random.Random(5)
    words = [f"w{number}" for number in range(20_000)]
    template = generator.choices(words, k=100)
    records = []
    for number in range(2000):
        flood = number < 300
        front = template if flood else generator.choices(words, k=100)
        records.append(
            {
                "id": number,
                "text": " ".join([*front, *generator.choices(words, k=100)]),
                "published_at": "2024-05-05" if flood else f"2024-05-{1 + number % 10:02}",
            }
        )
    assert list(find_groups(records)) == []
