"""Features made from plain lists, for the tests of verification and of the scan."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dedup.articles import MISSING_DATE
from dedup.match.verify import Features, Rule
from dedup.run.stages import rule_of
from dedup.settings import Settings
from dedup.text.hashing import shingle_multipliers


def _compressed(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    values = np.array([value for row in rows for value in row], dtype=np.uint32)
    return values, offsets[:-1].copy(), offsets[1:].copy()


@pytest.fixture(scope="session")
def make_features() -> Callable[..., Features]:
    """Return a function of token lists and character hash lists, a pair a row, and their dates."""

    def make(
        tokens: Sequence[Sequence[int]],
        characters: Sequence[Sequence[int]],
        dates: Sequence[int] | None = None,
    ) -> Features:
        published = np.array([MISSING_DATE] * len(tokens) if dates is None else dates, dtype=np.int64)
        return Features(published, *_compressed(tokens), *_compressed(characters))

    return make


@pytest.fixture(scope="session")
def make_rule() -> Callable[..., Rule]:
    """Return a function of shingle size, threshold, character thresholds by length, and other fields.

    Unless told otherwise the rule is that of likeness alone: no part, no formula, any lengths.
    """
    alone = {
        "window": MISSING_DATE,
        "copy_length_ratio": 0.0,
        "part_length_ratio": 0.75,
        "part_coverage": 2.0,
        "formula_share": 2.0,
        "formula_threshold": 0.0,
        "formula_coverage": 0.0,
        "min_shared": 0,
    }

    def make(
        size: int, threshold: float, character_thresholds: Sequence[float] = (0.7,), **fields: float
    ) -> Rule:
        return rule_of(Settings())._replace(
            shingle_size=size,
            multipliers=shingle_multipliers(size),
            threshold=threshold,
            character_thresholds=np.array(character_thresholds),
            **{**alone, **fields},  # type: ignore[arg-type]
        )

    return make
