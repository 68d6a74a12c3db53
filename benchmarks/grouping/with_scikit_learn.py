"""scikit-learn alone: `HashingVectorizer` on word 3-grams, `NearestNeighbors` within a cosine distance.

For two sets cosine >= Jaccard, so a radius of 1 - threshold misses none; what it finds is verified.
"""

import common
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.neighbors import NearestNeighbors

BATCH = 1000


def group(path, threshold, threads, stages):
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        vectors = HashingVectorizer(
            analyzer=common.shingles, binary=True, norm=None, alternate_sign=False, dtype=np.float32
        ).transform(texts)
    with stages.stage("group"):
        model = NearestNeighbors(radius=1 - threshold, metric="cosine", algorithm="brute", n_jobs=threads)
        model.fit(vectors)
        sizes = np.diff(vectors.indptr)
        edges = []
        for start in range(0, len(texts), BATCH):
            found = model.radius_neighbors(vectors[start : start + BATCH], return_distance=False)
            rows = np.repeat(np.arange(start, start + len(found)), [len(each) for each in found])
            others = np.concatenate(found)
            rows, others = rows[others < rows], others[others < rows]
            shared = np.asarray(vectors[rows].multiply(vectors[others]).sum(axis=1)).ravel()
            near = shared / np.maximum(sizes[rows] + sizes[others] - shared, 1) >= threshold
            edges.append(np.stack([rows[near], others[near]]))
        rows, others = np.concatenate(edges, axis=1)
        graph = coo_matrix((np.ones(len(rows)), (rows, others)), shape=(len(texts), len(texts)))
        return connected_components(graph, directed=False)[1].tolist()


if __name__ == "__main__":
    common.main({"": group})
