"""Grouping and pairing of articles in memory: `find_groups`, `find_pairs`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.articles import ArticleId, Fields, Pair, Shingles
from dedup.match.grouping import meet_in_bands, pair_articles, scan_banded, word_banded
from dedup.match.headlines import group_headlines
from dedup.match.order import canonical_order
from dedup.match.verify import BY_WORDS
from dedup.run.gathering import expect_scattered_reads
from dedup.run.groups import Groups
from dedup.run.heap import give_back_unused
from dedup.run.ids import id_strings
from dedup.run.records import columns_of, source_ranks
from dedup.run.recurring import cut_lines
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.stages import evidence_of, features_of, lanes_of, rule_of, titles_of
from dedup.settings import Settings, checked_settings

_MANY_ARTICLES = 100_000  # of fewer, what goes back to the system is less than what it takes to ask


def find_groups(
    records: Any,
    settings: Settings | None = None,
    *,
    fields: Fields | Mapping[str, str] | None = None,
    num_threads: int = 1,
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
    settings = checked_settings(settings)
    columns = columns_of(records, settings, Fields.of(fields))
    return group_sketches(
        columns.ids,
        columns.published,
        columns.sources,
        cut_lines(sketch_texts(columns.texts, settings, num_threads), columns.sources, settings),
        settings,
        num_threads=num_threads,
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
    """Return the canonical groups of articles that are sketched already; all in the same order.

    Where the caller keeps no hold of `sketches`, the signatures go once bands are found: the larger part of
    what grouping adds to memory then fits in their place.
    """
    order = canonical_order(
        ids=id_strings(ids),
        published=published,
        source_ranks=source_ranks(sources, settings),
        num_tokens=sketches.num_tokens,
        keep=settings.keep,
    )
    features, rule = features_of(sketches, published), rule_of(settings)
    if settings.uses_words:
        lanes = lanes_of(sketches, settings, settings.group_bands)
        banded = meet_in_bands(
            order, sketches.fingerprints, features, rule, lanes, sketches.signatures, num_threads
        )
        num_tokens, num_cut = sketches.num_tokens, sketches.num_cut
        del sketches, lanes
        if len(order) >= _MANY_ARTICLES:
            give_back_unused()  # the sampled shingles come next, when most is in memory
        wording = word_banded(order, features, rule, banded, num_threads=num_threads)
        expect_scattered_reads(features.tokens, features.characters)
        scan = scan_banded(order, features, rule, banded, wording, num_threads=num_threads)
    else:
        num_tokens, num_cut = sketches.num_tokens, sketches.num_cut
        titles = titles_of(sketches, sources)
        expect_scattered_reads(features.characters, titles.keys)
        scan = group_headlines(order, sketches.fingerprints, features, rule, titles, evidence_of(settings))
    return Groups(ids, order, num_tokens, scan, num_cut)


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return f"<Pairs: {len(self):,} of {len(self.ids):,} articles>"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Pair]:
        columns = (self.rows, self.jaccard, self.coverage_a, self.coverage_b, self.by_words)
        for (a, b), jaccard, of_a, of_b, words in zip(*(column.tolist() for column in columns), strict=True):
            shingles: Shingles = "words" if words else "characters"
            yield Pair(self.ids[a], self.ids[b], jaccard, of_a, of_b, shingles)


def find_pairs(
    records: Any,
    settings: Settings | None = None,
    *,
    fields: Fields | Mapping[str, str] | None = None,
    num_threads: int = 1,
) -> Pairs:
    """Return all pairs of `records` at or above the threshold, each verified on its exact sets.

    The threshold alone decides, not the rule of groups: two templates are a pair, a part and its whole may
    be. A pair at the threshold is found with probability `recall`, one above it all but surely. Input and
    errors as for `find_groups`. m copies of one text make m * (m - 1) / 2 pairs: for a large
    corpus take the groups.

    >>> texts = ["wheat prices rose for a third week in the port", "wheat prices rose for a third week"]
    >>> [(pair.a_id, pair.b_id, round(pair.jaccard, 2)) for pair in find_pairs(texts)]
    [(0, 1, 0.62)]
    """
    settings = checked_settings(settings)
    columns = columns_of(records, settings, Fields.of(fields))
    sketches = cut_lines(sketch_texts(columns.texts, settings, num_threads), columns.sources, settings)
    found = pair_articles(
        sketches.fingerprints,
        features_of(sketches, columns.published),
        rule_of(settings),
        lanes_of(sketches, settings, settings.word_bands),
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
