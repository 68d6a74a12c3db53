"""Quality on judged pairs: precision, recall and F1 of groups and links, beside the peers' usual ways.

Needs the development data with its judgements; without them it says so and measures nothing.
"""

import argparse
import json
import lzma
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dedup
from benchmarks.quality_peers import peer_groups
from benchmarks.quality_scores import count_errors, relations, same_group, score, score_articles
from benchmarks.quality_spans import months, single_nights

REPEATS = 1
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FURTHER_HEADLINES = Path(__file__).parent / "judgements" / "headlines_saudi_2015-07.jsonl"
ARTICLES, HEADLINES = "labels_articles.jsonl", "labels_headlines.jsonl"


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return precision, recall and F1 for each way of grouping; see `benchmarks/README.md`."""
    del arguments, repeats
    if not (DATA / ARTICLES).exists():
        lacking.append(f"the judged pairs, {DATA / ARTICLES}")
        return {"checks": {}, "articles": {}, "headlines": {}}
    records = list(read_lines(DATA / "saudi_2015-07.jsonl.xz"))
    fields = dedup.Fields(text="body", date="date")
    pairs = list(read_lines(DATA / ARTICLES))
    start = time.perf_counter()
    groups = dedup.find_groups(records, fields=fields)
    seconds = time.perf_counter() - start
    ours = score_articles(pairs, *relations(groups))
    errors = {"dedup, default settings": count_errors(pairs, *relations(groups))}
    by_ways: dict[str, Any] = {"dedup, default settings": ours | {"seconds_with_reading": round(seconds, 2)}}
    for name, group_of in peer_groups(records, lacking, say):
        same = same_group(group_of)
        by_ways[name] = score_articles(pairs, same, same)
        errors[name] = count_errors(pairs, same, same)
    headline_pairs = list(read_lines(DATA / HEADLINES))
    grouped, _ = relations(dedup.find_groups(records, dedup.Settings.of("headline"), fields=fields))
    return {
        "checks": {
            "copies have a precision of 0.98 or more": ours["copies"]["weighted"]["precision"] >= 0.98
        },
        "settings": dedup.Settings().as_dict(),
        "num_articles": len(records),
        "articles": by_ways,
        "errors": errors,
        "nights": single_nights(records, pairs, fields, groups),
        "months": months(records, pairs, list(read_lines(DATA / "khaleej.jsonl.xz")), say),
        "headlines": {
            "dedup, default settings": score(headline_pairs, ("variant",), grouped, weighted=False),
            "dedup, default settings, on the further pairs": score(
                list(read_lines(FURTHER_HEADLINES)), ("variant",), grouped, weighted=False
            ),
        },
    }


def read_lines(path: Path) -> Iterable[dict[str, Any]]:
    """Yield the records of a JSON Lines file, compressed by xz or not."""
    with (
        lzma.open(path, "rt", encoding="utf-8")
        if path.suffix == ".xz"
        else path.open(encoding="utf-8") as lines
    ):
        for line in lines:
            yield json.loads(line)
