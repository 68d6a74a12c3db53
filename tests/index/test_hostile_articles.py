"""Articles that nobody would write: ids twice, no text, five megabytes, half characters, no date."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.kill_cases import articles_of, state_of
from dedup import Index, Settings
from dedup.errors import InputError, RecordError

Article = dict[str, Any]
STORY = " ".join(f"word{number}" for number in range(200))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "news.dedup") as opened:
        yield opened
        assert opened.verify() == []


def test_one_id_twice_in_one_batch_is_one_article_of_the_last_content(index: Index) -> None:
    first, repeat, changed, last = index.add_many(
        [
            {"id": "a", "text": STORY},
            {"id": "a", "text": STORY},
            {"id": "a", "text": STORY + " and more of it"},
            {"id": "b", "text": STORY},
        ]
    )
    assert (first.relation, repeat, changed.relation) == ("new", first, "new")
    assert (last.relation, last.canonical_id) == ("near", "a")
    assert index.stats()["articles"] == 2


def test_an_integer_and_its_digits_are_one_id(index: Index) -> None:
    assert index.add({"id": 7, "text": STORY}).relation == "new"
    again = index.add({"id": "7", "text": STORY})
    assert (again.id, again.relation) == (7, "new")
    assert index.get("7") == index.get(7)
    assert index.stats()["articles"] == 1
    both = list(index.add_many([{"id": 8, "text": STORY}, {"id": "8", "text": STORY}]))
    assert both[0] == both[1]
    assert index.remove("7")
    assert index.get(7) is None


@pytest.mark.parametrize("text", ["", " \n", "،؛؟", "\u0640", "\u200f"])
def test_articles_without_a_word_are_held_and_match_nothing(text: str, index: Index) -> None:
    verdicts = list(index.add_many([{"id": number, "text": text} for number in range(3)]))
    assert {verdict.relation for verdict in verdicts} == {"new"}
    assert all("matches nothing" in verdict.reason for verdict in verdicts)
    assert index.check({"id": "other", "text": text}).relation == "new"
    assert index.stats()["articles"] == 3
    assert list(index.groups()) == []


@pytest.mark.parametrize("word", ["a", "word", "خبر", "新", "0"])
def test_articles_of_one_word_are_copies_of_the_same_word_only(word: str, index: Index) -> None:
    assert index.add({"id": 1, "text": word}).relation == "new"
    assert index.add({"id": 2, "text": f"{word}."}).relation == "exact"
    assert index.add({"id": 3, "text": "another"}).relation == "new"


@pytest.mark.parametrize("batch_size", [1, 10, 4096])
def test_a_generator_that_fails_midway_leaves_whole_batches(batch_size: int, index: Index) -> None:
    articles = articles_of(1, 40)

    def failing() -> Iterator[Article]:
        yield from articles[:35]
        raise OSError("the feed broke off")

    taken = []
    verdicts = index.add_many(failing(), batch_size=batch_size)
    with pytest.raises(OSError, match="the feed broke off"):
        taken.extend(verdict.id for verdict in verdicts)
    assert taken == [article["id"] for article in articles[: 35 - 35 % batch_size]]
    assert index.stats()["articles"] == len(taken)
    assert len(list(index.add_many(articles))) == 40


def test_an_article_that_cannot_be_used_stops_its_batch_and_no_other(index: Index) -> None:
    articles: list[Any] = articles_of(1, 30)
    articles[25] = {"id": None, "text": "no id"}
    with pytest.raises(RecordError, match="record 25"):
        list(index.add_many(articles, batch_size=10))
    assert index.stats()["articles"] == 20
    for wrong in (
        [1],
        "text",
        5,
        {"id": 1.5, "text": "x"},
        {"text": "x"},
        {"id": 1, "text": 5},
        {"id": 1, "text": None},
    ):
        with pytest.raises(InputError):
            index.add(wrong)  # type: ignore[arg-type]
    assert index.stats()["articles"] == 20


def test_a_verdict_that_is_not_taken_is_of_an_article_that_is_not_added(index: Index) -> None:
    verdicts = index.add_many(iter(articles_of(1, 40)), batch_size=10)
    assert index.stats()["articles"] == 0
    next(verdicts)
    assert index.stats()["articles"] == 10
    del verdicts
    assert index.stats()["articles"] == 10


def test_an_article_of_five_megabytes_is_found_again(index: Index) -> None:
    words = [f"w{number * 7919 % 900_001}" for number in range(700_000)]
    text = " ".join(words)
    assert len(text) > 4_900_000
    assert index.add({"id": "large", "text": text}).relation == "new"
    changed = index.add({"id": "changed", "text": text.replace("w7919 ", "other ", 1) + " end"})
    assert (changed.relation, changed.canonical_id) == ("near", "large")
    part = index.add({"id": "part", "text": " ".join(words[1000:400_000])})
    assert part.relation == "part"
    assert part.matches[0].canonical_id == "large"
    assert index.remove("large")
    assert index.check({"id": "again", "text": text}).canonical_id == "changed"


@pytest.mark.parametrize("odd", ["\ud800", "\0", "\ufffe", "\U0010ffff", "\udcff\0\ud83d"])
def test_half_characters_and_zeros_go_in_and_come_back(odd: str, index: Index) -> None:
    article = {
        "id": f"a{odd}", "text": f"{odd} {STORY}{odd}", "title": f"t{odd}",
        "url": odd, "source": odd, "published_at": "2026-01-01",
    }  # fmt: skip
    if "\ud800" <= odd[0] <= "\udfff":
        with pytest.raises(RecordError, match="the id holds half of a surrogate pair"):
            index.add(article)
        article["id"] = "a"
    first = index.add(article)
    assert index.add(article) == first == index.check(article)
    copy = index.add({"id": "b", "text": STORY})
    assert copy.canonical_id == first.canonical_id
    held = index.get(article["id"])
    assert held is not None
    assert held.id == article["id"]
    assert index.remove(article["id"])
    assert index.get(article["id"]) is None
    assert index.check(article).canonical_id == "b"


@pytest.mark.parametrize("id_", [0, -1, 2**63, -(2**63) - 1, 10**30, " ", "'; DROP TABLE articles; --", "~2"])
def test_any_id_is_one_of_its_own(id_: Any, index: Index) -> None:
    assert index.add({"id": id_, "text": STORY}).id == id_
    assert index.add({"id": "member", "text": STORY + " more"}).group_id == id_
    held = index.get(id_)
    assert held is not None
    assert held.id == id_
    assert [group.group_id for group in index.groups()] == [id_]
    assert [change.group_id for change in index.changes_since()] in ([id_, id_], [str(id_)] * 2)
    assert index.remove(id_)


def test_a_group_id_that_was_made_up_is_not_taken_by_an_article_of_that_id(index: Index) -> None:
    index.add({"id": "a", "text": STORY})
    index.add({"id": "b", "text": STORY + " more"})
    other = " ".join(f"other{number}" for number in range(200))
    assert index.add({"id": "a", "text": other}).group_id == "a~2"
    third = " ".join(f"third{number}" for number in range(200))
    assert index.add({"id": "a~2", "text": third}).group_id != "a~2"
    index.add({"id": "c", "text": third + " more"})
    index.add({"id": "d", "text": other + " more"})
    ids = [group.group_id for group in index.groups()]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("date", [None, "", float("nan")])
def test_an_article_may_have_no_date(date: Any, index: Index) -> None:
    index.add({"id": 1, "text": STORY, "published_at": date})
    held = index.get(1)
    assert held is not None
    assert held.published_at is None
    assert index.add({"id": 2, "text": STORY}).relation == "exact"
    assert index.prune(before="2100-01-01") == 0


@pytest.mark.parametrize("date", ["yesterday", "2026-02-30", 0, 1e300])
def test_a_date_that_cannot_be_read_is_told_and_taken_as_missing(date: Any, index: Index) -> None:
    with pytest.warns(UserWarning, match="taken as missing"):
        index.add({"id": 1, "text": STORY, "published_at": date})
    held = index.get(1)
    assert held is not None
    assert held.published_at is None


def test_articles_without_dates_group_in_the_order_in_which_they_come(index: Index) -> None:
    articles = [
        {name: value for name, value in article.items() if name != "published_at"}
        for article in articles_of(3, 80)
    ]
    first = list(index.add_many(articles))
    assert [index.add(article).canonical_id for article in articles] == [v.canonical_id for v in first]
    assert index.prune(before="2030-01-01") == 0


def test_a_window_keeps_apart_what_lies_further_apart_in_time(tmp_path: Path) -> None:
    days = (1, 2, 9, 10, 30)
    articles = [{"id": day, "text": STORY, "published_at": f"2026-01-{day:02}"} for day in days]
    with Index.open(tmp_path / "window.dedup", Settings(window_days=3.0)) as index:
        canonicals = [verdict.canonical_id for verdict in index.add_many(articles)]
        assert canonicals == [1, 1, 9, 9, 30]
        assert index.check({"id": "x", "text": STORY, "published_at": "2026-01-11"}).canonical_id == 9
        assert index.check({"id": "x", "text": STORY, "published_at": "2026-01-20"}).relation == "new"
        expected = state_of(index)
    with Index.open(tmp_path / "window.dedup") as again:
        assert state_of(again) == expected
        assert again.verify() == []


def test_a_clock_that_goes_back_loses_nothing(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10**18, 10**18 - 10**15, 0, 10**18])
    monkeypatch.setattr("dedup.run.index_upkeep.time.time_ns", lambda: next(times))
    for number in range(4):
        index.add({"id": number, "text": STORY})
    changes = list(index.changes_since())
    assert [change.seq for change in changes] == sorted(change.seq for change in changes)
    assert [change.kind for change in changes].count("member-added") == 3
