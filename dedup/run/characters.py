"""Short texts and titles: the hashes of their character shingles and of their word keys."""

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.settings import NGRAM_LENGTHS
from dedup.text.kernels import (
    MAX_CODE_POINTS_PER_BYTE,
    Tables,
    character_shingles,
    fold_characters,
    load_tables,
)
from dedup.text.word_keys import word_keys

NO_KEYS = np.empty(0, dtype=np.uint32), np.zeros(1, dtype=np.int64)
"""What `hash_keys` returns for no text."""


@kernel
def _character_rows(data, begins, ends, tables, lengths, hashes, hash_offsets):
    """Write the character shingle hashes of the texts in data[begins:ends]; `hashes` has room for all."""
    longest = 0
    for k in range(len(begins)):
        longest = max(longest, ends[k] - begins[k])
    characters = np.empty(MAX_CODE_POINTS_PER_BYTE * longest + 1, dtype=np.uint32)
    at = 0
    hash_offsets[0] = 0
    for k in range(len(begins)):
        count = fold_characters(data, begins[k], ends[k], tables, characters)
        if at + count > len(hashes):
            return k
        at += character_shingles(characters, count, lengths, hashes[at:])
        hash_offsets[k + 1] = at
    return len(begins)


def hash_characters(
    data: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the character shingle hashes of the texts in data[begins:ends], and their offsets."""
    lengths = np.array(NGRAM_LENGTHS, dtype=np.int64)
    hash_offsets = np.zeros(len(begins) + 1, dtype=np.int64)
    num_bytes = int(np.sum(ends - begins))
    room = num_bytes
    tables = load_tables()
    while True:
        hashes = np.empty(room + 1, dtype=np.uint32)
        if _character_rows(data, begins, ends, tables, lengths, hashes, hash_offsets) == len(begins):
            return hashes[: hash_offsets[-1]].copy(), hash_offsets
        room = MAX_CODE_POINTS_PER_BYTE * num_bytes  # many expansions; the upper bound fits


@kernel
def _key_rows(data, offsets, tables, lengths, keys, key_offsets):
    """Write the word keys of all texts; return the first row that `keys` had no room for."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    characters = np.empty(MAX_CODE_POINTS_PER_BYTE * longest + 1, dtype=np.uint32)
    for row in range(len(offsets) - 1):
        count = fold_characters(data, offsets[row], offsets[row + 1], tables, characters)
        at = key_offsets[row]
        if at + count > len(keys):
            return row
        key_offsets[row + 1] = at + word_keys(characters, count, lengths, keys[at:])
    return len(offsets) - 1


def hash_keys(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], tables: Tables
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the word keys of texts, rising and distinct in each, with their offsets, int64[n + 1]."""
    lengths = np.array(NGRAM_LENGTHS, dtype=np.int64)
    key_offsets = np.zeros(len(offsets), dtype=np.int64)
    num_bytes = int(offsets[-1] - offsets[0])
    room = num_bytes
    while True:
        keys = np.empty(room + 1, dtype=np.uint32)
        if _key_rows(data, offsets, tables, lengths, keys, key_offsets) == len(offsets) - 1:
            return keys[: key_offsets[-1]].copy(), key_offsets
        room = MAX_CODE_POINTS_PER_BYTE * num_bytes  # many expansions; the upper bound fits
