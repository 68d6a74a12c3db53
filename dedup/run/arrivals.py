"""Articles that arrive where others are held: which to look up, and the scan of the two together.

An index keeps posting rows: a key and a canonical that waits in it. Articles that arrive look up their
keys; the canonicals found, read from the index, and the arrivals then go through the same scan as a
batch (`match.scan`), the held ones first. So an index fed in canonical order answers as the batch does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.match.grouping import group_articles
from dedup.match.scan import MIN_SHARED_SAMPLE, Scan
from dedup.match.wording import MAX_WAITING, lowest_sampled
from dedup.run.sketches import Sketches
from dedup.run.stages import features_of, lanes_of, rule_of
from dedup.settings import Settings

u64 = np.uint64
_BAND_KEY_BITS = u64(40)  # a chance meeting of two keys costs a comparison; short keys are short rows


@dataclass(frozen=True)
class PostingKeys:
    """The keys in which n articles meet others, by article; all arrays have one value a key.

    `rows` int64 the article, rising; `keys` int64, 0 to 2**63 - 1: the hash of a sampled shingle, below
    2**32, or a band and 40 bits of its key; `by_wording` bool which of the two; `waits` bool whether
    the article, once a canonical, waits in it.
    """

    rows: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    by_wording: npt.NDArray[np.bool_]
    waits: npt.NDArray[np.bool_]


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
    for lane in lanes_of(sketches, settings, settings.group_bands):
        for band in range(lane.num_bands):
            num_bands += 1
            key = (u64(num_bands) << _BAND_KEY_BITS) | (lane.keys_of(band) >> (u64(64) - _BAND_KEY_BITS))
            rows.append(lane.rows)
            keys.append(key.astype(np.int64))
    dates = np.zeros(len(sketches), dtype=np.int64)
    owners, hashes, ranks = lowest_sampled(
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
    )


def likely_candidates(
    posted: PostingKeys, found_at: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the numbers, int64, rising, of the held canonicals to be read for these articles.

    `found_at` int64[k] tells at which of the posted keys the canonical numbered `numbers` int64[k] waits.
    One band is enough; of the sampled shingles an article must share `MIN_SHARED_SAMPLE`.
    """
    by_wording = posted.by_wording[found_at]
    meetings = (u64(1) << u64(32)) * posted.rows[found_at][by_wording].astype(np.uint64)
    # Numbers stay below 2**32; a pair of article and canonical is one value.
    pairs, counts = np.unique(meetings | numbers[by_wording].astype(np.uint64), return_counts=True)
    worded = (pairs[counts >= MIN_SHARED_SAMPLE] & u64(0xFFFFFFFF)).astype(np.int64)
    return np.unique(np.concatenate([worded, numbers[~by_wording]]))


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
