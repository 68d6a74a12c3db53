"""The index: one by one, in nights and at once it groups as a batch does, and its verdicts tell the same."""

import hashlib
import itertools
import json
import lzma
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.articles import Fields, Group, Link
from dedup.errors import InputError, RecordError, SettingsError
from dedup.index import posting_tables
from dedup.index.posting_tables import find_postings
from dedup.match.grouping import group_articles
from dedup.match.order import canonical_order
from dedup.match.scan import MAX_WORDED
from dedup.run import index_upkeep
from dedup.run.arrivals import posting_keys
from dedup.run.groups import Groups
from dedup.run.ids import id_strings
from dedup.run.indexing import Index
from dedup.run.records import columns_of
from dedup.run.sketching import sketch_texts
from dedup.run.stages import features_of, lanes_of, rule_of
from dedup.run.text_arrays import text_array
from dedup.settings import Settings
from tests.run.stories import WORDS, story_texts

NO_FORMULAS = np.empty(0, dtype=np.uint32)
Article = dict[str, Any]


def articles_of(texts: list[str]) -> list[Article]:
    """Return dated articles in canonical order; every fifth id is an integer."""
    return [
        {"id": row if row % 5 == 0 else f"a{row}", "text": text, "published_at": f"2026-01-{1 + row // 2:02}"}
        for row, text in enumerate(texts)
    ]


def batch_groups(articles: list[Article], settings: Settings) -> Groups:
    """Return the groups of a batch without formulas, as an empty index has none."""
    columns = columns_of(articles, settings, Fields())
    sketches = sketch_texts(columns.texts, settings)
    order = np.arange(len(articles))
    scan = group_articles(
        order,
        sketches.fingerprints,
        features_of(sketches, columns.published),
        rule_of(settings),
        lanes_of(sketches, settings, settings.group_bands),
        sketches.signatures,
        formulas=NO_FORMULAS,
    )
    return Groups(columns.ids, order, sketches.num_tokens, scan, sketches.num_cut)


def outcome(index: Index) -> tuple[list[Group], list[Link]]:
    assert index.verify() == []
    return list(index.groups()), index.links()


@pytest.fixture
def open_index(tmp_path: Path) -> Iterator[Callable[..., Index]]:
    opened: list[Index] = []

    def open_new(settings: Settings | None = None) -> Index:
        opened.append(Index.open(tmp_path / f"{len(opened)}.dedup", settings))
        return opened[-1]

    yield open_new
    for index in opened:
        index.close()


@examples(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(2, 9))
@pytest.mark.parametrize("window", [None, 3.0])
def test_one_by_one_in_nights_and_at_once_give_the_groups_of_a_batch(
    window: float | None, seed: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(window_days=window)
    articles = articles_of(story_texts(seed))
    expected = batch_groups(articles, settings)
    folder = tmp_path_factory.mktemp("index")
    verdicts = []
    for name, batch_size in (("single", 1), ("nights", size), ("once", 4096)):
        with Index.open(folder / name, settings) as index:
            if batch_size == 1:
                verdicts.append([])
                for article in articles:
                    checked = index.check(article)
                    verdicts[-1].append(index.add(article))
                    assert checked == verdicts[-1][-1] == index.check(article)
            else:
                verdicts.append(list(index.add_many(articles, batch_size=batch_size)))
            assert outcome(index) == (list(expected), expected.links)
    assert verdicts[0] == verdicts[1] == verdicts[2]


def test_index_of_titles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"profile is 'headline'.*dedup\.find_groups"):
        Index.open(tmp_path / "titles", Settings.of("headline"))
    assert not (tmp_path / "titles").exists()


def test_merged_posting_rows_are_found_as_before(
    open_index: Callable[..., Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_upkeep, "MAX_RECENT_ROWS", 300)
    monkeypatch.setattr(posting_tables, "MERGED_ROWS", 100)
    articles = articles_of(story_texts(3) + [f"x {text}" for text in story_texts(8)])
    index = open_index()
    for article in articles:
        index.add(article)
    expected = batch_groups(articles, Settings())
    counts = index.stats()
    assert counts["posting_rows"] > 300 > counts["recent_posting_rows"] - 100
    assert outcome(index) == (list(expected), expected.links)
    index.merge()
    assert index.stats()["recent_posting_rows"] == 0
    assert index.stats()["posting_rows"] == counts["posting_rows"] + counts["recent_posting_rows"]
    for article in articles[1:]:
        if article["text"]:
            verdict = index.check({**article, "id": "x"})
            assert verdict.canonical_id != "x"  # the very text is held
    index.vacuum()
    assert outcome(index) == (list(expected), expected.links)


def test_the_examples_give_the_groups_of_a_batch_in_one_and_in_parts(
    open_index: Callable[..., Index],
) -> None:
    lines = (Path(__file__).parents[2] / "examples" / "articles.jsonl").read_text("utf-8").splitlines()
    articles = in_canonical_order([json.loads(line) for line in lines])
    expected = batch_groups(articles, Settings())
    assert len(expected) > 5
    for batch_size in (1, 7, 4096):
        index = open_index()
        list(index.add_many(articles, batch_size=batch_size))
        assert outcome(index) == (list(expected), expected.links)


WEEK = Path(__file__).parents[2].parent / "shared" / "data" / "saudi_2015-07.jsonl.xz"


@pytest.mark.skipif(not WEEK.exists(), reason="needs the development week")
def test_real_news_in_nights_gives_the_groups_of_a_batch(open_index: Callable[..., Index]) -> None:
    with lzma.open(WEEK, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in itertools.islice(file, 3000)]
    articles = in_canonical_order(
        [{"id": record["id"], "text": record["body"], "published_at": record["date"]} for record in records]
    )
    expected = batch_groups(articles, Settings())
    assert len(expected) > 100
    verdicts = []
    for batch_size in (200, 4096):
        index = open_index()
        verdicts.append(list(index.add_many(articles, batch_size=batch_size)))
        assert outcome(index) == (list(expected), expected.links)
    assert verdicts[0] == verdicts[1]


def in_canonical_order(articles: list[Article]) -> list[Article]:
    columns = columns_of(articles, Settings(), Fields())
    sketches = sketch_texts(columns.texts, Settings())
    order = canonical_order(
        ids=id_strings(columns.ids),
        published=columns.published,
        source_ranks=np.zeros(len(articles), dtype=np.int64),
        num_tokens=sketches.num_tokens,
        keep="earliest",
    )
    return [articles[row] for row in order]


def test_full_buckets_are_reported_and_rows_read_stay_bounded(open_index: Callable[..., Index]) -> None:
    rng = random.Random(4)
    boilerplate = " ".join(rng.choices(WORDS, k=40))
    bodies = [" ".join(f"b{rng.randrange(10**6)}" for _ in range(220)) for _ in range(150)]
    articles = [{"id": k, "text": f"{boilerplate} {body}"} for k, body in enumerate(bodies)]
    index, single = open_index(), open_index()
    verdicts = list(index.add_many(articles))
    assert [single.add(article) for article in articles] == verdicts
    assert verdicts[0].full_buckets == 0
    assert verdicts[-1].full_buckets > 0
    with index._store.reading() as connection:
        keys = posting_keys(sketch_texts(text_array([articles[-1]["text"]]), Settings()), Settings())
        found = find_postings(connection, np.sort(keys.keys)).keys
        worst = np.unique(found, return_counts=True)[1].max()
    assert worst == MAX_WORDED


def test_what_is_given_comes_back_and_what_cannot_be_used_is_refused(
    open_index: Callable[..., Index],
) -> None:
    index = open_index()
    huge = 10**30
    index.add({"id": huge, "text": "one two three", "source": "s", "title": "lone \ud800", "url": None})
    held = index.get(str(huge))
    assert held is not None
    assert (held.id, held.source, held.title, held.url, held.num_words) == (huge, "s", "lone ?", None, 3)
    assert (held.published_at, held.is_copy) == (None, False)
    for article, words in (
        ({"id": 1}, "no 'text'"),
        ({"text": "x"}, "no 'id'"),
        ({"id": 1.5, "text": "x"}, "the id is the float 1.5"),
        ("text", "a str; expected a mapping"),
    ):
        with pytest.raises(RecordError, match=words):
            index.add(article)  # type: ignore[arg-type]
        with pytest.raises(RecordError, match=words):
            list(index.add_many([{"id": 2, "text": "y"}, article]))
    with pytest.raises(RecordError, match="record 5 "):
        list(index.add_many([{"id": k, "text": "y"} for k in range(5)] + [{"id": 5}], batch_size=2))
    assert index.get(3) is not None
    assert index.get(4) is None  # in the batch of the bad one
    for articles in ({"id": 1, "text": "x"}, "text", 7):
        with pytest.raises(InputError, match="expected mappings"):
            list(index.add_many(articles))
    with pytest.raises(InputError, match="batch_size is 0"):
        list(index.add_many([], batch_size=0))


def test_tables_and_frames_go_in_as_dicts_do(open_index: Callable[..., Index]) -> None:
    articles = articles_of(story_texts(3))
    for article in articles:
        article["id"] = str(article["id"])
    expected = list(open_index().add_many(articles))
    assert list(open_index().add_many(pa.Table.from_pylist(articles))) == expected
    assert list(open_index().add_many(pd.DataFrame(articles), batch_size=5)) == expected
    assert list(open_index().add_many(article for article in articles)) == expected


def test_reasons_and_matches_say_what_was_found(open_index: Callable[..., Index]) -> None:
    words = random.Random(2).choices(WORDS, k=200)
    index = open_index()
    index.add({"id": "whole", "text": " ".join(words)})
    part = index.add({"id": "part", "text": " ".join(words[:90])})
    assert (part.relation, part.canonical_id, part.group_id) == ("part", "part", "part")
    assert part.matches == (("whole", "part", round(88 / 198, 4), 1.0),)
    assert part.reason == "a part of 'whole': 88 of its 88 word shingles are among the 198 there"
    longer = index.check(
        {"id": "longer", "text": " ".join([*words, *random.Random(3).choices(WORDS, k=260)])}
    )
    assert longer.relation == "new"
    assert {(match.canonical_id, match.relation) for match in longer.matches} == {
        ("whole", "whole"),
        ("part", "whole"),
    }
    near = index.check({"id": "near", "text": " ".join([*words[:100], "changed", *words[101:]])})
    assert near.reason.startswith("Jaccard 0.970 with 'whole': 195 word shingles shared of 198 and 198")
    assert index.check({"id": "e", "text": " ... "}).reason.startswith("no word is left")
    assert (
        index.check({"id": "e", "text": "quite other"}).reason
        == "no held article shares enough of its wording"
    )


def test_index_made_before_a_setting_existed_has_the_default_of_it(tmp_path: Path) -> None:
    Index.open(tmp_path / "news.dedup").close()
    connection = apsw.Connection(str(tmp_path / "news.dedup"))
    ((text,),) = connection.execute("SELECT value FROM meta WHERE name = 'settings'")
    values = json.loads(text)
    del values["furniture"]
    older = json.dumps(values, sort_keys=True)
    checksum = hashlib.sha256(older.encode()).hexdigest()[:16]
    rows = [(older, "settings"), (checksum, "settings_checksum")]
    connection.executemany("UPDATE meta SET value = ? WHERE name = ?", rows)
    connection.close()
    with Index.open(tmp_path / "news.dedup") as index:
        assert index.settings == Settings()
