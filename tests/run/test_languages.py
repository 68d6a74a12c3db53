"""The whole rule in each language: the edits that occur there, news edits, and what must stay apart."""

import json
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import Settings, compare, find_groups

DATA = Path(__file__).parent / "data" / "languages"
LANGUAGES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))]
HEADLINE = Settings.of("headline")
COPY = ("near", "exact")
"""A source line is page furniture, so that a reprint with one is the same article, word for word."""

each_language = pytest.mark.parametrize("data", LANGUAGES, ids=lambda data: data["language"])


def join(data: dict[str, Any], sentences: list[str]) -> str:
    return str(data["joiner"].join(sentences))


def article(data: dict[str, Any]) -> str:
    return join(data, data["sentences"])


def edited(text: str, edit: dict[str, Any]) -> str:
    """Return the text after one edit of the data file; every part of the edit changes something."""
    for old, new in edit.get("replace", ()):
        assert old in text, (edit["name"], old)
        text = text.replace(old, new)
    before = text
    if "case" in edit:
        text = getattr(text, edit["case"])()
    if "form" in edit:
        text = unicodedata.normalize(edit["form"], text)
    if "translate" in edit:
        text = text.translate(str.maketrans(*edit["translate"]))
    if "delete" in edit:
        text = text.translate(dict.fromkeys(map(ord, edit["delete"])))
    assert text != before or "replace" in edit, edit["name"]
    return text


def copies(data: dict[str, Any]) -> dict[str, str]:
    """Return what other outlets make of the article."""
    sentences = data["sentences"]
    middle = len(sentences) // 2
    dateline = data["dateline"] + " " + article(data)
    return {
        "headline and dateline": f"{data['headline']}\n{dateline}",
        "source line": f"{article(data)}\n{data['source_line']}",
        "headline, dateline and source line": f"{data['headline']}\n{dateline}\n{data['source_line']}",
        "sentence dropped": join(data, sentences[:middle] + sentences[middle + 1 :]),
        "first sentence dropped": join(data, sentences[1:]),
        "last sentence dropped": join(data, sentences[:-1]),
        "sentence replaced": join(
            data, [*sentences[:middle], data["other_sentence"], *sentences[middle + 1 :]]
        ),
        "last sentence replaced": join(data, [*sentences[:-1], data["other_sentence"]]),
    }


def first_third(data: dict[str, Any]) -> str:
    return join(data, data["sentences"][: len(data["sentences"]) // 3 + 1])


def cases(key: str) -> list[Any]:
    return [
        pytest.param(data, one, id=f"{data['language']}-{one['name']}")
        for data in LANGUAGES
        for one in data[key]
    ]


def test_the_languages_are_those_that_are_promised() -> None:
    names = {data["language"] for data in LANGUAGES}
    assert names == {"ar", "fa", "ur", "he", "en", "fr", "ru", "tr", "zh", "ja", "th", "hi"}


@pytest.mark.parametrize(("data", "edit"), cases("spellings"))
def test_other_spelling_is_a_copy(data: dict[str, Any], edit: dict[str, Any]) -> None:
    comparison = compare(article(data), edited(article(data), edit))
    assert comparison.verdict == edit["verdict"], comparison


@pytest.mark.parametrize(("data", "edit"), cases("kept"))
def test_letters_and_signs_that_tell_words_apart_are_kept(data: dict[str, Any], edit: dict[str, Any]) -> None:
    comparison = compare(article(data), edited(article(data), edit))
    assert comparison.verdict != "exact"
    assert comparison.verdict == edit.get("verdict", comparison.verdict), comparison


@each_language
def test_reprints_are_copies(data: dict[str, Any]) -> None:
    for name, text in copies(data).items():
        assert compare(article(data), text).verdict in COPY, (name, compare(article(data), text))


@each_language
def test_reprints_of_a_respelled_article_are_copies(data: dict[str, Any]) -> None:
    for edit in data["spellings"]:
        for name, text in copies(data).items():
            comparison = compare(edited(article(data), edit), text)
            assert comparison.verdict in COPY, (edit["name"], name, comparison)


@each_language
def test_first_third_is_a_part(data: dict[str, Any]) -> None:
    comparison = compare(article(data), first_third(data))
    assert comparison.verdict == "part", comparison
    assert comparison.coverage_b > 0.9


@each_language
def test_another_article_is_different(data: dict[str, Any]) -> None:
    for text in (data["different"], data["source_line"], data["headline"]):
        assert compare(article(data), text).verdict == "different", compare(article(data), text)


@pytest.mark.parametrize(("data", "pair"), cases("templates"))
def test_reports_with_other_facts_are_different(data: dict[str, Any], pair: dict[str, str]) -> None:
    comparison = compare(pair["one"], pair["other"])
    assert comparison.verdict == "different", comparison


@each_language
@pytest.mark.parametrize("settings", [Settings(), HEADLINE], ids=["article", "headline"])
def test_short_variants_are_copies_and_other_headlines_are_not(
    data: dict[str, Any], settings: Settings
) -> None:
    short = data["short"]
    near = compare(short["text"], short["variant"], settings)
    assert near.verdict in ("exact", "near"), near
    for text in (short["text"], short["variant"]):
        other = compare(text, short["other"], settings)
        assert other.verdict == "different", other


@cache
def everything() -> dedup.Groups:
    """Return the groups of all texts of all languages in one batch."""
    records = []
    for data in LANGUAGES:
        texts = {"article": article(data), "third": first_third(data), "different": data["different"]}
        texts |= {f"copy {name}": text for name, text in copies(data).items()}
        texts |= {f"spelling {one['name']}": edited(article(data), one) for one in data["spellings"]}
        for pair in data["templates"]:
            texts |= {f"{pair['name']} {which}": pair[which] for which in ("one", "other")}
        texts |= {f"short {name}": text for name, text in data["short"].items()}
        for name, text in texts.items():
            date = "2024-03-04" if name == "article" else "2024-03-05"
            records.append({"id": f"{data['language']} {name}", "text": text, "published_at": date})
    return find_groups(records)


@each_language
def test_in_one_batch_of_all_languages_the_groups_are_the_right_ones(data: dict[str, Any]) -> None:
    language = data["language"]
    groups = [
        {str(member.id) for member in group.members}
        for group in everything()
        if str(group.canonical_id).startswith(f"{language} ")
    ]
    story = {f"{language} article"}
    story |= {f"{language} copy {name}" for name in copies(data)}
    story |= {f"{language} spelling {one['name']}" for one in data["spellings"]}
    short = {f"{language} short text", f"{language} short variant"}
    assert sorted(map(sorted, groups)) == sorted(map(sorted, [story, short]))


@each_language
def test_in_one_batch_of_all_languages_the_cut_copy_is_linked(data: dict[str, Any]) -> None:
    language = data["language"]
    links = [(x.part_id, x.whole_id) for x in everything().links if str(x.part_id).startswith(language)]
    assert links == [(f"{language} third", f"{language} article")]


@each_language
def test_every_headline_of_all_languages_is_with_its_variant(data: dict[str, Any]) -> None:
    records = [
        {"id": f"{one['language']} {name}", "title": text}
        for one in LANGUAGES
        for name, text in one["short"].items()
    ]
    groups = [{member.id for member in group.members} for group in find_groups(records, HEADLINE)]
    language = data["language"]
    assert {f"{language} text", f"{language} variant"} in groups
