"""The example that feeds a search engine: each story once, with its copies, also when it is run again."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup

pytest.importorskip("tantivy")

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = EXAMPLES / "search_news.py"
ROOT = Path(dedup.__file__).parents[1]

ARTICLES = [json.loads(line) for line in (EXAMPLES / "articles.jsonl").read_text("utf-8").splitlines()]
EXPECTED = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))["articles"]


def load_script() -> Any:
    spec = importlib.util.spec_from_file_location("search_news", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["search_news"] = module  # where its dataclass looks for its types
    spec.loader.exec_module(module)
    return module


search_news = load_script()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[dedup.Index]:
    with dedup.Index.open(tmp_path / "news.dedup") as opened:
        yield opened


@pytest.fixture
def search(tmp_path: Path) -> Any:
    return search_news.SearchIndex(tmp_path / "news.search")


def everything(search: Any) -> dict[str, Any]:
    """Return all stories by the id of their article; fail if an article stands in two of them."""
    stories = search.stories_of([article["id"] for article in ARTICLES])
    ids = [id_ for story in stories for id_ in story.ids]
    assert len(ids) == len(set(ids))
    return {story.article["id"]: story for story in stories}


def ids_of(story: Any) -> list[str]:
    return [story.article["id"], *(copy["article"]["id"] for copy in story.copies)]


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, str(SCRIPT), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=True
    )
    return done.stdout


def test_command_indexes_each_story_once_and_running_it_again_changes_nothing(tmp_path: Path) -> None:
    source = str(EXAMPLES / "articles.jsonl")
    counts = json.loads(run(tmp_path, "ingest", source))
    num_copies = sum(len(group) - 1 for group in EXPECTED["groups"])
    assert counts["exact"] + counts["near"] == num_copies
    assert counts["new"] + counts["part"] == counts["written"] == len(ARTICLES) - num_copies
    files = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "news.search").iterdir())
    assert json.loads(run(tmp_path, "ingest", source)) == counts | {"written": 0}
    again = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "news.search").iterdir())
    assert again == files
    found = run(tmp_path, "search", "ferry Galway")
    assert found.count("Ferry passengers stranded overnight") == 1
    assert "near copy, 0.82: Coastline Today" in found
    assert "part of en-ferry-1" in found


def test_stories_have_their_copies_and_parts_their_wholes(index: dedup.Index, search: Any) -> None:
    search_news.ingest(ARTICLES, index, search)
    stories = everything(search)
    assert sum(len(story.copies) for story in stories.values()) == sum(len(g) - 1 for g in EXPECTED["groups"])
    for group in EXPECTED["groups"]:
        assert ids_of(stories[group[0]]) == group
    parts = {(id_, whole) for id_, story in stories.items() for whole in story.part_of}
    assert parts == {tuple(pair) for pair in EXPECTED["parts"]}


@pytest.mark.parametrize("batch_size", [1, 7])
def test_small_batches_and_articles_that_come_late_first_give_each_story_once(
    index: dedup.Index, search: Any, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    monkeypatch.setattr(search_news, "BATCH_SIZE", batch_size)
    search_news.ingest(reversed(ARTICLES), index, search)
    stories = everything(search)
    for canonical, story in stories.items():
        group = index.group_of(canonical)
        assert group is not None
        assert ids_of(story) == [member.id for member in group.members]
    assert {id_ for story in stories.values() for id_ in story.ids} == {a["id"] for a in ARTICLES}
    assert stories["en-brief-library"].part_of == ["en-roundup"]


def test_article_left_out_by_a_crash_is_indexed_by_the_next_run(index: dedup.Index, search: Any) -> None:
    for _ in index.add_many(ARTICLES):  # what a run does that dies before the search engine's commit
        pass
    search_news.ingest(ARTICLES, index, search)
    assert len(everything(search)) == len(ARTICLES) - sum(len(group) - 1 for group in EXPECTED["groups"])


def test_canonical_that_tells_another_story_leaves_its_copies(index: dedup.Index, search: Any) -> None:
    search_news.ingest(ARTICLES, index, search)
    changed = next(article for article in ARTICLES if article["id"] == "en-ferry-1")
    search_news.ingest(
        [changed | {"title": "Rain", "text": "It rained all day in the hills."}], index, search
    )
    stories = everything(search)
    assert ids_of(stories["en-ferry-1"]) == ["en-ferry-1"]
    heir = index.get("en-ferry-2")
    assert heir is not None
    assert "en-ferry-3" in ids_of(stories[heir.canonical_id])
    assert "Sixty-two passengers" in stories[heir.canonical_id].article["text"]


def test_story_whose_texts_the_search_never_saw_has_what_the_index_keeps(
    index: dedup.Index, search: Any
) -> None:
    index.add(ARTICLES[0])
    search_news.ingest([ARTICLES[1]], index, search)
    (story,) = search.search("العقبة رصيف")
    assert ids_of(story) == ["ar-port-1", "ar-port-2"]
    assert story.article["title"] == ARTICLES[0]["title"]


@pytest.mark.parametrize(
    "words", ["العقبة رصيف", "العَقَبة والرّصيف", "عقبه رصيف", "رافعات بالعقبة", "الغاطس ١٨"]
)
def test_arabic_is_found_in_any_spelling_and_with_clitics(
    index: dedup.Index, search: Any, words: str
) -> None:
    search_news.ingest(ARTICLES, index, search)
    assert "ar-port-1" in {story.article["id"] for story in search.search(words)}


def test_search_finds_by_a_copys_headline_and_takes_any_characters(index: dedup.Index, search: Any) -> None:
    search_news.ingest(ARTICLES, index, search)
    copy = next(article for article in ARTICLES if article["id"] == "en-ferry-4")
    assert "en-ferry-1" in {story.article["id"] for story in search.search(copy["title"])}
    chinese = next(article for article in ARTICLES if article["id"] == "zh-greenway-1")
    assert [ids_of(story) for story in search.search(chinese["title"][:4])] == [
        ["zh-greenway-1", "zh-greenway-2"]
    ]
    for words in ("", "؟", 'title:" AND (', "*", "no such words anywhere"):
        assert search.search(words) == []
