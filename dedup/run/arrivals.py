"""Articles that arrive where others are held: which to look up, and the scan of the two together.

An index keeps posting rows: a key and a canonical that waits in it. Articles that arrive look up their
keys; the canonicals found, read from the index, and the arrivals then go through the same scan as a
batch (`match.scan`), the held ones first. So an index fed in canonical order answers as the batch does.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.match.crowded import CrowdedSignatures
from dedup.match.grouping import Banded, find_leaders, group_articles, scan_banded, word_banded
from dedup.match.likely import MIN_SHARED_SAMPLE
from dedup.match.samples import MAX_MEETING, MAX_WAITING, keep_sampled
from dedup.match.scan import HeldWaits, Scan
from dedup.match.verify import Rule
from dedup.match.wording import sorted_distinct
from dedup.run.sketches import Sketches
from dedup.run.stages import features_of, few_buckets, lanes_of, rule_of
from dedup.settings import Settings
from dedup.sketch.kernels import band_key
from dedup.sorting import sort_values
from dedup.text.kernels import word_shingles

u64 = np.uint64
FEW = 32
"""Held articles and arrivals up to which buckets are found by comparing each with each."""

_BAND_KEY_BITS = u64(40)  # a chance meeting of two keys costs a comparison; short keys are short rows


class PostingKeys(NamedTuple):
    """The keys in which n articles meet others, by article, rising in each; arrays have one value a key.

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

    >>> from dedup.run.sketching import sketch_texts
    >>> from dedup.run.text_arrays import text_array
    >>> found = posting_keys(sketch_texts(text_array(["a b c d", ""]), Settings()), Settings())
    >>> set(found.rows.tolist())
    {0}
    """
    words, characters = settings.group_bands, settings.character_bands
    num_word_bands = words.num_bands if settings.uses_words else 0
    rule = rule_of(settings)
    room = len(sketches) * (num_word_bands + MAX_MEETING)
    room += len(sketches.character_rows) * characters.num_bands
    posted = PostingKeys(
        rows=np.empty(room, dtype=np.int64),
        keys=np.empty(room, dtype=np.int64),
        by_wording=np.empty(room, dtype=np.bool_),
        waits=np.empty(room, dtype=np.bool_),
        num_sampled=np.zeros(len(sketches), dtype=np.int64),
    )
    count = _write_keys(
        sketches.tokens, sketches.token_offsets, rule.shingle_size, rule.multipliers, sketches.signatures,
        num_word_bands, words.rows_per_band, sketches.character_rows, sketches.character_signatures,
        characters.num_bands, characters.rows_per_band, MAX_MEETING, MAX_WAITING,
        posted.rows, posted.keys, posted.by_wording, posted.waits, posted.num_sampled,
    )  # fmt: skip
    return PostingKeys(
        posted.rows[:count],
        posted.keys[:count],
        posted.by_wording[:count],
        posted.waits[:count],
        posted.num_sampled,
    )


@kernel
def _write_keys(
    tokens, token_offsets, size, multipliers, signatures, num_word_bands, word_band_rows, character_rows,
    character_signatures, num_character_bands, character_band_rows, max_meeting, max_waiting,
    rows, keys, by_wording, waits, num_sampled,
):  # fmt: skip
    """Write the keys of all kinds, article by article; return how many."""
    longest = 0
    for row in range(len(num_sampled)):
        longest = max(longest, token_offsets[row + 1] - token_offsets[row])
    sums = np.empty(longest, dtype=np.uint64)
    shingles = np.empty(longest, dtype=np.uint32)
    at = 0
    short = 0
    for row in range(len(num_sampled)):
        first = at
        num_shingles = max(0, token_offsets[row + 1] - token_offsets[row] - size + 1) if size > 0 else 0
        word_shingles(tokens, token_offsets[row], num_shingles, size, multipliers, sums, shingles)
        count = keep_sampled(shingles, num_shingles)
        sort_values(shingles, 0, count)
        for k in range(count):
            if k > 0 and shingles[k] == shingles[k - 1]:
                continue
            if num_sampled[row] < max_meeting:
                keys[at] = shingles[k]
                waits[at] = num_sampled[row] < max_waiting
                at += 1
            num_sampled[row] += 1
        by_wording[first:at] = True
        first_banded = at
        if num_shingles > 0:
            at = _write_bands(signatures[row], num_word_bands, word_band_rows, 0, keys, at)
        if short < len(character_rows) and character_rows[short] == row:
            signature = character_signatures[short]
            at = _write_bands(signature, num_character_bands, character_band_rows, num_word_bands, keys, at)
            short += 1
        by_wording[first_banded:at] = False
        waits[first_banded:at] = True
        rows[first:at] = row
    return at


@inner_kernel
def _write_bands(signature, num_bands, rows_per_band, bands_before, keys, at):
    """Write the keys of all bands, the number of the band, from 1, and its key's top; return the new end."""
    for band in range(num_bands):
        key = band_key(signature, band, rows_per_band) >> (u64(64) - _BAND_KEY_BITS)
        keys[at + band] = np.int64((u64(bands_before + band + 1) << _BAND_KEY_BITS) | key)
    return at + num_bands


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
    article must share as many as the scan demands, see `match.likely`.
    """
    # Numbers stay below 2**32; a pair of article and canonical is one value.
    pairs = posted.rows[found_at] << 32 | numbers
    likely, by_wording = np.empty(len(pairs), dtype=np.int64), np.empty(len(pairs), dtype=np.bool_)
    count = write_likely(
        pairs, np.argsort(pairs), posted.by_wording, found_at, posted.num_sampled, held_sampled,
        rule.sample_ratio, MIN_SHARED_SAMPLE, MAX_MEETING, MAX_WAITING, likely, by_wording,
    )  # fmt: skip
    return sorted_distinct(likely[:count])


@kernel
def write_likely(
    pairs, by_pair, by_wording, found_at, num_sampled, held_sampled, ratio, min_shared, max_meeting,
    max_waiting, likely, likely_by_wording,
):  # fmt: skip
    """Write the canonicals of the pairs that must be compared; return how many. As `match.likely`.

    And of each whether wording speaks for it, whether or not bands do.
    """
    count = 0
    start = 0
    while start < len(pairs):
        pair = pairs[by_pair[start]]
        shared = 0
        other = 0
        is_banded = False
        end = start
        while end < len(pairs) and pairs[by_pair[end]] == pair:
            found = by_pair[end]
            if by_wording[found_at[found]]:
                shared += 1
                other = held_sampled[found]
            else:
                is_banded = True
            end += 1
        own = num_sampled[pair >> 32]
        reach = min(1.0, max_meeting / max(1, own), max_waiting / max(1, other))
        speaks = shared >= max(min_shared, ratio * min(own, other) * reach)
        if is_banded or speaks:
            likely[count], likely_by_wording[count] = pair & 0xFFFFFFFF, speaks
            count += 1
        start = end
    return count


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
    held_waits: HeldWaits | None = None,
) -> Scan:
    """Return the scan of the held canonicals, in the order in which they came, and then the arrivals.

    Positions of the scan count both: position h + k is arrival k where h canonicals are held. `published` and
    `held_published` are int64 microseconds; `formulas` uint32, rising, the formula shingles of the index;
    `held_waits` where the held ones wait, for buckets of the index that are full.
    """
    both = Sketches.concatenate([held, sketches])
    features = features_of(both, np.concatenate([held_published, published]))
    rule, order, num_held = rule_of(settings), np.arange(len(both)), len(held)
    if len(both) > FEW:
        lanes = lanes_of(both, settings, settings.group_bands)
        return group_articles(
            order, both.fingerprints, features, rule, lanes, both.signatures, num_threads,
            num_held=num_held, formulas=formulas, held_waits=held_waits,
        )  # fmt: skip
    same, firsts = find_leaders(order, both.fingerprints, features, rule)
    buckets = few_buckets(both, settings, settings.group_bands, firsts == order)
    banded = Banded(same, firsts, buckets, CrowdedSignatures(both.signatures, order))
    wording = word_banded(order, features, rule, banded, formulas)
    return scan_banded(order, features, rule, banded, wording, num_held=num_held, held_waits=held_waits)
