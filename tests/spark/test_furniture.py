"""Recurring lines learned from a data frame: the very lines that one machine learns."""

import random
from typing import Any

import numpy as np
import pytest

from dedup import Fields, Settings
from dedup.run import recurring
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array

pytestmark = pytest.mark.filterwarnings("ignore")


def generated_pages(seed: int) -> list[tuple[str, str | None]]:
    """Return pages of sources of several sizes: own lines, copies, short and long lines near every bound."""
    generator = random.Random(seed)

    def line(num_words: int) -> str:
        return " ".join("".join(generator.choices("abcdefghij", k=6)) for _ in range(num_words))

    pages: list[tuple[str, str | None]] = []
    for source, num_pages in (("large", 320), ("small", 30), (None, 40), ("", 12), ("lines of one story", 9)):
        furniture = [line(generator.choice([2, 7, 8, 12])) for _ in range(8)]
        shares = [generator.choice([0.02, 0.05, 0.2, 0.5, 0.9]) for _ in furniture]
        story = [line(12) for _ in range(4)]
        for _ in range(num_pages):
            is_copy = source == "lines of one story" or generator.random() < 0.1
            body = story[: generator.randrange(2, 5)] if is_copy else [line(generator.choice([3, 10, 15]))]
            body += [line(9) for _ in range(generator.randrange(3))] * generator.choice([1, 1, 2])
            chosen = [
                part for part, share in zip(furniture, shares, strict=True) if generator.random() < share
            ]
            before = generator.randrange(2) * len(chosen) // 3
            pages.append(("\n".join([*chosen[:before], *body, *chosen[before:]]), source))
    generator.shuffle(pages)
    return [*pages, ("", "large"), ("one line", None)]


def test_lines_are_those_that_one_machine_learns(spark: Any) -> None:
    from dedup.spark.furniture import learn_lines
    from dedup.spark.grouping import keep

    pages = generated_pages(1)
    sketches = sketch_texts(text_array([text for text, _ in pages]), Settings())
    expected = recurring.learn_lines(sketches, [source for _, source in pages])
    assert 10 < len(expected) < 40
    frame = spark.createDataFrame(pages, "text string, source string").repartition(3)
    assert np.array_equal(learn_lines(frame, Settings(), Fields(), keep), expected)


def test_nothing_is_learned_where_furniture_is_kept() -> None:
    from dedup.spark.furniture import learn_lines

    kept = Settings(furniture="keep")
    assert len(learn_lines(None, kept, Fields(), lambda frame: frame)) == 0  # type: ignore[arg-type]
