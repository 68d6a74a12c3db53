"""The peers' usual ways to group articles: sketches of word 3-grams, an LSH index, connected components.

rensa's README shows a deduplicator that says which documents to keep. It names no groups, no canonical and
no part of a longer text: what its index finds for each article is joined here as datasketch's is.

Peers with an environment of their own run as in the end-to-end benchmark (`grouping/`), on the texts as
they are: gaoya and text-dedup with their own tokenisers, FastSketchLSH and datatrove with words between
white space.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.contestants import CONTESTANTS, Contestant, find_contestants, measure_once
from benchmarks.process_run import CommandError

THRESHOLDS = (0.8, 0.5)
NUM_PERM = 128
RENSA_SEED = 42  # its default, and its README's

Record = dict[str, Any]
GroupOf = dict[Any, int]


def peer_groups(
    records: list[Record], lacking: list[str], say: Callable[[str], None]
) -> Iterator[tuple[str, GroupOf]]:
    """Yield each peer's name with its threshold, and the group of each id; `lacking` says who is left out."""
    for peer, groups_of in {"datasketch": datasketch_groups, "rensa": rensa_groups}.items():
        if find_spec(peer) is None:
            lacking.append(peer)
            continue
        for threshold in THRESHOLDS:
            say(f"quality: {peer} at {threshold}")
            yield _name(peer, threshold), groups_of(records, threshold)
    for contestant, python in find_contestants(lacking, say, _WITH_ENVIRONMENTS).items():
        for threshold in (contestant.own_threshold,) if contestant.own_threshold else THRESHOLDS:
            say(f"quality: {contestant.name} at {threshold}")
            try:
                yield _name(contestant.name, threshold), _run(contestant, python, records, threshold)
            except CommandError as error:
                lacking.append(f"{contestant.name} at {threshold}: {error}")


_WITH_ENVIRONMENTS = [
    contestant for contestant in CONTESTANTS if contestant.environment and contestant.way != "xxh3"
]
"""text-dedup once: another hash function finds the same."""


def _name(peer: str, threshold: float) -> str:
    return f"{peer}, word 3-grams, threshold {threshold}, connected components"


def _run(contestant: Contestant, python: str, records: list[Record], threshold: float) -> GroupOf:
    with tempfile.TemporaryDirectory(prefix="dedup-quality-") as folder:
        path = Path(folder, "articles.jsonl")
        with path.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps({"text": record["body"]}, ensure_ascii=False) + "\n")
        labels = measure_once(contestant, python, path, Path(folder), threshold=threshold)[2]
    return {record["id"]: int(label) for record, label in zip(records, labels, strict=True)}


def datasketch_groups(records: list[Record], threshold: float) -> GroupOf:
    """Return the connected components of datasketch's candidates at or above the threshold."""
    from datasketch import MinHash, MinHashLSH

    shingled = [[shingle.encode() for shingle in _shingles(record["body"])] for record in records]
    hashes = list(MinHash.bulk(shingled, num_perm=NUM_PERM))
    index = MinHashLSH(threshold=threshold, num_perm=NUM_PERM)
    edges = []
    for row, (minhash, shingles) in enumerate(zip(hashes, shingled, strict=True)):
        if not shingles:
            continue
        near = [other for other in index.query(minhash) if minhash.jaccard(hashes[other]) >= threshold]
        edges.extend((row, other) for other in near)
        index.insert(row, minhash)
    return _components(records, edges)


def rensa_groups(records: list[Record], threshold: float) -> GroupOf:
    """Return the connected components of what rensa's deduplicator finds among the articles it keeps."""
    from rensa import RMinHash, RMinHashDeduplicator

    shingled = [_shingles(record["body"]) for record in records]
    hashes = RMinHash.from_token_sets(shingled, num_perm=NUM_PERM, seed=RENSA_SEED)
    index = RMinHashDeduplicator(threshold=threshold, num_perm=NUM_PERM, use_lsh=True)
    edges = []
    for row, (minhash, shingles) in enumerate(zip(hashes, shingled, strict=True)):
        if not shingles:
            continue
        found = [int(key) for key in index.get_duplicates(minhash)]
        near = [other for other in found if minhash.jaccard(hashes[other]) >= threshold]
        edges.extend((row, other) for other in near)
        if not near:
            index.add(str(row), minhash)
    return _components(records, edges)


def _components(records: list[Record], edges: list[tuple[int, int]]) -> GroupOf:
    rows, columns = np.array(edges).T
    graph = coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(len(records), len(records)))
    _, labels = connected_components(graph, directed=False)
    return {record["id"]: int(label) for record, label in zip(records, labels, strict=True)}


def _shingles(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[k : k + 3]) for k in range(len(words) - 2)]
