"""Two texts beside each other, as a reader sees them."""

from hypothesis import given
from hypothesis import strategies as st

from dedup.report.difference import Difference, difference
from dedup.report.words import MAX_WORDS, words_of
from dedup.text.normalize import tokens

ALPHABET = "abو ىاَّـ٣,. \n\t«»東é-ไก\N{ZERO WIDTH JOINER}"
texts = st.text(alphabet=ALPHABET, max_size=60)


def runs(found: Difference, side: str) -> list[tuple[str, str]]:
    return [(run.kind, run.body) for row in found.rows for run in getattr(row, side)]


@given(texts)
def test_words_are_those_that_the_detector_compares_and_make_up_the_text(text: str) -> None:
    found = words_of(text, cuts_furniture=False).words
    assert [word.key for word in found] == tokens(text)
    if found:
        assert "".join("".join(word.piece for word in found).split()) == "".join(text.split())


@given(texts, texts)
def test_rows_hold_all_words_of_both_texts_in_order(left: str, right: str) -> None:
    found = difference(left, right, cuts_furniture=False)
    for side, text in (("left", left), ("right", right)):
        shown = " ".join(run.text for row in found.rows for run in getattr(row, side))
        assert tokens(shown) == tokens(text)
    assert found.num_same + found.num_right_alone + found.num_moved == len(tokens(right))


def test_what_one_text_has_alone_is_marked() -> None:
    found = difference("افتتح الوزير الرصيف أمس", "افتتح الوزير سعد الرصيف أمس")
    assert runs(found, "left") == [("same", "افتتح الوزير الرصيف أمس")]
    assert runs(found, "right") == [("same", "افتتح الوزير"), ("alone", "سعد"), ("same", "الرصيف أمس")]


def test_another_spelling_is_told_from_another_word() -> None:
    found = difference("أكّدت الوزارة اليوم", "اكدت الوزارة، أمس")
    assert runs(found, "right") == [("respelt", "اكدت الوزارة،"), ("alone", "أمس")]
    assert found.num_respelt == 2


def test_a_passage_that_moved_is_marked_in_both_texts() -> None:
    first = "the harbour board said on tuesday that fees stay as they are"
    second = "a second crane is to be built by the end of next year at the latest"
    found = difference(f"{first}.\n{second}.", f"{second}.\n{first}.")
    assert ("moved", f"{first}.") in runs(found, "left")
    assert ("moved", f"{first}.") in runs(found, "right")
    assert (found.num_moved, found.num_left_alone, found.num_right_alone) == (12, 0, 0)


def test_page_furniture_is_shown_and_not_compared() -> None:
    text = "The ferry sails twice a day from June."
    found = difference(text, f"{text}\nRead also: Harbour fees rise")
    assert runs(found, "right")[-1] == ("left-out", "Read also: Harbour fees rise")
    assert found.rows[-1].right[-1].reason == "links"
    assert (found.num_right_alone, found.num_same) == (0, 8)
    whole = difference(text, f"{text}\nRead also: Harbour fees rise", cuts_furniture=False)
    assert whole.num_right_alone == 5


def test_a_long_passage_of_both_is_one_row_with_its_edges() -> None:
    text = " ".join(f"word{number}" for number in range(100))
    (row,) = difference(text, text).rows
    assert row.is_alike
    assert row.num_words == 100
    assert row.edges is not None
    assert row.edges[0].startswith("word0 ")
    assert row.edges[1].endswith(" word99")


def test_edges_of_a_script_without_blanks_do_not_overlap() -> None:
    sentence = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往"
    (row,) = difference(sentence, sentence).rows
    assert row.edges is None
    (row,) = difference(sentence * 5, sentence * 5).rows
    assert row.edges is not None
    assert sum(map(len, row.edges)) < len(sentence * 5)


def test_words_beyond_the_most_are_counted() -> None:
    lines = "\n".join(f"line {number}" for number in range(MAX_WORDS))
    found = difference(lines, "line 1")
    assert (found.num_left_more, found.num_right_more) == (MAX_WORDS, 0)
    assert difference(lines.replace("\n", " "), "line 1").num_left_more == MAX_WORDS


def test_texts_without_a_word_have_no_rows() -> None:
    assert difference("", " ... \n").rows == ()
