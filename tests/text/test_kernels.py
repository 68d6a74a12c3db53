"""The compiled text kernels against their plain-Python twins: chunk borders, text ends, any bytes."""

import os
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.settings import NGRAM_LENGTHS
from dedup.text import normalize, reference
from dedup.text.fold_table import EXPAND, load_fold_table
from dedup.text.hashing import (
    MAX_SHINGLE_SIZE,
    hash_character_shingle,
    hash_token,
    hash_word_shingle,
    shingle_multipliers,
)
from dedup.text.kernels import (
    CHUNK_BYTES,
    MAX_CODE_POINTS_PER_BYTE,
    MAX_TOKENS_PER_BYTE,
    RAW_SCRATCH,
    character_shingles,
    fold_characters,
    load_tables,
    tokenize,
    word_shingles,
)

TABLES = load_tables()
LENGTHS = np.array(NGRAM_LENGTHS, dtype=np.int64)

NEWS_RANGES = (
    *((0x20, 0x17F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x45F), (0x591, 0x5F4), (0x600, 0x6FF)),
    *((0x7C0, 0x800), (0x900, 0x97F), (0x985, 0x9CE), (0xB95, 0xBCC), (0xE01, 0xE5B), (0x1780, 0x17E9)),
    *((0x1100, 0x1200), (0x1E00, 0x1EF9), (0x2000, 0x206F), (0x2070, 0x209C), (0x3001, 0x30FF)),
    *((0x3300, 0x3357), (0x4E00, 0x4E40), (0xAC00, 0xAC40), (0xD7A0, 0xD7FF), (0xFB00, 0xFB4F)),
    *((0xFB50, 0xFBB1), (0xFDF0, 0xFDFC), (0xFE00, 0xFE0F), (0xFEFB, 0xFFFF), (0x10000, 0x1000B)),
    *((0x1D400, 0x1D410), (0x1D7CE, 0x1D7FF), (0x1F100, 0x1F10A), (0x20000, 0x20008), (0xE0100, 0xE0103)),
)
NEWS_CHARACTERS = "".join(
    chr(code_point)
    for first, last in NEWS_RANGES
    for code_point in range(first, last + 1)
    if not 0xD800 <= code_point <= 0xDFFF
)
"""Characters of many scripts and lengths in UTF-8, so that generated text is not mostly unassigned."""

TRICKY = (
    *("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", "\N{SQUARE KIROGURAMU}", "\N{SQUARE KIROMEETORU}"),
    *("\N{ARABIC TATWEEL}", "\N{ARABIC FATHA}", "\N{SOFT HYPHEN}", "\N{ZERO WIDTH NO-BREAK SPACE}"),
    *(
        "\N{LATIN SMALL LETTER SHARP S}",
        "\N{VULGAR FRACTION ONE HALF}",
        "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}",
    ),
    *("\N{ARABIC COMMA}", "\N{NO-BREAK SPACE}", "\N{THAI CHARACTER SARA AM}", "\N{IDEOGRAPHIC SPACE}"),
    *(
        "\N{ARABIC-INDIC DIGIT SEVEN}",
        "7",
        "\N{MATHEMATICAL BOLD DIGIT NINE}",
        "新",
        "กำ",
        "คุ",
        "\x00",
        "\x7f",
    ),
    *(
        "\N{KHMER VOWEL SIGN AA}",
        "\N{DEVANAGARI SIGN VIRAMA}",
        "\N{CJK UNIFIED IDEOGRAPH-20000}",
        "\U0010ffff",
    ),
)

news_text = st.text(st.sampled_from(NEWS_CHARACTERS))
any_text = st.text(st.characters(exclude_categories=("Cs",)))
mixed_text = st.lists(
    st.one_of(st.sampled_from(TRICKY), st.sampled_from((" ", "12", "كتاب", "word")), news_text), max_size=20
).map("".join)
texts = st.one_of(any_text, news_text, mixed_text)


def kernel_tokens(data: bytes, start: int = 0, end: int | None = None) -> list[int]:
    """Return the token hashes of data[start:end]; the array is read-only and has no byte more than `data`."""
    end = len(data) if end is None else end
    raw = np.empty(RAW_SCRATCH, dtype=np.uint64)
    tail = np.full(8, 0x61, dtype=np.uint8)
    room = RAW_SCRATCH
    while True:
        tokens = np.empty(room, dtype=np.uint32)
        count = tokenize(np.frombuffer(data, dtype=np.uint8), start, end, TABLES, raw, tail, tokens, 0)
        if count >= 0:
            return tokens[:count].tolist()
        room *= 2


def kernel_characters(data: bytes, start: int = 0, end: int | None = None) -> npt.NDArray[np.uint32]:
    end = len(data) if end is None else end
    out = np.empty(MAX_CODE_POINTS_PER_BYTE * (end - start) + 1, dtype=np.uint32)
    return out[: fold_characters(np.frombuffer(data, dtype=np.uint8), start, end, TABLES, out)]


def expected_tokens(text: str) -> list[int]:
    return [hash_token(token) for token in reference.tokens(text)]


@settings(max_examples=600)
@given(texts)
@example("")
@example(" ")
@example("\N{ARABIC TATWEEL}")
@example("a\N{ARABIC TATWEEL}")
@example("1\N{SOFT HYPHEN}2")
@example("12新34")
@example("\N{SQUARE KIROGURAMU}" * 3)
def test_tokens_of_any_script_equal_the_reference(text: str) -> None:
    assert kernel_tokens(text.encode()) == expected_tokens(text)


@settings(max_examples=400)
@given(st.one_of(texts, st.text(st.characters(exclude_categories=()))))
@example("a\ud800b")
def test_normalised_text_equals_the_reference(text: str) -> None:
    assert normalize.normalize(text) == reference.normalize(text)


@settings(max_examples=200)
@given(texts)
def test_folded_characters_carry_their_script_class(text: str) -> None:
    table = load_fold_table()
    folded = kernel_characters(text.encode())
    code_points = (folded & 0x1FFFFF).tolist()
    assert "".join(map(chr, code_points)) == reference.normalize(text)
    assert (folded >> 24).tolist() == [table.script_class(code_point) for code_point in code_points]


def test_every_code_point_gives_the_tokens_and_characters_of_the_reference() -> None:
    # Beyond plane 2 nothing is assigned but the tags and selectors of plane 14.
    planes = (range(0xD800), range(0xE000, 0x34000), range(0xE0000, 0xE1000), range(0x10FF00, 0x110000))
    code_points = [code_point for plane in planes for code_point in plane]
    for start in range(0, len(code_points), 1 << 16):
        # "x" on both sides shows deletions, separators and characters that are tokens of their own.
        text = "x".join(map(chr, code_points[start : start + (1 << 16)]))
        assert kernel_tokens(text.encode()) == expected_tokens(text)
        folded = kernel_characters(text.encode()) & 0x1FFFFF
        assert "".join(map(chr, folded.tolist())) == reference.normalize(text)


def test_stated_bounds_of_tokens_and_code_points_hold_for_every_code_point() -> None:
    table = load_fold_table()
    code_points = np.arange(0x110000)
    entries = table.entries[table.index[code_points >> 8].astype(np.int64) * 256 + (code_points & 255)]
    expanding = np.flatnonzero(entries & EXPAND)
    # Many code points share an expansion; the first that does is the shortest in UTF-8.
    _, firsts = np.unique(entries[expanding], return_index=True)
    most_tokens = most_code_points = 0.0
    for character in map(chr, expanding[firsts].tolist()):
        num_bytes = len(character.encode("utf-8", "surrogatepass"))
        num_code_points = len(reference.fold(character))
        most_code_points = max(most_code_points, num_code_points / num_bytes)
        if num_code_points > most_tokens * num_bytes:  # there are no more tokens than code points
            most_tokens = max(most_tokens, len(reference.tokens(character)) / num_bytes)
    # Code points that do not expand give one folded code point or none, from a byte or more.
    assert 1 < most_tokens <= MAX_TOKENS_PER_BYTE
    assert 1 < most_code_points <= MAX_CODE_POINTS_PER_BYTE


BORDER_PIECES = (
    *("ab", "é", "كتاب", "新", "\N{SQUARE KIROGURAMU}", "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"),
    *(
        "\N{CJK UNIFIED IDEOGRAPH-20000}",
        "\N{MATHEMATICAL BOLD DIGIT NINE}",
        "12 34",
        " ",
        "\N{ARABIC COMMA}",
    ),
)


@pytest.mark.parametrize("filler", ["a", " ", "a ", "7", "\N{ARABIC TATWEEL}", "ب", "新", "\U00020000"])
@pytest.mark.parametrize("piece", BORDER_PIECES)
def test_characters_and_words_across_a_chunk_border(filler: str, piece: str) -> None:
    size = len(filler.encode())
    for border in (CHUNK_BYTES, 2 * CHUNK_BYTES):
        for before in range(0, 7):
            lead = "x" * (border % size) + filler * ((border - before - border % size) // size)
            for after in ("", "z", " end 5"):
                text = lead + piece + after
                assert kernel_tokens(text.encode()) == expected_tokens(text)


@settings(max_examples=80)
@given(st.integers(2 * CHUNK_BYTES - 12, 2 * CHUNK_BYTES + 2), st.sampled_from("aب新 "), mixed_text)
def test_any_text_across_a_chunk_border(num_bytes: int, filler: str, text: str) -> None:
    text = filler * (num_bytes // len(filler.encode())) + text
    assert kernel_tokens(text.encode()) == expected_tokens(text)


@pytest.mark.parametrize("num_characters", [CHUNK_BYTES - 1, CHUNK_BYTES, 5 * CHUNK_BYTES + 1, 300_000])
@pytest.mark.parametrize("character", ["q", "5", "ق", "\N{MATHEMATICAL BOLD SMALL A}"])
def test_word_longer_than_many_chunks(character: str, num_characters: int) -> None:
    text = f"{character * num_characters} {character}"
    assert kernel_tokens(text.encode()) == expected_tokens(text)
    almost = f"{character * num_characters}k {character}"
    assert kernel_tokens(almost.encode())[0] != kernel_tokens(text.encode())[0]


@pytest.mark.parametrize(
    "last", ["a", "7", ".", "é", "ة", "\u07c1", "新", "ا\u064b", "ﷺ", "㌕", "𠀀", "𝟗", "🙂"]
)
@pytest.mark.parametrize("before", ["", " ", "b", "bc", "bcd", "bcde", "ب", "新", "𠀀"])
def test_text_that_ends_in_a_character_of_each_length(before: str, last: str) -> None:
    text = before + last
    assert kernel_tokens(text.encode()) == expected_tokens(text)
    assert normalize.normalize(text) == reference.normalize(text)


@settings(max_examples=200)
@given(texts, st.binary(max_size=12), st.binary(max_size=12))
@example("新", b"\xe3\x8c", b"\x95a")
@example("a", b"a", b"a")
@example("", b"abc", b"def")
def test_bytes_outside_the_text_are_never_seen(text: str, before: bytes, after: bytes) -> None:
    data = text.encode()
    start, end = len(before), len(before) + len(data)
    assert kernel_tokens(before + data + after, start, end) == kernel_tokens(data)
    assert kernel_characters(before + data + after, start, end).tolist() == kernel_characters(data).tolist()


CUT_SHORT = [b"\xe3\x8c", b"\xef\xb7\xba", b"\xf0\x90", b"\xff", b"\x80", b"\xc3", b"\xed\xa0"]
ill_formed = st.one_of(
    st.binary(max_size=40),
    st.lists(st.one_of(st.sampled_from(CUT_SHORT), st.binary(max_size=3)), max_size=12).map(b"".join),
)


@settings(max_examples=300)
@given(ill_formed, st.binary(max_size=8))
@example(b"\xe3", b"\x8c\x95")
@example(b"\xf0\x9d", b"\x9f\x97")
def test_ill_formed_bytes_give_the_same_result_wherever_they_stand(data: bytes, around: bytes) -> None:
    start, end = len(around), len(around) + len(data)
    assert kernel_tokens(around + data + around, start, end) == kernel_tokens(data)
    assert kernel_characters(around + data + around, start, end).tolist() == kernel_characters(data).tolist()


@settings(max_examples=300)
@given(ill_formed)
@example(b"\x80a\xbf\xbf1\x802")
@example(b"\xf5\x90\x80\x80\xc0\x80")
def test_ill_formed_bytes_are_read_as_the_reference_decodes_them(data: bytes) -> None:
    text = reference.decode(data)
    assert kernel_tokens(data) == expected_tokens(text)
    characters = kernel_characters(data) & np.uint32(0x1FFFFF)
    assert "".join(map(chr, characters.tolist())) == reference.normalize(text)


def test_tokens_are_written_from_the_given_place_and_refused_when_room_is_short() -> None:
    data = np.frombuffer(b"one two", dtype=np.uint8)
    raw, tail = np.empty(RAW_SCRATCH, dtype=np.uint64), np.empty(8, dtype=np.uint8)
    tokens = np.full(RAW_SCRATCH + 10, 7, dtype=np.uint32)
    assert tokenize(data, 0, 7, TABLES, raw, tail, tokens, 5) == 7
    assert tokens[:8].tolist() == [7, 7, 7, 7, 7, hash_token("one"), hash_token("two"), 7]
    assert tokenize(data, 0, 7, TABLES, raw, tail, tokens, 11) == -1


BOUNDS_SCRIPT = """
import random, sys
import numpy as np
from dedup import compiling
from dedup.settings import NGRAM_LENGTHS
from dedup.text.kernels import *
from dedup.text import kernels as k
from dedup.text.lines import make_lines, tokenize_lines

assert compiling.BOUNDS_CHECKS
tables = load_tables()
raw, tail = np.empty(k.RAW_SCRATCH, np.uint64), np.empty(8, np.uint8)
tokens = np.empty(4 * k.RAW_SCRATCH, np.uint32)
lengths = np.array(NGRAM_LENGTHS, dtype=np.int64)
lines = make_lines(4096)

def check(data):
    array = np.frombuffer(data, dtype=np.uint8)
    assert tokenize(array, 0, len(data), tables, raw, tail, tokens, 0) >= 0
    assert tokenize_lines(array, 0, len(data), tables, raw, tail, tokens, 0, lines)[0] >= 0
    out = np.empty(k.MAX_CODE_POINTS_PER_BYTE * len(data) + 1, np.uint32)
    count = fold_characters(array, 0, len(data), tables, out)
    character_shingles(out, count, lengths, np.empty(count, np.uint32))

leads = bytes(range(0xC0, 0x100))
for lead in leads:  # every character cut short at the end of the text
    check(bytes([lead]))
    for second in range(256):
        check(bytes([lead, second]))
        check(bytes([0x61, lead, second, 0xBA]))
dense = ["\\u3315", "\\ufdfa", "\\u3316", "\\u00bd", "\\ufdfb", "a ", "a\\n", "\\u65b0", "\\U00020000"]
for piece in dense:
    for shift in range(4):
        check(b"a" * shift + piece.encode() * 1500)
        check(b"a" * shift + piece.encode() * 1500 + piece.encode()[:-1])
generator = random.Random(7)
for _ in range(3000):
    check(generator.randbytes(generator.randrange(40)))
    check("".join(generator.choices(dense, k=generator.randrange(9))).encode()[: generator.randrange(1, 30)])
for _ in range(20):
    check(generator.randbytes(6000))
"""


def test_no_array_is_ever_read_or_written_outside_its_bounds() -> None:
    environment = {**os.environ, "DEDUP_BOUNDS_CHECKS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BOUNDS_SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("size", [1, 2, 3, 5, MAX_SHINGLE_SIZE])
@settings(max_examples=60)
@given(text=texts)
def test_word_shingle_hashes_equal_the_public_function_on_strings(size: int, text: str) -> None:
    tokens = np.array(kernel_tokens(text.encode()), dtype=np.uint32)
    count = max(0, len(tokens) - size + 1)
    sums, out = np.empty(count, dtype=np.uint64), np.empty(count, dtype=np.uint32)
    word_shingles(tokens, 0, count, size, shingle_multipliers(size), sums, out)
    assert out.tolist() == [hash_word_shingle(s.encode()) for s in normalize.word_shingles(text, size)]


def test_word_shingles_begin_where_they_are_asked_to() -> None:
    tokens = np.array([hash_token(word) for word in "abcdef"], dtype=np.uint32)
    sums, out = np.empty(2, dtype=np.uint64), np.empty(2, dtype=np.uint32)
    word_shingles(tokens, 2, 2, 3, shingle_multipliers(3), sums, out)
    assert out.tolist() == [hash_word_shingle(b"c d e"), hash_word_shingle(b"d e f")]


@settings(max_examples=200)
@given(texts, st.sampled_from([NGRAM_LENGTHS, (1,) * 8, (5, 2, 3, 4, 1, 2, 9, 9)]))
@example("ab", NGRAM_LENGTHS)
@example("新", NGRAM_LENGTHS)
@example("a新", NGRAM_LENGTHS)
@example("新华社", NGRAM_LENGTHS)
def test_character_shingle_hashes_equal_the_public_function_on_strings(
    text: str, lengths: tuple[int, ...]
) -> None:
    characters = kernel_characters(text.encode())
    out = np.empty(len(characters), dtype=np.uint32)
    count = character_shingles(characters, len(characters), np.array(lengths, dtype=np.int64), out)
    shingles = normalize.character_shingles(text, lengths)
    assert out[:count].tolist() == [hash_character_shingle(shingle.encode()) for shingle in shingles]
