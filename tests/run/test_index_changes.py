"""Groups of an index over time: updates, removals, pruning, and the ids that groups keep."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.articles import Change
from dedup.errors import InputError, RecordError
from dedup.run.indexing import Index
from dedup.settings import Settings

Article = dict[str, Any]
WORDS = [f"word{number}" for number in range(400)]


def story(seed: int, length: int = 200) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def copy_of(words: list[str], *places: int) -> str:
    """Return the words with those at some places changed."""
    return " ".join(f"other{place}" if place in places else word for place, word in enumerate(words))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "news.dedup") as opened:
        yield opened
        assert opened.verify() == []


def group_ids(index: Index) -> dict[Any, list[Any]]:
    return {group.group_id: [member.id for member in group.members] for group in index.groups()}


def kinds(index: Index, seq: int = 0) -> list[tuple[Any, ...]]:
    return [
        (change.kind, change.group_id, change.article_id, change.canonical_id, change.from_group_id)
        for change in index.changes_since(seq)
    ]


def last_seq(index: Index) -> int:
    return max((change.seq for change in index.changes_since()), default=0)


def test_same_id_and_same_content_returns_the_stored_verdict_and_writes_nothing(index: Index) -> None:
    base = story(1)
    index.add({"id": "a", "text": copy_of(base)})
    first = index.add({"id": 7, "text": copy_of(base, 3)})
    changes = last_seq(index)
    assert first.relation == "near"
    assert index.add({"id": 7, "text": copy_of(base, 3)}) == first
    assert index.add({"id": "7", "text": copy_of(base, 3)}) == first
    assert index.stats()["articles"] == 2
    assert last_seq(index) == changes


def test_an_update_that_keeps_the_wording_changes_only_what_is_shown(index: Index) -> None:
    base = story(1)
    index.add({"id": "a", "text": copy_of(base), "title": "One"})
    index.add({"id": "b", "text": copy_of(base, 3)})
    checked = index.check({"id": "a", "text": copy_of(base) + ".", "title": "Two", "url": "https://a.test/"})
    verdict = index.add({"id": "a", "text": copy_of(base) + ".", "title": "Two", "url": "https://a.test/"})
    assert verdict == checked
    held = index.get("a")
    assert held is not None
    assert (held.title, held.url) == ("Two", "https://a.test/")
    assert group_ids(index) == {"a": ["a", "b"]}
    assert kinds(index)[-1] == ("article-updated", "a", "a", "a", None)


def test_an_updated_canonical_leaves_its_group_the_id_and_joins_it_as_a_member(index: Index) -> None:
    base = story(1)
    for id_, places in (("a", ()), ("b", (3,)), ("c", (90,))):
        index.add({"id": id_, "text": copy_of(base, *places)})
    seq = last_seq(index)
    article = {"id": "a", "text": copy_of(base, 50)}
    checked = index.check(article)
    assert index.update(article) == checked
    assert (checked.relation, checked.canonical_id, checked.group_id) == ("near", "b", "a")
    assert group_ids(index) == {"a": ["b", "c", "a"]}
    assert kinds(index, seq) == [
        ("article-removed", "a", "a", "a", None),
        ("canonical-reelected", "a", "a", "b", None),
        ("member-added", "a", "a", "b", None),
    ]


def test_an_update_to_another_story_gets_a_group_id_that_was_never_used(index: Index) -> None:
    base = story(1)
    index.add({"id": "a", "text": copy_of(base)})
    index.add({"id": "b", "text": copy_of(base, 3)})
    verdict = index.add({"id": "a", "text": " ".join(story(2))})
    assert (verdict.relation, verdict.canonical_id, verdict.group_id) == ("new", "a", "a~2")
    member = index.add({"id": "c", "text": " ".join(story(2)) + " more"})
    assert member.group_id == "a~2"
    group = index.group_of("b")
    assert group is not None
    assert (group.group_id, group.size) == ("a", 1)
    assert group_ids(index) == {"a~2": ["a", "c"]}


def test_update_of_an_unknown_article_is_refused(index: Index) -> None:
    with pytest.raises(RecordError, match="holds no such article"):
        index.update({"id": "a", "text": "x"})


def test_a_removed_canonical_hands_its_group_to_the_next_in_canonical_order(index: Index) -> None:
    base = story(1)
    for id_, places, date in (("a", (), 1), ("late", (3,), 9), ("early", (90,), 2)):
        index.add({"id": id_, "text": copy_of(base, *places), "published_at": f"2026-01-0{date}"})
    assert index.remove("a")
    assert group_ids(index) == {"a": ["early", "late"]}
    assert not index.remove("a")
    assert index.get("a") is None
    assert index.group_of("a") is None
    again = index.add({"id": "a", "text": copy_of(base, 7)})
    assert (again.canonical_id, again.group_id) == ("early", "a")


def apart(base: list[str], kind: int) -> str:
    """Return a copy of `base` that has changed a part of its own; those of two kinds are too far apart."""
    changed = range(kind * 66, kind * 66 + 40)
    return " ".join(f"k{kind}w{place}" if place in changed else word for place, word in enumerate(base))


def test_a_group_that_falls_apart_leaves_its_id_to_the_largest_part(index: Index) -> None:
    settings = Settings(threshold=0.6)
    base = story(1)
    with Index.open(index.path.with_name("strict.dedup"), settings) as strict:
        strict.add({"id": "a", "text": " ".join(base)})
        for id_, kind in (("x1", 0), ("y1", 1), ("y2", 1)):
            tail = f" {id_}" * 3
            assert strict.add({"id": id_, "text": apart(base, kind) + tail}).canonical_id == "a"
        seq = last_seq(strict)
        strict.remove("a")
        assert group_ids(strict) == {"a": ["y1", "y2"]}
        group = strict.group_of("x1")
        assert group is not None
        assert (group.group_id, group.size) == ("x1", 1)
        assert kinds(strict, seq) == [
            ("article-removed", "a", "a", "a", None),
            ("canonical-reelected", "a", "a", "y1", None),
            ("group-split", "x1", None, "x1", "a"),
        ]
        assert strict.verify() == []


def test_the_last_article_of_a_group_takes_the_id_with_it(index: Index) -> None:
    base = story(1)
    index.add({"id": 1, "text": copy_of(base)})
    index.add({"id": 2, "text": copy_of(base, 3)})
    index.remove(2)
    index.remove(1)
    assert kinds(index)[-1] == ("group-removed", 1, None, 1, None)
    again = index.add({"id": 1, "text": copy_of(base)})
    assert again.group_id == "1~2"


def test_an_article_alone_may_come_back_under_its_id(index: Index) -> None:
    index.add({"id": "a", "text": "a story of few words"})
    index.remove("a")
    assert index.add({"id": "a", "text": "another one"}).group_id == "a"


def test_one_batch_with_updates_and_repeats_gives_what_one_by_one_gives(tmp_path: Path) -> None:
    base, rng = story(1), random.Random(5)
    texts = [copy_of(base, *rng.sample(range(200), k=rng.randrange(6))) for _ in range(12)]
    texts += [" ".join(story(2)), " ".join(story(2)[:90])]
    articles = [{"id": rng.randrange(9), "text": rng.choice(texts)} for _ in range(60)]
    with Index.open(tmp_path / "one") as one, Index.open(tmp_path / "many") as many:
        singly = [one.add(article) for article in articles]
        assert list(many.add_many(articles)) == singly
        assert list(one.groups()) == list(many.groups())
        assert one.links() == many.links()
        assert kinds(one) == kinds(many)
        assert one.verify() == many.verify() == []


@examples(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_after_any_removals_checks_tell_what_adds_do_and_the_file_is_clean(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = random.Random(seed)
    stories = [story(seed + k, rng.choice([12, 60, 200])) for k in range(3)]
    given_group_ids: dict[Any, str] = {}
    with Index.open(tmp_path_factory.mktemp("index") / "news.dedup") as index:
        for step in range(40):
            id_ = rng.randrange(12)
            if rng.random() < 0.3:
                index.remove(id_)
                continue
            words = rng.choice(stories)
            places = rng.sample(range(len(words)), k=rng.randrange(len(words) // 4))
            article = {
                "id": id_,
                "text": copy_of(words, *places),
                "published_at": f"2026-01-{1 + step % 28:02}",
            }
            checked = index.check(article)
            assert index.add(article) == checked
        assert index.verify() == []
        created = [
            change for change in index.changes_since() if change.kind in ("group-created", "group-split")
        ]
        for change in created:
            assert change.group_id not in given_group_ids
            given_group_ids[change.group_id] = change.kind
        held = {member.id for group in index.groups() for member in group.members}
        assert all(index.get(id_) is not None for id_ in held)
        # Everything that is held matches its canonical: a new article with the same text goes there.
        for group in index.groups():
            for member in group.members[1:]:
                assert member.jaccard >= 0.28


def followed(changes: list[Change], groups: dict[Any, set[Any]]) -> dict[Any, set[Any]]:
    """Return the groups after the changes, as a reader would keep them up."""
    for change in changes:
        group = groups.setdefault(change.group_id, set())
        if change.kind == "group-created":
            group.add(change.canonical_id)
        elif change.kind in ("member-added", "member-moved"):
            group.add(change.article_id)
            groups.get(change.from_group_id, set()).discard(change.article_id)
        elif change.kind == "article-removed":
            group.discard(change.article_id)
        elif change.kind == "group-split":
            group.add(change.canonical_id)
            groups.get(change.from_group_id, set()).discard(change.canonical_id)
        elif change.kind == "group-removed":
            groups.pop(change.group_id)
    return groups


def test_a_reader_of_the_changes_has_the_groups(tmp_path: Path) -> None:
    rng = random.Random(11)
    stories = [story(k) for k in range(4)]
    groups: dict[Any, set[Any]] = {}
    seq = 0
    with Index.open(tmp_path / "news.dedup") as index:
        for _ in range(150):
            id_ = rng.randrange(25)
            if rng.random() < 0.3:
                index.remove(id_)
            else:
                words = rng.choice(stories)
                places = rng.sample(range(200), k=rng.randrange(30))
                index.add({"id": id_, "text": copy_of(words, *places)})
            changes = list(index.changes_since(seq))
            seq = changes[-1].seq if changes else seq
            groups = followed(changes, groups)
            kept = {group_id: members for group_id, members in groups.items() if len(members) > 1}
            assert kept == {group_id: set(members) for group_id, members in group_ids(index).items()}
        assert index.forget_changes(seq) == seq
        assert list(index.changes_since()) == []


def test_prune_removes_what_is_older_and_keeps_what_has_no_date(index: Index) -> None:
    base = story(1)
    for id_, date in (
        ("old", "2026-01-01"),
        ("older", "2025-12-01"),
        ("new", "2026-02-01"),
        ("undated", None),
    ):
        index.add({"id": id_, "text": copy_of(base, len(id_)), "published_at": date})
    assert group_ids(index) == {"old": ["old", "older", "new", "undated"]}
    assert index.prune(before="2026-01-15") == 2
    assert group_ids(index) == {"old": ["new", "undated"]}
    assert index.prune(before="2026-01-15") == 0
    with pytest.raises(InputError, match="it is a date"):
        index.prune(before="some day")


def test_learned_formulas_hold_from_then_on_and_are_those_of_a_batch(index: Index) -> None:
    formula = story(9, 60)
    reports = [
        {"id": day, "text": " ".join(formula + story(100 + day, 25)), "published_at": f"2026-01-{day:02}"}
        for day in range(1, 13)
    ]
    relations = [verdict.relation for verdict in index.add_many(reports)]
    assert index.stats()["formula_version"] == 0
    assert "near" in relations  # nothing tells a formula from a story yet
    learned = index.learn()
    assert learned["version"] == 1
    assert learned["articles"] == 12
    assert learned["formulas"] > 5
    next_day = {"id": 99, "text": " ".join(formula + story(999, 25)), "published_at": "2026-01-20"}
    assert index.check(next_day).relation == "new"
    with Index.open(index.path) as again:
        assert again.add(next_day).relation == "new"
    index.set_formulas(np.empty(0, dtype=np.uint32), 0)
    assert index.check({**next_day, "id": 100}).relation == "exact"
    assert index.check({"id": 101, "text": next_day["text"] + " more"}).relation == "near"
