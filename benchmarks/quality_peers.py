"""The peers' usual ways to group articles: sketches of word 3-grams, an LSH index, connected components.

rensa's README shows a deduplicator that says which documents to keep. It names no groups, no canonical and
no part of a longer text: what its index finds for each article is joined here as datasketch's is.
"""

from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

NUM_PERM = 128
RENSA_SEED = 42  # its default, and its README's

Record = dict[str, Any]


def datasketch_groups(records: list[Record], threshold: float) -> dict[Any, int]:
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


def rensa_groups(records: list[Record], threshold: float) -> dict[Any, int]:
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


def _components(records: list[Record], edges: list[tuple[int, int]]) -> dict[Any, int]:
    rows, columns = np.array(edges).T
    graph = coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(len(records), len(records)))
    _, labels = connected_components(graph, directed=False)
    return {record["id"]: int(label) for record, label in zip(records, labels, strict=True)}


def _shingles(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[k : k + 3]) for k in range(len(words) - 2)]
