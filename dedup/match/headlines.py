"""The groups of titles: a title joins the group whose titles it resembles most, on average.

In canonical order, a title joins the earlier group with the highest mean `evidence` over its titles, if that
is enough; then a group whose mean evidence with an earlier one is enough joins that. A mean stops
chains, as a star does, and does not lose two variants that differ from a third on other sides.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.compiling import kernel
from dedup.match.buckets import Buckets, by_position, number_runs
from dedup.match.evidence import (
    PRIOR_TITLES,
    UNKNOWN_ALIKE,
    Evidence,
    KeyCounts,
    Titles,
    Weighed,
    count_keys,
    evidence_of,
    weigh_keys,
)
from dedup.match.grouping import find_firsts
from dedup.match.scan import Scan
from dedup.match.verify import (
    BY_CHARACTERS,
    Features,
    Rule,
    load_article,
    measure_article,
    scratch_for,
    shared_characters,
)
from dedup.match.waiting import doubled

u64 = np.uint64

MAX_PAIRED_KEYS = 12
"""Titles meet that share two keys; of a longer title the rarest keys are paired."""

MAX_MET = 64
"""A title meets the latest so many that share two keys with it; more of them make a formula."""

MAX_SPEAKING = 32
"""The first so many titles of a group speak for it."""


def group_headlines(
    order: npt.NDArray[np.int64],
    fingerprints: npt.NDArray[np.uint64],
    features: Features,
    rule: Rule,
    titles: Titles,
    evidence: Evidence,
    counts: KeyCounts | None = None,
) -> Scan:
    """Return the groups of the titles in `order`, int64[n]; positions index `order`.

    `counts` tell how rare each key is; by default those of the titles themselves, of the very same ones the
    first. Scores in the result are those of the character shingle sets.
    """
    n = len(order)
    own = np.arange(n, dtype=np.int64)
    same = find_firsts(order, fingerprints, features)
    firsts = same if rule.window == MISSING_DATE else own
    if counts is None:
        counting = np.zeros(n, dtype=np.bool_)
        counting[order[same == own]] = True
        counts = count_keys(titles, counting)
    weights = weigh_keys(titles, counts)
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    totals = ends[titles.offsets[1:]] - ends[titles.offsets[:-1]]
    pairs = _pair_buckets(titles, weights, order, firsts == own)
    groups = _Groups(own.copy(), np.full(n, -1, dtype=np.int64), own.copy())
    enough_alike = UNKNOWN_ALIKE * PRIOR_TITLES / (PRIOR_TITLES + counts.num_titles)
    weighed = Weighed(order, features, rule.window, titles, weights, totals, evidence, enough_alike)
    edges, num_candidates, num_full = _join(weighed, pairs, firsts, groups)
    both = np.concatenate([edges, edges[:, ::-1]])
    by_title = by_position(both[:, 0].copy(), both[:, 1].copy(), n, n)
    _look_again(weighed, by_title.offsets, by_title.buckets, firsts, groups)
    canonicals = groups.canonicals[firsts]
    return _scan_of(order, features, rule, canonicals, same, edges, num_candidates, num_full)


class _Groups(NamedTuple):
    """Groups in the making; all int64[n] by position.

    `canonicals`; the titles of a group as a list, `nexts` from its canonical on, -1 at its end; by canonical
    `lasts`, the end of the list.
    """

    canonicals: npt.NDArray[np.int64]
    nexts: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]


def _pair_buckets(
    titles: Titles,
    weights: npt.NDArray[np.float64],
    order: npt.NDArray[np.int64],
    taking_part: npt.NDArray[np.bool_],
) -> Buckets:
    """Return the buckets of titles that share two keys, by position."""
    num_paired = np.minimum(np.diff(titles.offsets), MAX_PAIRED_KEYS)[order] * taking_part
    paired = np.empty(int(np.sum(num_paired * (num_paired - 1) // 2)), dtype=np.uint64)
    count = _pair_keys(titles, weights, order, np.flatnonzero(taking_part), paired)
    paired = paired[:count]
    paired.sort()
    members = np.empty(count, dtype=np.int64)
    numbers = np.empty(count, dtype=np.int64)
    num_members, num_buckets = number_runs(paired, u64(32), members, numbers)
    return by_position(members[:num_members], numbers[:num_members], len(order), num_buckets)


@kernel
def _pair_keys(titles, weights, order, positions, paired):
    """Write hash and position of the key pairs of all positions to `paired`; return how many."""
    count = 0
    for position in positions:
        row = order[position]
        begin, end = titles.offsets[row], titles.offsets[row + 1]
        chosen = np.arange(begin, end)
        if len(chosen) > MAX_PAIRED_KEYS:
            chosen = begin + np.argsort(-weights[begin:end], kind="mergesort")[:MAX_PAIRED_KEYS]
            chosen.sort()
        for i in range(len(chosen)):
            for j in range(i + 1, len(chosen)):
                h = u64(titles.keys[chosen[i]]) << u64(32) | u64(titles.keys[chosen[j]])
                h *= u64(0x9E3779B97F4A7C15)  # wraps modulo 2**64, as intended
                h ^= h >> u64(29)
                h *= u64(0xD6E8FEB86659FD93)
                paired[count] = (h >> u64(32) << u64(32)) | u64(position)
                count += 1
    return count


def _join(
    weighed: Weighed, pairs: Buckets, firsts: npt.NDArray[np.int64], groups: _Groups
) -> tuple[npt.NDArray[np.int64], int, int]:
    """Have each title join a group; return all pairs with enough evidence, and two counts.

    The pairs are int64[k, 2], the later position first; then the number of pairs that were
    weighed and of buckets that held more than `MAX_MET`.
    """
    n = len(firsts)
    owners = np.repeat(np.arange(n, dtype=np.int64), np.diff(pairs.offsets))
    nexts = np.empty(len(pairs.buckets), dtype=np.int64)
    heads = np.full(pairs.num_buckets, -1, dtype=np.int64)
    sizes = np.zeros(pairs.num_buckets, dtype=np.int64)
    stamps = np.full((2, n), -1, dtype=np.int64)
    edges = np.empty((4096, 2), dtype=np.int64)
    state = np.zeros(3, dtype=np.int64)  # next position, pairs with enough evidence, pairs weighed
    while True:
        _join_from(
            weighed, pairs.offsets, pairs.buckets, owners, nexts, heads, sizes, stamps, firsts, groups,
            edges, state,
        )  # fmt: skip
        if state[0] == n:
            return edges[: state[1]], int(state[2]), int(np.count_nonzero(sizes > MAX_MET))
        edges = doubled(edges)


@kernel
def _join_from(  # noqa: C901 - one walk; a call for each bucket would cost more than it holds
    weighed, offsets, buckets, owners, nexts, heads, sizes, stamps, firsts, groups, edges, state
):  # fmt: skip
    """Walk from position state[0] on; stop early where `edges` could become too short."""
    needed = weighed.evidence.needed
    for position in range(state[0], len(firsts)):
        if firsts[position] != position:
            continue
        if state[1] + MAX_MET * (offsets[position + 1] - offsets[position]) > len(edges):
            state[0] = position
            return
        best, best_mean = position, needed
        for slot in range(offsets[position], offsets[position + 1]):
            bucket = buckets[slot]
            other = heads[bucket]
            num_met = 0
            while other >= 0 and num_met < MAX_MET:
                candidate = owners[other]
                num_met += 1
                other = nexts[other]
                if stamps[0, candidate] == position:
                    continue
                stamps[0, candidate] = position
                state[2] += 1
                if evidence_of(position, candidate, weighed) < needed:
                    continue
                edges[state[1], 0], edges[state[1], 1] = position, candidate
                state[1] += 1
                canonical = groups.canonicals[candidate]
                if stamps[1, canonical] == position:
                    continue
                stamps[1, canonical] = position
                mean = _mean_evidence(position, canonical, weighed, groups)
                if mean > best_mean or (mean == best_mean and (best == position or canonical < best)):
                    best, best_mean = canonical, mean
            nexts[slot] = heads[bucket]
            heads[bucket] = slot
            sizes[bucket] += 1
        if best != position:
            _append(position, best, groups)
    state[0] = len(firsts)


@kernel
def _append(position, canonical, groups):
    """Put the group of `position` behind that of an earlier canonical."""
    member = position
    while member >= 0:
        groups.canonicals[member] = canonical
        member = groups.nexts[member]
    groups.nexts[groups.lasts[canonical]] = position
    groups.lasts[canonical] = groups.lasts[position]


@kernel
def _mean_evidence(a, b, weighed, groups):
    """Return the mean evidence of the titles from `a` on with those from `b` on, in the lists of groups."""
    total = 0.0
    count = 0
    left, num_left = a, 0
    while left >= 0 and num_left < MAX_SPEAKING:
        right, num_right = b, 0
        while right >= 0 and num_right < MAX_SPEAKING:
            total += evidence_of(left, right, weighed)
            count += 1
            right = groups.nexts[right]
            num_right += 1
        left = groups.nexts[left]
        num_left += 1
    return total / count


@kernel
def _look_again(weighed, offsets, others, firsts, groups):
    """Have each group join the earlier group with the highest mean evidence, if that is enough."""
    seen = np.full(len(firsts), -1, dtype=np.int64)
    for position in range(len(firsts)):
        if firsts[position] != position or groups.canonicals[position] != position:
            continue
        best, best_mean = position, weighed.evidence.needed
        member = position
        while member >= 0:
            for k in range(offsets[member], offsets[member + 1]):
                canonical = groups.canonicals[others[k]]
                if canonical >= position or seen[canonical] == position:
                    continue
                seen[canonical] = position
                mean = _mean_evidence(position, canonical, weighed, groups)
                if mean > best_mean or (mean == best_mean and (best == position or canonical < best)):
                    best, best_mean = canonical, mean
            member = groups.nexts[member]
        if best != position:
            _append(position, best, groups)


def _scan_of(
    order: npt.NDArray[np.int64],
    features: Features,
    rule: Rule,
    canonicals: npt.NDArray[np.int64],
    same: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    num_candidates: int,
    num_full: int,
) -> Scan:
    """Return groups in the form that the scan of articles has, scored by character shingles."""
    positions = np.arange(len(order), dtype=np.int64)
    exact = (canonicals != positions) & (same[canonicals] == same)
    near = np.flatnonzero((canonicals != positions) & ~exact)
    later, earlier = edges[:, 0], edges[:, 1]
    further = edges[
        (canonicals[later] != later) & (canonicals[earlier] == earlier) & (canonicals[later] != earlier)
    ]
    further = further[np.lexsort((further[:, 1], further[:, 0]))]
    pairs = np.concatenate([np.stack([near, canonicals[near]], axis=1), further])
    sizes = np.zeros((len(pairs), 3), dtype=np.int64)
    _character_sizes(pairs, order, features, rule, scratch_for(features, order[pairs.reshape(-1)]), sizes)
    scores = np.zeros((len(order), 3), dtype=np.int64)
    scores[near] = sizes[: len(near)]
    kinds = np.zeros(len(order), dtype=np.int8)
    kinds[near] = BY_CHARACTERS
    kind_column = np.full((len(further), 1), BY_CHARACTERS, dtype=np.int64)
    relations = np.concatenate([further, kind_column, sizes[len(near) :]], axis=1)
    return Scan(
        canonicals,
        kinds,
        scores[:, 0],
        scores[:, 1],
        scores[:, 2],
        exact,
        relations,
        num_candidates,
        num_full,
    )


@kernel
def _character_sizes(pairs, order, features, rule, scratch, sizes):
    """Write |A and B|, |A| and |B| of the character shingle sets of each pair of positions to `sizes`."""
    measured = np.full((len(order), 2), -1, dtype=np.int64)
    for k in range(len(pairs)):
        row, other = order[pairs[k, 0]], order[pairs[k, 1]]
        load_article(row, features, rule, scratch, k)
        measure_article(row, features, rule, scratch, measured)
        measure_article(other, features, rule, scratch, measured)
        sizes[k, 0] = shared_characters(row, other, features, scratch, k)
        sizes[k, 1], sizes[k, 2] = measured[row, 1], measured[other, 1]
