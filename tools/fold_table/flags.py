"""The flags of a folded character: what the kernels must know of it."""

from fold_table.database import SEPARATOR_CHARACTER, CharacterDatabase
from fold_table.folds import INDIC_SHARED_MARKS, KANA_VOICING, span

SEPARATOR, DELETE, DIGIT, SINGLE, EXPAND = 1, 2, 4, 8, 16
SCRIPT_CLASS_SHIFT = 5
ALPHABETIC, HAN, KANA, SOUTHEAST_ASIAN, HANGUL, INDIC = range(6)

# Scripts written without spaces: ideographs and kana, and those of line breaking class SA (UAX #14).
# Each of their characters is a token, and none of the alphabetic or Indic ones is.
SINGLE_SCRIPTS = {
    **dict.fromkeys(("Han", "Tangut", "Nushu", "Khitan_Small_Script"), HAN),
    **dict.fromkeys(("Hiragana", "Katakana"), KANA),
    **dict.fromkeys(
        ("Thai", "Lao", "Khmer", "Myanmar", "Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet", "Ahom"),
        SOUTHEAST_ASIAN,
    ),
}

# Characters of script Common or Inherited that are part of Japanese words.
SINGLE_CHARACTERS = {
    **dict.fromkeys(KANA_VOICING, KANA),
    "\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}": KANA,
    **dict.fromkeys(span("\N{VERTICAL KANA REPEAT MARK}", "\N{VERTICAL KANA REPEAT MARK LOWER HALF}"), KANA),
    "\N{MASU MARK}": KANA,
    "\N{IDEOGRAPHIC CLOSING MARK}": HAN,
}

# Scripts that descend from Brahmi and are written with spaces, syllable dots or neither but with marks
# that carry the vowel: The Unicode Standard, chapters 12 to 17.
INDIC_SCRIPT_NAMES = (
    "Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Tibetan Phags_Pa "
    "Balinese Batak Bhaiksuki Brahmi Buginese Buhid Chakma Cham Dives_Akuru Dogra Grantha Gunjala_Gondi "
    "Hanunoo Javanese Kaithi Kawi Kharoshthi Khojki Khudawadi Lepcha Limbu Mahajani Makasar Marchen "
    "Masaram_Gondi Meetei_Mayek Modi Multani Nandinagari Newa Rejang Saurashtra Sharada Siddham Soyombo "
    "Sundanese Syloti_Nagri Tagalog Tagbanwa Takri Tirhuta Zanabazar_Square"
)
INDIC_SCRIPTS = frozenset(INDIC_SCRIPT_NAMES.split())


def flags_of(database: CharacterDatabase, folded: int) -> int:
    """Return the flags of a code point that folds to itself."""
    if folded == SEPARATOR_CHARACTER:
        return SEPARATOR
    if chr(folded) in "0123456789":
        return DIGIT
    script = database.script[folded]
    single = SINGLE_CHARACTERS.get(chr(folded), SINGLE_SCRIPTS.get(script))
    if single is not None:
        return SINGLE | single << SCRIPT_CLASS_SHIFT
    if script in INDIC_SCRIPTS or chr(folded) in INDIC_SHARED_MARKS:
        return INDIC << SCRIPT_CLASS_SHIFT
    return (HANGUL if script == "Hangul" else ALPHABETIC) << SCRIPT_CLASS_SHIFT
