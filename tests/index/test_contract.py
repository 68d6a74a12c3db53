"""One by one, in nights and at once, in canonical order: the groups of `find_groups`, on larger corpora.

`tests/run/test_indexing.py` does the same on small ones of every kind; here formulas are those of the batch.
"""

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup
from benchmarks.flood_cases import Vocabulary
from benchmarks.orders import agreement, canonical_by_id, within_days
from benchmarks.quality import DATA, read_lines
from dedup.run.index_formulas import learn_formulas

Article = dict[str, Any]
EXAMPLES = Path(dedup.__file__).parents[1] / "examples" / "articles.jsonl"
WEEK = DATA / "saudi_2015-07.jsonl.xz"
NUM_ARTICLES = 3000


def examples() -> tuple[list[Article], dedup.Fields]:
    return [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()], dedup.Fields()


def week() -> tuple[list[Article], dedup.Fields]:
    if not WEEK.exists():
        pytest.skip("the articles are not at hand")
    return list(read_lines(WEEK))[:NUM_ARTICLES], dedup.Fields(text="body", date="date")


def generated() -> tuple[list[Article], dedup.Fields]:
    """Return a week of invented news: stories with copies and cuts, briefs, and reports of one template."""
    vocabulary, rng = Vocabulary(7), random.Random(7)
    texts: list[str] = []
    template = vocabulary.draw(40)
    while len(texts) < NUM_ARTICLES:
        story = vocabulary.draw(rng.choice([6, 25, 60, 120, 250]))
        kind = rng.random()
        if kind < 0.1:
            texts.append(" ".join(template + vocabulary.draw(30)))
        for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
            words = list(story[: rng.choice([len(story)] * 4 + [len(story) // 2])])
            for _ in range(rng.choice([0, 0, 1, 3, len(words) // 4])):
                words[rng.randrange(len(words))] = vocabulary.draw(1)[0]
            texts.append(" ".join(words))
    rng.shuffle(texts)
    return [
        {"id": f"g{row}", "text": text, "published_at": f"2026-03-{1 + row % 7:02}T{row % 24:02}:00:00"}
        for row, text in enumerate(texts[:NUM_ARTICLES])
    ], dedup.Fields()


def nights(articles: list[Article], fields: dedup.Fields) -> Iterator[list[Article]]:
    """Yield the articles day by day."""
    for _, night in itertools.groupby(articles, lambda article: str(article.get(fields.date) or "")[:10]):
        yield list(night)


@pytest.mark.parametrize("corpus", [examples, generated, week])
def test_the_index_has_the_groups_of_a_batch(corpus: Any, tmp_path: Path) -> None:
    articles, fields = corpus()
    batch = dedup.find_groups(articles, fields=fields)
    expected = list(batch), batch.links
    assert len(expected[0]) > 10
    ordered = [articles[row] for row in batch.order]
    with dedup.Index.open(tmp_path / "once", fields=fields) as index:
        list(index.add_many(ordered))
        with index._store.reading() as connection:
            formulas, _ = learn_formulas(connection, index.settings)
    for name in ("once again", "in nights", "one by one"):
        with dedup.Index.open(tmp_path / name, fields=fields) as index:
            index.set_formulas(formulas, len(ordered))
            if name == "one by one":
                few = ordered if len(ordered) < 500 else ordered[:500]
                singly = [index.add(article) for article in few]
                list(index.add_many(ordered[len(few) :], batch_size=700))
                assert {verdict.id for verdict in singly} == {article["id"] for article in few}
            elif name == "in nights":
                for night in nights(ordered, fields):
                    list(index.add_many(night))
            else:
                list(index.add_many(ordered, batch_size=5000))
            assert (list(index.groups()), index.links()) == expected
            assert index.verify() == []


@pytest.mark.parametrize("corpus", [examples, generated])
def test_another_order_within_each_day_finds_nearly_the_same(corpus: Any, tmp_path: Path) -> None:
    articles, fields = corpus()
    batch = dedup.find_groups(articles, fields=fields)
    ordered = [articles[row] for row in batch.order]
    with dedup.Index.open(tmp_path / "formulas", fields=fields) as index:
        list(index.add_many(ordered))
        with index._store.reading() as connection:
            formulas, _ = learn_formulas(connection, index.settings)
    with dedup.Index.open(tmp_path / "news", fields=fields) as index:
        index.set_formulas(formulas, len(ordered))
        verdicts = list(index.add_many(within_days(ordered, fields, seed=1)))
        assert index.verify() == []
    found = {verdict.id: verdict.canonical_id for verdict in verdicts}
    measured = agreement(canonical_by_id(batch, articles), found)
    assert measured["pair_precision"] > 0.9
    assert measured["pair_recall"] > 0.9


def test_agreement_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = random.Random(3)
    for size in (2, 5, 40):
        ids = range(size)
        first = {id_: rng.randrange(1 + size // 3) for id_ in ids}
        second = {id_: rng.choice([first[id_], rng.randrange(size)]) for id_ in ids}
        labels = list(first.values()), list(second.values())
        measured = agreement(first, second)
        assert measured["adjusted_rand_index"] == pytest.approx(
            metrics.adjusted_rand_score(*labels), abs=1e-5
        )
        (_, false), (missed, both) = metrics.cluster.pair_confusion_matrix(*labels)
        assert measured["pairs"]["both"] == both // 2
        assert measured["pairs"]["batch"] == (both + missed) // 2
        assert measured["pairs"]["index"] == (both + false) // 2
