"""The page that lists the folds, `docs/folds.md`."""

from collections.abc import Callable

from fold_table.database import CharacterDatabase
from fold_table.folds import FOLDS

DOCS_HEAD = """\
# Folds

What normalisation does to a text, in the order in which it does it. Each code point is folded without
regard to its neighbours; the list is applied again until nothing changes. This page is written by
`tools/build_fold_table.py` from Unicode {version}; the count is of assigned characters that the fold
changes, by itself or after another fold.

| fold | what it does | before | after all folds | characters |
|---|---|---|---|---:|
"""

DOCS_TAIL = """
## Left alone

- Hamza on the line; the letters peh, tcheh, jeh, gaf, tteh, ddal, rreh and the other added letters of
  Persian, Urdu, Pashto, Sindhi and Kurdish; Kurdish yeh with small v.
- Noon ghunna: Urdu words differ by it (ماں *mother*, مان *accept*).
- The vowel signs, virama and nukta of Indic scripts, Thai and Lao vowels and tone marks, Khmer, Myanmar and
  Tibetan signs, Thaana vowels, and kana voicing.
- Retained marks are not reordered. Two texts whose retained marks stand in another order than the
  canonical one (a Devanagari nukta after the virama, a Thai tone mark before a lower vowel) stay
  different, although Unicode calls them equivalent. NFC, NFD, NFKC and NFKD input gives the same result
  otherwise, but for the 14 isolated harakat of the first fold: NFKC and NFKD put a space before them.
- Hiragana and katakana, simplified and traditional characters, German ä and ae, thorn and eth.

## Lost on purpose

The folds favour finding copies over telling words apart. Urdu loses the aspiration that heh doachashmee
writes, Sindhi the difference of its two kafs, Uyghur that of e and i, Russian that of и and й, and every
language that of words that differ by their diacritics or case only.

## Tokens

A separator ends a token. Each character of Han, Tangut, Nushu, Khitan, hiragana, katakana, Thai, Lao,
Khmer, Myanmar and the Tai scripts is a token of its own. Digits are not, whatever script they came from.
"""


def write_docs(
    database: CharacterDatabase, num_touched: dict[str, int], fold_text: Callable[[str], str]
) -> str:
    """Return the page that lists the folds."""
    version = ".".join(map(str, database.version))
    rows = [
        f"| {fold.name} | {fold.what} | {visible(fold.example)} | {visible(fold_text(fold.example))} "
        f"| {num_touched[fold.name]:,} |\n"
        for fold in FOLDS
    ]
    return DOCS_HEAD.format(version=version) + "".join(rows) + DOCS_TAIL


def visible(text: str) -> str:
    """Return `text` with characters that would not show replaced by their code point."""
    hidden = {
        "\N{SOFT HYPHEN}",
        "\N{ZERO WIDTH NON-JOINER}",
        "\N{ARABIC FATHA ISOLATED FORM}",
        "\N{MODIFIER LETTER APOSTROPHE}",
    }
    return "".join(f"[U+{ord(character):04X}]" if character in hidden else character for character in text)
