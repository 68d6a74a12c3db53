"""The canonical scan: one pass in canonical order that gives each article its group.

An article joins the best-matching earlier canonical, else it becomes a canonical; only canonicals wait
in buckets, so a bucket of m copies costs about m comparisons. The canonicals are the
lexicographically-first maximal independent set of the match graph (Blelloch, Fineman and Shun, "Greedy
sequential maximal independent set and matching are parallel on average", SPAA 2012).

`find_matching_pairs` is the same walk in which every article waits in its buckets.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.buckets import Buckets
from dedup.match.verify import Features, Rule, Scratch, jaccard_of, load_article, make_scratch, match

MAX_CANONICALS = 64
"""Canonicals that one bucket holds; later ones are found through their other buckets. A bucket of more
articles that are not copies of each other holds a template, and says nothing about copies."""

MANY_CANDIDATES = 32
"""With more candidates than this, those whose signatures speak against a match are not verified."""

_SIGMAS = 4.0  # a match at the threshold is dropped by the signatures with probability 3e-5


class _Walk(NamedTuple):
    """The state of a walk over positions: who waits in which bucket, and scratch for candidates."""

    heads: npt.NDArray[np.int64]  # by bucket: the membership that came last, -1 for none
    nexts: npt.NDArray[np.int64]  # by membership: the one before it in its bucket
    waiting: npt.NDArray[np.int64]  # by bucket: how many wait
    stamps: npt.NDArray[np.int64]  # by position: the walker that met it last
    candidates: npt.NDArray[np.int64]
    set_sizes: npt.NDArray[np.int64]  # by row: distinct word and character shingles, once loaded


class _Outcome(NamedTuple):
    """What the scan writes, by position; the arrays of further matches grow."""

    canonicals: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    sizes: npt.NDArray[np.int64]
    further_owners: npt.NDArray[np.int64]
    further: npt.NDArray[np.int64]
    further_jaccard: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """The outcome of a canonical scan over n positions in canonical order.

    `canonicals` int64[n]: the position of the canonical, its own for a canonical. `kinds` int8[n] is
    BY_WORDS or BY_CHARACTERS for a member, else 0. `shared`, `own`, `other` int64[n]: sizes of the
    common shingle set, the member's and the canonical's; all 0 where `kinds` is. `exact` bool[n]: the
    member has the very tokens of its canonical. `further` int64[k, 2]: a member and another canonical
    that it matches too, with `further_jaccard` float64[k].
    """

    canonicals: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    shared: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]
    further: npt.NDArray[np.int64]
    further_jaccard: npt.NDArray[np.float64]
    num_candidates: int
    num_full_buckets: int


@dataclass(frozen=True)
class MatchingPairs:
    """Verified pairs of positions (first < second), int64[k, 2], with `kinds` and set sizes as in `Scan`."""

    pairs: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    shared: npt.NDArray[np.int64]
    first_sizes: npt.NDArray[np.int64]
    second_sizes: npt.NDArray[np.int64]
    num_candidates: int


def scan_canonicals(
    features: Features,
    rule: Rule,
    rows: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    buckets: Buckets,
    signatures: npt.NDArray[np.uint32],
) -> Scan:
    """Return the groups of n articles.

    `rows` int64[n] gives the row in `features` and `signatures` at each position in canonical order;
    `firsts` int64[n] the first position with the very same tokens. Only first positions have buckets.
    """
    n = len(rows)
    out = _Outcome(
        canonicals=np.arange(n, dtype=np.int64),
        kinds=np.zeros(n, dtype=np.int8),
        sizes=np.zeros((n, 3), dtype=np.int64),
        further_owners=np.empty(1024, dtype=np.int64),
        further=np.empty(1024, dtype=np.int64),
        further_jaccard=np.empty(1024, dtype=np.float64),
    )
    state = np.zeros(3, dtype=np.int64)  # next position, further matches, candidates
    walk = _start_walk(buckets, features, n)
    scratch = _scratch_for(features, rows, buckets)
    lowest_equal = _lowest_equal(rule.threshold, signatures.shape[1])
    while True:
        _scan(
            features, rule, rows, firsts, buckets.offsets, buckets.buckets, signatures, lowest_equal,
            walk, scratch, out, state,
        )  # fmt: skip
        if state[0] == n:
            break
        out = out._replace(
            further_owners=_doubled(out.further_owners),
            further=_doubled(out.further),
            further_jaccard=_doubled(out.further_jaccard),
        )
    num_further = int(state[1])
    return Scan(
        out.canonicals,
        out.kinds,
        out.sizes[:, 0],
        out.sizes[:, 1],
        out.sizes[:, 2],
        (out.canonicals != np.arange(n)) & (firsts[out.canonicals] == firsts),
        np.stack([out.further_owners[:num_further], out.further[:num_further]], axis=1),
        out.further_jaccard[:num_further],
        int(state[2]),
        int(np.count_nonzero(walk.waiting >= MAX_CANONICALS)),
    )


def find_matching_pairs(
    features: Features, rule: Rule, rows: npt.NDArray[np.int64], buckets: Buckets
) -> MatchingPairs:
    """Return all matching pairs among the articles that meet in a bucket, verified."""
    walk = _start_walk(buckets, features, len(rows))
    scratch = _scratch_for(features, rows, buckets)
    state = np.zeros(3, dtype=np.int64)
    found = np.empty((4096, 6), dtype=np.int64)
    while True:
        _find_pairs(features, rule, rows, buckets.offsets, buckets.buckets, walk, scratch, found, state)
        if state[0] == len(rows):
            break
        found = _doubled(found)
    found = found[: state[1]]
    return MatchingPairs(
        found[:, :2], found[:, 2].astype(np.int8), found[:, 3], found[:, 4], found[:, 5], int(state[2])
    )


def _doubled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([array, np.empty_like(array)])


def _start_walk(buckets: Buckets, features: Features, num_positions: int) -> _Walk:
    return _Walk(
        np.full(buckets.num_buckets, -1, dtype=np.int64),
        np.empty(len(buckets.buckets), dtype=np.int64),
        np.zeros(buckets.num_buckets, dtype=np.int64),
        np.full(num_positions, -1, dtype=np.int64),
        np.empty(num_positions, dtype=np.int64),
        np.zeros((len(features.token_begins), 2), dtype=np.int64),
    )


def _scratch_for(features: Features, rows: npt.NDArray[np.int64], buckets: Buckets) -> Scratch:
    met = rows[np.diff(buckets.offsets) > 0]
    num_tokens = features.token_ends[met] - features.token_begins[met]
    num_characters = features.character_ends[met] - features.character_begins[met]
    return make_scratch(int(num_tokens.max(initial=0)), int(num_characters.max(initial=0)))


def _lowest_equal(threshold: float, num_perm: int) -> int:
    """Return how many equal values of `num_perm` a pair at the threshold has all but surely."""
    deviation = (threshold * (1 - threshold) * num_perm) ** 0.5
    return max(0, int(threshold * num_perm - _SIGMAS * deviation))


@kernel
def _meet(position, source, offsets, buckets, walk, owners):
    """Collect once each the positions that wait in the buckets of `source`; return how many."""
    count = 0
    for slot in range(offsets[source], offsets[source + 1]):
        waiting = walk.heads[buckets[slot]]
        while waiting >= 0:
            candidate = owners[waiting]
            if walk.stamps[candidate] != position:
                walk.stamps[candidate] = position
                walk.candidates[count] = candidate
                count += 1
            waiting = walk.nexts[waiting]
    return count


@kernel
def _forget(count, walk):
    """Undo `_meet`, for a position that will be walked again."""
    for k in range(count):
        walk.stamps[walk.candidates[k]] = -1


@kernel
def _wait(position, offsets, buckets, walk, limit):
    """Put a position into its buckets, but for those that are full."""
    for slot in range(offsets[position], offsets[position + 1]):
        bucket = buckets[slot]
        if walk.waiting[bucket] < limit:
            walk.nexts[slot] = walk.heads[bucket]
            walk.heads[bucket] = slot
            walk.waiting[bucket] += 1


@kernel
def _slot_owners(offsets, num_slots):
    owners = np.empty(num_slots, dtype=np.int64)
    for position in range(len(offsets) - 1):
        for slot in range(offsets[position], offsets[position + 1]):
            owners[slot] = position
    return owners


@kernel
def _keep_alike(count, row, rows, signatures, lowest_equal, features, walk):
    """Drop candidates of long texts whose signatures agree in too few values; return how many stay."""
    if features.character_ends[row] > features.character_begins[row] or signatures.shape[1] == 0:
        return count
    kept = 0
    for k in range(count):
        other = rows[walk.candidates[k]]
        equal = 0
        for p in range(signatures.shape[1]):
            equal += signatures[row, p] == signatures[other, p]
        if equal >= lowest_equal:
            walk.candidates[kept] = walk.candidates[k]
            kept += 1
    return kept


@kernel
def _scan(
    features, rule, rows, firsts, offsets, buckets, signatures, lowest_equal, walk, scratch, out, state
):
    """Scan from position state[0] on; stop early where `out.further` could become too short."""
    owners = _slot_owners(offsets, len(buckets))
    for position in range(state[0], len(rows)):
        first = firsts[position]
        if first != position and out.canonicals[first] == first:
            out.canonicals[position] = first  # the very text of a canonical: nothing can match better
            continue
        if offsets[first] == offsets[first + 1]:
            continue
        count = _meet(position, first, offsets, buckets, walk, owners)
        if state[1] + count > len(out.further):
            _forget(count, walk)
            state[0] = position
            return
        state[2] += count
        if count > MANY_CANDIDATES:
            count = _keep_alike(count, rows[position], rows, signatures, lowest_equal, features, walk)
        end = _match_candidates(position, count, rows, features, rule, walk, scratch, out, state[1])
        if out.kinds[position] == 0:
            _wait(position, offsets, buckets, walk, MAX_CANONICALS)
            continue
        for k in range(state[1], end):  # what is left after the best match
            if out.further[k] != out.canonicals[position]:
                out.further[state[1]] = out.further[k]
                out.further_jaccard[state[1]] = out.further_jaccard[k]
                out.further_owners[state[1]] = position
                state[1] += 1
    state[0] = len(rows)


@kernel
def _match_candidates(position, count, rows, features, rule, walk, scratch, out, at):
    """Verify the candidates of a position: the best becomes its canonical, all go to `out.further`.

    Returns the end of the matches written from `at` on.
    """
    row = rows[position]
    sizes = walk.set_sizes
    sizes[row, 0], sizes[row, 1] = load_article(row, features, rule, scratch, position)
    best_jaccard = 0.0
    for k in range(count):
        candidate = walk.candidates[k]
        kind, shared, own, other = match(row, rows[candidate], sizes, features, rule, scratch, position)
        if kind == 0:
            continue
        jaccard = jaccard_of(shared, own, other)
        out.further[at] = candidate
        out.further_jaccard[at] = jaccard
        at += 1
        if jaccard > best_jaccard or (jaccard == best_jaccard and candidate < out.canonicals[position]):
            best_jaccard = jaccard
            out.canonicals[position] = candidate
            out.kinds[position] = kind
            out.sizes[position, 0] = shared
            out.sizes[position, 1] = own
            out.sizes[position, 2] = other
    return at


@kernel
def _find_pairs(features, rule, rows, offsets, buckets, walk, scratch, found, state):
    """Walk from position state[0] on; stop early where `found` could become too short."""
    owners = _slot_owners(offsets, len(buckets))
    for position in range(state[0], len(rows)):
        if offsets[position] == offsets[position + 1]:
            continue
        row = rows[position]
        count = _meet(position, position, offsets, buckets, walk, owners)
        if state[1] + count > len(found):
            _forget(count, walk)
            state[0] = position
            return
        state[2] += count
        sizes = walk.set_sizes
        sizes[row, 0], sizes[row, 1] = load_article(row, features, rule, scratch, position)
        for k in range(count):
            candidate = walk.candidates[k]
            kind, shared, own, other = match(row, rows[candidate], sizes, features, rule, scratch, position)
            if kind != 0:
                found[state[1], 0] = candidate
                found[state[1], 1] = position
                found[state[1], 2] = kind
                found[state[1], 3] = shared
                found[state[1], 4] = other
                found[state[1], 5] = own
                state[1] += 1
        _wait(position, offsets, buckets, walk, len(rows))
    state[0] = len(rows)
