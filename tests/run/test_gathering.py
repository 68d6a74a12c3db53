"""Sketches gathered part by part are those of all texts at once."""

import dataclasses
import random

import numpy as np
import pytest

from dedup.run.gathering import GatheredSketches
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts, text_array
from dedup.settings import Settings

WORDS = ["مرفأ", "قطار", "harbour", "ferry", "wheat", "rain", "سيول", "12", "2024", "حضرموت"]


@pytest.mark.parametrize("profile", ["article", "headline"])
@pytest.mark.parametrize("sizes", [[7], [3, 4], [0, 7], [3, 0, 4, 0], [1] * 7])
def test_parts_make_the_whole(profile: str, sizes: list[int]) -> None:
    chosen = random.Random(1)
    texts = [" ".join(chosen.choices(WORDS, k=length)) for length in (0, 4, 80, 15, 0, 300, 2)]
    settings = Settings.of(profile)
    gathered = GatheredSketches()
    start = 0
    for size in sizes:
        gathered.append(sketch_texts(text_array(texts[start : start + size]), settings))
        start += size
    found, expected = gathered.finish(), sketch_texts(text_array(texts), settings)
    for field in dataclasses.fields(Sketches):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(ours, theirs, strict=True)
        assert ours.flags.writeable  # as the kernels are compiled for
        assert ours.flags.c_contiguous
