"""One article that arrives alone, against the same article in the form of a batch."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.articles import Fields
from dedup.index.rows import Place, Relation
from dedup.match.verify import BY_CHARACTERS, BY_WORDS, PART, WHOLE
from dedup.run import deciding
from dedup.run.arrivals import posting_keys
from dedup.run.deciding import Decision, decide
from dedup.run.index_batches import batch_of
from dedup.run.indexing import Index
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array
from dedup.settings import Settings
from tests.run.stories import WORDS, story_texts

SETTINGS = [
    Settings(),
    Settings(window_days=2),
    Settings(window_days=2, furniture="keep", short_words=6),
    Settings(threshold=0.7, recall=0.9, num_perm=64),
]


def flood_texts(seed: int, count: int) -> list[str]:
    """Return texts that share a passage and each tell a story of their own."""
    rng = random.Random(seed)
    passage = rng.choices(WORDS, k=60)
    return [" ".join(passage + rng.choices(WORDS, k=rng.randrange(20, 150))) for _ in range(count)]


def dated(texts: list[str], rng: random.Random) -> list[dict[str, Any]]:
    days = [None, *(f"2026-03-{day:02}T08:00:00Z" for day in range(1, 9))]
    return [{"id": str(k), "text": text, "published_at": rng.choice(days)} for k, text in enumerate(texts)]


def probes(texts: list[str], rng: random.Random) -> list[str]:
    """Return the texts themselves, and edited, cut, joined and short forms of some of them."""
    made = ["", "?!", "one brief line", *texts]
    for _ in range(12):
        words = rng.choice(texts).split() or ["word1"]
        edited = [word if rng.random() > 0.06 else rng.choice(WORDS) for word in words]
        made += [
            " ".join(edited),
            " ".join(words[: max(1, len(words) // 2)]),
            " ".join(words[: rng.randrange(1, 20)]),
            " ".join(words + rng.choice(texts).split()),
            " ".join(rng.choice(texts).split()[:40] + words[-40:]),
        ]
    return made


def half_of_wording(texts: list[str], settings: Settings, rng: random.Random) -> npt.NDArray[np.uint32]:
    posted = posting_keys(sketch_texts(text_array(texts), settings), settings)
    shingles = sorted(set(posted.keys[posted.by_wording].tolist()))
    return np.array(sorted(rng.sample(shingles, k=len(shingles) // 2)), dtype=np.uint32)


def decision_on(index: Index, article: dict[str, Any], gone: list[int]) -> Decision:
    batch = batch_of([article], index.settings, Fields(), None)
    with index.store.reading() as connection:
        return decide(
            connection,
            batch.arrivals([0], 10**6),
            index.settings,
            index.formulas(),
            gone=np.array(gone, dtype=np.int64),
        )


def plain(decision: Decision) -> tuple[list[Place], list[Relation], list[list[int]]]:
    return (
        decision.places,
        sorted(decision.relations),
        [column.tolist() for column in decision.postings],
    )


def decisions_both_ways(
    folder: Path, settings: Settings, seed: int, num_flood: int
) -> Iterator[tuple[Decision, Decision]]:
    """Yield what an index decides on articles that come alone, and on each as a batch of one."""
    rng = random.Random(seed)
    texts = story_texts(seed) + flood_texts(seed, num_flood)
    rng.shuffle(texts)
    with Index.open(folder / f"{seed}.dedup", settings) as index, pytest.MonkeyPatch.context() as patched:
        index.add_all(dated(texts, rng))
        index.set_formulas(half_of_wording(texts, settings, rng), len(texts))
        for article in dated(probes(texts, rng), rng):
            gone = rng.sample(range(1, len(texts) + 1), k=rng.choice([0, 0, 3]))
            patched.undo()
            alone = decision_on(index, article, gone)
            patched.setattr(deciding, "MAX_HELD", -1)  # beside more than so many, it is a batch of one
            yield alone, decision_on(index, article, gone)


@examples(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), num_flood=st.sampled_from([0, 3, 20, 40]))
@pytest.mark.parametrize("settings", SETTINGS)
def test_article_alone_is_decided_as_in_a_batch(settings: Settings, seed: int, num_flood: int) -> None:
    with TemporaryDirectory() as folder:
        for alone, in_batch in decisions_both_ways(Path(folder), settings, seed, num_flood):
            assert plain(alone) == plain(in_batch)


def test_articles_alone_come_to_all_that_an_article_can_be(tmp_path: Path) -> None:
    kinds: Counter[object] = Counter()
    for seed, settings in enumerate(SETTINGS):
        for alone, in_batch in decisions_both_ways(tmp_path, settings, seed, 30):
            assert plain(alone) == plain(in_batch)
            (place,) = alone.places
            kinds[place.kind, bool(place.exact)] += 1
            kinds.update(relation.kind for relation in alone.relations)
            kinds["full"] += place.full_buckets > 0
    assert all(kinds[kind, False] for kind in (0, BY_WORDS, BY_CHARACTERS))
    assert kinds[0, True], "the very text of a held article"
    assert kinds[BY_WORDS, True], "the very text of a held article, with a window"
    assert all(kinds[kind] for kind in (BY_WORDS, PART, WHOLE, "full"))
