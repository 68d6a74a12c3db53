"""Between the rooms: sketches and settings in the form that matching reads."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.articles import MICROSECONDS_A_DAY, MISSING_DATE
from dedup.match.buckets import Buckets, by_position, few_shared_keys
from dedup.match.evidence import Evidence, Titles
from dedup.match.grouping import Lane
from dedup.match.verify import Features, Rule
from dedup.run.sketches import Sketches
from dedup.settings import Settings
from dedup.sketch.bands import Bands
from dedup.sketch.kernels import all_band_keys, band_keys
from dedup.text.hashing import shingle_multipliers


def features_of(sketches: Sketches, published: npt.NDArray[np.int64]) -> Features:
    """Return what verification reads, as views on the sketches where that is possible."""
    character_begins = np.zeros(len(sketches), dtype=np.int64)
    character_ends = np.zeros(len(sketches), dtype=np.int64)
    character_begins[sketches.character_rows] = sketches.character_offsets[:-1]
    character_ends[sketches.character_rows] = sketches.character_offsets[1:]
    return Features(
        published,
        sketches.tokens,
        sketches.token_offsets[:-1],
        sketches.token_offsets[1:],
        sketches.character_hashes,
        character_begins,
        character_ends,
    )


@functools.lru_cache(maxsize=16)
def rule_of(settings: Settings) -> Rule:
    """Return the settings in the form that verification reads; its arrays are not to be written to."""
    longest = settings.max_short_words if settings.uses_words else 1
    thresholds = [settings.character_threshold(length) for length in range(longest + 1)]
    size = settings.shingle_size if settings.uses_words else 0
    window = MISSING_DATE if settings.window_days is None else int(settings.window_days * MICROSECONDS_A_DAY)
    return Rule(
        shingle_size=size,
        multipliers=shingle_multipliers(size),
        threshold=settings.threshold,
        character_thresholds=np.array(thresholds),
        window=window,
        copy_length_ratio=settings.copy_length_ratio,
        part_length_ratio=settings.part_length_ratio,
        part_coverage=settings.part_coverage,
        formula_share=settings.formula_share,
        sample_ratio=_sample_ratio(settings),
        formula_threshold=max(settings.threshold, settings.formula_threshold),
        min_shared=settings.min_shared,
        formula_coverage=max(settings.part_coverage, settings.formula_coverage),
    )


def _sample_ratio(settings: Settings) -> float:
    """Return the share of the smaller sample that two articles must have in common to be compared.

    A copy shares 2 t / (1 + t) of the smaller shingle set or more, as J = s / (a + b - s) with a = b; a part
    its coverage. Less than half of that in the sample is most unlikely.
    """
    copy = 2 * settings.threshold / (1 + settings.threshold)
    return min(copy, settings.part_coverage) / 2


def lanes_of(sketches: Sketches, settings: Settings, word_bands: Bands) -> list[Lane]:
    """Return the lanes in which candidates meet: word signatures, and character signatures of short texts."""
    return [_lane(signed) for signed in signed_rows(sketches, settings, word_bands)]


class SignedRows(NamedTuple):
    """The rows that have one kind of signature, rising, int64[m], where it stands, and its bands.

    The signature of rows[k] is signatures[entries[k]].
    """

    rows: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint32]
    entries: npt.NDArray[np.int64]
    bands: Bands


def signed_rows(sketches: Sketches, settings: Settings, word_bands: Bands) -> list[SignedRows]:
    """Return the rows with signatures of words, if words are used, and those with ones of characters."""
    signed = []
    if settings.uses_words:
        rows = np.flatnonzero(sketches.num_tokens >= settings.shingle_size)
        signed.append(SignedRows(rows, sketches.signatures, rows, word_bands))
    short = np.arange(len(sketches.character_rows))
    signed.append(
        SignedRows(sketches.character_rows, sketches.character_signatures, short, settings.character_bands)
    )
    return signed


def few_buckets(
    sketches: Sketches, settings: Settings, word_bands: Bands, taking_part: npt.NDArray[np.bool_]
) -> Buckets:
    """Return the buckets in which a handful of articles meet, those that take part, bool[n].

    They are those of the lanes: with few articles one call for all bands takes a tenth of the time.
    """
    signed = signed_rows(sketches, settings, word_bands)
    room = sum(len(lane.rows) * lane.bands.num_bands for lane in signed)
    members, numbers = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    count = num_buckets = 0
    for rows, signatures, entries, bands in signed:
        chosen = taking_part[rows]
        keys = np.empty((np.count_nonzero(chosen), bands.num_bands), dtype=np.uint64)
        all_band_keys(signatures, entries[chosen], bands.rows_per_band, keys)
        found, more = few_shared_keys(keys, rows[chosen], members[count:], numbers[count:], num_buckets)
        count, num_buckets = count + found, num_buckets + more
    return by_position(members[:count], numbers[:count], len(sketches), num_buckets)


def _lane(signed: SignedRows) -> Lane:
    def keys_of(band: int) -> npt.NDArray[np.uint64]:
        keys = np.empty(len(signed.signatures), dtype=np.uint64)
        band_keys(signed.signatures, band, signed.bands.rows_per_band, keys)
        return keys if len(signed.entries) == len(keys) else keys[signed.entries]  # they rise

    return Lane(signed.rows, signed.bands.num_bands, keys_of)


def titles_of(sketches: Sketches, sources: Sequence[str | None]) -> Titles:
    """Return what the groups of titles read beside `features_of`."""
    numbers: dict[str | None, int] = {None: -1}
    return Titles(
        sketches.keys,
        sketches.key_offsets,
        np.array([numbers.setdefault(source, len(numbers)) for source in sources], dtype=np.int64),
    )


def evidence_of(settings: Settings) -> Evidence:
    """Return the evidence that puts titles into one group."""
    return Evidence(needed=settings.needed_evidence, least_alike=settings.least_alike)
