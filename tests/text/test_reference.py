"""The plain Python fold, normalisation and tokens: labelled cases and properties."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dedup.text.reference import decode, fold, is_number, normalize, tokens

DATA = Path(__file__).parent / "data"
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def read_cases(name: str) -> list[dict[str, str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


FOLD_CASES = read_cases("folds.jsonl")
DIFFERENT_CASES = read_cases("stays_different.jsonl")

# Characters of the scripts that news is written in, so that generated text is not mostly unassigned.
NEWS_CHARACTERS = "".join(
    chr(code_point)
    for first, last in (
        *((0x20, 0x17F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x45F), (0x591, 0x5F4), (0x600, 0x6FF)),
        *((0x900, 0x97F), (0x985, 0x9CE), (0xB95, 0xBCC), (0xE01, 0xE5B), (0x1780, 0x17E9), (0x1E00, 0x1EF9)),
        *((0x2000, 0x206F), (0x2070, 0x209C), (0x3001, 0x30FF), (0x4E00, 0x4E40), (0xAC00, 0xAC40)),
        *((0xFB00, 0xFB4F), (0xFB50, 0xFBB1), (0xFDF0, 0xFDFC), (0xFE00, 0xFE0F), (0xFEFB, 0xFFEF)),
    )
    for code_point in range(first, last + 1)
)
news_text = st.text(st.sampled_from(NEWS_CHARACTERS))
any_text = st.text(st.characters(exclude_categories=())) | news_text


def retained_marks_are_in_order(text: str) -> bool:
    """Return whether no two neighbouring marks that folding keeps would be reordered by Unicode.

    Retained marks are not reordered, so texts for which this is false are the exception to the rule
    that the four normalisation forms of a text fold alike.
    """
    kept = "".join(map(chr, fold(text)))
    return unicodedata.normalize("NFD", kept) == kept


@pytest.mark.parametrize("case", FOLD_CASES, ids=[case["name"] for case in FOLD_CASES])
def test_labelled_fold(case: dict[str, str]) -> None:
    assert normalize(case["before"]) == case["after"], case["why"]


# NFKC and NFKD put a space before isolated harakat; see docs/folds.md.
FORM_CASES = [case for case in FOLD_CASES if case["name"] != "isolated harakat inside a word"]


@pytest.mark.parametrize("case", FORM_CASES, ids=[case["name"] for case in FORM_CASES])
def test_labelled_fold_of_every_unicode_form(case: dict[str, str]) -> None:
    assert {normalize(unicodedata.normalize(form, case["before"])) for form in FORMS} == {case["after"]}


@pytest.mark.parametrize("case", FOLD_CASES, ids=[case["name"] for case in FOLD_CASES])
def test_labelled_result_is_stable(case: dict[str, str]) -> None:
    assert normalize(case["after"]) == case["after"]


@pytest.mark.parametrize(
    "case", DIFFERENT_CASES, ids=[f"{case['language']}-{case['one']}" for case in DIFFERENT_CASES]
)
def test_pair_stays_different(case: dict[str, str]) -> None:
    assert normalize(case["one"]) != normalize(case["other"]), case["why"]
    assert tokens(case["one"]) != tokens(case["other"]), case["why"]


def test_labelled_cases_have_unique_names_and_reasons() -> None:
    assert len({case["name"] for case in FOLD_CASES}) == len(FOLD_CASES)
    assert all(case["why"] for case in FOLD_CASES + DIFFERENT_CASES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ؟!\u200f", []),
        ("one", ["one"]),
        ("م\u064fد\u0640ر\u200dس", ["مدرس"]),
        ("it's  -- fine", ["it", "s", "fine"]),
        ("iPhone15と東京2024年", ["iphone15", "と", "東", "京", "2024", "年"]),
        ("ガ", ["カ", "\u3099"]),
        ("กิน ๑๒", ["ก", "\u0e34", "น", "12"]),
        ("กิข", ["ก", "\u0e34", "ข"]),
        ("한국 뉴스", ["\u1112\u1161\u11ab\u1100\u116e\u11a8", "\u1102\u1172\u1109\u1173"]),
        ("प्रेस क्लब", ["प्रेस", "क्लब"]),
        ("東\u200d京", ["東", "京"]),
        ("a\u200db", ["ab"]),
        ("㈱東", ["株", "東"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [("2024", True), ("0", True), ("2nd", False), ("", False), ("٢", False), ("²", False)],
)
def test_number_is_ascii_digits_only(token: str, expected: bool) -> None:
    assert is_number(token) == expected


@pytest.mark.parametrize("number", ["٢٠٢٤", "۲۰۲۴", "２０２４", "२०२४", "๒๐๒๔", "𝟐𝟎𝟐𝟒", "²⁰²⁴", "②⓪②④"])
def test_number_of_every_script_is_the_same_token(number: str) -> None:
    assert tokens(number) == ["2024"]


def test_fold_keeps_runs_of_separators() -> None:
    assert fold("a, \u0640b") == [ord("a"), 0x20, 0x20, ord("b")]


def test_lone_surrogate_separates() -> None:
    assert normalize("a\ud800b\udfff") == "a b"


def test_retained_marks_are_not_reordered() -> None:
    # Nukta (class 7) after virama (class 9): canonically equivalent to the other order, kept apart.
    assert normalize("क\u094d\u093c") != normalize("क\u093c\u094d")


def test_deleted_marks_need_no_order() -> None:
    assert normalize("ب\u0651\u064e") == normalize("ب\u064e\u0651") == "ب"


@given(st.text())
def test_well_formed_bytes_are_decoded_as_python_does(text: str) -> None:
    assert decode(text.encode()) == text


@given(any_text)
def test_normalize_is_idempotent(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(any_text)
def test_folded_code_points_fold_to_themselves(text: str) -> None:
    assert all(fold(chr(folded)) == [folded] for folded in fold(text))


@given(any_text)
def test_tokens_are_those_of_the_normalised_text(text: str) -> None:
    assert tokens(normalize(text)) == tokens(text)
    assert "".join(tokens(text)) == normalize(text).replace(" ", "")
    assert " " not in "".join(tokens(text))


@given(any_text, any_text)
def test_fold_is_free_of_context(one: str, other: str) -> None:
    assert fold(one + other) == fold(one) + fold(other)


@given(any_text)
@example("ﬁ ﷺ ﾊﾟ ｶﾞ 한 ḗ \u0958")
def test_unicode_forms_of_a_text_fold_alike(text: str) -> None:
    # Without the isolated harakat (see docs/folds.md) and code points newer than Python's tables.
    assume(not any(unicodedata.decomposition(c).startswith("<isolated> 0020") for c in text))
    assume(all(unicodedata.category(c) not in ("Cn", "Cs") for c in text))
    assume(retained_marks_are_in_order(text))
    assert {normalize(unicodedata.normalize(form, text)) for form in FORMS} == {normalize(text)}


@given(any_text)
@example("İIıi ß ẞ ŉ ǰ ΐ ς ﬃ")
def test_case_does_not_matter(text: str) -> None:
    assume(all(unicodedata.category(c) != "Cn" for c in text))
    assert normalize(text.upper()) == normalize(text) == normalize(text.lower())
