"""Plain Python twin of the compiled text kernels, and their specification.

It works on `bytes`, `str` and `int` and takes no short cut. A lone surrogate in a `str` is a separator.
"""

from dedup.settings import NGRAM_LENGTHS
from dedup.text.fold_table import HAN, SEPARATOR_CODE_POINT, SINGLE, SOUTHEAST_ASIAN, load_fold_table
from dedup.text.word_keys import CLITICS, ENDINGS, KEY_LENGTH, MIN_STEM

ASCII_DIGITS = frozenset("0123456789")


def decode(data: bytes) -> str:
    r"""Return the characters that the kernels read from bytes; of well-formed UTF-8, what it encodes.

    The first byte of a character alone says how many belong to it: one below 0x80, two below 0xE0, three
    below 0xF0, else four. Of each other byte the lower six bits count, whatever the byte; a byte past the
    end is 0, and a code point past the last is the last.

    >>> decode("خبر".encode()), decode(b"a\xd8"), decode(b"\xc3a")
    ('خبر', 'a\u0600', 'á')
    """
    found = []
    at = 0
    while at < len(data):
        first = data[at]
        length = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        code_point = first & (0x7F, 0x1F, 0x0F, 0x07)[length - 1]
        for byte in data[at + 1 : at + length].ljust(length - 1, b"\0"):
            code_point = code_point << 6 | byte & 0x3F
        found.append(chr(min(code_point, 0x10FFFF)))
        at += length
    return "".join(found)


def fold(text: str) -> list[int]:
    """Return the folded code points of `text`; U+0020 is a separator, runs of it are kept.

    Retained marks (Indic, Thai, kana voicing) stay in the order in which they stand.

    >>> "".join(map(chr, fold("Œuvre, IDÉE")))
    'oeuvre  idee'
    """
    table = load_fold_table()
    return [folded for character in text for folded in table.fold_code_point(ord(character))]


def normalize(text: str) -> str:
    """Return the folded text, runs of separators as one space and none at the ends.

    Characters that are tokens of their own are not spaced out. Normalising twice changes nothing.

    >>> normalize("«قَالَ» الرّئيسُ: ٢٠٢٤!")
    'قال الرييس 2024'
    """
    # split(" ") and not split(): only U+0020 is a separator here.
    return " ".join(word for word in "".join(map(chr, fold(text))).split(" ") if word)


def tokens(text: str) -> list[str]:
    """Return the tokens of `text` in order: runs of folded characters between separators.

    A SINGLE character is a token, and ends the run before it. A deleted character ends nothing.

    >>> tokens("GPT-4 と東京")
    ['gpt', '4', 'と', '東', '京']
    """
    table = load_fold_table()
    found: list[str] = []
    run = ""
    for folded in fold(text):
        single = bool(table.entry(folded) & SINGLE)
        if run and (single or folded == SEPARATOR_CODE_POINT):
            found.append(run)
            run = ""
        if single:
            found.append(chr(folded))
        elif folded != SEPARATOR_CODE_POINT:
            run += chr(folded)
    if run:
        found.append(run)
    return found


def is_number(token: str) -> bool:
    """Return whether every character of a token is an ASCII digit.

    >>> [is_number(token) for token in tokens("٧٥ 2nd")]
    [True, False]
    """
    return bool(token) and set(token) <= ASCII_DIGITS


def word_keys(text: str) -> list[str]:
    """Return the distinct word keys of `text` as strings, sorted; see `word_keys.word_keys`.

    >>> word_keys("والوزير يستقبل 12000 president")
    ['12000', 'presi', 'وزير', 'يستقب']
    """
    table = load_fold_table()
    found: set[str] = set()
    for word in normalize(text).split(" "):
        classes = [table.script_class(ord(character)) for character in word]
        unspaced = [HAN <= script <= SOUTHEAST_ASIAN for script in classes]
        runs = "".join(" " if apart else character for character, apart in zip(word, unspaced, strict=True))
        found.update(_word_key(run) for run in runs.split(" ") if run)
        for k, apart in enumerate(unspaced):
            length = NGRAM_LENGTHS[classes[k]]
            if apart and k + length <= len(word) and all(unspaced[k : k + length]):
                found.add(word[k : k + length])
    return sorted(found)


def _word_key(word: str) -> str:
    if is_number(word):
        return word
    clitic = (affix for affix in CLITICS if word.startswith(affix) and len(word) - len(affix) >= MIN_STEM)
    word = word.removeprefix(next(clitic, ""))
    ending = (affix for affix in ENDINGS if word.endswith(affix) and len(word) - len(affix) >= MIN_STEM)
    return word.removesuffix(next(ending, ""))[:KEY_LENGTH]
