"""What is wrong with the file of an index, its posting rows compared with those that its sketches give."""

from collections.abc import Iterator

import apsw
import numpy as np
import numpy.typing as npt

from dedup.errors import IndexFileError
from dedup.index import reads
from dedup.index.posting_tables import count_postings, find_postings
from dedup.index.rows import Postings
from dedup.index.verify import find_problems, listed
from dedup.run.arrivals import posting_keys
from dedup.run.deciding import postings_of, read_arrivals
from dedup.settings import Settings

Int64s = npt.NDArray[np.int64]

_CANONICALS_AT_ONCE = 1000


def find_all_problems(connection: apsw.Connection, settings: Settings) -> list[str]:
    """Return all that is wrong, in words; takes as long again as making the posting rows did."""
    return [*find_problems(connection), *listed(_posting_problems(connection, settings))]


def _posting_problems(connection: apsw.Connection, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with posting rows: by them an article is found, so one that is missing hides it.

    A canonical lacks the rows of buckets that were full when it came, no more than its place counts.
    """
    canonicals = reads.all_canonicals(connection)
    num_right, all_compared = 0, True
    for start in range(0, len(canonicals), _CANONICALS_AT_ONCE):
        nos = canonicals[start : start + _CANONICALS_AT_ONCE]
        try:
            due, right = _count_rows(connection, nos, settings)
            places = reads.read_places(connection, nos)
        except IndexFileError as error:
            all_compared = False
            yield f"the posting rows of article numbers {nos[0]} to {nos[-1]} were not compared: {error}"
            continue
        num_right += int(right.sum())
        for place, num_due, num_found in zip(places, due.tolist(), right.tolist(), strict=True):
            if num_due - num_found > place.full_buckets:
                yield f"article number {place.no} has {num_found} of its {num_due} posting rows"
    num_rows = count_postings(connection)
    if all_compared and num_rows != num_right:
        yield f"posting rows that do not follow from the sketch of their article: {num_rows - num_right}"


def _count_rows(connection: apsw.Connection, nos: Int64s, settings: Settings) -> tuple[Int64s, Int64s]:
    """Return how many posting rows each canonical has where no bucket was full, and how many are there."""
    arrivals = read_arrivals(connection, nos, settings)
    posted = posting_keys(arrivals.sketches, settings)
    waiting = np.flatnonzero(posted.waits)
    due = postings_of(posted, waiting, nos)
    right = _are_held(due, find_postings(connection, np.unique(due.keys)))
    rows = posted.rows[waiting]
    return np.bincount(rows, minlength=len(nos)), np.bincount(rows[right], minlength=len(nos))


def _are_held(due: Postings, held: Postings) -> npt.NDArray[np.bool_]:
    """Return which of the rows are among those held, bool[k]; these have keys of `due`."""
    keys = np.unique(due.keys)
    wanted, there = (np.searchsorted(keys, rows.keys) << 32 | rows.nos for rows in (due, held))
    order = np.argsort(there)
    if not len(order):
        return np.zeros(len(wanted), dtype=np.bool_)
    at = order[np.minimum(np.searchsorted(there, wanted, sorter=order), len(order) - 1)]
    return np.asarray((there[at] == wanted) & (held.sampled[at] == due.sampled))
