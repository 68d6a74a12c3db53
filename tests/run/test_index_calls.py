"""The calls of an index as a first user makes them: what they return, and how they refuse what is wrong."""

import datetime
import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dedup
from benchmarks.kill_cases import articles_of
from dedup import Added, Fields, Index, Settings
from dedup.errors import IndexFileError, InputError, RecordError, SettingsError

STORY = "the harbour office said on Monday that the new ferry will sail twice a day from June"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "news.dedup") as opened:
        yield opened


def test_a_verdict_says_whether_it_is_a_copy_new_or_a_part(index: Index) -> None:
    words = [f"word{number}" for number in range(200)]
    whole = index.add({"id": "whole", "text": " ".join(words)})
    near = index.add({"id": "near", "text": " ".join([*words[:100], "other", *words[101:]])})
    exact = index.add({"id": "exact", "text": " ".join(words) + "."})
    part = index.add({"id": "part", "text": " ".join(words[:90])})
    assert [
        (verdict.is_new, verdict.is_copy, verdict.whole_id) for verdict in (whole, near, exact, part)
    ] == [
        (True, False, None),
        (False, True, None),
        (False, True, None),
        (False, False, "whole"),
    ]
    assert repr(whole) == "<Verdict 'whole': new>"
    assert repr(near) == "<Verdict 'near': near copy of 'whole', Jaccard 0.9701, coverage 0.9848>"
    assert repr(part) == "<Verdict 'part': part of 'whole', Jaccard 0.4444, coverage 1.0>"
    held = [index.get(id_) for id_ in ("whole", "near", "part")]
    assert [article.is_copy for article in held if article] == [False, True, False]


def test_a_verdict_shows_a_group_of_another_name_and_what_else_it_met() -> None:
    matches = (dedup.Match("c", "near", 0.5, 0.75), dedup.Match("d", "part", 0.2, 0.9))
    verdict = dedup.Verdict("x", "near", "c", "founder", matches, "", 3)
    assert repr(verdict) == (
        "<Verdict 'x': near copy of 'c', Jaccard 0.5, coverage 0.75, group 'founder', "
        "further matches: 1, full buckets: 3>"
    )
    assert verdict.whole_id == "d"  # of a copy, too


def test_an_index_counts_its_articles_knows_its_ids_and_is_always_true(index: Index) -> None:
    assert len(index) == 0
    assert bool(index)
    index.add({"id": 7, "text": STORY})
    assert len(index) == 1
    assert 7 in index
    assert "7" in index  # ids are compared as strings
    assert np.int64(7) in index
    assert 8 not in index


def test_its_repr_says_which_file_and_whether_it_is_open(index: Index) -> None:
    path = str(index.path)
    assert repr(index) == f"<dedup.Index {path!r} (open)>"
    with Index.open(path, read_only=True) as reader:
        assert repr(reader) == f"<dedup.Index {path!r} (open, read-only)>"
    assert repr(reader) == f"<dedup.Index {path!r} (closed, read-only)>"


def test_add_all_stores_every_article_and_counts_the_verdicts(index: Index, tmp_path: Path) -> None:
    articles = articles_of(3, 60)
    added = index.add_all(iter(articles), batch_size=7)
    with Index.open(tmp_path / "other.dedup") as other:
        relations = [verdict.relation for verdict in other.add_many(articles)]
    assert added == Added(
        num_articles=60,
        num_new=relations.count("new"),
        num_exact=relations.count("exact"),
        num_near=relations.count("near"),
        num_parts=relations.count("part"),
        num_full_buckets=0,
    )
    assert added.num_copies == index.stats()["copies"]
    assert len(index) == 60
    assert index.add_all([]) == Added(0, 0, 0, 0, 0, 0)


def test_verdicts_that_nobody_takes_are_warned_of(index: Index) -> None:
    with pytest.warns(RuntimeWarning, match="no article was added; loop over them, or use add_all"):
        index.add_many([{"id": 1, "text": STORY}])
    assert len(index) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        next(index.add_many([{"id": 1, "text": STORY}]))
        for _ in index.add_many([{"id": 2, "text": STORY}]):
            pass
        gc.collect()
    assert len(index) == 2


def test_links_of_an_article_are_those_of_all_links_that_touch_its_group(index: Index) -> None:
    index.add_all(articles_of(3, 200))
    links = index.links()
    assert len(links) > 5
    assert index.stats()["links"] == len(links)
    group_of = {article.id: article.group_id for article in index.articles()}
    for id_, group_id in group_of.items():
        assert index.links_of(id_) == [
            link for link in links if group_id in (group_of[link.part_id], group_of[link.whole_id])
        ]
    assert index.links_of("nobody") == []


def test_times_come_as_datetimes_in_utc(index: Index) -> None:
    begun = datetime.datetime.now(datetime.UTC)
    index.add({"id": 1, "text": STORY, "published_at": "2026-03-01T12:00:00.25+03:00"})
    index.add({"id": 2, "text": STORY})
    held = index.get(1)
    assert held is not None
    assert held.published_at == datetime.datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=datetime.UTC)
    assert begun <= held.added_at <= datetime.datetime.now(datetime.UTC)
    (change, _) = index.changes_since()
    assert begun <= change.at <= datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize("fields", [Fields(text="body", date="day"), {"text": "body", "date": "day"}])
def test_fields_are_given_as_fields_or_a_mapping(fields: Any, tmp_path: Path) -> None:
    with Index.open(tmp_path / "news.dedup", fields=fields) as index:
        index.add({"id": 1, "body": STORY, "day": "2026-03-01"})
        held = index.get(1)
        assert held is not None
        assert held.published_at is not None
    (group,) = dedup.find_groups([{"id": id_, "body": STORY} for id_ in (1, 2)], fields=fields)
    (pair,) = dedup.find_pairs([{"id": id_, "body": STORY} for id_ in (1, 2)], fields=fields)
    assert (group.size, pair.jaccard) == (2, 1.0)


def test_what_cannot_open_an_index_says_what_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cases: list[tuple[Any, type[Exception], str]] = [
        (
            lambda: Index.open("n", "headline"),
            SettingsError,
            r"settings is 'headline'; it is dedup\.Settings",
        ),  # type: ignore[arg-type]
        (lambda: Index.open("n", {"threshold": 0.5}), SettingsError, r"it is dedup\.Settings"),  # type: ignore[arg-type]
        (
            lambda: Index.open("n", fields={"texts": "body"}),
            SettingsError,
            "fields has 'texts'; it is one of id",
        ),
        (lambda: Index.open("n", fields="body"), SettingsError, r"it is dedup\.Fields\(text='body'\)"),  # type: ignore[arg-type]
        (lambda: Index.open("n", fields={"text": None}), SettingsError, "text is None"),  # type: ignore[dict-item]
        (lambda: Index.open(":memory:"), InputError, "is no file, and an index is one"),
        (lambda: Index.open(""), InputError, "the path of the index is ''"),
        (lambda: Index.open(None), InputError, "the path of the index is None"),  # type: ignore[arg-type]
        (lambda: Index("n"), InputError, r"opened by dedup\.Index\.open\('n'\)"),  # type: ignore[arg-type]
    ]
    for call, error, words in cases:
        with pytest.raises(error, match=words):
            call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("id_", [None, 1.5, True, b"a", [1], "", "\ud800"])
def test_what_is_no_id_is_refused_and_not_just_unknown(id_: Any, index: Index) -> None:
    for call in (index.get, index.remove, index.group_of, index.links_of, index.__contains__):
        with pytest.raises(RecordError, match=r"^id .*: the id "):
            call(id_)
    with pytest.raises(RecordError):
        index.add({"id": id_, "text": STORY})
    assert len(index) == 0


@pytest.mark.parametrize(
    "before",
    [20251112, 1.7e9, np.int64(20251112), None, True, b"2025", "tomorrow", "", "2024053112", " 20240531120",
     "1717113600", "1717113600.5", "+2024", "20241399"],
)  # fmt: skip
def test_prune_takes_dates_and_no_numbers(before: Any, index: Index) -> None:
    index.add({"id": 1, "text": STORY, "published_at": "2020-01-01"})
    with pytest.raises(InputError, match="it is a date, such as '2024-05-31'"):
        index.prune(before)
    assert 1 in index


@pytest.mark.parametrize(
    "before", [datetime.date(2025, 1, 1), datetime.datetime(2025, 1, 1), "20250101", "2025"]
)
def test_prune_takes_every_form_of_a_date(before: Any, index: Index) -> None:
    index.add({"id": 1, "text": STORY, "published_at": "2020-01-01"})
    assert index.prune(before) == 1


def test_numbers_of_changes_and_batch_sizes_are_whole_numbers(index: Index) -> None:
    index.add_all([{"id": 1, "text": STORY}, {"id": 2, "text": STORY}])
    for seq in ("5", None, -1, 1.5, True):
        with pytest.raises(InputError, match="it is the `seq` of a change"):
            index.changes_since(seq)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="it is the `seq` of a change"):
            index.forget_changes(seq)  # type: ignore[arg-type]
    for size in (0, "5", 1.5, True):
        with pytest.raises(InputError, match="batch_size is"):
            index.add_many([], batch_size=size)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected mappings"):
        index.add_many({"id": 1})  # at once, before a verdict is taken
    assert len(list(index.changes_since())) == 2


def test_an_article_that_cannot_be_used_is_named_by_its_id(index: Index) -> None:
    for call in (index.add, index.check, index.update):
        with pytest.raises(RecordError, match=r"^id 'x': no 'text'.*named by fields=dedup\.Fields\(text="):
            call({"id": "x", "body": STORY})
        with pytest.raises(RecordError, match=r"^the article: no 'id'"):
            call({"text": STORY})
        with pytest.raises(RecordError, match=r"^the article: a str; expected a mapping"):
            call(STORY)  # type: ignore[arg-type]
    with pytest.raises(RecordError, match=r"^record 1 \(id 'x'\): 'text' is null"):
        index.add_all([{"id": 0, "text": STORY}, {"id": "x", "text": None}])
    with pytest.warns(UserWarning, match="^id 'x': 'published_at' is 'soon', taken as missing"):
        index.add({"id": "x", "text": STORY, "published_at": "soon"})


def test_an_index_opened_when_used_is_no_file_before(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    with Index.open_when_used(path, Settings(), fields={"text": "body"}) as index:
        with pytest.raises(RecordError):
            index.add({"id": 1})
        assert repr(index) == f"<dedup.Index {str(path)!r} (not opened yet)>"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IndexFileError, match="was closed"):
        index.add({"id": 1, "body": STORY})
    with Index.open_when_used(path, Settings(window_days=3)) as index:
        index.add({"id": 1, "text": STORY})
        late = Index.open_when_used(path, Settings())
        with pytest.raises(SettingsError, match=r"window_days is 3\.0 there"):  # somebody else made it
            late.get(1)
    with pytest.raises(IndexFileError, match="there is no folder"):
        Index.open_when_used(tmp_path / "no" / "news.dedup", Settings())
