"""Compiled verification: exact Jaccard similarity and coverage of two articles' shingle sets.

The set of one article is laid into a hash table of 32-bit shingle hashes; others are then counted
against it. Word shingles are derived from the stored token hashes each time, which is cheaper than
keeping them. A length filter rejects before a set is read: J <= min(|A|, |B|) / max(|A|, |B|).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.articles import MISSING_DATE
from dedup.compiling import inner_kernel, kernel
from dedup.match.marks import MARKS_A_SHINGLE, count_marked, mark_shingles
from dedup.text.kernels import word_shingles

u32 = np.uint32

MAX_FACTS = 64
"""Distinct facts of a text that are looked at, the first."""

NO_MATCH = 0
BY_WORDS = 1
BY_CHARACTERS = 2
PART = 3
WHOLE = 4


class Features(NamedTuple):
    """What verification reads of n articles; rows in compressed form, `begins` and `ends` int64[n].

    `dates` int64[n] are microseconds, MISSING_DATE for none; `tokens` uint32 are token hashes,
    `characters` uint32 the character shingle hashes of short texts
    (an empty range for others). An article is a row here.
    """

    dates: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint32]
    token_begins: npt.NDArray[np.int64]
    token_ends: npt.NDArray[np.int64]
    characters: npt.NDArray[np.uint32]
    character_begins: npt.NDArray[np.int64]
    character_ends: npt.NDArray[np.int64]


class Rule(NamedTuple):
    """When two articles are alike: by words at `threshold`, or by characters.

    `character_thresholds` float64 has the threshold for each length in words of the shorter text; its
    last value serves all longer ones. `shingle_size` 0 means that words are not compared. Articles more
    than `window` microseconds apart do not match. The fields behind it are those of `Settings`; only
    the rule of groups, `judge`, reads them.
    """

    shingle_size: int
    multipliers: npt.NDArray[np.uint64]
    threshold: float
    character_thresholds: npt.NDArray[np.float64]
    window: int
    copy_length_ratio: float
    part_length_ratio: float
    part_coverage: float
    formula_share: float
    formula_threshold: float
    formula_coverage: float
    min_shared: int
    sample_ratio: float


class HashSet(NamedTuple):
    """Scratch for one loaded set: open addressing; a slot counts when its `owners` value is current."""

    keys: npt.NDArray[np.uint32]
    owners: npt.NDArray[np.int64]
    readers: npt.NDArray[np.int64]


class Scratch(NamedTuple):
    """Scratch for one thread: tables for the loaded article's sets, one to measure others, and buffers.

    `marks` uint8 has what `match.marks` needs of the loaded article's words.
    """

    words: HashSet
    characters: HashSet
    spare: HashSet
    sums: npt.NDArray[np.uint64]
    shingles: npt.NDArray[np.uint32]
    facts: npt.NDArray[np.uint64]
    marks: npt.NDArray[np.uint8]


@kernel
def make_scratch(longest_tokens, longest_characters):
    """Return scratch for texts of at most so many tokens and character shingles."""
    size = 64
    while size <= MARKS_A_SHINGLE * longest_tokens:
        size *= 2
    return Scratch(
        _make_set(longest_tokens),
        _make_set(longest_characters),
        _make_set(max(longest_tokens, longest_characters)),
        np.empty(longest_tokens + 1, dtype=np.uint64),
        np.empty(longest_tokens + 1, dtype=np.uint32),
        np.empty((2, MAX_FACTS), dtype=np.uint64),
        np.empty(size, dtype=np.uint8),
    )


@kernel
def _make_set(longest):
    size = 16
    while size <= 2 * longest:
        size *= 2
    made = HashSet(
        np.empty(size, dtype=np.uint32), np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    )
    for slot in range(size):
        made.keys[slot] = 0
        made.owners[slot] = -1
        made.readers[slot] = -1
    return made


def scratch_for(features: Features, rows: npt.NDArray[np.int64]) -> Scratch:
    """Return scratch that is long enough for each of the rows."""
    num_tokens = features.token_ends[rows] - features.token_begins[rows]
    num_characters = features.character_ends[rows] - features.character_begins[rows]
    made: Scratch = make_scratch(int(num_tokens.max(initial=0)), int(num_characters.max(initial=0)))
    return made


@inner_kernel
def table_mask(table, count):
    """Return the mask of the slots that a set of at most `count` values takes."""
    size = 16
    while size < 2 * count:
        size *= 2
    return min(size, len(table.keys)) - 1


@inner_kernel
def _load(values, begin, end, table, owner):
    """Lay a set into the table under the number `owner`, never used before; return its size."""
    mask = table_mask(table, end - begin)
    size = 0
    for k in range(begin, end):
        value = values[k]
        slot = np.int64(value) & mask
        while table.owners[slot] == owner and table.keys[slot] != value:
            slot = (slot + 1) & mask
        if table.owners[slot] != owner:
            table.owners[slot] = owner
            table.keys[slot] = value
            table.readers[slot] = -1
            size += 1
    return size


@inner_kernel
def _count_shared(values, begin, end, table, loaded_length, owner, reader):
    """Return how many distinct values stand in the set of `owner`; `reader` is a number of its own."""
    mask = table_mask(table, loaded_length)
    shared = 0
    for k in range(begin, end):
        value = values[k]
        slot = np.int64(value) & mask
        while table.owners[slot] == owner and table.keys[slot] != value:
            slot = (slot + 1) & mask
        if table.owners[slot] == owner and table.readers[slot] != reader:
            table.readers[slot] = reader
            shared += 1
    return shared


@inner_kernel
def is_short(row, features):
    """Return whether an article is compared by characters too: it has shingles of them."""
    return features.character_ends[row] > features.character_begins[row]


@inner_kernel
def num_shingles(row, features, rule):
    """Return the number of word shingles of an article, repeats counted, 0 where words are not compared."""
    if rule.shingle_size == 0:
        return 0
    return max(0, features.token_ends[row] - features.token_begins[row] - rule.shingle_size + 1)


@inner_kernel
def lay_out_shingles(row, features, rule, scratch):
    """Write the word shingles of an article to `scratch.shingles`, in order; return how many."""
    count = num_shingles(row, features, rule)
    begin = features.token_begins[row]
    word_shingles(
        features.tokens, begin, count, rule.shingle_size, rule.multipliers, scratch.sums, scratch.shingles
    )
    return count


@inner_kernel
def load_article(row, features, rule, scratch, owner):
    """Lay both shingle sets of an article into the scratch; return their sizes, words first."""
    count = lay_out_shingles(row, features, rule, scratch)
    mark_shingles(scratch.shingles, count, scratch.marks)
    num_words = _load(scratch.shingles, 0, count, scratch.words, owner)
    num_characters = _load(
        features.characters,
        features.character_begins[row],
        features.character_ends[row],
        scratch.characters,
        owner,
    )
    return num_words, num_characters


@inner_kernel
def measure_article(row, features, rule, scratch, sizes):
    """Fill in the set sizes of an article, int64[n, 2], words and characters, where they are not known."""
    if sizes[row, 0] >= 0 and sizes[row, 1] >= 0:  # another thread may have written one of them
        return
    count = lay_out_shingles(row, features, rule, scratch)
    sizes[row, 0] = _load(scratch.shingles, 0, count, scratch.spare, 2 * row)
    begin, end = features.character_begins[row], features.character_ends[row]
    sizes[row, 1] = _load(features.characters, begin, end, scratch.spare, 2 * row + 1)


@inner_kernel
def most_shared_words(loaded, row, features, rule, scratch):
    """Return an upper bound for the word shingles that `loaded` shares with `row`, seldom much above it.

    The shingles of `row` are laid out then.
    """
    count = lay_out_shingles(row, features, rule, scratch)
    return count_marked(scratch.shingles, count, scratch.marks, num_shingles(loaded, features, rule))


@inner_kernel
def shared_words(loaded, row, features, rule, scratch, owner):
    """Return the number of word shingles that the loaded article `loaded` shares with `row`."""
    lay_out_shingles(row, features, rule, scratch)
    return shared_of_laid_out(loaded, row, features, rule, scratch, owner)


@inner_kernel
def shared_of_laid_out(loaded, row, features, rule, scratch, owner):
    """Return the same as `shared_words` where the shingles of `row` are laid out."""
    count = num_shingles(row, features, rule)
    loaded_count = num_shingles(loaded, features, rule)
    return _count_shared(scratch.shingles, 0, count, scratch.words, loaded_count, owner, row)


@inner_kernel
def shared_characters(loaded, row, features, scratch, owner):
    """Return the number of character shingles that the loaded article shares with `row`."""
    return _count_shared(
        features.characters,
        features.character_begins[row],
        features.character_ends[row],
        scratch.characters,
        features.character_ends[loaded] - features.character_begins[loaded],
        owner,
        row,
    )


@inner_kernel
def jaccard_of(shared, num_a, num_b):
    """Return |A and B| / |A or B|, 0 for two empty sets."""
    union = num_a + num_b - shared
    return shared / union if union > 0 else 0.0


@inner_kernel
def character_threshold(a, b, features, rule):
    """Return the threshold for two short texts, by the length of the shorter."""
    length = min(
        features.token_ends[a] - features.token_begins[a], features.token_ends[b] - features.token_begins[b]
    )
    return rule.character_thresholds[min(length, len(rule.character_thresholds) - 1)]


@inner_kernel
def in_reach(num_a, num_b, threshold):
    """Return whether sets of these sizes can have a Jaccard similarity at the threshold."""
    return min(num_a, num_b) > 0 and min(num_a, num_b) >= threshold * max(num_a, num_b)


@inner_kernel
def in_window(date_a, date_b, window):
    """Return whether two dates are near enough; an article without a date is near to all."""
    if MISSING_DATE in (date_a, date_b):
        return True
    return abs(date_a - date_b) <= window


@inner_kernel
def same_tokens(a, b, features):
    """Return whether two articles have the very same tokens, one or more."""
    begin, other = features.token_begins[a], features.token_begins[b]
    length = features.token_ends[a] - begin
    if length == 0 or length != features.token_ends[b] - other:
        return False
    for k in range(length):  # noqa: SIM110 - numba has no all() over a generator
        if features.tokens[begin + k] != features.tokens[other + k]:
            return False
    return True


@inner_kernel
def alike(loaded, row, sizes, features, rule, scratch, owner):
    """Return how the loaded article is alike to `row`, and shared, |loaded| and |row| of the sets.

    `sizes` int64[n, 2] holds the set sizes of both articles, words and characters.
    """
    if not in_window(features.dates[loaded], features.dates[row], rule.window):
        return NO_MATCH, 0, 0, 0
    if same_tokens(loaded, row, features):
        return same_text(loaded, sizes)
    num_a, num_b = sizes[loaded, 0], sizes[row, 0]
    if in_reach(num_a, num_b, rule.threshold):
        most = min(num_a, num_b, most_shared_words(loaded, row, features, rule, scratch))
        if jaccard_of(most, num_a, num_b) >= rule.threshold:
            shared = shared_of_laid_out(loaded, row, features, rule, scratch, owner)
            if jaccard_of(shared, num_a, num_b) >= rule.threshold:
                return BY_WORDS, shared, num_a, num_b
    return alike_by_characters(loaded, row, sizes, features, rule, scratch, owner)


@inner_kernel
def same_text(row, sizes):
    """Return what `alike` does for two texts of the same tokens, whatever spaces divide their characters."""
    if sizes[row, 0] > 0:
        return BY_WORDS, sizes[row, 0], sizes[row, 0], sizes[row, 0]
    size = max(1, sizes[row, 1])
    return BY_CHARACTERS, size, size, size


@inner_kernel
def alike_by_characters(loaded, row, sizes, features, rule, scratch, owner):
    """Return the same as `alike` for the character shingles of two short texts alone."""
    num_a, num_b = sizes[loaded, 1], sizes[row, 1]
    threshold = character_threshold(loaded, row, features, rule)
    if in_reach(num_a, num_b, threshold):
        shared = shared_characters(loaded, row, features, scratch, owner)
        if jaccard_of(shared, num_a, num_b) >= threshold:
            return BY_CHARACTERS, shared, num_a, num_b
    return NO_MATCH, 0, 0, 0
