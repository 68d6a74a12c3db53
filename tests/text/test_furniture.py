"""Page furniture: the kernels agree with their twin, and what must be cut and what must stay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.text.cutting import REASONS, cut_furniture
from dedup.text.furniture import KEPT
from dedup.text.furniture_reference import decide
from dedup.text.markers import KINDS, load_markers, read_markers

PARAGRAPHS = [
    "The harbour office said on Monday that the new ferry will sail twice a day from June to September.",
    "Fishermen who had asked for an earlier boat called the timetable a first step and no more than that.",
    "The council will look at the figures again in autumn, the mayor told reporters after the meeting.",
]
ARTICLE = "\n".join(PARAGRAPHS)
PIECES = st.sampled_from(
    [
        *PARAGRAPHS,
        *(
            "Read also: Harbour fees rise",
            "Read also",
            "اقرأ أيضاًالميناء: رسوم جديدة",
            "إقرأ أيضاً:",
            "المصدر: الميناء",
        ),
        *(
            "كلمات دلالية: ميناء سفن",
            "Source: the office",
            "Source code is open.",
            "Tags: sea",
            "Comments (3)",
        ),
        *(
            "Comments",
            "  • A headline",
            "Harbour fees rise again",
            "\N{NO-BREAK SPACE}",
            "",
            " \r",
            "相关阅读：港口",
            "关注我们",
        ),
        *(
            "Read more books, the minister says.",
            "Follow us on Telegram",
            "x" * 130,
            "Read also: " + "y " * 130,
        ),
        *(
            "ＲＥＡＤ ＡＬＳＯ – ferry",
            "- Read also",
            "Read alsoFerry",
            "(Source: office).",
            "…",
            "ﷺ: a",
            "Related:",
        ),
    ]
)


def reasons_of(text: str) -> list[tuple[str, str]]:
    return [(line.line, line.reason) for line in cut_furniture(text).lines]


def by_twin(text: str) -> list[tuple[str, str]]:
    return [(line.text, REASONS[reason]) for line, reason in decide(text) if reason != KEPT]


@given(st.lists(PIECES, max_size=12).map("\n".join))
@settings(max_examples=300, deadline=None)
def test_kernels_agree_with_their_twin_on_pages(text: str) -> None:
    assert reasons_of(text) == by_twin(text)


@given(st.lists(st.sampled_from(sorted(read_markers())), min_size=1), st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_kernels_agree_with_their_twin_on_any_text_behind_a_marker(markers: list[str], more: str) -> None:
    text = "\n".join([*PARAGRAPHS, *(marker + more for marker in markers)])
    assert reasons_of(text) == by_twin(text.encode("utf-8", "replace").decode())


@pytest.mark.parametrize("marker", sorted(read_markers()))
def test_each_marker_is_found_before_a_colon(marker: str) -> None:
    kind = read_markers()[marker][0]
    cut = cut_furniture(f"{ARTICLE}\n{marker}: 7\n")
    assert [line.reason for line in cut.lines] == [REASONS[kind]]
    assert cut.text == ARTICLE


def test_markers_are_of_known_kinds_in_many_languages() -> None:
    assert {kind for kind, _ in read_markers().values()} == set(KINDS.values())
    assert load_markers().longest >= load_markers().shortest > 0


@pytest.mark.parametrize(
    "line",
    [
        "Source code was published on Monday.",
        "Read more books, the minister told the pupils.",
        "Related offences were dropped, the court said.",
        "Comments by the mayor drew laughter.",
        "المصدر الذي تحدث إلى الصحيفة رفض كشف اسمه.",
        "تعليقات الوزير أثارت جدلا واسعا في البرلمان.",
        "Quellen aus dem Ministerium sprachen von Eile.",
    ],
)
def test_a_sentence_that_begins_like_a_marker_stays(line: str) -> None:
    assert cut_furniture(f"{PARAGRAPHS[0]}\n{line}\n{PARAGRAPHS[1]}").lines == ()


def test_paragraphs_behind_an_inline_link_survive() -> None:
    page = f"{PARAGRAPHS[0]}\nRead also: Harbour fees rise\n{PARAGRAPHS[1]}\n{PARAGRAPHS[2]}"
    assert cut_furniture(page).text == ARTICLE


def test_short_paragraphs_without_full_stops_survive_an_inline_link() -> None:
    page = "الوزير يصل اليوم إلى الميناء\nاقرأ أيضا: رسوم جديدة\nويلتقي الصيادين مساء\nثم يغادر غدا"
    assert reasons_of(page) == [("اقرأ أيضا: رسوم جديدة", "links")]


def test_a_marker_stuck_to_the_next_word_is_found() -> None:
    assert reasons_of(f"{ARTICLE}\nاقرأ أيضاًالميناء: رسوم جديدة") == [
        ("اقرأ أيضاًالميناء: رسوم جديدة", "links")
    ]


def test_a_second_article_behind_keywords_is_cut() -> None:
    second = "Rain is expected on Friday in the hills above the town.\nFarmers said it was high time for it."
    page = f"{ARTICLE}\n\nSource: the office\n\nTags: sea, ferry\n\nRead also:\n\nRain on Friday\n\n{second}"
    assert cut_furniture(page).text == ARTICLE


def test_a_list_of_links_is_cut_to_the_next_paragraph() -> None:
    links = "Related articles\n  • Harbour fees rise again after two years\n  • Why did the ferry sink?"
    cut = cut_furniture(f"{PARAGRAPHS[0]}\n{links}\n{PARAGRAPHS[1]}")
    assert cut.text == "\n".join(PARAGRAPHS[:2])
    assert [line.reason for line in cut.lines] == ["links", "listed", "listed"]


def test_keywords_before_the_article_do_not_end_it() -> None:
    assert cut_furniture(f"Tags: sea, ferry\n{ARTICLE}").text == ARTICLE


def test_a_paragraph_behind_a_marker_on_its_line_stays() -> None:
    page = f"{PARAGRAPHS[0]}\nRead also: {ARTICLE.replace(chr(10), ' ')}\n{PARAGRAPHS[1]}"
    assert cut_furniture(page).lines == ()


@pytest.mark.parametrize(
    "text", ["Read also: this\nSource: that", "Tags: a\nComments", "Read also\nA headline", ""]
)
def test_a_text_never_vanishes_whole(text: str) -> None:
    assert cut_furniture(text).text == text
    assert cut_furniture(text).share == 0.0


def test_share_is_of_words() -> None:
    assert cut_furniture("one two three four five six\nRead also: seven").share == pytest.approx(3 / 9)
