"""One article that arrives alone, as it does to `check` and `add`: whom it meets, and what it is to them.

`arrivals` does the same for many at once. Both find the same by the same rule; here all that is not a look-up
or a comparison is left out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.index.rows import Postings, SketchRow
from dedup.match.few import judge_few
from dedup.match.likely import MIN_SHARED_SAMPLE
from dedup.match.samples import MAX_MEETING, MAX_WAITING
from dedup.match.scan import MAX_BANDED, MAX_WORDED
from dedup.match.verify import Features, Rule, num_shingles
from dedup.run.arrivals import FEW, PostingKeys, write_likely
from dedup.run.sketches import Sketches
from dedup.run.stages import rule_of
from dedup.run.token_sketches import sketch_rows_again
from dedup.settings import Settings
from dedup.sketch.kernels import band_key, sign_hashes
from dedup.sketch.signatures import permutations
from dedup.sorting import sort_values

MAX_HELD = FEW - 1
"""Held articles beside which one is matched here. With more, how many it met in bands matters too."""

NUM_TOKENS, NUM_CHARACTERS, DATE = range(3)
"""What the kernels are told of each article, side by side."""

_NO_CHARACTERS = -1  # of an article that is not short


class HeldMet(NamedTuple):
    """Whom one article meets, and where it waits if it becomes a canonical.

    `likely` int64 are the numbers that `likely_candidates` would return; `by_wording` bool, of each whether
    wording speaks for it; `waiting` int64 the posted keys whose buckets have room, in the order of keys;
    `num_full` of the buckets have none.
    """

    likely: npt.NDArray[np.int64]
    by_wording: npt.NDArray[np.bool_]
    waiting: npt.NDArray[np.int64]
    num_full: int


def meet_held(posted: PostingKeys, found: Postings, rule: Rule) -> HeldMet:
    """Return whom the only article of `posted` meets; `found` are those who wait in its keys."""
    likely, by_wording = np.empty(len(found.keys), dtype=np.int64), np.empty(len(found.keys), dtype=np.bool_)
    waiting = np.empty(len(posted.keys), dtype=np.int64)
    num_likely, num_waiting, num_full = _meet(
        posted.keys, posted.by_wording, posted.waits, posted.num_sampled,
        found.keys, found.nos, found.sampled, MAX_WORDED, MAX_BANDED,
        rule.sample_ratio, MIN_SHARED_SAMPLE, MAX_MEETING, MAX_WAITING, likely, by_wording, waiting,
    )  # fmt: skip
    return HeldMet(likely[:num_likely], by_wording[:num_likely], waiting[:num_waiting], num_full)


@kernel
def _meet(
    keys, by_wording, waits, num_sampled, found_keys, nos, held_sampled, max_worded, max_banded, ratio,
    min_shared, max_meeting, max_waiting, likely, likely_by_wording, waiting,
):  # fmt: skip
    """Write candidates and where to wait; return how many of both, and full buckets."""
    counts = np.zeros(len(keys), dtype=np.int64)
    found_at = np.empty(len(found_keys), dtype=np.int64)
    sorted_pairs = np.empty(len(found_keys), dtype=np.int64)
    for k in range(len(found_keys)):
        low, high = 0, len(keys) - 1
        while low < high:
            middle = (low + high) >> 1
            if keys[middle] < found_keys[k]:
                low = middle + 1
            else:
                high = middle
        counts[low] += 1
        found_at[k] = low
        sorted_pairs[k] = nos[k] << 31 | k  # numbers stay below 2**32, rows of one look-up far below 2**31
    sort_values(sorted_pairs, 0, len(sorted_pairs))
    for k in range(len(sorted_pairs)):
        sorted_pairs[k] &= 0x7FFFFFFF
    num_likely = write_likely(
        nos, sorted_pairs, by_wording, found_at, num_sampled, held_sampled, ratio, min_shared, max_meeting,
        max_waiting, likely, likely_by_wording,
    )  # fmt: skip
    num_waiting = num_full = 0
    for at in range(len(keys)):
        if counts[at] >= (max_worded if by_wording[at] else max_banded):
            num_full += 1
        elif waits[at]:
            waiting[num_waiting] = at
            num_waiting += 1
    return num_likely, num_waiting, num_full


def match_single(
    sketches: Sketches,
    published: int,
    held: Sequence[SketchRow],
    held_published: Sequence[int],
    by_wording: npt.NDArray[np.bool_],
    settings: Settings,
    formulas: npt.NDArray[np.uint32],
) -> list[list[int]]:
    """Return the place of the one article of `sketches` and its relations, as `match.few.judge_few` writes.

    `held` are the canonicals that `HeldMet` calls likely, at most `MAX_HELD`, by number; `by_wording` its
    answer on them. Without a window the article is the very text of none of them: that goes where the first
    one went. What is returned is what `match_arrivals` finds.
    """
    tokens = [row.tokens for row in held]
    characters = [row.characters for row in held]
    own = sketches.character_hashes if len(sketches.character_rows) else None
    tokens.append(sketches.tokens.astype("<u4", copy=False).tobytes())
    characters.append(None if own is None else own.astype("<u4", copy=False).tobytes())
    rows = [
        (len(words) // 4, _NO_CHARACTERS if letters is None else len(letters) // 4, date)
        for words, letters, date in zip(tokens, characters, (*held_published, published), strict=True)
    ]
    values = np.frombuffer(bytearray().join([*tokens, *filter(None, characters)]), dtype="<u4")
    found = np.empty((len(rows) + 1, 6), dtype=np.int64)
    word_bands, character_bands = settings.group_bands, settings.character_bands
    num_rows = _match(
        values.astype(np.uint32, copy=False), np.array(rows, dtype=np.int64), by_wording,
        sketches.signatures, sketches.character_signatures,
        word_bands.num_bands, word_bands.rows_per_band,
        character_bands.num_bands, character_bands.rows_per_band,
        *permutations(settings.num_perm, settings.seed), formulas, found, *rule_of(settings),
    )  # fmt: skip
    relations: list[list[int]] = found[:num_rows].tolist()
    return relations


@kernel
def _match(
    values, rows, by_wording, signatures, character_signatures, num_word_bands, word_band_rows,
    num_character_bands, character_band_rows, perm_mult, perm_incr, formulas, found, *rule_fields,
):  # fmt: skip
    """Have those whom the last of `rows` meets judged; return how many rows of `found` are written."""
    rule = Rule(*rule_fields)
    features = _lay_out(values, rows)
    own = len(rows) - 1
    candidates = np.empty(len(rows), dtype=np.int64)
    count = 0
    for row in range(own):
        if by_wording[row] or _meet_in_bands(
            row, rows, features, rule, signatures, character_signatures, num_word_bands, word_band_rows,
            num_character_bands, character_band_rows, perm_mult, perm_incr,
        ):  # fmt: skip
            candidates[count] = row
            count += 1
    return judge_few(candidates, count, features, rule, formulas, found)


@kernel
def _lay_out(values, rows):
    """Return the features of articles whose tokens lie one behind the other, and then their characters."""
    n = len(rows)
    dates = rows[:, DATE].copy()
    offsets = np.zeros((2, n + 1), dtype=np.int64)
    for row in range(n):
        offsets[0, row + 1] = offsets[0, row] + rows[row, NUM_TOKENS]
    offsets[1, 0] = offsets[0, n]
    for row in range(n):
        offsets[1, row + 1] = offsets[1, row] + max(0, rows[row, NUM_CHARACTERS])
    tokens, characters = offsets[0], offsets[1]
    return Features(dates, values, tokens[:-1], tokens[1:], values, characters[:-1], characters[1:])


@kernel
def _meet_in_bands(
    row, rows, features, rule, signatures, character_signatures, num_word_bands, word_band_rows,
    num_character_bands, character_band_rows, perm_mult, perm_incr,
):  # fmt: skip
    """Return whether an article and the last one have a band in common, of words or of characters.

    The key in which they met has 40 bits of a band's; an article that shares no more than these is left out.
    """
    own = len(rows) - 1
    signature = np.empty((1, len(perm_mult)), dtype=np.uint32)
    if num_shingles(row, features, rule) > 0 and num_shingles(own, features, rule) > 0:
        bounds = np.array([features.token_begins[row], features.token_ends[row]])
        sketch_rows_again(
            features.tokens, bounds, np.zeros(1, dtype=np.int64), rule.shingle_size, rule.multipliers,
            perm_mult, perm_incr, np.empty(1, dtype=np.uint64), signature,
        )  # fmt: skip
        if _share_band(signature[0], signatures[0], num_word_bands, word_band_rows):
            return True
    if rows[row, NUM_CHARACTERS] >= 0 and rows[own, NUM_CHARACTERS] >= 0:
        bounds = np.array([features.character_begins[row], features.character_ends[row]])
        sign_hashes(features.characters, bounds, perm_mult, perm_incr, signature)
        return _share_band(signature[0], character_signatures[0], num_character_bands, character_band_rows)
    return False


@inner_kernel
def _share_band(a, b, num_bands, rows_per_band):
    for band in range(num_bands):
        if band_key(a, band, rows_per_band) == band_key(b, band, rows_per_band):
            return True
    return False
