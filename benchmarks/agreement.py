"""How groups agree with exact pairs and with the truth: pairwise precision and recall."""

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]


def score_pairs(labels: Labels, pairs: npt.NDArray[np.int64]) -> dict[str, float | int | None]:
    """Return precision and recall of the pairs inside groups against the pairs of brute force.

    A group of m articles has m (m - 1) / 2 pairs; those chained together by others count as wrong where
    they are not similar themselves.

    >>> score_pairs(np.array([0, 0, 0, 3]), np.array([[0, 1], [1, 2], [2, 3]]))["recall"]
    0.6667
    """
    inside = num_pairs(labels)
    right = int(np.count_nonzero(labels[pairs[:, 0]] == labels[pairs[:, 1]]))
    return {
        "pairs_to_find": len(pairs),
        "pairs_in_groups": inside,
        "recall": _share(right, len(pairs)),
        "precision": _share(right, inside),
    }


def score_families(labels: Labels, families: Labels) -> dict[str, float | int | None]:
    """Return precision and recall of the pairs inside groups against the pairs inside families.

    >>> score_families(np.array([0, 0, 2, 2]), np.array([0, 0, 0, 3]))["precision"]
    0.5
    """
    inside, wanted = num_pairs(labels), num_pairs(families)
    both = num_pairs(np.unique(np.stack([labels, families]), axis=1, return_inverse=True)[1].ravel())
    return {"recall": _share(both, wanted), "precision": _share(both, inside)}


def num_pairs(labels: Labels) -> int:
    """Return the number of pairs of equal labels.

    >>> num_pairs(np.array([5, 5, 5, 7]))
    3
    """
    counts = np.unique(labels, return_counts=True)[1].astype(object)  # Python integers do not overflow
    return int(sum(counts * (counts - 1) // 2))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
