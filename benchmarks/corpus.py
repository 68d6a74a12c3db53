"""The texts that a benchmark runs on, and a description of them that holds no text."""

import gzip
import itertools
import json
import lzma
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.environment import ROOT

EXAMPLES = ROOT / "examples" / "articles.jsonl"
NUM_REPEATED = 4000
"""Articles that the examples are repeated to; enough for a tenth of a second of the fastest contender."""

OPENERS: dict[str, Callable[..., IO[str]]] = {".xz": lzma.open, ".gz": gzip.open}


@dataclass(frozen=True)
class Corpus:
    """Texts with the name of the file they came from."""

    name: str
    texts: list[str]

    def describe(self) -> dict:
        """Return counts, in code points, bytes and words split at white space, ready for JSON."""
        lengths = [len(text) for text in self.texts]
        return {
            "name": self.name,
            "num_articles": len(self.texts),
            "num_characters": sum(lengths),
            "num_utf8_bytes": sum(len(text.encode("utf-8", "replace")) for text in self.texts),
            "num_words": sum(len(text.split()) for text in self.texts),
            "median_characters": statistics.median(lengths),
        }


def load_corpus(path: Path | None, field: str, limit: int | None, lacking: list[str]) -> Corpus:
    """Return the texts of `path`, or the project's examples repeated, which `lacking` then says."""
    if path is not None and path.exists():
        return Corpus(path.name, read_texts(path, field, limit))
    count = limit or NUM_REPEATED
    lacking.append(
        f"{path or '--data'} is not there; the articles of examples/ are repeated to {count} instead"
    )
    examples = itertools.cycle(read_texts(EXAMPLES, "text"))
    return Corpus(EXAMPLES.name, list(itertools.islice(examples, count)))


def read_texts(path: Path, field: str, limit: int | None = None) -> list[str]:
    """Return one field of each line of a JSON Lines file, plain, .gz or .xz; an absent one is empty."""
    opener = OPENERS.get(path.suffix, open)
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line).get(field) or "" for line in itertools.islice(lines, limit)]
