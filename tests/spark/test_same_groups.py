"""One contract for one machine and for Spark: the same groups, scores, links and further matches."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dedup import Settings, find_groups
from dedup.run.groups import Groups
from dedup.run.summaries import MUCH_CUT
from dedup.spark import find_groups as find_groups_on_spark
from tests.run.test_real_data import BODY, needs_articles, read_articles

pytestmark = pytest.mark.filterwarnings("ignore")

COLUMNS = "id string, text string, source string, published_at string"


def random_words(generator: random.Random, num_words: int) -> list[str]:
    letters = "ابتثجحخدرسصعفقكلمنهوي"
    return ["".join(generator.choices(letters, k=generator.randint(3, 8))) for _ in range(num_words)]


def edited(generator: random.Random, words: Sequence[str], num_edits: int) -> list[str]:
    words = list(words)
    for _ in range(num_edits):
        at = generator.randrange(len(words) + 1)
        words[at : at + generator.choice([0, 1])] = random_words(generator, generator.choice([0, 1]))
    return words


def generated_corpus(seed: int) -> list[dict[str, Any]]:
    """Return copies, cut copies, daily templates, exact repeats, short and empty texts, in no order.

    Two of the sources end most of their pages with a line of their own.
    """
    generator = random.Random(seed)
    texts: list[tuple[list[str], int]] = []
    for story in range(12):
        words = random_words(generator, generator.choice([8, 20, 60, 150, 300]))
        day = generator.randrange(9)
        for _ in range(generator.randrange(7)):
            copy = edited(generator, words, generator.choice([0, 0, 1, 5, 15]))
            texts.append((copy, day + generator.randrange(2)))
        texts.append((words[: len(words) // 3], day))
        texts.append(([*words, *random_words(generator, 90)], day + story % 2))
    template = random_words(generator, 40)
    for day in range(9):
        for _ in range(2):
            texts.append(([*template[:20], *random_words(generator, 12), *template[20:]], day))
    chain = random_words(generator, 400)
    texts += [(chain[40 * k : 40 * k + 100], k) for k in range(8)]
    texts += [([], 0), (["!!"], 1), (["خبر"], 2), (["خبر"], 3)]
    texts += generator.sample(texts, 10)
    generator.shuffle(texts)
    lines = {source: " ".join(random_words(generator, 10)) for source in ("okaz", None)}
    dates = [None, "", "yesterday", *(f"2024-05-{day + 1:02}T{day:02}:30+03:00" for day in range(11))]
    records: list[dict[str, Any]] = []
    for number, (words, day) in enumerate(texts):
        source = generator.choice(["okaz", "spa", None])
        paragraphs = [" ".join(words[start : start + 12]) for start in range(0, len(words), 12)]
        if source in lines and generator.random() < 0.7:
            paragraphs.append(lines[source])
        records.append(
            {
                "id": f"n{number}",
                "text": "\n".join(paragraphs),
                "source": source,
                "published_at": generator.choice([dates[day + 3]] * 9 + dates[:3]),
            }
        )
    return records


def by_id(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["id"]))


def same_answers(groups: Groups, frames: Any) -> None:
    assert by_id([row.asDict() for row in frames.articles.collect()]) == by_id(groups.to_table().to_pylist())
    links = {(link.part_id, link.whole_id, link.coverage, link.jaccard) for link in groups.links}
    found = [
        (row.part_id, row.whole_id, round(row.coverage, 4), round(row.jaccard, 4))
        for row in frames.links.collect()
    ]
    assert len(found) == len(set(found))
    full_buckets = groups.scan.num_full_buckets
    assert set(found) >= links if full_buckets else set(found) == links
    further = [
        (member.id, other.canonical_id, other.jaccard)
        for group in groups
        for member in group.members
        for other in member.also_matches
    ]
    rows = [(row.id, row.canonical_id, round(row.jaccard, 4)) for row in frames.further_matches.collect()]
    assert set(rows) >= set(further) if full_buckets else sorted(rows) == sorted(further)
    assert frames.counts["groups"] == len(groups)
    assert frames.counts["copies"] == groups.num_copies
    assert frames.counts["empty"] == groups.num_empty
    assert frames.counts["links"] == len(found)
    assert frames.counts["furniture_cut"] == np.count_nonzero(groups.num_cut)
    assert frames.counts["much_cut"] == np.count_nonzero(groups.cut_shares > MUCH_CUT)


def frame_of(spark: Any, records: Sequence[dict[str, Any]]) -> Any:
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    rows = [tuple(record.get(name) for name in names) for record in records]
    return spark.createDataFrame(rows, COLUMNS).repartition(3)


@pytest.mark.parametrize(
    ("seed", "settings", "max_pairs"),
    [
        (1, Settings(), None),
        (2, Settings(keep="longest", source_priority=("spa", "okaz"), threshold=0.4, window_days=2), 0),
    ],
)
def test_generated_corpus_has_the_same_groups(
    seed: int, settings: Settings, max_pairs: int | None, spark: Any
) -> None:
    records = generated_corpus(seed)
    if settings.window_days is not None:  # an article that left a bucket for its age meets no undated one
        records = [record for record in records if (record["published_at"] or "").startswith("2024")]
    groups = find_groups(records, settings)
    assert groups.scan.num_full_buckets == 0
    assert np.count_nonzero(groups.num_cut) > 20
    frames = find_groups_on_spark(frame_of(spark, records), settings, max_pairs_in_one_task=max_pairs)
    assert len(groups) > 10
    assert (frames.counts["rounds"] > 1) == (max_pairs == 0)
    same_answers(groups, frames)
    not_understood = sum(record["published_at"] == "yesterday" for record in records)
    assert frames.counts["dates_not_understood"] == not_understood


@needs_articles
def test_slice_of_real_articles_has_the_same_groups(spark: Any) -> None:
    records = read_articles()[::12]
    groups = find_groups(records, fields=BODY)
    assert len(groups) > 30
    rows = [(row["id"], row["body"], row["source"], row["date"]) for row in records]
    frame = spark.createDataFrame(rows, "id string, body string, source string, date string")
    same_answers(groups, find_groups_on_spark(frame.repartition(3), fields=BODY, max_pairs_in_one_task=0))
