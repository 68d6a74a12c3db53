"""Signatures that the scan may read: those of articles in crowded buckets.

Once the buckets of bands are found, a signature serves one purpose: where an article meets many in bands, its
signature must agree with theirs. Few articles can come to that, so the others' signatures need not be kept.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.buckets import Buckets
from dedup.match.verify import Features


class CrowdedSignatures(NamedTuple):
    """The signatures of some positions: that of position p is values[entries[p]].

    `values` uint32[k, num_perm]; `entries` int64[n], -1 for a position that is never asked for.
    """

    values: npt.NDArray[np.uint32]
    entries: npt.NDArray[np.int64]


def crowded_signatures(
    bands: Buckets,
    rows: npt.NDArray[np.int64],
    features: Features,
    signatures: npt.NDArray[np.uint32],
    *,
    most_waiting: int,
    many: int,
) -> CrowdedSignatures:
    """Return a copy of the signatures that a scan over these buckets can ask for.

    It asks for that of a long text which meets more than `many` others, at most `most_waiting` in a bucket,
    and for theirs. `rows` int64[n] gives the row in `features` and `signatures` at each position.
    """
    sizes = np.bincount(bands.buckets, minlength=bands.num_buckets)
    is_short = (features.character_ends > features.character_begins)[rows]
    crowds = np.zeros(bands.num_buckets, dtype=np.bool_)
    mark_crowds(bands.offsets, bands.buckets, sizes, is_short, most_waiting, many, crowds)
    asked = np.zeros(len(rows), dtype=np.bool_)
    mark_asked(bands.offsets, bands.buckets, crowds, asked)
    positions = np.flatnonzero(asked)
    positions = positions[np.argsort(rows[positions])]  # signatures may be on a disk: read them as they lie
    entries = np.full(len(rows), -1, dtype=np.int64)
    entries[positions] = np.arange(len(positions))
    return CrowdedSignatures(signatures[rows[positions]], entries)


@kernel
def mark_crowds(offsets, buckets, sizes, is_short, most_waiting, many, crowds):
    """Mark the buckets of each long text that can meet more than `many` others in its buckets."""
    for position in range(len(offsets) - 1):
        others = 0
        for slot in range(offsets[position], offsets[position + 1]):
            others += min(most_waiting, sizes[buckets[slot]] - 1)
        if others > many and not is_short[position]:
            for slot in range(offsets[position], offsets[position + 1]):
                crowds[buckets[slot]] = True


@kernel
def mark_asked(offsets, buckets, crowds, asked):
    """Mark the positions that are in one of these buckets or more."""
    for position in range(len(offsets) - 1):
        for slot in range(offsets[position], offsets[position + 1]):
            if crowds[buckets[slot]]:
                asked[position] = True
