"""What every contestant's script shares: reading, shingles, connected components, the answer.

Runs in environments that hold one peer and nothing else, so it needs the standard library alone.
Called as `python SCRIPT.py FILE OUT WAY THRESHOLD THREADS`; writes a group number for each article, int64, to
OUT, and prints the seconds by stage as JSON.
"""

import json
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

SIZE = 3
NUM_PERM = 128
SEED = 1


class Stages:
    """Seconds by stage, by the clock."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def read_texts(path: str) -> list[str]:
    """Return the texts of a JSON Lines file; its words stand between single spaces already."""
    with open(path, "rb") as lines:
        return [json.loads(line)["text"] for line in lines]


def shingles(text: str) -> list[str]:
    """Return the word 3-grams of a text; for fewer words, the text itself, so that it is not lost."""
    words = text.split()
    if len(words) < SIZE:
        return [text] if words else []
    return list(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


class Components:
    """Connected components of n articles, by union and find with path halving; the smallest is the name."""

    def __init__(self, count: int) -> None:
        self.parents = list(range(count))

    def find(self, one: int) -> int:
        parents = self.parents
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one

    def join(self, one: int, other: int) -> None:
        a, b = self.find(one), self.find(other)
        if a != b:
            self.parents[max(a, b)] = min(a, b)

    def labels(self) -> list[int]:
        return [self.find(one) for one in range(len(self.parents))]


Way = Callable[[str, float, int, Stages], Iterable[int]]


def main(ways: dict[str, Way]) -> None:
    """Run the way that the command line names and write its answer."""
    path, out, way, threshold, threads = sys.argv[1:]
    stages = Stages()
    labels = array("q", ways[way](path, float(threshold), int(threads), stages))
    with open(out, "wb") as file:
        labels.tofile(file)
    print(json.dumps(stages.seconds))
