"""Grouping and pairing of articles in memory: `find_groups`, `find_pairs`, `compare`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE, ArticleId, Comparison, Fields, Pair, Shingles
from dedup.match.grouping import Lane, group_articles, pair_articles
from dedup.match.order import canonical_order
from dedup.match.verify import (
    BY_WORDS,
    Features,
    Rule,
    character_threshold,
    jaccard_of,
    load_article,
    make_scratch,
    shared_characters,
    shared_words,
)
from dedup.run.groups import Groups
from dedup.run.records import columns_of, source_ranks
from dedup.run.sketching import Sketches, sketch_texts, text_array
from dedup.settings import Settings
from dedup.sketch.bands import Bands
from dedup.sketch.kernels import band_keys
from dedup.sketch.signatures import estimate_jaccard
from dedup.text.hashing import shingle_multipliers

_MICROSECONDS_A_DAY = 86_400_000_000


def find_groups(
    records: Any, settings: Settings | None = None, *, fields: Fields | None = None, num_threads: int = 1
) -> Groups:
    """Return the canonical groups of `records`: which articles are copies of which, and which to keep.

    `records` are dicts, an Arrow table, or a pandas or polars frame with the columns that `fields`
    names; `id` and the compared text must be there. The groups do not depend on the order of records.
    Raises `InputError` or `RecordError` for records that cannot be used.

    >>> story = "The harbour office said on Monday that the new ferry will sail twice a day from June"
    >>> records = [{"id": 1, "text": story}, {"id": 2, "text": story + "."}, {"id": 3, "text": "Rain."}]
    >>> [[member.id for member in group.members] for group in find_groups(records)]
    [[1, 2]]
    """
    settings = settings or Settings()
    columns = columns_of(records, settings, fields or Fields())
    sketches = sketch_texts(columns.texts, settings, num_threads)
    return group_sketches(
        columns.ids, columns.published, columns.sources, sketches, settings, num_threads=num_threads
    )


def group_sketches(
    ids: Sequence[ArticleId],
    published: npt.NDArray[np.int64],
    sources: Sequence[str | None],
    sketches: Sketches,
    settings: Settings,
    *,
    num_threads: int = 1,
) -> Groups:
    """Return the canonical groups of articles that are sketched already; all in the same order."""
    order = canonical_order(
        ids=ids,
        published=published,
        source_ranks=source_ranks(sources, settings),
        num_tokens=sketches.num_tokens,
        keep=settings.keep,
    )
    scan = group_articles(
        order,
        sketches.fingerprints,
        features_of(sketches, published),
        rule_of(settings),
        lanes_of(sketches, settings),
        sketches.signatures,
        num_threads,
    )
    return Groups(ids, order, sketches.num_tokens, scan)


@dataclass(frozen=True)
class Pairs:
    """All verified pairs, as columns; iterating gives a `Pair` each, sorted by the rows of the input.

    `rows` int64[k, 2]; `jaccard`, `coverage_a`, `coverage_b` float64[k]; `by_words` bool[k].
    """

    ids: Sequence[ArticleId]
    rows: npt.NDArray[np.int64]
    jaccard: npt.NDArray[np.float64]
    coverage_a: npt.NDArray[np.float64]
    coverage_b: npt.NDArray[np.float64]
    by_words: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Pair]:
        columns = (self.rows, self.jaccard, self.coverage_a, self.coverage_b, self.by_words)
        for (a, b), jaccard, of_a, of_b, words in zip(*(column.tolist() for column in columns), strict=True):
            shingles: Shingles = "words" if words else "characters"
            yield Pair(self.ids[a], self.ids[b], jaccard, of_a, of_b, shingles)


def find_pairs(
    records: Any, settings: Settings | None = None, *, fields: Fields | None = None, num_threads: int = 1
) -> Pairs:
    """Return all pairs of `records` at or above the threshold, each verified on its exact sets.

    Input and errors as for `find_groups`. m copies of one text make m * (m - 1) / 2 pairs: for a large
    corpus take the groups.

    >>> texts = ["wheat prices rose for a third week in the port", "wheat prices rose for a third week"]
    >>> [(pair.a_id, pair.b_id, round(pair.jaccard, 2)) for pair in find_pairs(texts)]
    [(0, 1, 0.62)]
    """
    settings = settings or Settings()
    columns = columns_of(records, settings, fields or Fields())
    sketches = sketch_texts(columns.texts, settings, num_threads)
    found = pair_articles(
        len(columns),
        features_of(sketches, columns.published),
        rule_of(settings),
        lanes_of(sketches, settings),
        num_threads,
    )
    shared = found.shared.astype(np.float64)
    by_rows = np.lexsort((found.pairs[:, 1], found.pairs[:, 0]))
    return Pairs(
        columns.ids,
        found.pairs[by_rows],
        (shared / (found.first_sizes + found.second_sizes - shared))[by_rows],
        (shared / found.first_sizes)[by_rows],
        (shared / found.second_sizes)[by_rows],
        (found.kinds == BY_WORDS)[by_rows],
    )


def compare(a: str, b: str, settings: Settings | None = None) -> Comparison:
    """Return how alike two texts are and whether they match, with the reason.

    >>> comparison = compare("Prices rose on Monday, the bank said", "PRICES rose on Monday the bank said!")
    >>> comparison.verdict, comparison.jaccard
    ('exact', 1.0)
    """
    settings = settings or Settings()
    sketches = sketch_texts(text_array([a, b]), settings)
    features, rule = features_of(sketches, np.full(2, MISSING_DATE)), rule_of(settings)
    scratch = make_scratch(int(sketches.num_tokens.max()), len(sketches.character_hashes))
    sizes = np.array([load_article(row, features, rule, scratch, row) for row in (1, 0)])[::-1]
    shared = (
        shared_words(0, 1, features, rule, scratch, 0),
        shared_characters(0, 1, features, scratch, 0),
    )
    jaccards = [jaccard_of(shared[kind], *sizes[:, kind]) for kind in (0, 1)]
    thresholds = (rule.threshold, character_threshold(0, 1, features, rule))
    kind = 0 if settings.uses_words and (jaccards[0] >= thresholds[0] or not sizes[:, 1].all()) else 1
    names: tuple[Shingles, Shingles] = ("words", "characters")
    estimates = (sketches.signatures, sketches.character_signatures)
    has_estimate = len(estimates[kind]) == 2 and estimates[kind].shape[1] > 0
    verdict, reason = _verdict(sketches, jaccards[kind], thresholds[kind], names[kind])
    return Comparison(
        jaccard=jaccards[kind],
        coverage_a=float(shared[kind] / max(1, sizes[0, kind])),
        coverage_b=float(shared[kind] / max(1, sizes[1, kind])),
        estimated_jaccard=estimate_jaccard(*estimates[kind]) if has_estimate else 0.0,
        shingles=names[kind],
        verdict=verdict,
        reason=reason,
    )


def _verdict(
    sketches: Sketches, jaccard: float, threshold: float, shingles: Shingles
) -> tuple[Literal["exact", "near", "different"], str]:
    lengths = sketches.num_tokens
    if not lengths.all():
        return "different", "a text without a word matches nothing"
    first, second = np.split(sketches.tokens, [lengths[0]])
    if np.array_equal(first, second):
        return "exact", "the same words in the same order once both are normalised"
    relation = ("at least", "near") if jaccard >= threshold else ("below", "different")
    reason = f"Jaccard {jaccard:.3f} of {shingles} shingles is {relation[0]} the threshold {threshold:.3f}"
    return ("near" if jaccard >= threshold else "different"), reason


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


def rule_of(settings: Settings) -> Rule:
    """Return the settings in the form that verification reads."""
    longest = settings.max_short_words if settings.uses_words else 1
    thresholds = [settings.character_threshold(length) for length in range(longest + 1)]
    size = settings.shingle_size if settings.uses_words else 0
    window = MISSING_DATE if settings.window_days is None else int(settings.window_days * _MICROSECONDS_A_DAY)
    return Rule(size, shingle_multipliers(size), settings.threshold, np.array(thresholds), window)


def lanes_of(sketches: Sketches, settings: Settings) -> list[Lane]:
    """Return the lanes in which candidates meet: word signatures, and character signatures of short texts."""
    lanes = []
    if settings.uses_words:
        rows = np.flatnonzero(sketches.num_tokens >= settings.shingle_size)
        lanes.append(_lane(rows, sketches.signatures, rows, settings.word_bands))
    short = np.arange(len(sketches.character_rows))
    lanes.append(
        _lane(sketches.character_rows, sketches.character_signatures, short, settings.character_bands)
    )
    return lanes


def _lane(
    rows: npt.NDArray[np.int64],
    signatures: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.int64],
    bands: Bands,
) -> Lane:
    def keys_of(band: int) -> npt.NDArray[np.uint64]:
        keys = np.empty(len(signatures), dtype=np.uint64)
        band_keys(signatures, band, bands.rows_per_band, keys)
        return keys[entries]

    return Lane(rows, bands.num_bands, keys_of)
