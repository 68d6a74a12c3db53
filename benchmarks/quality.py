"""Quality on judged pairs: precision, recall and F1 of groups and links, beside datasketch's usual way.

Needs the development data with its judgements; without them it says so and measures nothing.
"""

import argparse
import json
import lzma
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import precision_recall_fscore_support

import dedup

REPEATS = 1
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COARSE_STRATUM = "J<.2"  # few pairs that stand for very many; left out of the weighted figures
NEGATIVE = ("template", "diff")
FURTHER_HEADLINES = Path(__file__).parent / "judgements" / "headlines_saudi_2015-07.jsonl"
ARTICLES, HEADLINES = "labels_articles.jsonl", "labels_headlines.jsonl"
DATASKETCH_THRESHOLDS = (0.8, 0.5)

Related = Callable[[Any, Any], bool]


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
    by_ways: dict[str, Any] = {"dedup, default settings": ours | {"seconds_with_reading": round(seconds, 2)}}
    for threshold in DATASKETCH_THRESHOLDS:
        say(f"quality: datasketch at {threshold}")
        group_of = datasketch_groups(records, threshold)
        same = same_group(group_of)
        name = f"datasketch, word 3-grams, threshold {threshold}, connected components"
        by_ways[name] = score_articles(pairs, same, same)
    headline_pairs = list(read_lines(DATA / HEADLINES))
    grouped, _ = relations(dedup.find_groups(records, dedup.Settings.of("headline"), fields=fields))
    return {
        "checks": {
            "copies have a precision of 0.98 or more": ours["copies"]["weighted"]["precision"] >= 0.98
        },
        "settings": dedup.Settings().as_dict(),
        "num_articles": len(records),
        "articles": by_ways,
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


def relations(groups: dedup.Groups) -> tuple[Related, Related]:
    """Return whether two ids are in one group, and whether they are or a link joins their groups."""
    canonical_of = dict(zip(groups.ids, (groups.ids[row] for row in groups.canonical_rows), strict=True))
    links = {frozenset((canonical_of[x.part_id], canonical_of[x.whole_id])) for x in groups.links}
    same = same_group(canonical_of)
    return same, lambda a, b: same(a, b) or frozenset((canonical_of[a], canonical_of[b])) in links


def same_group(group_of: Mapping[Any, Any]) -> Related:
    """Return whether two ids have the same group."""
    return lambda a, b: bool(group_of[a] == group_of[b])


def datasketch_groups(records: list[dict[str, Any]], threshold: float) -> dict[Any, int]:
    """Return the connected components of datasketch's candidates, 128 permutations, plain tokenising."""
    from datasketch import MinHash, MinHashLSH

    shingled = [_shingles(record["body"]) for record in records]
    hashes = list(MinHash.bulk(shingled, num_perm=128))
    index = MinHashLSH(threshold=threshold, num_perm=128)
    edges = []
    for row, (minhash, shingles) in enumerate(zip(hashes, shingled, strict=True)):
        if not shingles:
            continue
        near = [other for other in index.query(minhash) if minhash.jaccard(hashes[other]) >= threshold]
        edges.extend((row, other) for other in near)
        index.insert(row, minhash)
    rows, columns = np.array(edges).T
    graph = coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(len(records), len(records)))
    _, labels = connected_components(graph, directed=False)
    return {record["id"]: int(label) for record, label in zip(records, labels, strict=True)}


def _shingles(text: str) -> list[bytes]:
    words = text.split()
    return [" ".join(words[k : k + 3]).encode() for k in range(len(words) - 2)]


def score_articles(pairs: list[dict[str, Any]], grouped: Related, related: Related) -> dict[str, Any]:
    """Return the scores of copies, and of copies and cut copies together, and how partial pairs fared."""
    partial = [pair for pair in pairs if pair["label"] == "partial"]
    return {
        "copies": {
            "weighted": score(pairs, ("copy",), grouped, weighted=True),
            "plain": score(pairs, ("copy",), grouped, weighted=False),
        },
        "copies_and_cut_copies": {
            "weighted": score(pairs, ("copy", "cut_copy"), related, weighted=True),
            "plain": score(pairs, ("copy", "cut_copy"), related, weighted=False),
        },
        "partial_pairs": {
            "judged": len(partial),
            "grouped": sum(grouped(pair["a"], pair["b"]) for pair in partial),
            "grouped_or_linked": sum(related(pair["a"], pair["b"]) for pair in partial),
        },
    }


def score(
    pairs: list[dict[str, Any]], positive: tuple[str, ...], found: Related, *, weighted: bool
) -> dict[str, Any]:
    """Return precision, recall and F1 of `found` against the positive labels and the negative ones."""
    chosen = [pair for pair in pairs if pair["label"] in (*positive, *NEGATIVE)]
    if weighted:
        chosen = [pair for pair in chosen if pair["stratum"] != COARSE_STRATUM]
    truth = [pair["label"] in positive for pair in chosen]
    answers = [found(pair["a"], pair["b"]) for pair in chosen]
    weights = [pair["weight"] if weighted else 1.0 for pair in chosen]
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, answers, average="binary", sample_weight=weights, zero_division=0.0
    )
    wrong = sum(answer and not label for answer, label in zip(answers, truth, strict=True))
    missed = sum(label and not answer for answer, label in zip(answers, truth, strict=True))
    figures = {"precision": float(precision), "recall": float(recall), "f1": float(f1)}
    rounded = {name: round(value, 4) for name, value in figures.items()}
    return {"pairs": len(chosen), **rounded, "found_wrongly": wrong, "missed": missed}
