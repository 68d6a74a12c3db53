"""Articles that arrive where others are held: which to look up, and the scan of the two together.

An index keeps posting rows: a key and a canonical that waits in it. Articles that arrive look up their
keys; the canonicals found, read from the index, and the arrivals then go through the same scan as a
batch (`match.scan`), the held ones first. So an index fed in canonical order answers as the batch does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.match.grouping import group_articles
from dedup.match.scan import MIN_SHARED_SAMPLE, Scan
from dedup.match.verify import Rule
from dedup.match.wording import MAX_MEETING, MAX_WAITING, lowest_sampled, share_of, sorted_distinct
from dedup.run.sketching import Sketches
from dedup.run.stages import features_of, lanes_of, rule_of, signed_rows
from dedup.settings import Settings
from dedup.sketch.kernels import band_key

u64 = np.uint64
_BAND_KEY_BITS = u64(40)  # a chance meeting of two keys costs a comparison; short keys are short rows


@dataclass(frozen=True)
class PostingKeys:
    """The keys in which n articles meet others, by article; all arrays have one value a key.

    `rows` int64 the article, rising; `keys` int64, 0 to 2**63 - 1: the hash of a sampled shingle, below
    2**32, or a band and 40 bits of its key; `by_wording` bool which of the two; `waits` bool whether
    the article, once a canonical, waits in it. `num_sampled` int64[n]: the sampled shingles of each
    article.
    """

    rows: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    by_wording: npt.NDArray[np.bool_]
    waits: npt.NDArray[np.bool_]
    num_sampled: npt.NDArray[np.int64]


def posting_keys(sketches: Sketches, settings: Settings) -> PostingKeys:
    """Return the keys of the articles: sampled shingles, bands of words, bands of characters.

    >>> from dedup.run.sketching import sketch_texts, text_array
    >>> found = posting_keys(sketch_texts(text_array(["a b c d", ""]), Settings()), Settings())
    >>> set(found.rows.tolist())
    {0}
    """
    rows: list[npt.NDArray[np.int64]] = []
    keys: list[npt.NDArray[np.int64]] = []
    num_bands = 0
    for signed in signed_rows(sketches, settings, settings.group_bands):
        banded = np.empty((len(signed.rows), signed.bands.num_bands), dtype=np.int64)
        _band_postings(signed.signatures, signed.entries, signed.bands.rows_per_band, num_bands, banded)
        num_bands += signed.bands.num_bands
        rows.append(np.repeat(signed.rows, signed.bands.num_bands))
        keys.append(banded.reshape(-1))
    dates = np.zeros(len(sketches), dtype=np.int64)
    owners, hashes, ranks, num_sampled = lowest_sampled(
        features_of(sketches, dates), rule_of(settings), np.arange(len(sketches))
    )
    num_banded = sum(map(len, keys))
    by_wording = np.concatenate([np.zeros(num_banded, dtype=np.bool_), np.ones(len(hashes), dtype=np.bool_)])
    waits = np.concatenate([np.ones(num_banded, dtype=np.bool_), ranks < MAX_WAITING])
    all_rows = np.concatenate([*rows, owners])
    by_row = np.argsort(all_rows, kind="stable")
    return PostingKeys(
        all_rows[by_row],
        np.concatenate([*keys, hashes.astype(np.int64)])[by_row],
        by_wording[by_row],
        waits[by_row],
        num_sampled,
    )


@kernel
def _band_postings(signatures, entries, rows_per_band, bands_before, keys):
    """Write the keys of all bands, int64[m, num_bands]: the number of the band, from 1, and its key's top."""
    for k in range(len(entries)):
        for band in range(keys.shape[1]):
            key = band_key(signatures[entries[k]], band, rows_per_band) >> (u64(64) - _BAND_KEY_BITS)
            keys[k, band] = np.int64((u64(bands_before + band + 1) << _BAND_KEY_BITS) | key)


def likely_candidates(
    posted: PostingKeys,
    found_at: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    held_sampled: npt.NDArray[np.int64],
    rule: Rule,
) -> npt.NDArray[np.int64]:
    """Return the numbers, int64, rising, of the held canonicals to be read for these articles.

    `found_at` int64[k] tells at which of the posted keys the canonical numbered `numbers` int64[k] waits,
    whose sample has `held_sampled` int64[k] shingles. One band is enough; of the sampled shingles an
    article must share as many as the scan demands, see `match.scan`.
    """
    by_wording = posted.by_wording[found_at]
    # Numbers stay below 2**32; a pair of article and canonical is one value.
    pairs = posted.rows[found_at][by_wording] << 32 | numbers[by_wording]
    by_pair = np.argsort(pairs)
    pairs = pairs[by_pair]
    starts = run_starts(pairs)
    counts = np.append(starts[1:], len(pairs)) - starts
    often = counts >= MIN_SHARED_SAMPLE
    starts, counts = starts[often], counts[often]
    own = posted.num_sampled[pairs[starts] >> 32]
    other = held_sampled[by_wording][by_pair[starts]]
    reach = np.minimum(share_of(own, MAX_MEETING), share_of(other, MAX_WAITING))
    likely = counts >= rule.sample_ratio * np.minimum(own, other) * reach
    worded = pairs[starts[likely]] & 0xFFFFFFFF
    return sorted_distinct(np.concatenate([worded, numbers[~by_wording]]))


def run_starts(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where each run of equal values begins, int64."""
    is_first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def match_arrivals(
    sketches: Sketches,
    published: npt.NDArray[np.int64],
    held: Sketches,
    held_published: npt.NDArray[np.int64],
    settings: Settings,
    formulas: npt.NDArray[np.uint32],
    num_threads: int = 1,
) -> Scan:
    """Return the scan of the held canonicals, in the order in which they came, and then the arrivals.

    Positions of the scan count both: position h + k is arrival k where h canonicals are held. `published` and
    `held_published` are int64 microseconds; `formulas` uint32, rising, the formula shingles of the index.
    """
    both = Sketches.concatenate([held, sketches])
    dates = np.concatenate([held_published, published])
    return group_articles(
        np.arange(len(both)),
        both.fingerprints,
        features_of(both, dates),
        rule_of(settings),
        lanes_of(both, settings, settings.group_bands),
        both.signatures,
        num_threads,
        num_held=len(held),
        formulas=formulas,
    )
