"""Texts to sketches: threads, splits, growth, nulls, slices, surrogates, very long texts."""

import itertools
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Settings, sign_texts
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import string_buffers, text_array
from dedup.settings import NGRAM_LENGTHS
from dedup.text import normalize, reference
from dedup.text.hashing import hash_character_shingle, hash_token

DEFAULT = Settings()
HEADLINE = Settings.of("headline")
LIGATURE = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"
SQUARE = "\N{SQUARE KIROGURAMU}"

words = st.sampled_from(
    [*["وزير", "الخارجية", "قال", "in", "the", "2024", "新华社", "กรุง", "é", "،", "."], LIGATURE, SQUARE, " "]
)
some_texts = st.one_of(st.lists(words, max_size=50).map(" ".join), st.text(max_size=30))


def sketch(
    texts: Sequence[str | None] | pa.Array, chosen: Settings = DEFAULT, num_threads: int = 1
) -> Sketches:
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.large_string())
    return sketch_texts(array, chosen, num_threads)


def assert_same(a: Sketches, b: Sketches) -> None:
    for field in fields(Sketches):
        first, second = getattr(a, field.name), getattr(b, field.name)
        assert first.dtype == second.dtype, field.name
        assert np.array_equal(first, second), field.name


@pytest.mark.parametrize("chosen", [DEFAULT, HEADLINE], ids=["article", "headline"])
@settings(max_examples=60)
@given(texts=st.lists(some_texts, max_size=8))
def test_sketches_hold_tokens_and_character_shingles_of_the_reference(
    chosen: Settings, texts: list[str]
) -> None:
    sketches = sketch(texts, chosen)
    assert len(sketches) == len(texts)
    expected = [[hash_token(token) for token in reference.tokens(text)] for text in texts]
    offsets = sketches.token_offsets
    assert [sketches.tokens[a:b].tolist() for a, b in itertools.pairwise(offsets)] == expected
    assert sketches.num_tokens.tolist() == list(map(len, expected))
    short = [row for row, tokens in enumerate(expected) if 0 < len(tokens) <= chosen.max_short_words]
    assert sketches.character_rows.tolist() == short
    ends = sketches.character_offsets
    for row, start, end in zip(short, ends[:-1], ends[1:], strict=True):
        shingles = normalize.character_shingles(texts[row], NGRAM_LENGTHS)
        hashes = [hash_character_shingle(shingle.encode()) for shingle in shingles]
        assert sketches.character_hashes[start:end].tolist() == hashes
    assert sketches.signatures.shape == (len(texts), 128 if chosen.uses_words else 0)
    assert sketches.character_signatures.shape == (len(short), 128)
    assert sketches.nbytes > 0


@settings(max_examples=60)
@given(st.lists(some_texts, min_size=1, max_size=12), st.data())
def test_sketches_do_not_depend_on_how_texts_are_split(texts: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3)))
    parts = [sketch(texts[a:b]) for a, b in zip([0, *cuts], [*cuts, len(texts)], strict=True)]
    assert_same(Sketches.concatenate(parts), sketch(texts))


def test_sketches_do_not_depend_on_the_number_of_threads() -> None:
    """More texts than one task takes, of very different lengths."""
    generator = np.random.default_rng(5)
    vocabulary = [f"w{k}" for k in range(500)] + [SQUARE, "新", "٧"]
    texts = [" ".join(generator.choice(vocabulary, generator.integers(0, 20))) for _ in range(9000)]
    texts[100] = " ".join(["long"] * 20_000)
    alone = sketch(texts)
    for num_threads in (2, 5):
        assert_same(sketch(texts, num_threads=num_threads), alone)
    assert_same(Sketches.concatenate([sketch(texts[:4095]), sketch(texts[4095:])]), alone)


@pytest.mark.parametrize("piece", ["a ", "新", SQUARE, LIGATURE, f"{SQUARE} ", "1 "])
@pytest.mark.parametrize("repeats", [1, 20_000])
def test_token_buffer_grows_for_texts_dense_in_words(piece: str, repeats: int) -> None:
    texts = ["first text", piece * repeats, "", piece * repeats, "last text"]
    sketches = sketch(texts)
    expected = len(reference.tokens(piece * repeats))
    assert sketches.num_tokens.tolist() == [2, expected, 0, expected, 2]
    assert sketches.tokens[:2].tolist() == [hash_token("first"), hash_token("text")]
    assert sketches.tokens[-2:].tolist() == [hash_token("last"), hash_token("text")]
    assert sketches.fingerprints[1] == sketches.fingerprints[3]
    assert np.array_equal(sketches.signatures[1], sketches.signatures[3])


@pytest.mark.parametrize("chosen", [DEFAULT, HEADLINE], ids=["article", "headline"])
def test_character_buffer_grows_for_short_texts_of_expansions(chosen: Settings) -> None:
    texts = [LIGATURE, "plain", f"{LIGATURE} {LIGATURE}", LIGATURE * 3]
    sketches = sketch(texts, chosen)
    counts = [len(normalize.character_shingles(text, NGRAM_LENGTHS)) for text in texts]
    assert np.diff(sketches.character_offsets).tolist() == counts


def test_null_text_is_sketched_as_empty() -> None:
    assert_same(sketch([None, "one two three", None]), sketch(["", "one two three", ""]))
    assert_same(sketch(pa.nulls(2, pa.large_string())), sketch(["", ""]))


def test_no_texts_and_empty_texts() -> None:
    assert len(sketch([])) == 0
    sketches = sketch(["", " ، ", "\N{ARABIC TATWEEL}"])
    assert sketches.num_tokens.tolist() == [0, 0, 0]
    assert sketches.fingerprints.tolist() == [0, 0, 0]
    assert len(sketches.character_rows) == 0


@settings(max_examples=60)
@given(st.lists(st.one_of(some_texts, st.none()), max_size=9), st.data())
def test_sliced_arrays_are_read_where_they_stand(texts: list[str | None], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(texts)))
    length = data.draw(st.integers(0, len(texts)))
    array = pa.array(texts, pa.large_string())
    assert_same(sketch(array.slice(start, length)), sketch(texts[start : start + length]))
    assert_same(sketch(array.slice(start).slice(0, length)), sketch(texts[start : start + length]))


def test_string_buffers_are_views() -> None:
    array = pa.array(["ab", "c", "def"], pa.large_string())
    offsets, data = string_buffers(array.slice(1))
    assert offsets.tolist() == [2, 3, 6]
    assert data[:6].tobytes() == b"abcdef"
    assert data.__array_interface__["data"][0] == array.buffers()[2].address


@pytest.mark.parametrize(
    "text", ["a\ud800b c", "\udfff", "كتاب\udc00", "\ud83d\ude00 x", "\ud840\udc00", "a\udc00\ud840b"]
)
def test_surrogates_in_a_string_separate_words(text: str) -> None:
    sketches = sketch_texts(text_array([text, "plain"]), DEFAULT)
    assert sketches.tokens.tolist() == [*map(hash_token, reference.tokens(text)), hash_token("plain")]


def test_surrogates_beside_a_missing_text() -> None:
    assert text_array(["\ud800", None]).is_null().to_pylist() == [False, True]


def test_article_of_five_megabytes() -> None:
    text = " ".join(f"كلمة{k % 5000} رقم {k}" for k in range(200_000))
    assert len(text.encode()) > 5_000_000
    sketches = sketch(["before", text, "after"])
    assert sketches.num_tokens.tolist() == [1, 3 * 200_000, 1]
    assert sketches.tokens[1:4].tolist() == [hash_token("كلمه0"), hash_token("رقم"), hash_token("0")]
    assert sketches.tokens[-2:].tolist() == [hash_token("199999"), hash_token("after")]


def test_word_of_five_megabytes() -> None:
    sketches = sketch(["x" * 5_000_000, "x" * 4_999_999])
    assert sketches.num_tokens.tolist() == [1, 1]
    assert sketches.fingerprints[0] != sketches.fingerprints[1]


def test_fingerprint_depends_on_words_and_their_order_alone() -> None:
    a, b, c, d, e = sketch(["One, two!", "one two", "two one", "one two two", "onetwo"]).fingerprints.tolist()
    assert a == b
    assert len({b, c, d, e}) == 4


def string_arrays() -> list[Any]:
    texts = ["one two three", "غزة", ""]
    return [
        pytest.param(texts, id="list"),
        pytest.param(pa.array(texts), id="string"),
        pytest.param(pa.array(texts, pa.large_string()), id="large_string"),
        pytest.param(pa.array(texts, pa.string_view()), id="string_view"),
        pytest.param(pa.array(texts).dictionary_encode(), id="dictionary"),
        pytest.param(pa.chunked_array([texts[:1], texts[1:]]), id="chunked"),
    ]


@pytest.mark.parametrize("texts", string_arrays())
def test_texts_of_any_string_type_are_signed(texts: Any) -> None:
    expected = sign_texts(["one two three", "غزة", ""])
    assert np.array_equal(sign_texts(texts, num_threads=2), expected)


def test_a_text_of_many_lines_takes_room_for_its_lines_only() -> None:
    text = "ab cd ef gh\n" * 300_000
    sketches = sketch_texts(text_array(["short one", text]), Settings())
    assert sketches.num_tokens.tolist() == [2, 1_200_000]
    assert len(sketches.line_hashes) == 300_000
