"""The outcome of the scan in the making: where each position goes, and what else it is related to."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel
from dedup.match.verify import PART, WHOLE, jaccard_of


class Outcome(NamedTuple):
    """What the scan writes by position; relations beyond the first grow: owner, other, kind and sizes."""

    canonicals: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    sizes: npt.NDArray[np.int64]
    relations: npt.NDArray[np.int64]


def start_outcome(num_positions: int) -> Outcome:
    """Return the outcome in which each position is a canonical."""
    return Outcome(
        canonicals=np.arange(num_positions, dtype=np.int64),
        kinds=np.zeros(num_positions, dtype=np.int8),
        sizes=np.zeros((num_positions, 3), dtype=np.int64),
        relations=np.empty((4096, 6), dtype=np.int64),
    )


@inner_kernel
def follow(position, first, out):
    """Have a position go where the first one with its very text went."""
    out.canonicals[position] = out.canonicals[first]
    out.kinds[position] = out.kinds[first]
    for k in range(3):  # a row at once would take numba a second more to compile
        out.sizes[position, k] = out.sizes[first, k]


@inner_kernel
def relate(position, other_position, kind, shared, own, other, out, state):
    """Take in one relation: the best match becomes the canonical, all else goes to `out.relations`."""
    relation = out.relations[state[1]]
    relation[0], relation[1], relation[2] = position, other_position, kind
    relation[3], relation[4], relation[5] = shared, own, other
    if kind not in (PART, WHOLE):
        best = out.sizes[position]
        is_first = out.kinds[position] == 0
        jaccard = jaccard_of(shared, own, other)
        best_jaccard = jaccard_of(best[0], best[1], best[2])
        earlier = other_position < out.canonicals[position]
        if is_first or jaccard > best_jaccard or (jaccard == best_jaccard and earlier):
            relation[1], relation[2] = out.canonicals[position], out.kinds[position]
            relation[3], relation[4], relation[5] = best[0], best[1], best[2]
            out.kinds[position] = kind
            out.canonicals[position] = other_position
            best[0], best[1], best[2] = shared, own, other
        if is_first:
            return
    state[1] += 1
