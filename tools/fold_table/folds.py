"""The folds, each named, in the order in which they are applied."""

from collections.abc import Callable
from dataclasses import dataclass

from fold_table.database import DELETED, SEPARATED, SEPARATOR_CHARACTER, CharacterDatabase, Folded


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
