"""Signatures: those of datasketch bit for bit, pinned, and good estimates."""

import math

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dedup
from dedup import Settings, SettingsError
from dedup.sketch.signatures import (
    EMPTY,
    estimate_jaccard,
    from_datasketch,
    permutations,
    sign_shingle_hashes,
    to_datasketch,
)

WORDS = [
    "وزير",
    "الخارجية",
    "المصري",
    "غزة",
    "السلام",
    "2024",
    "harbour",
    "ferry",
    "said",
    "on",
    "Monday新",
    "東京",
    "Москве,",
    "не",
    "é",
    "ﷺ",
]
word_texts = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
any_texts = st.one_of(word_texts, st.text())


def oracle(text: str, num_perm: int, seed: int, size: int = 3) -> MinHash:
    minhash = MinHash(num_perm=num_perm, seed=seed, hashfunc=dedup.hash_word_shingle)
    for shingle in dedup.word_shingles(text, size):
        minhash.update(shingle.encode())
    return minhash


@pytest.mark.parametrize("seed", [0, 1, 42, (1 << 32) - 1])
@pytest.mark.parametrize("num_perm", [1, 3, 64, 128, 257])
@settings(max_examples=25)
@given(text=any_texts)
@example(text="")
@example(text="one two")
def test_signature_equals_that_of_datasketch(num_perm: int, seed: int, text: str) -> None:
    hashes = np.array(
        [dedup.hash_word_shingle(s.encode()) for s in dedup.word_shingles(text)], dtype=np.uint32
    )
    offsets = np.array([0, len(hashes)], dtype=np.int64)
    signature = sign_shingle_hashes(hashes, offsets, num_perm=num_perm, seed=seed)[0]
    assert np.array_equal(signature, oracle(text, num_perm, seed).hashvalues)


@pytest.mark.parametrize(("num_perm", "seed", "size"), [(64, 7, 3), (128, 1, 3), (257, 0, 5), (128, 1, 1)])
@settings(max_examples=25)
@given(texts=st.lists(any_texts, min_size=1, max_size=4))
def test_signed_texts_equal_those_of_datasketch(
    num_perm: int, seed: int, size: int, texts: list[str]
) -> None:
    chosen = Settings(num_perm=num_perm, seed=seed, shingle_size=size, threshold=0.5)
    expected = [oracle(text, num_perm, seed, size).hashvalues for text in texts]
    assert np.array_equal(dedup.sign_texts(texts, chosen), np.stack(expected))


def test_known_answer_signature_is_pinned() -> None:
    text = "أكّد وزيرُ الخارجية المصري أنّ «الخيارات العسكرية» لا تحقق السلام، والاستقرار الإقليمي"
    signature = dedup.sign_texts([text])[0]
    assert signature.dtype == np.uint32
    assert signature[:4].tolist() == [73205028, 336105729, 449447926, 98669811]
    assert signature[-2:].tolist() == [858344775, 33828375]
    assert int(signature.sum(dtype=np.uint64)) == 55434902145


def test_permutations_are_those_of_datasketch_and_read_only() -> None:
    multipliers, increments = permutations(128, 1)
    theirs = MinHash(num_perm=128, seed=1).permutations
    assert np.array_equal(multipliers, theirs[0])
    assert np.array_equal(increments, theirs[1])
    assert not multipliers.flags.writeable
    assert not increments.flags.writeable


@pytest.mark.parametrize("seed", [1, 5])
@settings(max_examples=30)
@given(text=any_texts)
def test_signature_survives_the_way_to_datasketch_and_back(seed: int, text: str) -> None:
    signature = dedup.sign_texts([text], Settings(seed=seed))[0]
    moved = to_datasketch(signature, seed=seed)
    assert np.array_equal(from_datasketch(moved), signature)
    assert moved.jaccard(oracle(text, 128, seed)) == 1.0
    assert moved.is_empty() == bool(np.all(signature == EMPTY))


def test_moved_signature_is_a_copy_that_can_be_updated() -> None:
    signature = dedup.sign_texts(["one two three four"])[0]
    before = signature.copy()
    moved = to_datasketch(signature)
    moved.hashfunc = dedup.hash_word_shingle
    moved.update(b"five six seven")
    assert np.array_equal(signature, before)
    expected = oracle("one two three four", 128, 1)
    expected.update(b"five six seven")
    assert np.array_equal(moved.hashvalues, expected.hashvalues)


def test_moved_signature_is_found_by_datasketch_lsh() -> None:
    story = "the harbour office said on Monday that the new ferry will sail twice a day from June"
    lsh = MinHashLSH(threshold=0.5, num_perm=128)
    lsh.insert("story", to_datasketch(dedup.sign_texts([story])[0]))
    lsh.insert("other", to_datasketch(dedup.sign_texts(["rain is expected in the north this week"])[0]))
    assert lsh.query(to_datasketch(dedup.sign_texts([story + ", officials say"])[0])) == ["story"]
    assert lsh.query(oracle(story, 128, 1)) == ["story"]


def test_legacy_minhash_is_refused() -> None:
    legacy = MinHash(num_perm=16, scheme="legacy")
    with pytest.raises(ValueError, match="affine32"):
        from_datasketch(legacy)


@pytest.mark.parametrize("text", ["", "  ، ", "two words"])
def test_text_without_a_shingle_has_the_empty_signature_and_is_alike_to_nothing(text: str) -> None:
    signature = dedup.sign_texts([text])[0]
    assert np.all(signature == EMPTY)
    assert estimate_jaccard(signature, signature) == 0.0


@pytest.mark.parametrize("jaccard", [0.1, 0.4, 0.8])
def test_estimate_stays_in_its_binomial_bound(jaccard: float) -> None:
    """Each of 60 estimates within 4.5 standard errors (chance of one beyond: 4e-4), their mean within 4."""
    num_perm, size, num_pairs = 256, 600, 60
    shared = round(2 * size * jaccard / (1 + jaccard))
    generator = np.random.default_rng(11)
    errors = []
    for _ in range(num_pairs):
        values = generator.choice(1 << 32, 2 * size - shared, replace=False).astype(np.uint32)
        a, b = values[:size], values[size - shared :]
        exact = len(np.intersect1d(a, b)) / len(np.union1d(a, b))
        first, second = sign_shingle_hashes(
            np.concatenate([a, b]), np.array([0, size, 2 * size], dtype=np.int64), num_perm=num_perm
        )
        errors.append(estimate_jaccard(first, second) - exact)
    deviation = math.sqrt(jaccard * (1 - jaccard) / num_perm)
    assert max(map(abs, errors)) <= 4.5 * deviation
    assert abs(sum(errors)) / num_pairs <= 4 * deviation / math.sqrt(num_pairs)


def test_estimate_refuses_signatures_of_other_lengths() -> None:
    with pytest.raises(ValueError, match="2 and 3 permutations"):
        estimate_jaccard(np.zeros(2, dtype=np.uint32), np.zeros(3, dtype=np.uint32))


@pytest.mark.parametrize("offsets", [[], [0, 4], [2, 1], [-1, 2]])
def test_offsets_that_do_not_fit_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets"):
        sign_shingle_hashes(np.zeros(3, dtype=np.uint32), np.array(offsets, dtype=np.int64))


@pytest.mark.parametrize(("num_perm", "seed"), [(0, 1), (-1, 1), (8, -1), (8, 1 << 32)])
def test_permutations_that_cannot_be_are_refused(num_perm: int, seed: int) -> None:
    with pytest.raises(SettingsError, match=r"num_perm is|seed is"):
        permutations(num_perm, seed)


def test_no_sets_give_no_signatures() -> None:
    assert sign_shingle_hashes(np.empty(0, dtype=np.uint32), np.zeros(1, dtype=np.int64)).shape == (0, 128)
