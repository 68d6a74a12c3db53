"""The hash contract: pinned known answers, for the plain functions and for the kernels alike."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dedup.settings import NGRAM_LENGTHS
from dedup.text import normalize
from dedup.text.hashing import (
    MAX_SHINGLE_SIZE,
    hash_character_shingle,
    hash_token,
    hash_word_shingle,
    shingle_multipliers,
)
from dedup.text.kernels import (
    MAX_CODE_POINTS_PER_BYTE,
    RAW_SCRATCH,
    character_shingles,
    fold_characters,
    load_tables,
    tokenize,
    word_shingles,
)

VECTORS_PATH = Path(__file__).parent / "data" / "hash_vectors.jsonl"
"""One line a vector: `kind` token, words or characters; the `text` as it comes; what it is cut into; the
uint32 hashes. Made once by the plain functions. A change here changes every signature ever stored."""

VECTORS: list[dict[str, Any]] = [json.loads(line) for line in VECTORS_PATH.read_text("utf-8").splitlines()]


def of_kind(kind: str) -> list[Any]:
    return [
        pytest.param(vector, id=f"{vector['text'][:16]}-{vector.get('size', '')}")
        for vector in VECTORS
        if vector["kind"] == kind
    ]


def kernel_tokens(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    raw, tail = np.empty(RAW_SCRATCH, dtype=np.uint64), np.empty(8, dtype=np.uint8)
    tokens = np.empty(2 * RAW_SCRATCH, dtype=np.uint32)
    return tokens[: tokenize(data, 0, len(data), load_tables(), raw, tail, tokens, 0)]


def test_vectors_cover_each_kind_and_script() -> None:
    assert {vector["kind"] for vector in VECTORS} == {"token", "words", "characters"}
    assert {vector["size"] for vector in VECTORS if vector["kind"] == "words"} == {1, 2, 3, 5, 16}
    together = "".join(vector["text"] for vector in VECTORS)
    assert all(any(low <= c <= high for c in together) for low, high in ("az", "ءي", "一龥", "ая"))


@pytest.mark.parametrize("vector", of_kind("token"))
def test_token_hash_is_the_pinned_one(vector: dict[str, Any]) -> None:
    assert normalize.tokens(vector["text"]) == vector["parts"]
    assert [hash_token(token) for token in vector["parts"]] == vector["hashes"]
    assert kernel_tokens(vector["text"]).tolist() == vector["hashes"]


@pytest.mark.parametrize("vector", of_kind("words"))
def test_word_shingle_hash_is_the_pinned_one(vector: dict[str, Any]) -> None:
    size = vector["size"]
    assert normalize.word_shingles(vector["text"], size) == vector["parts"]
    assert [hash_word_shingle(part.encode()) for part in vector["parts"]] == vector["hashes"]
    tokens = kernel_tokens(vector["text"])
    count = len(tokens) - size + 1
    out = np.empty(count, dtype=np.uint32)
    word_shingles(tokens, 0, count, size, shingle_multipliers(size), np.empty(count, dtype=np.uint64), out)
    assert out.tolist() == vector["hashes"]


@pytest.mark.parametrize("vector", of_kind("characters"))
def test_character_shingle_hash_is_the_pinned_one(vector: dict[str, Any]) -> None:
    assert normalize.character_shingles(vector["text"], NGRAM_LENGTHS) == vector["parts"]
    assert [hash_character_shingle(part.encode()) for part in vector["parts"]] == vector["hashes"]
    data = np.frombuffer(vector["text"].encode(), dtype=np.uint8)
    folded = np.empty(MAX_CODE_POINTS_PER_BYTE * len(data) + 1, dtype=np.uint32)
    num_folded = fold_characters(data, 0, len(data), load_tables(), folded)
    out = np.empty(num_folded, dtype=np.uint32)
    count = character_shingles(folded[:num_folded], num_folded, np.array(NGRAM_LENGTHS, dtype=np.int64), out)
    assert out[:count].tolist() == vector["hashes"]


@pytest.mark.parametrize(("token", "is_number"), [("2024", 1), ("0", 1), ("2nd", 0), ("غزه", 0), ("新", 0)])
def test_lowest_bit_of_a_token_hash_marks_a_number(token: str, is_number: int) -> None:
    assert hash_token(token) & 1 == is_number
    assert kernel_tokens(token)[0] & 1 == is_number


def test_order_of_words_and_number_of_words_change_the_shingle_hash() -> None:
    shingles = [b"a b c", b"c b a", b"a c b", b"a b", b"abc", b"a b c d", b"ab c"]
    assert len({hash_word_shingle(shingle) for shingle in shingles}) == len(shingles)


def test_multipliers_are_pinned_odd_and_read_only() -> None:
    multipliers = shingle_multipliers(MAX_SHINGLE_SIZE)
    # SplitMix64 from seed 0 begins 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4 (Vigna's splitmix64.c).
    assert multipliers[:2].tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F5]
    assert bool(np.all(multipliers & np.uint64(1) == 1))
    assert not multipliers.flags.writeable
    assert np.array_equal(shingle_multipliers(3), multipliers[:3])
