"""The compiled sketch kernels against their plain-Python twins."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.sketch import kernels, reference
from dedup.sketch.signatures import permutations, sign_shingle_hashes

uint32s = st.one_of(st.integers(0, (1 << 32) - 1), st.sampled_from([0, 1, (1 << 31), (1 << 32) - 1]))
hash_lists = st.lists(uint32s, max_size=40)


@settings(max_examples=200)
@given(hash_lists, st.integers(0, 5))
def test_premix_equals_the_finaliser_and_leaves_the_rest(hashes: list[int], left: int) -> None:
    array = np.array(hashes, dtype=np.uint32)
    count = max(0, len(hashes) - left)
    kernels.premix(array, count)
    assert array.tolist() == [reference.fmix32(h) for h in hashes[:count]] + hashes[count:]


@settings(max_examples=200)
@given(hash_lists, st.sampled_from([1, 2, 7, 16]), uint32s)
@example([], 3, 1)
@example([1, 2, 3, 4, 5], 3, 0)
def test_signature_of_any_set_equals_the_reference(hashes: list[int], num_perm: int, seed: int) -> None:
    multipliers, increments = permutations(num_perm, seed)
    expected = reference.sign(hashes, multipliers.tolist(), increments.tolist())
    offsets = np.array([0, len(hashes)], dtype=np.int64)
    signed = sign_shingle_hashes(np.array(hashes, dtype=np.uint32), offsets, num_perm=num_perm, seed=seed)
    assert signed.tolist() == [expected]


@pytest.mark.parametrize("count", [1, 3, 4, 5, 1023, 1024, 1025, 2047, 2048, 2049, 5000])
def test_signature_of_sets_around_the_size_of_a_block(count: int) -> None:
    hashes = np.random.default_rng(count).integers(0, 1 << 32, count + 7, dtype=np.uint32)
    multipliers, increments = permutations(4, 9)
    signed = sign_shingle_hashes(
        hashes, np.array([3, 3 + count, 3 + count], dtype=np.int64), num_perm=4, seed=9
    )
    expected = reference.sign(hashes[3 : 3 + count].tolist(), multipliers.tolist(), increments.tolist())
    assert signed.tolist() == [expected, [0xFFFFFFFF] * 4]


@settings(max_examples=100)
@given(hash_lists, hash_lists)
def test_signature_of_a_union_is_the_minimum_of_both(first: list[int], second: list[int]) -> None:
    hashes = np.array([*first, *second, *first, *second], dtype=np.uint32)
    size = len(first) + len(second)
    a, b, both = sign_shingle_hashes(hashes, np.array([0, len(first), size, 2 * size], dtype=np.int64))
    assert np.array_equal(np.minimum(a, b), both)


@settings(max_examples=100)
@given(st.lists(st.lists(uint32s, min_size=8, max_size=8), min_size=1, max_size=6), st.integers(1, 4))
def test_band_keys_equal_the_reference(rows: list[list[int]], rows_per_band: int) -> None:
    signatures = np.array(rows, dtype=np.uint32)
    for band in range(8 // rows_per_band):
        keys = np.empty(len(rows), dtype=np.uint64)
        kernels.band_keys(signatures, band, rows_per_band, keys)
        assert keys.tolist() == [reference.band_key(row, band, rows_per_band) for row in rows]


def test_band_key_depends_on_its_band_its_rows_and_nothing_else() -> None:
    signatures = np.array([[1, 2, 1, 2, 5], [1, 2, 9, 9, 9], [2, 1, 1, 2, 5]], dtype=np.uint32)
    first, second = np.empty(3, dtype=np.uint64), np.empty(3, dtype=np.uint64)
    kernels.band_keys(signatures, 0, 2, first)
    kernels.band_keys(signatures, 1, 2, second)
    assert first[0] == first[1]
    assert first[0] != first[2]  # the order of the rows counts
    assert first[0] != second[0]  # equal rows of another band are another key
    assert second[0] == second[2]


@pytest.mark.parametrize(("h", "mixed"), [(0, 0), (1, 0x514E28B7), (0xFFFFFFFF, 0x81F16F39)])
def test_known_answers_of_the_finaliser(h: int, mixed: int) -> None:
    assert reference.fmix32(h) == mixed
