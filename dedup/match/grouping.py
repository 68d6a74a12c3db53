"""From features to groups and pairs: canonical order, buckets, scan."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.compiling import kernel
from dedup.match.buckets import Buckets, find_buckets
from dedup.match.crowded import CrowdedSignatures, crowded_signatures
from dedup.match.likely import MANY_BANDED
from dedup.match.pairs import MatchingPairs, find_matching_pairs
from dedup.match.scan import MAX_BANDED, HeldWaits, Scan, scan_canonicals
from dedup.match.verify import Features, Rule
from dedup.match.wording import Wording, find_wording

u64 = np.uint64


@dataclass(frozen=True)
class Lane:
    """One kind of signature: the rows that have it, rising, int64[m], and its band keys.

    `keys_of(band)` returns the keys of one band, uint64[m].
    """

    rows: npt.NDArray[np.int64]
    num_bands: int
    keys_of: Callable[[int], npt.NDArray[np.uint64]]


def group_articles(
    order: npt.NDArray[np.int64],
    fingerprints: npt.NDArray[np.uint64],
    features: Features,
    rule: Rule,
    lanes: list[Lane],
    signatures: npt.NDArray[np.uint32],
    num_threads: int = 1,
    *,
    num_held: int = 0,
    formulas: npt.NDArray[np.uint32] | None = None,
    held_waits: HeldWaits | None = None,
) -> Scan:
    """Return the canonical scan over the rows in `order`, int64[n]; positions index `order`.

    The first `num_held` of them are canonicals already: others are matched against them, they against
    nobody; `held_waits` says where they wait. `formulas` are those of an index; without them the
    articles themselves tell (`match.wording`).
    """
    banded = meet_in_bands(order, fingerprints, features, rule, lanes, signatures, num_threads)
    wording = word_banded(order, features, rule, banded, formulas, num_threads)
    return scan_banded(
        order, features, rule, banded, wording,
        num_held=num_held, held_waits=held_waits, num_threads=num_threads,
    )  # fmt: skip


@dataclass(frozen=True)
class Banded:
    """What bands tell of n positions: all of the signatures that grouping needs from then on.

    `same` int64[n] is the first position with the very same tokens, `firsts` int64[n] the position that
    a position follows, its own where it takes part itself.
    """

    same: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    buckets: Buckets
    signatures: CrowdedSignatures


def meet_in_bands(
    order: npt.NDArray[np.int64],
    fingerprints: npt.NDArray[np.uint64],
    features: Features,
    rule: Rule,
    lanes: list[Lane],
    signatures: npt.NDArray[np.uint32],
    num_threads: int = 1,
) -> Banded:
    """Return the first step of `group_articles`; then nobody needs `lanes` and `signatures` any more."""
    same, firsts = find_leaders(order, fingerprints, features, rule)
    buckets = _buckets(order, firsts == np.arange(len(order)), lanes, num_threads)
    crowded = crowded_signatures(
        buckets, order, features, signatures, most_waiting=MAX_BANDED, many=MANY_BANDED
    )
    return Banded(same, firsts, buckets, crowded)


def find_leaders(
    order: npt.NDArray[np.int64], fingerprints: npt.NDArray[np.uint64], features: Features, rule: Rule
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return `same` and `firsts` of `Banded`."""
    same = find_firsts(order, fingerprints, features)
    # With a window the very same text may start a group of its own, so each repeat takes part itself.
    return same, same if rule.window == MISSING_DATE else np.arange(len(order), dtype=np.int64)


def word_banded(
    order: npt.NDArray[np.int64],
    features: Features,
    rule: Rule,
    banded: Banded,
    formulas: npt.NDArray[np.uint32] | None = None,
    num_threads: int = 1,
) -> Wording:
    """Return the second step of `group_articles`, which reads all tokens once, row by row."""
    own = np.arange(len(order), dtype=np.int64)
    same, firsts = banded.same, banded.firsts
    return find_wording(features, rule, order, firsts == own, same == own, formulas, num_threads)


def scan_banded(
    order: npt.NDArray[np.int64],
    features: Features,
    rule: Rule,
    banded: Banded,
    wording: Wording,
    *,
    num_held: int = 0,
    held_waits: HeldWaits | None = None,
    num_threads: int = 1,
) -> Scan:
    """Return the last step of `group_articles`, which reads the tokens of those that meet, here and there."""
    return scan_canonicals(
        features, rule, order, banded.firsts, banded.same, banded.buckets, wording, banded.signatures,
        num_held, held_waits, num_threads,
    )  # fmt: skip


def pair_articles(
    fingerprints: npt.NDArray[np.uint64],
    features: Features,
    rule: Rule,
    lanes: list[Lane],
    num_threads: int = 1,
) -> MatchingPairs:
    """Return all matching pairs of rows; rows of the same text are among them, however short."""
    num_rows = len(fingerprints)
    order = np.arange(num_rows, dtype=np.int64)
    with_text = np.flatnonzero(features.token_ends > features.token_begins)
    same_text = Lane(with_text, 1, lambda band: fingerprints[with_text])
    buckets = _buckets(order, np.ones(num_rows, dtype=np.bool_), [*lanes, same_text], num_threads)
    return find_matching_pairs(features, rule, order, buckets)


def _buckets(
    order: npt.NDArray[np.int64], taking_part: npt.NDArray[np.bool_], lanes: list[Lane], num_threads: int
) -> Buckets:
    """Return the buckets of the positions that take part."""
    entries = np.full(len(order), -1, dtype=np.int64)
    position_lanes = []
    for lane in lanes:
        entries[:] = -1
        entries[lane.rows] = np.arange(len(lane.rows))
        entry_at = entries[order]
        positions = np.flatnonzero((entry_at >= 0) & taking_part)
        chosen = entry_at[positions]
        keys_of = _reordered(lane.keys_of, chosen)
        position_lanes.append((positions, lane.num_bands, keys_of))
    return find_buckets(len(order), position_lanes, num_threads)


def _reordered(
    keys_of: Callable[[int], npt.NDArray[np.uint64]], chosen: npt.NDArray[np.int64]
) -> Callable[[int], npt.NDArray[np.uint64]]:
    return lambda band: keys_of(band)[chosen]


def find_firsts(
    order: npt.NDArray[np.int64], fingerprints: npt.NDArray[np.uint64], features: Features
) -> npt.NDArray[np.int64]:
    """Return for each position, int64[n], the first one with the very same tokens.

    Equal fingerprints are checked token by token. A text without a token is first only to itself.
    """
    at = fingerprints[order]
    by_fingerprint = np.argsort(at, kind="stable").astype(np.int64)
    firsts = np.arange(len(order), dtype=np.int64)
    _find_firsts(
        by_fingerprint, at, order, features.tokens, features.token_begins, features.token_ends, firsts
    )
    return firsts


@kernel
def _find_firsts(by_fingerprint, at, order, tokens, begins, ends, firsts):
    start = 0
    for k in range(1, len(by_fingerprint)):
        position = by_fingerprint[k]
        if at[position] != at[by_fingerprint[start]]:
            start = k
            continue
        first = by_fingerprint[start]
        a, b = order[first], order[position]
        length = ends[a] - begins[a]
        if length == 0 or length != ends[b] - begins[b]:
            continue
        same = True
        for j in range(length):
            if tokens[begins[a] + j] != tokens[begins[b] + j]:
                same = False
                break
        if same:
            firsts[position] = first
