"""The filter of keys: what was put in is admitted, and what is admitted is what the plain twin admits."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.index.bloom import admit_keys, admit_keys_of_parts, filter_words, insert_keys

MASK = 2**64 - 1
KEYS = st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 300), unique=True).map(sorted)


def mixed(value: int) -> int:
    """Return the finaliser of SplitMix64, in plain Python."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


def bits_of(key: int, num_words: int) -> set[int]:
    """Return the bits of a key in a filter, by number."""
    value = mixed(key)
    block = mixed(value + 0x9E3779B97F4A7C15 & MASK) % num_words // 8
    return {512 * block + (value >> 9 * probe) % 512 for probe in range(6)}


def bits_in(words: np.ndarray) -> set[int]:
    return set(np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little")).tolist())


def admitted(keys: list[int], words: np.ndarray) -> list[int]:
    found = np.empty(len(keys), dtype=np.int64)
    return found[: admit_keys(np.array(keys, dtype=np.int64), words, found)].tolist()


@given(KEYS, KEYS, st.sampled_from([8, 16, 64]))
def test_a_filter_has_the_bits_of_its_keys_and_admits_by_them(
    keys: list[int], others: list[int], num_words: int
) -> None:
    words = np.zeros(num_words, dtype=np.uint64)
    count, bits = 0, set[int]()
    for key in keys:
        count += not bits_of(key, num_words) <= bits
        bits |= bits_of(key, num_words)
    assert insert_keys(np.array(keys, dtype=np.int64), words) == count
    assert bits_in(words) == bits
    assert admitted(keys, words) == keys
    assert admitted(others, words) == [key for key in others if bits_of(key, num_words) <= bits]


@given(KEYS, st.lists(st.integers(0, 400), unique=True, max_size=6).map(sorted), st.data())
def test_parts_admit_by_the_part_of_a_key_and_all_keys_outside_of_them(
    keys: list[int], firsts: list[int], data: st.DataObject
) -> None:
    ends = [
        data.draw(st.integers(first, following))
        for first, following in itertools.pairwise([*firsts, 2**63 - 1])
    ]
    words = np.zeros((len(firsts), 8), dtype=np.uint64)
    for part in range(len(firsts)):
        insert_keys(np.array(data.draw(KEYS), dtype=np.int64), words[part])
    expected = []
    for key in keys:
        part = next((k for k, (a, b) in enumerate(zip(firsts, ends, strict=True)) if a <= key < b), None)
        if part is None or bits_of(key, 8) <= bits_in(words[part]):
            expected.append(key)
    found = np.empty(len(keys), dtype=np.int64)
    is_read = np.zeros(len(firsts), dtype=np.bool_)
    columns = np.array([firsts, ends], dtype=np.int64)
    while (count := admit_keys_of_parts(np.array(keys, dtype=np.int64), *columns, is_read, words, found)) < 0:
        assert not is_read[-1 - count]
        is_read[-1 - count] = True
    assert found[:count].tolist() == expected


@pytest.mark.parametrize("num_keys", [1, 1_000, 32_768, 100_000])
def test_a_filter_with_room_admits_few_absent_keys(num_keys: int) -> None:
    words = np.zeros(filter_words(num_keys), dtype=np.uint64)
    keys = np.random.default_rng(num_keys).choice(1 << 46, num_keys + 20_000, replace=False)
    insert_keys(keys[:num_keys], words)
    assert len(admitted(keys[num_keys:].tolist(), words)) < 0.04 * 20_000
