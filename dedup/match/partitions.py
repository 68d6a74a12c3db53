"""The stages of the canonical scan on one part of a corpus, for machines that each hold a part.

An article is named by its position in canonical order, of which a part knows some only. `find_formulas`,
`meet_in_wording` and `meet_in_bands` see all articles of a shingle or a band key; `judge_pairs` sees both
articles of each pair; `settle_pairs` sees all matches. What they find does not depend on how the corpus is
divided.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.buckets import Buckets, by_position
from dedup.match.judge import judge
from dedup.match.likely import MIN_SHARED_SAMPLE
from dedup.match.numbering import number_shared
from dedup.match.samples import MAX_MEETING, MAX_WAITING, one_each, sampled_rows
from dedup.match.verify import Features, Rule, load_article, scratch_for
from dedup.match.waiting import (
    BANDED,
    NO_BOUND,
    TALLIES,
    doubled,
    forget,
    meet,
    start_meetings,
    start_waiting,
    wait,
    waiting_sizes,
)
from dedup.match.wording import are_formulas

MAX_EARLIER = 64
"""Articles of one bucket that later ones are compared with, the earliest. In the scan canonicals alone wait
in a bucket; a part cannot know yet who will be one."""


class Meetings(NamedTuple):
    """Pairs of articles that share buckets, each pair once: `earlier` and `later` int64[k] are positions.

    `num_shared` int64[k] counts the buckets; `num_full` those with more articles than MAX_EARLIER.
    """

    earlier: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    num_shared: npt.NDArray[np.int64]
    num_full: int


def meet_in_bands(positions: npt.NDArray[np.int64], keys: npt.NDArray[np.int64]) -> Meetings:
    """Return who meets in the buckets of band keys, int64[n]; `positions` int64[n] names the articles."""
    articles, members = np.unique(positions, return_inverse=True)
    values, buckets = np.unique(keys, return_inverse=True)
    return _meet(articles, by_position(members, buckets, len(articles), len(values)))


def meet_in_wording(
    positions: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint32], ranks: npt.NDArray[np.int64]
) -> Meetings:
    """Return who meets in the buckets of sampled shingles, where the earlier of two waits.

    An entry is an article, one of its `MAX_MEETING` lowest sampled shingles and the rank of that, int64[n];
    no entry twice. An article waits in those of rank below `MAX_WAITING`.
    """
    articles, members = np.unique(positions, return_inverse=True)
    values, buckets = np.unique(hashes, return_inverse=True)
    by_rank = np.argsort(ranks, kind="stable")
    num_waiting = np.bincount(members[ranks < MAX_WAITING], minlength=len(articles))
    listed = by_position(members[by_rank], buckets[by_rank], len(articles), len(values))
    return _meet(articles, listed, num_waiting)


def needed_in_wording(
    earlier: npt.NDArray[np.int64], later: npt.NDArray[np.int64], sample_ratio: float
) -> npt.NDArray[np.float64]:
    """Return in how many sampled shingles two articles must meet to be compared, float64[k], as in the scan.

    `earlier` and `later` int64[k] are the sizes of their samples.
    """
    reach = np.minimum(
        np.minimum(1.0, MAX_MEETING / np.maximum(1, later)),
        np.minimum(1.0, MAX_WAITING / np.maximum(1, earlier)),
    )
    needed = np.maximum(MIN_SHARED_SAMPLE, sample_ratio * np.minimum(earlier, later) * reach)
    return np.asarray(needed, dtype=np.float64)


def find_formulas(
    hashes: npt.NDArray[np.uint32], days: npt.NDArray[np.int64], bounds: tuple[int, int]
) -> npt.NDArray[np.uint32]:
    """Return the formulas among sampled shingles, rising.

    An entry, of n, is a shingle of an article that tells how wording is spread and the article's day, no
    shingle of an article twice. `bounds` are `wording.formula_bounds` of the whole corpus.
    """
    shared = number_shared(one_each(hashes), days, np.ones(len(hashes), dtype=np.bool_), bounds)
    return shared.hashes[shared.is_formula]


def _meet(
    articles: npt.NDArray[np.int64], buckets: Buckets, num_waiting: npt.NDArray[np.int64] | None = None
) -> Meetings:
    """Return who meets in which bucket; `articles` int64[n], rising, has the position of each number.

    Of the buckets of an article it waits in the first `num_waiting`, int64[n]; without these in all.
    """
    n = len(articles)
    waiting = start_waiting(buckets, MAX_EARLIER, num_waiting=num_waiting)
    meetings = start_meetings(n)
    state = np.zeros(2, dtype=np.int64)  # next article, pairs
    pairs = np.empty((max(4096, n), 3), dtype=np.int64)
    nobody = np.empty(0, dtype=np.int64)
    while True:
        _meet_all(waiting, meetings, nobody, pairs, state)
        if state[0] == n:
            break
        pairs = doubled(pairs)
    pairs = pairs[: state[1]]
    num_full = int(np.count_nonzero(waiting_sizes(buckets, waiting.waiting_ends) > MAX_EARLIER))
    return Meetings(articles[pairs[:, 0]], articles[pairs[:, 1]], pairs[:, 2], num_full)


@kernel
def _meet_all(waiting, meetings, nobody, pairs, state):
    """Walk the articles from number state[0] on; stop early where `pairs` could become too short."""
    num_articles = len(waiting.offsets) - 1
    for number in range(state[0], num_articles):
        count = meet(number, waiting, meetings, BANDED, 0, nobody, nobody, NO_BOUND, 0)
        if state[1] + count > len(pairs):
            forget(count, meetings)
            state[0] = number
            return
        for k in range(count):
            candidate = meetings.candidates[k]
            pairs[state[1], 0] = candidate
            pairs[state[1], 1] = number
            pairs[state[1], 2] = meetings.met[candidate, TALLIES]
            state[1] += 1
        wait(number, waiting)
    state[0] = num_articles


def judge_pairs(
    features: Features,
    rule: Rule,
    later: npt.NDArray[np.int64],
    earlier: npt.NDArray[np.int64],
    formulas: npt.NDArray[np.uint32],
) -> npt.NDArray[np.int64]:
    """Return what row later[k] of `features` is to row earlier[k], int64[k, 4]: kind and sizes as `judge`.

    `formulas` are those of the whole corpus, rising.
    """
    n = len(features.dates)
    rows = np.arange(n, dtype=np.int64)
    hashes, members = sampled_rows(features, rule)
    values, numbers = np.unique(hashes, return_inverse=True)
    worded = start_waiting(by_position(members, numbers, n, len(values)), 0)
    found = np.zeros((len(later), 4), dtype=np.int64)
    _judge_pairs(
        features, rule, rows, later, earlier, np.argsort(later, kind="stable"), worded,
        are_formulas(values, formulas), scratch_for(features, rows),
        np.full((n, 2), -1, dtype=np.int64), found,
    )  # fmt: skip
    return found


@kernel
def _judge_pairs(
    features, rule, rows, later, earlier, by_later, worded, is_formula, scratch, set_sizes, found
):  # fmt: skip
    loaded = -1
    for k in by_later:
        row = later[k]
        if row != loaded:
            set_sizes[row, 0], set_sizes[row, 1] = load_article(row, features, rule, scratch, row)
            loaded = row
        kind, shared, own, other = judge(
            row, earlier[k], rows, set_sizes, features, rule, worded, is_formula, scratch
        )
        found[k, 0], found[k, 1], found[k, 2], found[k, 3] = kind, shared, own, other


def settle_pairs(earlier: npt.NDArray[np.int64], later: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the positions, rising, that are members: those with an earlier match that is none itself.

    The others are the lexicographically-first maximal independent set of the graph of matches.
    """
    positions, ends = np.unique(np.concatenate([earlier, later]), return_inverse=True)
    first, second = ends[: len(earlier)], ends[len(earlier) :]
    is_member = np.zeros(len(positions), dtype=np.bool_)
    _settle(first, second, np.argsort(second, kind="stable"), is_member)
    return positions[is_member]


@kernel
def _settle(first, second, by_second, is_member):
    for k in by_second:
        if not is_member[first[k]]:
            is_member[second[k]] = True
