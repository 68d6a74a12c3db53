"""What becomes of articles that arrive at an index: their canonicals, found and judged, nothing written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.index import reads
from dedup.index.posting_tables import find_postings
from dedup.index.rows import NO_POSTINGS, Place, Postings, Relation, SketchRow
from dedup.match.grouping import find_firsts
from dedup.match.scan import MAX_BANDED, MAX_WORDED, HeldWaits, Scan
from dedup.run.arrivals import (
    PostingKeys,
    likely_candidates,
    match_arrivals,
    posting_keys,
    run_starts,
)
from dedup.run.single import MAX_HELD, HeldMet, match_single, meet_held
from dedup.run.sketches import Sketches
from dedup.run.stages import features_of, rule_of
from dedup.run.token_sketches import sketch_tokens
from dedup.settings import Settings

Int64s = npt.NDArray[np.int64]

NOBODY = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Arrivals:
    """Articles that arrive, in their order: number, int64[n], sketch and publication time, int64[n]."""

    nos: Int64s
    sketches: Sketches
    published: Int64s

    def __len__(self) -> int:
        return len(self.nos)


class Waits(NamedTuple):
    """Where canonicals among arrivals wait from now on: in the chosen ones of the posted keys."""

    posted: PostingKeys
    chosen: Int64s
    nos: Int64s


@dataclass(frozen=True)
class Decision:
    """What becomes of n arrivals: where each stands, what else it is like, and where canonicals wait.

    `places` are in the order of the arrivals.
    """

    places: list[Place]
    relations: list[Relation]
    waits: Waits | None = None

    @property
    def postings(self) -> Postings:
        """The rows to be written, by key; a check has no use for them."""
        return NO_POSTINGS if self.waits is None else postings_of(*self.waits)


def decide(
    connection: apsw.Connection,
    arrivals: Arrivals,
    settings: Settings,
    formulas: npt.NDArray[np.uint32],
    *,
    gone: Int64s = NOBODY,
    num_threads: int = 1,
) -> Decision:
    """Return what becomes of the arrivals beside the held articles, but for those of the numbers `gone`.

    The very text of a held article goes where that one went, unless a window is set; the others are
    matched as a batch would.
    """
    twins = _find_twins(connection, arrivals, gone) if settings.window_days is None else {}
    if not twins:
        return _match(connection, arrivals, settings, formulas, gone, num_threads)
    fresh = np.array([row for row in range(len(arrivals)) if row not in twins], dtype=np.int64)
    repeats = dict(zip(twins, _repeat_places(connection, arrivals.nos, twins), strict=True))
    if not len(fresh):
        return Decision(list(repeats.values()), [])
    rest = Arrivals(arrivals.nos[fresh], arrivals.sketches.take(fresh), arrivals.published[fresh])
    decision = _match(connection, rest, settings, formulas, gone, num_threads)
    matched = iter(decision.places)
    places = [repeats[row] if row in repeats else next(matched) for row in range(len(arrivals))]
    return Decision(places, decision.relations, decision.waits)


def sketches_of(rows: Sequence[SketchRow], settings: Settings) -> Sketches:
    """Return the sketches of articles from what an index keeps of them."""
    short = [k for k, row in enumerate(rows) if row.characters is not None]
    characters = [rows[k].characters or b"" for k in short]
    tokens = [row.tokens for row in rows]
    # Of bytes the arrays would be read-only, and kernels compiled for them once more.
    return sketch_tokens(
        np.frombuffer(bytearray().join(tokens), dtype="<u4").astype(np.uint32, copy=False),
        _offsets(tokens),
        np.array(short, dtype=np.int64),
        np.frombuffer(bytearray().join(characters), dtype="<u4").astype(np.uint32, copy=False),
        _offsets(characters),
        settings,
    )


def _offsets(blobs: Sequence[bytes]) -> Int64s:
    return np.concatenate([[0], np.cumsum([len(blob) // 4 for blob in blobs])]).astype(np.int64)


def sketch_row(no: int, sketches: Sketches, row: int, short: int | None) -> SketchRow:
    """Return what an index keeps of a sketch; `short` is its index among the short texts."""
    tokens = sketches.tokens[sketches.token_offsets[row] : sketches.token_offsets[row + 1]]
    characters = None
    if short is not None:
        begin, end = sketches.character_offsets[short : short + 2]
        characters = sketches.character_hashes[begin:end].astype("<u4", copy=False).tobytes()
    return SketchRow(no, tokens.astype("<u4", copy=False).tobytes(), characters)


def read_arrivals(connection: apsw.Connection, nos: Int64s, settings: Settings) -> Arrivals:
    """Return held articles in the form of arrivals, in the order of `nos`."""
    rows, dates = reads.read_sketches(connection, nos)
    return Arrivals(nos, sketches_of(rows, settings), np.array(_published(dates), dtype=np.int64))


def _published(dates: Sequence[int | None]) -> list[int]:
    return [MISSING_DATE if date is None else date for date in dates]


def _find_twins(connection: apsw.Connection, arrivals: Arrivals, gone: Int64s) -> dict[int, int]:
    """Return by row the number of the first held article with the very same tokens."""
    sketches = arrivals.sketches
    fingerprints = sketches.fingerprints.view(np.int64).tolist()  # 0 for a text without a token
    looked_up = sorted(set(fingerprints) - {0})
    found = dict(reads.find_fingerprints(connection, np.array(looked_up, dtype=np.int64)))
    if not found:
        return {}
    absent = set(gone.tolist())
    at = {row: fingerprint for row, fingerprint in enumerate(fingerprints) if fingerprint in found}
    firsts = np.unique(np.array([found[fingerprint] for fingerprint in at.values()], dtype=np.int64))
    tokens = {row.no: row.tokens for row in reads.read_sketches(connection, firsts)[0]}
    twins = {}
    for row, fingerprint in at.items():
        own = sketch_row(0, sketches, row, None).tokens
        if found[fingerprint] not in absent and tokens[found[fingerprint]] == own:
            twins[row] = found[fingerprint]
        else:
            others = reads.all_with_fingerprint(connection, fingerprint)
            others = [no for no in others if no not in absent]
            same = (
                held.no
                for held in reads.read_sketches(connection, np.array(others, dtype=np.int64))[0]
                if held.tokens == own
            )
            first = next(same, None)
            if first is not None:
                twins[row] = first
    return twins


def _repeat_places(connection: apsw.Connection, nos: Int64s, twins: dict[int, int]) -> list[Place]:
    """Return where repeats of held articles stand: with the twin's canonical, or with the twin."""
    twin_nos = np.array(list(twins.values()), dtype=np.int64)
    return [
        Place(int(nos[row]), twin.no, 0, 1, 0, 0, 0, 0)
        if twin.canonical == twin.no
        else twin._replace(no=int(nos[row]), full_buckets=0)
        for row, twin in zip(twins, reads.read_places(connection, twin_nos), strict=True)
    ]


def _match(
    connection: apsw.Connection,
    arrivals: Arrivals,
    settings: Settings,
    formulas: npt.NDArray[np.uint32],
    gone: Int64s,
    num_threads: int,
) -> Decision:
    posted = posting_keys(arrivals.sketches, settings)
    by_key = np.argsort(posted.keys, kind="stable")  # those of one article rise already
    if len(arrivals) == 1:
        found = _find_postings(connection, posted.keys, gone)
        meeting = meet_held(posted, found, rule_of(settings))
        if len(meeting.likely) <= MAX_HELD:
            return _match_single(connection, arrivals, settings, formulas, posted, meeting)
        held_counts = np.bincount(np.searchsorted(posted.keys, found.keys), minlength=len(by_key))
        met = _Met(found, meeting.likely, np.ones_like(by_key), held_counts)
    else:
        met = _meet_many(connection, posted, by_key, gone, settings)
    others = read_arrivals(connection, met.held, settings)
    scan = match_arrivals(
        arrivals.sketches,
        arrivals.published,
        others.sketches,
        others.published,
        settings,
        formulas,
        num_threads,
        _held_waits(met.found, met.held),
    )
    nos = np.concatenate([met.held, arrivals.nos])
    own = np.arange(len(met.held), len(nos))
    is_canonical = scan.canonicals[own] == own
    full = _full_buckets(posted, by_key, met.num_posted, met.held_counts, is_canonical)
    if settings.window_days is None:  # the very text of an earlier arrival looked nothing up
        rows, features = np.arange(len(arrivals)), features_of(arrivals.sketches, arrivals.published)
        full.counts[find_firsts(rows, arrivals.sketches.fingerprints, features) != rows] = 0
    return Decision(
        _places(scan, nos, own, full.counts),
        [
            Relation(*map(int, row))
            for row in np.column_stack([nos[scan.relations[:, :2]], scan.relations[:, 2:]]).tolist()
        ],
        Waits(posted, full.waiting, arrivals.nos),
    )


def _match_single(
    connection: apsw.Connection,
    arrivals: Arrivals,
    settings: Settings,
    formulas: npt.NDArray[np.uint32],
    posted: PostingKeys,
    met: HeldMet,
) -> Decision:
    """Return the decision on the only arrival, which meets few or nobody."""
    no = int(arrivals.nos[0])
    place = Place(no, no, 0, 0, 0, 0, 0, met.num_full)
    relations = []
    if len(met.likely):
        rows, dates = reads.read_sketches(connection, met.likely)
        nos = [*met.likely.tolist(), no]
        (canonical, kind, exact, *sizes), *further = match_single(
            arrivals.sketches, int(arrivals.published[0]), rows, _published(dates), met.by_wording, settings,
            formulas,
        )  # fmt: skip
        shared, own, other = sizes
        place = Place(no, nos[canonical], kind, exact, shared, own, other, met.num_full)
        relations = [Relation(no, nos[other], *values) for _, other, *values in further]
    waiting = met.waiting if place.canonical == no else NOBODY
    return Decision([place], relations, Waits(posted, waiting, arrivals.nos))


class _Met(NamedTuple):
    """Who waits in the keys of arrivals, and the numbers of those to be compared with, int64, rising.

    By distinct key, int64: how many arrivals posted it, and how many held ones wait in it.
    """

    found: Postings
    held: Int64s
    num_posted: Int64s
    held_counts: Int64s


def _meet_many(
    connection: apsw.Connection, posted: PostingKeys, by_key: Int64s, gone: Int64s, settings: Settings
) -> _Met:
    """Return whom arrivals meet; `by_key` sorts the posted keys, those of a key by article."""
    sorted_keys = posted.keys[by_key]
    starts = run_starts(sorted_keys)
    distinct = sorted_keys[starts]
    found = _find_postings(connection, distinct, gone)
    key_at = np.searchsorted(distinct, found.keys)
    num_posted = np.diff(np.append(starts, len(sorted_keys)))
    repeats = num_posted[key_at]  # each canonical found for a key is found for each that posted the key
    within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    found_at = by_key[np.repeat(starts[key_at], repeats) + within]
    held = likely_candidates(
        posted, found_at, np.repeat(found.nos, repeats), np.repeat(found.sampled, repeats), rule_of(settings)
    )
    return _Met(found, held, num_posted, np.bincount(key_at, minlength=len(distinct)))


def _find_postings(connection: apsw.Connection, keys: Int64s, gone: Int64s) -> Postings:
    """Return who waits in the keys, which rise, but for those of the numbers `gone`."""
    found = find_postings(connection, keys)
    if not len(gone):
        return found
    present = ~np.isin(found.nos, gone)
    return Postings(*(column[present] for column in found))


def _held_waits(found: Postings, held: Int64s) -> HeldWaits:
    """Return which canonicals wait for sampled shingles; `held` are the numbers of those at hand, rising."""
    by_wording = found.keys <= np.iinfo(np.uint32).max
    waiting = found.nos[by_wording]
    positions = np.searchsorted(held, waiting)
    at_hand = positions < len(held)
    at_hand[at_hand] = held[positions[at_hand]] == waiting[at_hand]
    return HeldWaits(found.keys[by_wording].astype(np.uint32), np.where(at_hand, positions, -1))


def postings_of(posted: PostingKeys, chosen: Int64s, nos: Int64s) -> Postings:
    """Return the rows of some posted keys; a row of a band needs no size of a sample."""
    rows = posted.rows[chosen]
    return Postings(
        posted.keys[chosen], nos[rows], np.where(posted.by_wording[chosen], posted.num_sampled[rows], 0)
    )


def _places(scan: Scan, nos: Int64s, own: Int64s, full_counts: Int64s) -> list[Place]:
    columns = (
        nos[own], nos[scan.canonicals[own]], scan.kinds[own], scan.exact[own].astype(np.int64),
        scan.shared[own], scan.own[own], scan.other[own], full_counts,
    )  # fmt: skip
    return [Place(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


@dataclass(frozen=True)
class _Full:
    """`waiting` int64[k]: posted keys in which canonicals wait now; `counts` int64[n]: full buckets."""

    waiting: Int64s
    counts: Int64s


def _full_buckets(
    posted: PostingKeys,
    by_key: Int64s,
    num_posted: Int64s,
    held_counts: Int64s,
    is_canonical: npt.NDArray[np.bool_],
) -> _Full:
    """Return who waits where there is room, in the order of keys, and how many full buckets each article met.

    `by_key` sorts the posted keys, those of a key by article; `num_posted` and `held_counts` count by
    distinct key.
    """
    would_wait = (posted.waits & is_canonical[posted.rows])[by_key]
    before: Int64s = np.cumsum(would_wait, dtype=np.int64) - would_wait
    key_starts = np.cumsum(num_posted) - num_posted
    before -= np.repeat(before[key_starts], num_posted)
    limits = np.where(posted.by_wording, MAX_WORDED, MAX_BANDED)[by_key]
    is_full = np.repeat(held_counts, num_posted) + before >= limits
    counts = np.bincount(posted.rows[by_key[is_full]], minlength=len(is_canonical))
    return _Full(by_key[would_wait & ~is_full], counts)
