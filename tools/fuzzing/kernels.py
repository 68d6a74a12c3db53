"""The text kernels against their plain twins, on any bytes, well-formed UTF-8 or not.

The first byte of an input says where in the kernels' chunks the others come to lie and how long a word
shingle is. The kernels run with bounds checks; an `IndexError` is a finding like any other exception.
"""

import numpy as np
import numpy.typing as npt

from dedup.settings import NGRAM_LENGTHS
from dedup.text import kernels, reference
from dedup.text.fold_table import FoldTable, load_fold_table
from dedup.text.hashing import hash_character_shingle, hash_token, hash_word_shingle, shingle_multipliers

COVERED = (
    *(reference.decode, reference.fold, reference.normalize, reference.tokens, reference.is_number),
    *(FoldTable.entry, FoldTable.fold_code_point, FoldTable.script_class),
)
"""Compiled code reports no coverage. Its twin walks the same bytes, and is instrumented in its place."""

BEFORE, AFTER = b"\xf0\x9f", b"\xb5\x95a"
"""Bytes around a text that would make characters with its first and last bytes if they were read."""

_GAP = b"    "  # more than the three bytes that a character cut short can take
_TABLES = kernels.load_tables()
_LENGTHS = np.array(NGRAM_LENGTHS, dtype=np.int64)
_MAX_SHINGLE_SIZE = 5


def check(data: bytes) -> None:
    """Raise if a kernel and its twin disagree, or if it matters where in an array a text stands."""
    control, body = (data[0], data[1:]) if data else (0, b"")
    text = reference.decode(body)
    words = reference.tokens(text)
    hashes = [hash_token(word) for word in words]
    folded = reference.normalize(text)
    for start, whole, end in _places(body, control):
        found = kernel_tokens(whole, start, end).tolist()
        _same("tokens", found, hashes, body)
        numbers = [bool(value & 1) for value in found]
        _same("number flags", numbers, [reference.is_number(word) for word in words], body)
        characters = kernel_characters(whole, start, end)
        _same("normalised text", _text_of(characters), folded, body)
    table = load_fold_table()
    classes = [table.script_class(ord(character)) for character in folded]
    _same("script classes", (characters >> np.uint32(24)).tolist(), classes, body)
    _check_word_shingles(words, 1 + control % _MAX_SHINGLE_SIZE, body)
    _check_character_shingles(characters, folded, classes, body)
    _check_repeated(body)


def _places(body: bytes, control: int) -> list[tuple[int, bytes, int]]:
    """Return start, array and end of the text: alone; and over a chunk's border, between other bytes."""
    spaces = b" " * (kernels.CHUNK_BYTES - control % 64)
    start, end = len(BEFORE), len(BEFORE) + len(spaces) + len(body)
    return [(0, body, len(body)), (start, BEFORE + spaces + body + AFTER, end)]


def kernel_tokens(data: bytes, start: int, end: int) -> npt.NDArray[np.uint32]:
    """Return the token hashes of data[start:end]; the array is no longer than the kernel asks for."""
    raw, tail = np.empty(kernels.RAW_SCRATCH, dtype=np.uint64), np.full(8, 0x61, dtype=np.uint8)
    room = kernels.RAW_SCRATCH
    while True:
        tokens = np.empty(room, dtype=np.uint32)
        array = np.frombuffer(data, dtype=np.uint8)
        count = kernels.tokenize(array, start, end, _TABLES, raw, tail, tokens, 0)
        if count >= 0:
            return tokens[:count]
        room += kernels.RAW_SCRATCH


def kernel_characters(data: bytes, start: int, end: int) -> npt.NDArray[np.uint32]:
    """Return what `fold_characters` leaves of data[start:end]; the array is as long as it asks for."""
    out = np.empty(kernels.MAX_CODE_POINTS_PER_BYTE * (end - start) + 1, dtype=np.uint32)
    count = kernels.fold_characters(np.frombuffer(data, dtype=np.uint8), start, end, _TABLES, out)
    return out[:count]


def _text_of(characters: npt.NDArray[np.uint32]) -> str:
    return "".join(chr(int(character) & 0x1FFFFF) for character in characters)


def _check_word_shingles(words: list[str], size: int, body: bytes) -> None:
    tokens = np.array([hash_token(word) for word in words], dtype=np.uint32)
    count = max(0, len(words) - size + 1)
    sums, out = np.empty(count, dtype=np.uint64), np.empty(count, dtype=np.uint32)
    kernels.word_shingles(tokens, 0, count, size, shingle_multipliers(size), sums, out)
    shingles = [" ".join(words[k : k + size]) for k in range(count)]
    _same(f"word {size}-shingles", out.tolist(), [hash_word_shingle(one.encode()) for one in shingles], body)


def _check_character_shingles(
    characters: npt.NDArray[np.uint32], folded: str, classes: list[int], body: bytes
) -> None:
    out = np.empty(len(characters), dtype=np.uint32)
    count = kernels.character_shingles(characters, len(characters), _LENGTHS, out)
    ends = [k + NGRAM_LENGTHS[script] for k, script in enumerate(classes)]
    shingles = [folded[k:end] for k, end in enumerate(ends) if end <= len(folded)]
    if not shingles and folded:
        shingles = [folded]
    expected = [hash_character_shingle(one.encode()) for one in shingles]
    _same("character shingles", out[:count].tolist(), expected, body)


def _check_repeated(body: bytes) -> None:
    """Check that a text said over and over, through several chunks, has its tokens over and over."""
    piece = body + _GAP
    times = 2 * kernels.CHUNK_BYTES // len(piece) + 2
    once = kernel_tokens(piece, 0, len(piece))
    repeated = kernel_tokens(piece * times, 0, times * len(piece))
    _same("tokens of a repeated text", repeated.tolist(), once.tolist() * times, body)


def _same(what: str, found: object, expected: object, body: bytes) -> None:
    if found != expected:
        raise AssertionError(f"{what} of {body!r}: the kernel has {found!r:.400}, expected {expected!r:.400}")
