"""Build `dedup/text/fold_table.npz` and `docs/folds.md` from the Unicode Character Database.

    python tools/build_fold_table.py [FOLDER]           write both files
    python tools/build_fold_table.py [FOLDER] --check   exit 1 if a shipped file differs

FOLDER holds the plain text files of one Unicode version (https://www.unicode.org/Public/); the default
is where Debian's package `unicode-data` puts them. The version is read from the header of a file and
stored in the table, so the same files give the same bytes whatever Python or numpy writes them.

The fold of a code point does not depend on its neighbours. `FOLDS`, in the middle of this file, is the
list of folds in the order in which they are applied; the list is applied again until nothing changes,
so every code point that comes out folds to itself. `pack` explains the file format.
"""

import argparse
import io
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TABLE_VERSION = 1
ROOT = Path(__file__).resolve().parent.parent
TABLE_PATH = ROOT / "dedup" / "text" / "fold_table.npz"
DOCS_PATH = ROOT / "docs" / "folds.md"

NUM_CODE_POINTS = 0x110000
SEPARATOR_CHARACTER = 0x20

# What a fold gives for one code point: nothing, one or several code points.
Folded = tuple[int, ...]
DELETED: Folded = ()
SEPARATED: Folded = (SEPARATOR_CHARACTER,)


# ------------------------------------------------------------------ the Unicode Character Database


@dataclass(frozen=True)
class CharacterDatabase:
    """The properties that the folds use; a code point that is missing from a dict has the default."""

    version: tuple[int, int, int]
    category: dict[int, str]  # General_Category; default Cn, unassigned
    decomposition: dict[int, Folded]  # canonical or compatibility, one step
    decimal: dict[int, int]  # Nd: value of the decimal digit
    digit: dict[int, int]  # value of digits in another shape: circled, superscript
    case_folding: dict[int, Folded]  # statuses C and F
    script: dict[int, str]  # default Unknown
    default_ignorable: frozenset[int]


def read_database(folder: Path) -> CharacterDatabase:
    """Return the properties read from the files in `folder`."""
    category: dict[int, str] = {}
    decomposition: dict[int, Folded] = {}
    decimal: dict[int, int] = {}
    digit: dict[int, int] = {}
    for code_point, fields in read_unicode_data(folder / "UnicodeData.txt"):
        category[code_point] = fields[2]
        mapping = [field for field in fields[5].split() if not field.startswith("<")]
        if mapping:
            decomposition[code_point] = tuple(int(field, 16) for field in mapping)
        if fields[6]:
            decimal[code_point] = int(fields[6])
        elif fields[7]:
            digit[code_point] = int(fields[7])
    case_folding = {
        int(fields[0], 16): tuple(int(field, 16) for field in fields[2].split())
        for fields in read_fields(folder / "CaseFolding.txt")
        if fields[1] in ("C", "F")
    }
    script = dict(read_property(folder / "Scripts.txt"))
    ignorable = frozenset(
        code_point
        for code_point, name in read_property(folder / "DerivedCoreProperties.txt")
        if name == "Default_Ignorable_Code_Point"
    )
    version = read_version(folder / "Scripts.txt")
    return CharacterDatabase(
        version, category, decomposition, decimal, digit, case_folding, script, ignorable
    )


def read_version(path: Path) -> tuple[int, int, int]:
    """Return the Unicode version of a file's first line, such as `# Scripts-15.0.0.txt`."""
    with path.open(encoding="utf-8") as lines:
        header = next(lines).strip()
    try:
        major, minor, update = header.removesuffix(".txt").rpartition("-")[2].split(".")
        return int(major), int(minor), int(update)
    except ValueError:
        raise SystemExit(f"{path}: first line is {header!r}, expected '# {path.stem}-15.0.0.txt'") from None


def read_fields(path: Path) -> Iterator[list[str]]:
    """Yield the fields, stripped, of each line that is not empty or a comment."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            content = line.partition("#")[0].strip()
            if content:
                yield [field.strip() for field in content.split(";")]


def read_property(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (code point, value) of a file whose lines are `0061..007A ; Latin`."""
    for fields in read_fields(path):
        first, _, last = fields[0].partition("..")
        for code_point in range(int(first, 16), int(last or first, 16) + 1):
            yield code_point, fields[1]


def read_unicode_data(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (code point, fields), ranges written as `<..., First>` and `<..., Last>` in full."""
    first = 0
    for fields in read_fields(path):
        code_point = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            first = code_point
        elif fields[1].endswith(", Last>"):
            yield from ((member, fields) for member in range(first, code_point + 1))
        else:
            yield code_point, fields


# ------------------------------------------------------------------ the folds, in order


@dataclass(frozen=True)
class Fold:
    """One named fold: `apply` returns what a code point becomes, itself where the fold is silent."""

    name: str
    what: str
    example: str
    apply: Callable[[CharacterDatabase, int], Folded]


def replace_with(replacement: str, characters: str) -> dict[int, Folded]:
    """Return a table in which each of `characters` becomes `replacement`."""
    return {ord(character): tuple(map(ord, replacement)) for character in characters}


def from_table(table: dict[int, Folded]) -> Callable[[CharacterDatabase, int], Folded]:
    """Return the `apply` of a fold that is a table."""
    return lambda database, code_point: table.get(code_point, (code_point,))


def span(first: str, last: str) -> str:
    """Return the characters from `first` to `last`, both included."""
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


# Compatibility decomposition gives these a space before the mark, because they stand alone; text made
# for old shaping software has them inside words, where a space would cut the word.
ARABIC_ISOLATED_HARAKAT = replace_with(
    "",
    span(
        "\N{ARABIC LIGATURE SHADDA WITH DAMMATAN ISOLATED FORM}",
        "\N{ARABIC LIGATURE SHADDA WITH SUPERSCRIPT ALEF ISOLATED FORM}",
    )
    + "\N{ARABIC FATHATAN ISOLATED FORM}"
    "\N{ARABIC DAMMATAN ISOLATED FORM}"
    "\N{ARABIC KASRATAN ISOLATED FORM}"
    "\N{ARABIC FATHA ISOLATED FORM}"
    "\N{ARABIC DAMMA ISOLATED FORM}"
    "\N{ARABIC KASRA ISOLATED FORM}"
    "\N{ARABIC SHADDA ISOLATED FORM}"
    "\N{ARABIC SUKUN ISOLATED FORM}",
)

# Hangul syllables are decomposed by arithmetic: The Unicode Standard, section 3.12.
HANGUL_S_BASE, HANGUL_L_BASE, HANGUL_V_BASE, HANGUL_T_BASE = 0xAC00, 0x1100, 0x1161, 0x11A7
HANGUL_V_COUNT, HANGUL_T_COUNT, HANGUL_S_COUNT = 21, 28, 11172


def decompose(database: CharacterDatabase, code_point: int) -> Folded:
    """Return the full compatibility decomposition (NFKD, UAX #15), marks in the database's order."""
    syllable = code_point - HANGUL_S_BASE
    if 0 <= syllable < HANGUL_S_COUNT:
        lead, rest = divmod(syllable, HANGUL_V_COUNT * HANGUL_T_COUNT)
        vowel, tail = divmod(rest, HANGUL_T_COUNT)
        jamo = (HANGUL_L_BASE + lead, HANGUL_V_BASE + vowel, HANGUL_T_BASE + tail)
        return jamo if tail else jamo[:2]
    if code_point not in database.decomposition:
        return (code_point,)
    parts = database.decomposition[code_point]
    return tuple(result for part in parts for result in decompose(database, part))


def fold_case(database: CharacterDatabase, code_point: int) -> Folded:
    """Return the full case folding: the Unicode Standard, section 3.13, CaseFolding.txt C and F."""
    return database.case_folding.get(code_point, (code_point,))


# Case folding has made I and (with a dot, deleted below) the dotted capital into i; the dotless small
# i joins them, because a text in capitals does not tell which of the two it had.
TURKISH_I = replace_with("i", "\N{LATIN SMALL LETTER DOTLESS I}")

# Strokes and joined letters that Unicode does not decompose. Outlets that cannot type them, or strip
# diacritics from their URLs and headlines, write the plain letters.
LATIN_STROKES_AND_LIGATURES = {
    **replace_with("ae", "\N{LATIN SMALL LETTER AE}"),
    **replace_with("oe", "\N{LATIN SMALL LIGATURE OE}"),
    **replace_with("o", "\N{LATIN SMALL LETTER O WITH STROKE}"),
    **replace_with("l", "\N{LATIN SMALL LETTER L WITH STROKE}"),
    **replace_with("d", "\N{LATIN SMALL LETTER D WITH STROKE}"),
    **replace_with("h", "\N{LATIN SMALL LETTER H WITH STROKE}"),
    **replace_with("t", "\N{LATIN SMALL LETTER T WITH STROKE}"),
}

# Alef with hamza or madda decomposes, and the mark is deleted below. These do not decompose.
ARABIC_ALEF = replace_with(
    "\N{ARABIC LETTER ALEF}",
    "\N{ARABIC LETTER ALEF WASLA}"
    "\N{ARABIC LETTER ALEF WITH WAVY HAMZA ABOVE}"
    "\N{ARABIC LETTER ALEF WITH WAVY HAMZA BELOW}"
    + span(  # The alefs of Quranic spelling, with a vowel or hamza attached.
        "\N{ARABIC LETTER ALEF WITH ATTACHED FATHA}",
        "\N{ARABIC LETTER ALEF WITH ATTACHED LEFT HAMZA}",
    ),
)

# Egyptian and older texts write the final ya without dots; Persian and Urdu keyboards give the Farsi
# yeh; barree, tail and e are the Urdu, Pashto and Uyghur shapes.
ARABIC_YEH = replace_with(
    "\N{ARABIC LETTER YEH}",
    "\N{ARABIC LETTER ALEF MAKSURA}"
    "\N{ARABIC LETTER FARSI YEH}"
    "\N{ARABIC LETTER YEH BARREE}"
    "\N{ARABIC LETTER E}"
    "\N{ARABIC LETTER YEH WITH TAIL}"
    "\N{ARABIC LETTER KASHMIRI YEH}"
    "\N{ARABIC LETTER YEH WITH TWO DOTS BELOW AND HAMZA ABOVE}"
    "\N{ARABIC LETTER THIN YEH}",
)

ARABIC_KAF = replace_with(
    "\N{ARABIC LETTER KAF}",
    "\N{ARABIC LETTER KEHEH}\N{ARABIC LETTER SWASH KAF}",
)

# Ta marbuta loses its dots as often as ya does; the others are Persian and Urdu keyboards' heh.
ARABIC_HEH = replace_with(
    "\N{ARABIC LETTER HEH}",
    "\N{ARABIC LETTER TEH MARBUTA}"
    "\N{ARABIC LETTER TEH MARBUTA GOAL}"
    "\N{ARABIC LETTER HEH GOAL}"
    "\N{ARABIC LETTER HEH DOACHASHMEE}"
    "\N{ARABIC LETTER AE}",
)


def fold_digit(database: CharacterDatabase, code_point: int) -> Folded:
    """Return the ASCII digit of a decimal digit, or of a circled one that does not decompose."""
    if code_point in database.decimal:
        return (ord("0") + database.decimal[code_point],)
    if code_point in database.digit and database.script[code_point] == "Common":
        return (ord("0") + database.digit[code_point],)
    return (code_point,)


def delete_invisible(database: CharacterDatabase, code_point: int) -> Folded:
    """Delete Default_Ignorable_Code_Point (UAX #44), reserved code points of that kind included."""
    return DELETED if code_point in database.default_ignorable else (code_point,)


TATWEEL = replace_with(
    "",
    "\N{ARABIC TATWEEL}"
    "\N{ARABIC TATWEEL WITH OVERSTRUCK HAMZA}"
    "\N{ARABIC TATWEEL WITH OVERSTRUCK WAW}"
    "\N{ARABIC TATWEEL WITH TWO DOTS BELOW}",
)

# Letters and dots by category, marks by use: vowels of Quranic spelling, and the high hamza, which
# other spellings write on its letter and which is deleted there.
ARABIC_SMALL_LETTERS = replace_with(
    "",
    "\N{ARABIC LETTER HIGH HAMZA}"
    "\N{ARABIC SMALL WAW}"
    "\N{ARABIC SMALL YEH}"
    "\N{ARABIC SMALL FARSI YEH}"
    "\N{ARABIC BASELINE ROUND DOT}",
)


def is_mark(database: CharacterDatabase, code_point: int) -> bool:
    """Return whether General_Category is Mn, Mc or Me."""
    return database.category.get(code_point, "Cn")[0] == "M"


def delete_marks_of(*scripts: str) -> Callable[[CharacterDatabase, int], Folded]:
    """Return the `apply` of a fold that deletes the marks of these scripts."""

    def apply(database: CharacterDatabase, code_point: int) -> Folded:
        if is_mark(database, code_point) and database.script[code_point] in scripts:
            return DELETED
        return (code_point,)

    return apply


ARABIC_SHARED_MARKS = frozenset(
    span("\N{ARABIC FATHATAN}", "\N{ARABIC HAMZA BELOW}") + "\N{ARABIC LETTER SUPERSCRIPT ALEF}"
)


def delete_arabic_marks(database: CharacterDatabase, code_point: int) -> Folded:
    """Delete marks of script Arabic, and those it shares with Syriac (script Inherited)."""
    if chr(code_point) in ARABIC_SHARED_MARKS:
        return DELETED
    return delete_marks_of("Arabic")(database, code_point)


# Marks of script Inherited that belong to a word's spelling, or to scripts whose marks are kept.
KANA_VOICING = (
    "\N{COMBINING KATAKANA-HIRAGANA VOICED SOUND MARK}\N{COMBINING KATAKANA-HIRAGANA SEMI-VOICED SOUND MARK}"
)
INDIC_SHARED_MARKS = (
    span("\N{DEVANAGARI STRESS SIGN UDATTA}", "\N{DEVANAGARI ACUTE ACCENT}")
    + span("\N{VEDIC TONE KARSHANA}", "\N{VEDIC TONE DOUBLE RING ABOVE}")
    + "\N{COMBINING BINDU BELOW}"
)
KEPT_SHARED_MARKS = frozenset(KANA_VOICING + INDIC_SHARED_MARKS)

EUROPEAN_SCRIPTS = frozenset({"Latin", "Greek", "Cyrillic", "Coptic", "Glagolitic"})

# Tone and length marks of East Asian annotation and of musical notation: they accompany the text.
ANNOTATION_MARKS = frozenset(
    span("\N{HANGUL SINGLE DOT TONE MARK}", "\N{HANGUL DOUBLE DOT TONE MARK}")
    + span("\N{MUSICAL SYMBOL COMBINING STEM}", "\N{MUSICAL SYMBOL COMBINING SNAP PIZZICATO}")
)


def delete_diacritics(database: CharacterDatabase, code_point: int) -> Folded:
    """Delete marks of the European scripts, those any script may use, enclosing and annotation marks."""
    if not is_mark(database, code_point) or chr(code_point) in KEPT_SHARED_MARKS:
        return (code_point,)
    if (
        database.script[code_point] in EUROPEAN_SCRIPTS
        or database.script[code_point] == "Inherited"
        or database.category[code_point] == "Me"
        or chr(code_point) in ANNOTATION_MARKS
    ):
        return DELETED
    return (code_point,)


# These count as letters (Lm), but the same words are written with an apostrophe or accent that is
# punctuation: Ukrainian, Hawaiian, Uzbek, transliterated Arabic.
APOSTROPHE_LETTERS = {
    ord(character): SEPARATED
    for character in span("\N{MODIFIER LETTER PRIME}", "\N{MODIFIER LETTER LEFT HALF RING}")
    + span("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}", "\N{MODIFIER LETTER HALF TRIANGULAR COLON}")
    + "\N{MODIFIER LETTER VOICING}\N{MODIFIER LETTER DOUBLE APOSTROPHE}"
}


def separate(database: CharacterDatabase, code_point: int) -> Folded:
    """Separate words at whatever General_Category does not call a letter, number or mark."""
    return (code_point,) if database.category.get(code_point, "Cn")[0] in "LNM" else SEPARATED


FOLDS = (
    Fold(
        "arabic isolated harakat",
        "deletes the presentation forms of vowel marks that stand alone, before they would become a space "
        "and a mark",
        "كت\N{ARABIC FATHA ISOLATED FORM}ب",
        from_table(ARABIC_ISOLATED_HARAKAT),
    ),
    Fold(
        "compatibility decomposition",
        "NFKD: presentation forms, ligatures, full and half width, superscripts, circled characters and "
        "Hangul syllables become the characters they stand for; accents become marks",
        "\N{ARABIC LIGATURE LAM WITH ALEF ISOLATED FORM} \N{LATIN SMALL LIGATURE FI} "
        "\N{FULLWIDTH LATIN SMALL LETTER A} \N{HALFWIDTH KATAKANA LETTER KA}",
        decompose,
    ),
    Fold("case folding", "full case folding; final sigma is sigma, sharp s is ss", "STRAßE ΛΌΓΟΣ", fold_case),
    Fold("turkish i", "all four Turkish i become i", "Iİıi", from_table(TURKISH_I)),
    Fold(
        "latin strokes and ligatures",
        "æ, œ, ø, ł, đ, ħ, ŧ become the plain letters",
        "Œuvre Łódź",
        from_table(LATIN_STROKES_AND_LIGATURES),
    ),
    Fold(
        "arabic alef",
        "alef wasla, wavy hamza and the alefs of Quranic spelling become alef; with `arabic marks`, so do "
        "alef with hamza or madda",
        "ٱلأمل",
        from_table(ARABIC_ALEF),
    ),
    Fold(
        "arabic yeh",
        "alef maksura, Farsi yeh, yeh barree, e, yeh with tail and their kin become yeh",
        "على ی ے",
        from_table(ARABIC_YEH),
    ),
    Fold("arabic kaf", "keheh and swash kaf become kaf", "کتاب", from_table(ARABIC_KAF)),
    Fold(
        "arabic heh",
        "ta marbuta, heh goal, heh doachashmee and ae become heh",
        "مدرسة ہ ھ ە",
        from_table(ARABIC_HEH),
    ),
    Fold("digits", "decimal digits of every script become ASCII digits", "٢٠٢٤ ۲۰۲۴ २०२४ ❷", fold_digit),
    Fold(
        "invisible characters",
        "deletes joiners, bidi controls, soft hyphen, byte order mark, variation selectors and all other "
        "Default_Ignorable_Code_Point",
        "می\N{ZERO WIDTH NON-JOINER}شود co\N{SOFT HYPHEN}py",
        delete_invisible,
    ),
    Fold("tatweel", "deletes tatweel (kashida)", "العـــراق", from_table(TATWEEL)),
    Fold(
        "arabic small letters",
        "deletes small waw and yeh, the baseline dot and the high hamza",
        "لَهُ\N{ARABIC SMALL WAW}",
        from_table(ARABIC_SMALL_LETTERS),
    ),
    Fold(
        "arabic marks",
        "deletes harakat, Quranic marks, superscript alef, and hamza and madda on their letters; hamza on "
        "the line stays",
        "مُدَرِّسٌ مؤمن سماء",
        delete_arabic_marks,
    ),
    Fold(
        "hebrew and syriac points",
        "deletes vowel points and accents",
        "שָׁלוֹם",
        delete_marks_of("Hebrew", "Syriac"),
    ),
    Fold(
        "diacritics",
        "deletes the marks of Latin, Greek, Cyrillic, Coptic and Glagolitic, those shared by all scripts, "
        "enclosing and annotation marks; never the vowel signs, virama or nukta of Indic and Southeast Asian "
        "scripts, nor the voicing of kana",
        "Café Ελλάδα ёлка",
        delete_diacritics,
    ),
    Fold(
        "apostrophe letters",
        "modifier letters in the shape of an apostrophe or accent separate words, as the apostrophe does",
        "м\N{MODIFIER LETTER APOSTROPHE}ята м'ята",
        from_table(APOSTROPHE_LETTERS),
    ),
    Fold(
        "separators",
        "whatever is not a letter, number or mark separates words: space, punctuation, symbols, emoji, "
        "controls",
        "«قال»، ثمّ؛ it's",
        separate,
    ),
)


def fold_code_point(database: CharacterDatabase, code_point: int) -> tuple[Folded, set[str]]:
    """Return what a code point becomes, and the names of the folds that changed something.

    Neighbouring separators of one result are one separator.
    """
    folded: Folded = (code_point,)
    names: set[str] = set()
    while True:
        before = folded
        for fold in FOLDS:
            after = tuple(result for part in folded for result in fold.apply(database, part))
            if after != folded:
                names.add(fold.name)
            folded = after
        if folded == before:
            break
    starts = (
        position == 0 or (folded[position - 1], part) != (SEPARATOR_CHARACTER, SEPARATOR_CHARACTER)
        for position, part in enumerate(folded)
    )
    return tuple(part for part, keep in zip(folded, starts, strict=True) if keep), names


# ------------------------------------------------------------------ flags

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


# ------------------------------------------------------------------ the table

BLOCK_SIZE = 256
# The first blocks are the first code points in order, so that `entries[code_point]` is right without
# `index` for the one- and two-byte sequences of UTF-8 (Latin, Greek, Cyrillic, Hebrew, Arabic).
NUM_DIRECT_BLOCKS = 0x800 // BLOCK_SIZE


class Expansions:
    """The flat array of expansions; equal ones are stored once."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self._offsets: dict[Folded, int] = {}

    def entry(self, folded: Folded) -> int:
        """Return the table entry that leads to `folded`, which is added if it is new."""
        if folded not in self._offsets:
            self._offsets[folded] = len(self.values)
            self.values += [len(folded), *folded]
        return self._offsets[folded] << 8 | EXPAND


def build_entries(database: CharacterDatabase) -> tuple[list[int], list[int], dict[str, int]]:
    """Return one entry for each code point, the expansions, and how many characters each fold touches.

    Code points without a character (unassigned, private, surrogates) are not counted. They share one
    expansion, because the entry of an expansion does not depend on the code point: so the blocks that
    they fill are equal and stored once.
    """
    expansions = Expansions()
    without_character = expansions.entry(SEPARATED)
    entries: list[int] = []
    num_touched = dict.fromkeys((fold.name for fold in FOLDS), 0)
    for code_point in range(NUM_CODE_POINTS):
        has_character = database.category.get(code_point, "Cn") not in ("Cn", "Cs", "Co")
        if not has_character and code_point not in database.default_ignorable:
            entries.append(without_character)
            continue
        folded, names = fold_code_point(database, code_point)
        if has_character:
            for name in names:
                num_touched[name] += 1
        if not folded:
            entries.append(DELETE)
        elif len(folded) == 1:
            delta = (folded[0] - code_point) % (1 << 24)
            entries.append(delta << 8 | flags_of(database, folded[0]))
        else:
            entries.append(expansions.entry(folded))
    return entries, expansions.values, num_touched


def pack(database: CharacterDatabase, entries: Sequence[int], expansions: Sequence[int]) -> bytes:
    """Return the bytes of the .npz file.

    `index`: uint16[4352], the block of code point cp is index[cp >> 8].
    `entries`: uint32, the entry of cp is entries[index[cp >> 8] * 256 + (cp & 255)]. Its low 8 bits are
    flags: SEPARATOR 1, DELETE 2, DIGIT 4, SINGLE 8, EXPAND 16, bits 5 to 7 the script class. The upper
    24 bits are a value: folded = (cp + value) & 0x1FFFFF, U+0020 for a separator; 0 for DELETE; with
    EXPAND, and then no other flag, an offset into `expansions`.
    `expansions`: uint32, a count at the offset, then that many code points, U+0020 for a separator.
    `unicode_version`: uint32[3]. `table_version`: uint32, raised when the format changes.
    """
    blocks: list[tuple[int, ...]] = []
    numbers: dict[tuple[int, ...], int] = {}
    index: list[int] = []
    for start in range(0, NUM_CODE_POINTS, BLOCK_SIZE):
        block = tuple(entries[start : start + BLOCK_SIZE])
        if block not in numbers or len(blocks) < NUM_DIRECT_BLOCKS:
            numbers.setdefault(block, len(blocks))
            index.append(len(blocks))
            blocks.append(block)
        else:
            index.append(numbers[block])
    return npz_bytes(
        {
            "index": np.array(index, dtype="<u2"),
            "entries": np.array(blocks, dtype="<u4").reshape(-1),
            "expansions": np.array(expansions, dtype="<u4"),
            "unicode_version": np.array(database.version, dtype="<u4"),
            "table_version": np.array(TABLE_VERSION, dtype="<u4"),
        }
    )


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an uncompressed .npz whose bytes depend on the arrays alone, not on clock or system."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, content.getvalue())
    return file.getvalue()


# ------------------------------------------------------------------ the documentation

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


# ------------------------------------------------------------------ command line


def generate(folder: Path) -> dict[Path, bytes]:
    """Return the content of each generated file."""
    database = read_database(folder)
    entries, expansions, num_touched = build_entries(database)

    def fold_text(text: str) -> str:
        folded = (part for character in text for part in fold_code_point(database, ord(character))[0])
        return " ".join("".join(map(chr, folded)).split())

    docs = write_docs(database, num_touched, fold_text)
    return {TABLE_PATH: pack(database, entries, expansions), DOCS_PATH: docs.encode()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the generated files; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("/usr/share/unicode"))
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    options = parser.parse_args(arguments)
    stale = 0
    for path, content in generate(options.folder).items():
        same = path.exists() and path.read_bytes() == content
        if options.check:
            stale += not same
            print(f"{path.relative_to(ROOT)}: {'up to date' if same else 'differs, run this script'}")
        else:
            path.write_bytes(content)
            print(f"{path.relative_to(ROOT)}: {len(content):,} bytes{', unchanged' if same else ''}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
