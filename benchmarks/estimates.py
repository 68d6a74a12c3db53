"""How well each sketch estimates Jaccard similarity: what its speed is worth."""

import random
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import dedup
from benchmarks import peers

NUM_TEXTS = 400
MIN_WORDS = 60


def measure_estimates(texts: list[str], found: dict[str, Any]) -> dict[str, dict]:
    """Return for each edit and sketch the mean error and mean absolute error of the estimates.

    Each article is compared with an edited copy of itself, by its plain word 3-grams. `expected` is what
    `num_perm` independent permutations give: sqrt(2 J (1 - J) / (pi num_perm)), the mean absolute
    deviation of the normal distribution with the variance of Broder 1997.
    """
    long = [text for text in texts if len(text.split()) >= MIN_WORDS]
    chosen = long[:: max(1, len(long) // NUM_TEXTS)][:NUM_TEXTS]
    originals = [peers.tuned_shingles(text) for text in chosen]
    signers = dict(signers_of(found))
    report = {}
    for edit in (insert_in_front, cut_end, replace_words):
        copies = [peers.tuned_shingles(edit(text)) for text in chosen]
        exact = np.array([jaccard(set(a), set(b)) for a, b in zip(originals, copies, strict=True)])
        report[edit.__name__] = {
            "num_pairs": len(chosen),
            "mean_jaccard": round(float(exact.mean()), 4),
            "expected_absolute_error": round(
                float(np.sqrt(2 * exact * (1 - exact) / (np.pi * peers.NUM_PERM)).mean()), 4
            ),
            "sketches": {
                name: _errors((sign(originals) == sign(copies)).mean(axis=1) - exact)
                for name, sign in signers.items()
            },
        }
    return report


def insert_in_front(text: str) -> str:
    """Return the text with one word more at its start."""
    return "عاجل " + text


def cut_end(text: str) -> str:
    """Return the first two thirds of the text, by words."""
    words = text.split()
    return " ".join(words[: len(words) * 2 // 3])


def replace_words(text: str) -> str:
    """Return the text with every twentieth word replaced, from a random one of the first twenty on."""
    words = text.split()
    for k in range(random.Random(len(text)).randrange(20), len(words), 20):
        words[k] = "بديل"
    return " ".join(words)


def jaccard(a: set, b: set) -> float:
    """Return the Jaccard similarity of two sets that are not both empty."""
    return len(a & b) / len(a | b)


def _errors(errors: np.ndarray) -> dict[str, float]:
    return {
        "mean_error": round(float(errors.mean()), 4),
        "mean_absolute_error": round(statistics.fmean(np.abs(errors)), 4),
    }


def signers_of(found: dict[str, Any]) -> Iterator[tuple[str, Callable[[list], np.ndarray]]]:
    """Yield names and functions from lists of shingle sets to signatures, one row a set."""
    yield "dedup", _sign_ours
    if "rensa" in found:
        full, sampling = peers.rensa_from_bytes(found["rensa"]), peers.rensa_sampling(found["rensa"])
        yield "rensa full-set", lambda sets: np.array(full(sets).to_rows())
        yield "rensa position-sampling", lambda sets: np.array(sampling(sets).to_rows())
        c_minhash = found["rensa"].CMinHash
        yield (
            "rensa C-MinHash",
            lambda sets: np.array(
                c_minhash.digests64_from_token_sets(
                    [[one.decode() for one in row] for row in sets], peers.NUM_PERM, peers.SEED
                )
            ),
        )
    if "datasketch" in found:
        sha1 = peers.datasketch_bulk(found["datasketch"], None)
        yield "datasketch with SHA-1", lambda sets: np.stack([each.hashvalues for each in sha1(sets)])
    if {"datasketch", "xxhash"} <= found.keys():
        bulk = peers.datasketch_bulk(found["datasketch"], peers.xxh32(found["xxhash"]))
        yield "datasketch with xxhash", lambda sets: np.stack([each.hashvalues for each in bulk(sets)])


def _sign_ours(sets: list[list[bytes]]) -> np.ndarray:
    """The contract's hash in plain Python; white space of the plain 3-grams is what joins its words."""
    hashes = np.array([dedup.hash_word_shingle(one) for row in sets for one in row], dtype=np.uint32)
    offsets = np.cumsum([0] + [len(row) for row in sets])
    return dedup.sign_shingle_hashes(hashes, offsets)
