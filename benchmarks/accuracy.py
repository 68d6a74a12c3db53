"""Bias and error of estimated Jaccard similarities from 0 to 1: each sketch beside the binomial figure."""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.estimates import signers_of

REPEATS = 1
NUM_PAIRS = 400
SET_SIZE = 300
STEPS = 11


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return for each similarity and sketch the mean error and the root of the mean squared error.

    Sets of invented shingles with exactly the wanted similarity, the same for every sketch. `num_perm`
    independent permutations have no bias and a standard deviation of sqrt(J (1 - J) / num_perm).
    """
    del arguments, repeats
    signers = dict(signers_of(peers.find_peers(lacking)))
    by_similarity = {}
    for step in range(STEPS):
        shared = round(2 * SET_SIZE * step / (STEPS - 1) / (1 + step / (STEPS - 1)))
        exact = shared / (2 * SET_SIZE - shared)
        say(f"accuracy: Jaccard {exact:.3f}")
        sets = [_pair(step * NUM_PAIRS + k, shared) for k in range(NUM_PAIRS)]
        errors = {}
        for name, sign in signers.items():
            one, other = (sign([pair[side] for pair in sets]) for side in (0, 1))
            difference = (one == other).mean(axis=1) - exact
            errors[name] = {
                "bias": round(float(difference.mean()), 5),
                "rmse": round(float(np.sqrt((difference**2).mean())), 5),
            }
        by_similarity[f"{exact:.4f}"] = {
            "binomial_rmse": round(float(np.sqrt(exact * (1 - exact) / peers.NUM_PERM)), 5),
            "bias_standard_error": round(float(np.sqrt(exact * (1 - exact) / peers.NUM_PERM / NUM_PAIRS)), 5),
            "sketches": errors,
        }
    return {
        "num_pairs": NUM_PAIRS,
        "set_size": SET_SIZE,
        "num_perm": peers.NUM_PERM,
        "checks": _checks(by_similarity),
        "by_similarity": by_similarity,
    }


def _pair(number: int, shared: int) -> tuple[list[bytes], list[bytes]]:
    """Return two sets of SET_SIZE shingles of three words, `shared` of them in both."""
    rng = np.random.default_rng(number)
    words = rng.integers(0, 1 << 40, (2 * SET_SIZE - shared, 3))
    shingles = [b" ".join(b"w%d" % word for word in row) for row in words.tolist()]
    only = SET_SIZE - shared
    first, second = shingles[:SET_SIZE], [*shingles[:shared], *shingles[SET_SIZE : SET_SIZE + only]]
    return first, [second[k] for k in rng.permutation(SET_SIZE)]


def _checks(by_similarity: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """Our error may be a tenth above the binomial one: 400 pairs show it to within 3.5%, one deviation."""
    rows = [(row, row["sketches"]["dedup"]) for row in by_similarity.values()]
    return {
        "our error is the binomial one or less, within a tenth": all(
            ours["rmse"] <= 1.1 * row["binomial_rmse"] + 1e-9 for row, ours in rows
        ),
        "our bias is within four standard errors": all(
            abs(ours["bias"]) <= 4 * row["bias_standard_error"] + 1e-9 for row, ours in rows
        ),
    }
