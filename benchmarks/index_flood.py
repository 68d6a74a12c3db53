"""Articles made to share buckets without being copies: how many rows one `check` of an index reads then."""

import argparse
import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

import dedup
from benchmarks.flood_cases import SEED, Vocabulary, templated
from dedup.index.packing import unpack
from dedup.match.samples import MAX_MEETING
from dedup.match.scan import MAX_BANDED, MAX_WORDED

REPEATS = 100
NUM_ARTICLES = 50_000


def shared_openings(vocabulary: Vocabulary) -> Iterator[str]:
    """Yield briefs of ten words for ever, of which six are one opening; they meet by characters."""
    opening = vocabulary.draw(6)
    while True:
        yield " ".join(opening + vocabulary.draw(4))


def shared_passages(vocabulary: Vocabulary) -> Iterator[str]:
    """Yield articles for ever of eight passages out of forty: each pair shares some, no two are copies."""
    passages = [vocabulary.draw(12) for _ in range(40)]
    while True:
        chosen = vocabulary.generator.choice(len(passages), size=8, replace=False)
        yield " ".join(word for k in chosen for word in passages[k] + vocabulary.draw(12))


FLOODS: dict[str, Callable[[Vocabulary], Iterator[str]]] = {
    "one boilerplate of 30% of the words": templated(0.3),
    "eight passages out of forty": shared_passages,
    "briefs of one opening": shared_openings,
}


def posting_bound(settings: dedup.Settings) -> int:
    """Return the most posting rows that one look-up reads: each bucket holds no more than its cap.

    >>> posting_bound(dedup.Settings())  # 64 shingles of 24, 49 bands of 64
    4672
    """
    num_bands = settings.group_bands.num_bands + settings.character_bands.num_bands
    return MAX_MEETING * MAX_WORDED + num_bands * MAX_BANDED


def rows_bound(settings: dedup.Settings) -> int:
    """Return the most rows that one `check` reads.

    Each canonical that waits in a posting row can be read once, with its sketch and its name, and a verdict
    takes a few rows beside: the id, the version of the formulas, the twin, the number of the next article.
    """
    return 3 * posting_bound(settings) + 16


class RowCounter:
    """Counts the rows that the connections of an open index give, and what their statements did."""

    def __init__(self, index: dedup.Index) -> None:
        self.num_rows = 0
        self.num_steps = 0
        for connection in index._store._idle:
            connection.set_row_trace(self._count)
            connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._profile)

    def _count(self, cursor: apsw.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
        packed = len(row) == 2 and isinstance(row[1], bytes)  # each who waits in a key counts
        self.num_rows += len(unpack([row]).keys) if packed else 1
        return row

    def _profile(self, event: dict[str, Any]) -> None:
        self.num_steps += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def of(self, call: Callable[[], Any]) -> tuple[Any, int, int]:
        """Return what the call gives, the rows that it read, and SQLite's steps over them."""
        rows, steps = self.num_rows, self.num_steps
        answer = call()
        return answer, self.num_rows - rows, self.num_steps - steps


def flood(path: Path, texts: Iterator[str], count: int, num_probes: int, say: Callable[[str], None]) -> dict:
    """Fill an index with articles, then return what `num_probes` more of them cost to check."""
    with dedup.Index.open(path) as index:
        articles = (
            {"id": number, "text": text} for number, text in enumerate(itertools.islice(texts, count))
        )
        for number, verdict in enumerate(index.add_many(articles)):
            if number % 10_000 == 0:
                say(f"{path.name}: {number} articles, {verdict.full_buckets} full buckets met")
        counter = RowCounter(index)
        probes = [{"id": f"probe {k}", "text": next(texts)} for k in range(num_probes)]
        measured = [counter.of(lambda probe=probe: index.check(probe)) for probe in probes]
        stats = index.stats()
        rows, steps = [found[1] for found in measured], [found[2] for found in measured]
        full = [found[0].full_buckets for found in measured]
        return {
            "articles": stats["articles"],
            "canonicals": stats["articles"] - stats["copies"],
            "posting_rows": stats["posting_rows"] + stats["recent_posting_rows"],
            "rows_read_by_a_check": {"median": statistics.median(rows), "max": max(rows)},
            "sqlite_steps_of_a_check": {"median": statistics.median(steps), "max": max(steps)},
            "full_buckets_told": {"min": min(full), "median": statistics.median(full), "max": max(full)},
        }


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the rows that `repeats` checks read at each size of each flood, and the stated bound."""
    del lacking
    sizes = arguments.sizes or [NUM_ARTICLES // 10, NUM_ARTICLES]
    settings = dedup.Settings()
    floods: dict[str, dict[str, Any]] = {name: {} for name in FLOODS}
    with tempfile.TemporaryDirectory(prefix="dedup-index-flood-") as folder:
        for name, size in itertools.product(FLOODS, sizes):
            floods[name][str(size)] = flood(
                Path(folder, f"{name} {size}"), FLOODS[name](Vocabulary()), size, repeats, say
            )
    bound = rows_bound(settings)
    measured = [found for by_size in floods.values() for found in by_size.values()]
    return {
        "checks": {
            f"no check reads more than {bound} rows": all(
                found["rows_read_by_a_check"]["max"] <= bound for found in measured
            ),
            "a cap that bites is told": all(found["full_buckets_told"]["max"] > 0 for found in measured),
        },
        "settings": settings.as_dict(),
        "corpus": {"name": "invented words", "seed": SEED},
        "rows_bound": bound,
        "posting_rows_bound": posting_bound(settings),
        "floods": floods,
    }
