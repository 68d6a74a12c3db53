"""Word keys: the words of a title cut down to what its variants have in common.

An Arabic word loses one clitic in front and one ending (light stemming: Larkey, Ballesteros and Connell,
"Light stemming for Arabic information retrieval", 2007, with the prepositions ba and lam, which news titles
swap for a word of their own); then every word is cut to `KEY_LENGTH` characters (truncation serves other
languages as well as a stemmer: Can et al., "Information retrieval on Turkish texts", 2008). A number
stays whole. A script that is written without spaces gives overlapping runs of `NGRAM_LENGTHS` characters.
"""

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.sorting import sort_values
from dedup.text.fold_table import SOUTHEAST_ASIAN
from dedup.text.hashing import FINAL_MULTIPLIER, MULTIPLIER

u32 = np.uint32
u64 = np.uint64

KEY_LENGTH = 5
MIN_STEM = 3
"""Letters that must be left once a clitic or an ending is taken away."""

CLITICS = ("وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل")
ENDINGS = ("هما", "ها", "هم", "ات", "ان", "ين", "ون", "يه", "ه", "ا", "ي")
"""As folded: ta marbuta is heh, alef maqsura ya. The first that fits is taken, so longer ones come first."""

_LONGEST_AFFIX = 3


def _table(affixes: tuple[str, ...]) -> npt.NDArray[np.uint32]:
    rows = [[ord(letter) for letter in affix] + [0] * (_LONGEST_AFFIX - len(affix)) for affix in affixes]
    return np.array(rows, dtype=np.uint32)


_CLITICS, _ENDINGS = _table(CLITICS), _table(ENDINGS)


@kernel
def word_keys(characters, count, lengths, out):
    """Write the word keys of a normalised text to `out`, rising and distinct; return how many.

    `characters` as `fold_characters` leaves them; `lengths` int64[8] is the length of a run for each script
    class; `out` uint32, at least `count` long. The low two bits of a key are the number of further keys
    that hold each of its characters: 0 for a word.
    """
    num_keys = 0
    start = 0
    for k in range(count + 1):
        at_end = k == count or characters[k] & u32(0x1FFFFF) == u32(32)
        unspaced = not at_end and _is_unspaced(characters[k])
        if (at_end or unspaced) and k > start:
            out[num_keys] = _word_key(characters, start, k)
            num_keys += 1
        if at_end or unspaced:
            start = k + 1
        if unspaced:
            length = lengths[characters[k] >> u32(24)]
            if _has_run(characters, k, length, count):
                out[num_keys] = _hash(characters, k, k + length) | u32(length - 1)
                num_keys += 1
    sort_values(out, 0, num_keys)
    num_distinct = 0
    for k in range(num_keys):
        if k == 0 or out[k] != out[num_distinct - 1]:
            out[num_distinct] = out[k]
            num_distinct += 1
    return num_distinct


@kernel
def _is_unspaced(character):
    script = character >> u32(24)
    return u32(0) < script <= u32(SOUTHEAST_ASIAN)


@kernel
def _has_run(characters, start, length, count):
    """Return whether `length` characters of scripts without spaces stand in a row."""
    if start + length > count:
        return False
    for k in range(start, start + length):  # noqa: SIM110 - numba has no all() over a generator
        if not _is_unspaced(characters[k]):
            return False
    return True


@kernel
def _word_key(characters, start, end):
    is_number = True
    for k in range(start, end):
        letter = characters[k] & u32(0x1FFFFF)
        is_number = is_number and u32(48) <= letter <= u32(57)
    if is_number:
        return _hash(characters, start, end)
    for row in range(len(_CLITICS)):
        size = _affix_at(characters, start, end, _CLITICS[row], 0)
        if size > 0:
            start += size
            break
    for row in range(len(_ENDINGS)):
        size = _affix_at(characters, start, end, _ENDINGS[row], 1)
        if size > 0:
            end -= size
            break
    return _hash(characters, start, min(end, start + KEY_LENGTH))


@kernel
def _affix_at(characters, start, end, affix, at_end):
    """Return the length of the affix if the word has it and enough is left without it, else 0."""
    size = 0
    while size < len(affix) and affix[size] != u32(0):
        size += 1
    if end - start - size < MIN_STEM:
        return 0
    first = end - size if at_end else start
    for k in range(size):
        if characters[first + k] & u32(0x1FFFFF) != affix[k]:
            return 0
    return size


@kernel
def _hash(characters, start, end):
    h = u64(0)
    for k in range(start, end):
        h = (h + u64(characters[k] & u32(0x1FFFFF))) * u64(MULTIPLIER)  # wraps modulo 2**64, as intended
    h ^= h >> u64(32)
    h *= u64(FINAL_MULTIPLIER)
    return u32(h >> u64(32)) & u32(0xFFFFFFFC)
