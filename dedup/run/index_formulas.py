"""The formulas of an index, learned from all that it holds."""

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.index import reads
from dedup.match.grouping import find_firsts
from dedup.match.wording import find_wording
from dedup.run.deciding import read_arrivals
from dedup.run.stages import features_of, rule_of
from dedup.settings import Settings


def learn_formulas(connection: apsw.Connection, settings: Settings) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the formula shingles of all held articles, rising, and the number of these articles.

    They are what a batch of the same articles would find, see `match.wording`.
    """
    held = read_arrivals(connection, reads.all_numbers(connection), settings)
    features, rule = features_of(held.sketches, held.published), rule_of(settings)
    rows = np.arange(len(held), dtype=np.int64)
    same = find_firsts(rows, held.sketches.fingerprints, features)
    taking_part = same == rows if rule.window == MISSING_DATE else np.ones(len(rows), dtype=np.bool_)
    wording = find_wording(features, rule, rows, taking_part, same == rows)
    return wording.hashes[wording.is_formula], len(held)
