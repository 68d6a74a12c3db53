"""The canonical order: a total order of articles that does not depend on the order of input."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa


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
    keys = [published, source_ranks, -num_tokens]
    if keep == "longest":
        keys = [keys[2], keys[0], keys[1]]
    order = np.lexsort(keys[::-1]).astype(np.int64, copy=False)
    same = np.ones(max(0, len(order) - 1), dtype=np.bool_)
    for key in keys:
        in_order = key[order]
        same &= in_order[1:] == in_order[:-1]
    # Rows that agree in all keys: they begin where `same` becomes true and end where it becomes false.
    bounds = np.flatnonzero(np.diff(same, prepend=False, append=False))
    for begin, last in bounds.reshape(-1, 2).tolist():
        rows = order[begin : last + 1].tolist()
        rows.sort(key=lambda row: ids[row].as_py())
        order[begin : last + 1] = rows
    return order
