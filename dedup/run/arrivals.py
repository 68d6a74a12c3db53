"""Articles that arrive where others are held: which to look up, and the scan of the two together.

An index keeps posting rows: a key and a canonical that waits in it. Articles that arrive look up their
keys; the canonicals found, read from the index, and the arrivals then go through the same scan as a
batch (`match.scan`), the held ones first. So an index fed in canonical order answers as the batch does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.index.rows import Postings
from dedup.match.crowded import CrowdedSignatures
from dedup.match.grouping import Banded, find_leaders, group_articles, scan_banded, word_banded
from dedup.match.likely import MIN_SHARED_SAMPLE
from dedup.match.samples import MAX_MEETING, MAX_WAITING, keep_sampled
from dedup.match.scan import MAX_BANDED, MAX_WORDED, HeldWaits, Scan
from dedup.match.verify import Rule
from dedup.match.wording import sorted_distinct
from dedup.run.sketches import Sketches
from dedup.run.stages import features_of, few_buckets, lanes_of, rule_of
from dedup.settings import Settings
from dedup.sketch.kernels import band_key
from dedup.sorting import sort_values
from dedup.text.kernels import word_shingles

u64 = np.uint64
_FEW = 32
"""Held articles and arrivals up to which buckets are found by comparing each with each."""

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
        if num_shingles > 0:
            at = _write_bands(signatures[row], num_word_bands, word_band_rows, 0, keys, at)
        if short < len(character_rows) and character_rows[short] == row:
            signature = character_signatures[short]
            at = _write_bands(signature, num_character_bands, character_band_rows, num_word_bands, keys, at)
            short += 1
        by_wording[first:at] = False
        waits[first:at] = True
        first_sampled = at
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
        by_wording[first_sampled:at] = True
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
    likely = np.empty(len(pairs), dtype=np.int64)
    count = _likely(
        pairs, np.argsort(pairs), posted.by_wording, found_at, posted.num_sampled, held_sampled,
        rule.sample_ratio, MIN_SHARED_SAMPLE, MAX_MEETING, MAX_WAITING, likely,
    )  # fmt: skip
    return sorted_distinct(likely[:count])


@kernel
def _likely(
    pairs, by_pair, by_wording, found_at, num_sampled, held_sampled, ratio, min_shared, max_meeting,
    max_waiting, likely,
):  # fmt: skip
    """Write the canonicals of the pairs that must be compared; return how many. As `match.likely`."""
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
        if is_banded or shared >= max(min_shared, ratio * min(own, other) * reach):
            likely[count] = pair & 0xFFFFFFFF
            count += 1
        start = end
    return count


@dataclass(frozen=True)
class HeldMet:
    """Whom one article meets, and where it waits if it becomes a canonical.

    `likely` int64 are the numbers that `likely_candidates` would return; `counts` int64 how many wait in each
    key, in the order of keys; `waiting` int64 the posted keys whose buckets have room, in that order;
    `num_full` of the buckets have none.
    """

    likely: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    waiting: npt.NDArray[np.int64]
    num_full: int


def meet_held(posted: PostingKeys, by_key: npt.NDArray[np.int64], found: Postings, rule: Rule) -> HeldMet:
    """Return whom the only article of `posted` meets; `found` waits in its keys, which `by_key` sorts."""
    likely = np.empty(len(found.keys), dtype=np.int64)
    counts, waiting = np.zeros((2, len(by_key)), dtype=np.int64)
    num_likely, num_waiting, num_full = _meet(
        posted.keys, by_key, posted.by_wording, posted.waits, posted.num_sampled,
        found.keys, found.nos, found.sampled, MAX_WORDED, MAX_BANDED,
        rule.sample_ratio, MIN_SHARED_SAMPLE, MAX_MEETING, MAX_WAITING, likely, counts, waiting,
    )  # fmt: skip
    return HeldMet(likely[:num_likely], counts, waiting[:num_waiting], num_full)


@kernel
def _meet(
    keys, by_key, by_wording, waits, num_sampled, found_keys, nos, held_sampled, max_worded, max_banded,
    ratio, min_shared, max_meeting, max_waiting, likely, counts, waiting,
):  # fmt: skip
    """Write candidates, counts and where to wait; return how many of the first and last, and full buckets."""
    found_at = np.empty(len(found_keys), dtype=np.int64)
    sorted_pairs = np.empty(len(found_keys), dtype=np.int64)
    for k in range(len(found_keys)):
        low, high = 0, len(keys) - 1
        while low < high:
            middle = (low + high) >> 1
            if keys[by_key[middle]] < found_keys[k]:
                low = middle + 1
            else:
                high = middle
        counts[low] += 1
        found_at[k] = by_key[low]
        sorted_pairs[k] = nos[k] << 31 | k  # numbers stay below 2**32, rows of one look-up far below 2**31
    sort_values(sorted_pairs, 0, len(sorted_pairs))
    for k in range(len(sorted_pairs)):
        sorted_pairs[k] &= 0x7FFFFFFF
    num_likely = _likely(
        nos, sorted_pairs, by_wording, found_at, num_sampled, held_sampled, ratio, min_shared, max_meeting,
        max_waiting, likely,
    )  # fmt: skip
    num_waiting = num_full = 0
    for k in range(len(keys)):
        at = by_key[k]
        if counts[k] >= (max_worded if by_wording[at] else max_banded):
            num_full += 1
        elif waits[at]:
            waiting[num_waiting] = at
            num_waiting += 1
    return num_likely, num_waiting, num_full


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
    if len(both) > _FEW:
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
