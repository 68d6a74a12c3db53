"""Meeting ahead: what articles of one stretch find among those that waited before it, on several threads.

Who waits is decided one article after the other, but only canonicals of the same stretch are not known when
it begins. All others can be met and judged at any time after that, in any order: this is most of the work.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.match.crowded import CrowdedSignatures
from dedup.match.judge import judge
from dedup.match.likely import (
    MANY_BANDED,
    MIN_SHARED_SAMPLE,
    likely_by_bands,
    likely_by_wording,
)
from dedup.match.outcome import relate
from dedup.match.verify import Features, Rule, Scratch, is_short, load_article, scratch_for
from dedup.match.waiting import (
    BANDED,
    NO_BOUND,
    Meetings,
    Waiting,
    doubled,
    forget,
    meet,
    meet_often,
    num_banded,
    num_worded,
    start_meetings,
)

CANDIDATE, IF_FEW, KIND, SHARED, OWN, OTHER = range(6)


class Ahead(NamedTuple):
    """What the positions from `begin` to `end` found ahead.

    A record, of `records` int64[k, 6], is a candidate to read, what `judge` says of it, and under IF_FEW 0,
    or in how many bands they met where nothing but bands speaks for it, and only if they are few. Those of
    position p end at ends[p - begin], int64; num_banded[p - begin], int64, candidates it met in bands.
    """

    begin: int
    end: int
    ends: npt.NDArray[np.int64]
    num_banded: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]


class Surroundings(NamedTuple):
    """All that meeting ahead reads."""

    features: Features
    rule: Rule
    rows: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    banded: Waiting
    worded: Waiting
    num_sampled: npt.NDArray[np.int32]
    is_formula: npt.NDArray[np.bool_]
    signatures: CrowdedSignatures
    least_equal: int


def nothing_ahead(begin: int, end: int) -> Ahead:
    """Return what the first stretch found ahead: nobody."""
    none = np.empty(0, dtype=np.int64)
    return Ahead(begin, end, none, none, np.empty((0, 6), dtype=np.int64))


def meet_ahead(
    surroundings: Surroundings,
    set_sizes: npt.NDArray[np.int64],
    stretches: list[tuple[int, int]],
    walked: npt.NDArray[np.int64],
    num_threads: int,
) -> Iterator[tuple[int, Ahead]]:
    """Yield where a stretch begins and what its positions found ahead, as they follow each other.

    Those of the first stretch find nobody. Articles wait between one stretch and the next, not while it is
    met. `walked` int64[m] are the rows that may meet somebody. `set_sizes` int64[n, 2] is filled in by all
    threads: the same number by each that comes to it.
    """
    begin, end = stretches[0]
    yield begin, nothing_ahead(begin, end)
    if len(stretches) == 1:
        return
    scratch = [
        (start_meetings(len(surroundings.rows)), scratch_for(surroundings.features, walked))
        for _ in range(num_threads)
    ]
    with ThreadPoolExecutor(num_threads) as pool:
        for begin, end in stretches[1:]:
            bounds = np.linspace(begin, end, num_threads + 1).astype(np.int64).tolist()
            parts = zip(bounds[:-1], bounds[1:], scratch, strict=True)
            for ahead in list(pool.map(lambda part: _meet_part(surroundings, set_sizes, *part), parts)):
                yield begin, ahead


def _meet_part(
    surroundings: Surroundings,
    set_sizes: npt.NDArray[np.int64],
    begin: int,
    end: int,
    scratch: tuple[Meetings, Scratch],
) -> Ahead:
    ends, num_of_banded = np.zeros(end - begin, dtype=np.int64), np.zeros(end - begin, dtype=np.int64)
    records = np.empty((4 * (end - begin) + 64, 6), dtype=np.int64)
    state = np.array([begin, 0], dtype=np.int64)  # next position, records
    while True:
        _meet_ahead(*surroundings, *scratch, set_sizes, begin, ends, num_of_banded, records, state)
        if state[0] == end:
            return Ahead(begin, end, ends, num_of_banded, records)
        records = doubled(records)


@kernel
def _meet_ahead(
    features, rule, rows, firsts, banded, worded, num_sampled, is_formula, signatures, least_equal,
    meetings, scratch, set_sizes, begin, ends, num_of_banded, records, state,
):  # fmt: skip
    """Meet from position state[0] on; stop early where `records` could become too short."""
    for position in range(state[0], begin + len(ends)):
        if firsts[position] == position:
            num_by_bands = meet(position, banded, meetings, BANDED, 0, features.dates, rows, NO_BOUND, 0)
            count = meet_often(
                position, worded, meetings, MIN_SHARED_SAMPLE, num_by_bands, features.dates, rows, NO_BOUND, 0
            )
            if state[1] + count > len(records):
                forget(count, meetings)
                state[0] = position
                return
            num_of_banded[position - begin] = num_by_bands
            row = rows[position]
            short = is_short(row, features)
            is_loaded = False
            for k in range(count):
                candidate = meetings.candidates[k]
                by_bands = num_banded(candidate, meetings)
                surely = likely_by_wording(
                    position, candidate, num_worded(candidate, meetings), num_sampled, rule
                )
                if not surely and not likely_by_bands(
                    position, candidate, by_bands, num_by_bands, short, signatures, least_equal
                ):
                    continue
                if not is_loaded:
                    set_sizes[row, 0], set_sizes[row, 1] = load_article(
                        row, features, rule, scratch, position
                    )
                    is_loaded = True
                kind, shared, own, other = judge(
                    position, candidate, rows, set_sizes, features, rule, worded, is_formula, scratch
                )
                record = records[state[1]]
                record[CANDIDATE] = candidate
                record[IF_FEW] = 0 if surely or num_by_bands > MANY_BANDED else by_bands
                record[KIND], record[SHARED], record[OWN], record[OTHER] = kind, shared, own, other
                state[1] += 1
        ends[position - begin] = state[1]
    state[0] = begin + len(ends)


@inner_kernel
def found_ahead(position, since, ahead):
    """Return how many candidates a position found ahead, and how many it met in bands."""
    if since == 0:
        return 0, 0
    k = position - ahead.begin
    return ahead.ends[k] - (ahead.ends[k - 1] if k > 0 else 0), ahead.num_banded[k]


@inner_kernel
def take_ahead(position, row, num_ahead, num_by_bands, ahead, features, signatures, least_equal, out, state):
    """Take in what was found ahead, now that it is known how many candidates bands bring in all."""
    short = is_short(row, features)
    end = ahead.ends[position - ahead.begin]
    for k in range(end - num_ahead, end):
        record = ahead.records[k]
        if record[IF_FEW] > 0 and not likely_by_bands(
            position, record[CANDIDATE], record[IF_FEW], num_by_bands, short, signatures, least_equal
        ):
            continue
        state[2] += 1
        if record[KIND] != 0:
            relate(
                position, record[CANDIDATE], record[KIND], record[SHARED], record[OWN], record[OTHER], out,
                state,
            )  # fmt: skip
