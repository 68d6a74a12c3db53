"""The canonical order: a total order of articles that does not depend on the order of input."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def canonical_order(
    *,
    ids: pa.LargeStringArray,
    published: npt.NDArray[np.int64],
    source_ranks: npt.NDArray[np.int64],
    num_tokens: npt.NDArray[np.int64],
    keep: str,
) -> npt.NDArray[np.int64]:
    """Return the rows, int64[n], in canonical order.

    `published` is in microseconds since 1970 UTC, MISSING_DATE for none. The keys, first to last, are
    for "earliest": date, source rank, more words first, id; for "longest" the words come first; for
    "first-seen" the order of the rows alone counts. Ids are strings, ordered by code point.
    """
    if keep == "first-seen":
        return np.arange(len(ids), dtype=np.int64)
    table = pa.table(
        {
            "published": published,
            "source_rank": source_ranks,
            "words": num_tokens,
            "id": ids,
        }
    )
    keys = [("published", "ascending"), ("source_rank", "ascending"), ("words", "descending")]
    if keep == "longest":
        keys = [keys[2], keys[0], keys[1]]
    order = pc.sort_indices(table, sort_keys=[*keys, ("id", "ascending")])
    return np.asarray(order.to_numpy(), dtype=np.int64)
