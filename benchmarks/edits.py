"""Recall where one thing was changed in a copy: ours and each peer on originals and their edited copies."""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from benchmarks.contestants import THRESHOLD, find_contestants, measure_once
from benchmarks.end_to_end import Say
from benchmarks.estimates import jaccard
from benchmarks.generator import Pool, Recipe, iterate_records, open_pool
from benchmarks.peers import plain_shingles
from benchmarks.process_run import CommandError

REPEATS = 1
NUM_ARTICLES = 1000
MIN_WORDS = 60
PARAGRAPHS = 5
"""A text is taken as so many paragraphs of equal length where one is moved."""

Words = list[str]


def run(arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Say) -> dict[str, Any]:
    """Return for each edit its mean Jaccard similarity and each contestant's recall."""
    del repeats  # nothing is timed
    originals = _originals(open_pool(lacking, limit=arguments.limit))
    pythons = find_contestants(lacking, say)
    report: dict[str, Any] = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="dedup-edits-", dir=arguments.scratch) as scratch:
        for name, edit in EDITS.items():
            copies = [edit(list(words), random.Random(row)) for row, words in enumerate(originals)]
            path = _write(originals, copies, Path(scratch, "edits.jsonl"))
            recalls = {}
            for contestant, python in pythons.items():
                say(f"edits: {name}, {contestant.name}")
                try:
                    labels = measure_once(contestant, python, path, Path(scratch))[2]
                except CommandError as error:
                    failed[contestant.name] = str(error)
                    continue
                half = len(originals)
                recalls[contestant.name] = round(float(np.mean(labels[:half] == labels[half:])), 4)
            report[name] = {"mean_jaccard": _mean_jaccard(originals, copies), "recall": recalls}
    return {
        "num_articles": len(originals),
        "threshold_of_peers": THRESHOLD,
        "left_out": failed,
        "checks": {},
        "edits": report,
    }


def _originals(pool: Pool) -> list[Words]:
    """Return distinct generated articles as normalised words."""
    recipe = Recipe(count=10_000, copy_share=0.0, cut_share=0.0, formula_share=0.0)
    words = (dedup.normalize(record["text"]).split() for record in iterate_records(pool, recipe))
    return list(islice((each for each in words if len(each) >= MIN_WORDS), NUM_ARTICLES))


def _write(originals: list[Words], copies: list[Words], path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for row, words in enumerate([*originals, *copies]):
            record = {"id": f"a{row:06}", "title": "", "text": " ".join(words), "source": "s"}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


def _mean_jaccard(originals: list[Words], copies: list[Words]) -> float:
    def sets(texts: list[Words]) -> Iterator[set[str]]:
        return (set(plain_shingles(" ".join(words))) for words in texts)

    pairs = zip(sets(originals), sets(copies), strict=True)
    return round(float(np.mean([jaccard(a, b) for a, b in pairs])), 4)


def _insert_front(words: Words, rng: random.Random) -> Words:
    del rng
    return ["inserted", *words]


def _insert_middle(words: Words, rng: random.Random) -> Words:
    at = rng.randrange(len(words) // 3, 2 * len(words) // 3)
    return [*words[:at], "inserted", *words[at:]]


def _insert_end(words: Words, rng: random.Random) -> Words:
    del rng
    return [*words, "inserted"]


def _append_five(words: Words, rng: random.Random) -> Words:
    del rng
    return [*words, "five", "more", "words", "stand", "here"]


def _replace_one(words: Words, rng: random.Random) -> Words:
    words[rng.randrange(len(words))] = "replaced"
    return words


def _move_paragraph(words: Words, rng: random.Random) -> Words:
    size = len(words) // PARAGRAPHS
    at = size * rng.randrange(PARAGRAPHS - 1)
    return [*words[:at], *words[at + size :], *words[at : at + size]]


def _cut_third(words: Words, rng: random.Random) -> Words:
    del rng
    return words[: 2 * len(words) // 3]


EDITS: dict[str, Callable[[Words, random.Random], Words]] = {
    "one word inserted at the front": _insert_front,
    "one word inserted in the middle": _insert_middle,
    "one word inserted at the end": _insert_end,
    "five words appended": _append_five,
    "one word replaced": _replace_one,
    "a paragraph moved to the end": _move_paragraph,
    "a third cut off": _cut_third,
}
