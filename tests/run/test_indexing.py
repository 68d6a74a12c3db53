"""The index: one by one, in nights and at once it groups as a batch does, and its verdicts tell the same."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.articles import Fields, Group, Link
from dedup.match.grouping import group_articles
from dedup.run.groups import Groups
from dedup.run.indexing import Index
from dedup.run.records import columns_of
from dedup.run.sketching import sketch_texts
from dedup.run.stages import features_of, lanes_of, rule_of
from dedup.settings import Settings

WORDS = [f"word{number}" for number in range(400)]
NO_FORMULAS = np.empty(0, dtype=np.uint32)
Article = dict[str, Any]


def story_texts(seed: int) -> list[str]:
    """Return texts with copies, cut copies, exact repeats, briefs and empties, shuffled."""
    rng = random.Random(seed)
    texts = ["", "", "one brief line", "one brief line here"]
    for _ in range(6):
        story = rng.choices(WORDS, k=rng.randrange(4, 500))
        for _ in range(rng.randrange(1, 5)):
            copy = list(story)
            for _ in range(rng.randrange(0, 1 + len(copy) // 12)):
                copy[rng.randrange(len(copy))] = rng.choice(WORDS)
            texts.append(" ".join(copy[: rng.choice([len(copy), len(copy), len(copy) // 2])]))
    rng.shuffle(texts)
    return texts


def articles_of(texts: list[str], profile: str = "article") -> list[Article]:
    """Return dated articles in canonical order; every fifth id is an integer."""
    field = "text" if profile == "article" else "title"
    return [
        {"id": row if row % 5 == 0 else f"a{row}", field: text, "published_at": f"2026-01-{1 + row // 2:02}"}
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
    return Groups(columns.ids, order, sketches.num_tokens, scan)


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
@pytest.mark.parametrize("profile", ["article", "headline"])
@pytest.mark.parametrize("window", [None, 3.0])
def test_one_by_one_in_nights_and_at_once_give_the_groups_of_a_batch(
    profile: str, window: float | None, seed: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings.of(profile, window_days=window)
    articles = articles_of(story_texts(seed), profile)
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
