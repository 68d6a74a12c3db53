"""Normalised text, tokens and shingles as strings: what the kernels see, shown to people."""

import numpy as np

from dedup.arguments import require_size, require_text
from dedup.errors import InputError
from dedup.text import reference
from dedup.text.fold_table import load_fold_table
from dedup.text.kernels import MAX_CODE_POINTS_PER_BYTE, fold_characters, load_tables

_NUM_SCRIPTS = 8  # that three bits of the fold table can tell
_CODE_POINT_MASK = np.uint32(0x1FFFFF)


def normalize(text: str) -> str:
    """Return the text folded for comparison: words separated by one space, none at the ends.

    `docs/folds.md` names each fold. Left alone: the order of marks that are kept (Indic and Southeast
    Asian vowel signs), spelling variants beyond single characters, and stop words. Idempotent.

    >>> normalize("  أكّـد «الوزيرُ» في ١٢ مايو…  ")
    'اكد الوزير في 12 مايو'
    """
    require_text("text", text)
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    folded = np.empty(MAX_CODE_POINTS_PER_BYTE * len(data) + 1, dtype=np.uint32)
    count = fold_characters(data, 0, len(data), load_tables(), folded)
    return (folded[:count] & _CODE_POINT_MASK).tobytes().decode("utf-32-le")


def tokens(text: str) -> list[str]:
    """Return the words of a text, normalised; a character of a script without spaces is a word.

    >>> tokens("Qui a dit « été » ? 新华社")
    ['qui', 'a', 'dit', 'ete', '新', '华', '社']
    """
    require_text("text", text)
    return reference.tokens(text)


def word_shingles(text: str, size: int = 3) -> list[str]:
    """Return the shingles of `size` words, joined by one space, as `hash_word_shingle` takes them.

    >>> word_shingles("One, two; three - FOUR")
    ['one two three', 'two three four']
    """
    words = tokens(text)
    require_size("size", size)
    return [" ".join(words[k : k + size]) for k in range(len(words) - size + 1)]


def character_shingles(text: str, lengths: tuple[int, ...]) -> list[str]:
    """Return the character shingles of the normalised text, as `hash_character_shingle` takes them.

    `lengths` has the shingle length for each script class of the first character (as in
    `settings.NGRAM_LENGTHS`). A text too short for a shingle is one as a whole.
    """
    folded = normalize(text)
    table = load_fold_table()
    if not isinstance(lengths, (tuple, list)) or len(lengths) != _NUM_SCRIPTS:
        raise InputError(
            f"lengths are {lengths!r:.80}; expected {_NUM_SCRIPTS} whole numbers, as NGRAM_LENGTHS"
        )
    for length in lengths:
        require_size("a length", length)
    found = []
    for k, character in enumerate(folded):
        length = lengths[table.script_class(ord(character))]
        if k + length <= len(folded):
            found.append(folded[k : k + length])
    return found or ([folded] if folded else [])
