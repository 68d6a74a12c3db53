"""The formulas of an index, learned from all that it holds."""

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.index import reads
from dedup.match.grouping import find_firsts
from dedup.match.wording import find_wording
from dedup.run.deciding import read_arrivals
from dedup.run.sketches import Sketches
from dedup.run.stages import features_of, rule_of
from dedup.settings import Settings


class FormulasInForce:
    """The formulas of an index, read anew once another version is in force."""

    def __init__(self) -> None:
        self._held: tuple[int, npt.NDArray[np.uint32]] = (0, np.empty(0, dtype=np.uint32))

    def within(self, connection: apsw.Connection) -> npt.NDArray[np.uint32]:
        """Return the formulas that a transaction sees, uint32, rising."""
        version = reads.formula_version(connection)
        held = self._held
        if version != held[0]:
            hashes = reads.read_formulas(connection, version)
            held = self._held = version, np.frombuffer(hashes, dtype="<u4").astype(np.uint32)
        return held[1]


def learn_formulas(connection: apsw.Connection, settings: Settings) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the formula shingles of all held articles, rising, and the number of these articles.

    They are what a batch of the same articles would find, see `match.wording`.
    """
    held = read_arrivals(connection, reads.all_numbers(connection), settings)
    return formulas_of(held.sketches, held.published, np.arange(len(held)), settings), len(held)


def formulas_of(
    sketches: Sketches, published: npt.NDArray[np.int64], order: npt.NDArray[np.int64], settings: Settings
) -> npt.NDArray[np.uint32]:
    """Return the formula shingles, rising, that a batch of these articles in this order would find."""
    features, rule = features_of(sketches, published), rule_of(settings)
    own = np.arange(len(order), dtype=np.int64)
    same = find_firsts(order, sketches.fingerprints, features)
    taking_part = same == own if rule.window == MISSING_DATE else np.ones(len(own), dtype=np.bool_)
    wording = find_wording(features, rule, order, taking_part, same == own)
    return wording.hashes[wording.is_formula]
