"""How alike unrelated short texts are by character shingles of each length, beside edited copies.

The texts are the sentences and headlines of the tests' articles, a dozen or so in each language. Background:
all pairs of different sentences. Copies: a sentence and the same with one word in eight left out (in scripts
without spaces one character in twelve), and the headlines with their written variants.
"""

import argparse
import json
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

import dedup
from benchmarks.environment import ROOT
from dedup.settings import NGRAM_LENGTHS

REPEATS = 1
DATA = ROOT / "tests" / "run" / "data" / "languages"
LENGTHS = (1, 2, 3, 4, 5)


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return for each language and length the similarities of unrelated texts and of copies."""
    del arguments, repeats, lacking, say
    languages = {}
    for path in sorted(DATA.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        texts = [*data["sentences"], data["other_sentence"], data["headline"], data["short"]["other"]]
        copies = [(text, _edited(text, spaced=bool(data["joiner"]))) for text in data["sentences"]]
        copies.append((data["short"]["text"], data["short"]["variant"]))
        languages[data["language"]] = {
            f"length {n}": _figures(list(combinations(texts, 2)), copies, n) for n in LENGTHS
        }
    return {"checks": {}, "settings": {"ngram_lengths": NGRAM_LENGTHS}, "languages": languages}


def _edited(text: str, *, spaced: bool) -> str:
    parts, every = (text.split(), 8) if spaced else (list(text), 12)
    return (" " if spaced else "").join(part for k, part in enumerate(parts) if k % every != every // 2)


def _figures(background: list[tuple[str, str]], copies: list[tuple[str, str]], n: int) -> dict[str, float]:
    apart = np.array([_jaccard(a, b, n) for a, b in background])
    near = np.array([_jaccard(a, b, n) for a, b in copies])
    return {
        "background_mean": round(float(apart.mean()), 3),
        "background_max": round(float(apart.max()), 3),
        "copies_median": round(float(np.median(near)), 3),
        "copies_min": round(float(near.min()), 3),
    }


def _jaccard(a: str, b: str, n: int) -> float:
    one, other = (set(dedup.character_shingles(text, (n,) * 8)) for text in (a, b))
    return len(one & other) / len(one | other)
