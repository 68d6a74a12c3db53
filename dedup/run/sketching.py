"""Texts to sketches: the one compiled pass that composes the text and sketch kernels.

Each text is read once; what stays are its token hashes, its signature and, for a short text, the
hashes and the signature of its character shingles.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.compiling import kernel
from dedup.errors import SettingsError
from dedup.settings import NGRAM_LENGTHS, Settings
from dedup.sketch.kernels import premix, update_signature
from dedup.sketch.signatures import permutations, sign_shingle_hashes
from dedup.text.hashing import shingle_multipliers
from dedup.text.kernels import (
    MAX_CODE_POINTS_PER_BYTE,
    RAW_SCRATCH,
    Tables,
    character_shingles,
    fold_characters,
    load_tables,
    tokenize,
    word_shingles,
)

u64 = np.uint64
_BLOCK = 1024  # shingles hashed at a time; their scratch fits the first-level cache
_ROWS_PER_TASK = 4096


@dataclass(frozen=True)
class Sketches:
    """What is kept of n texts, in the order of the texts. Rows in compressed form have n + 1 offsets.

    - `tokens` uint32, `token_offsets` int64: the ordered token hashes;
    - `fingerprints` uint64[n]: equal for equal token sequences; 0 for a text without a token;
    - `signatures` uint32[n, num_perm] of the word shingles (no columns if words are not used);
    - `character_rows` int64[m], rising: the rows of the short texts; for each of them
      `character_hashes` uint32 with `character_offsets` int64[m + 1], and `character_signatures`
      uint32[m, num_perm].
    """

    tokens: npt.NDArray[np.uint32]
    token_offsets: npt.NDArray[np.int64]
    fingerprints: npt.NDArray[np.uint64]
    signatures: npt.NDArray[np.uint32]
    character_rows: npt.NDArray[np.int64]
    character_hashes: npt.NDArray[np.uint32]
    character_offsets: npt.NDArray[np.int64]
    character_signatures: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.fingerprints)

    @property
    def num_tokens(self) -> npt.NDArray[np.int64]:
        """The number of tokens of each text, int64[n]."""
        return np.diff(self.token_offsets)

    @property
    def nbytes(self) -> int:
        """The bytes that all arrays hold together."""
        return sum(array.nbytes for array in vars(self).values())

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the sketches of all parts, one after the other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
        return cls(
            tokens=np.concatenate([part.tokens for part in parts]),
            token_offsets=_join_offsets([part.token_offsets for part in parts]),
            fingerprints=np.concatenate([part.fingerprints for part in parts]),
            signatures=np.concatenate([part.signatures for part in parts]),
            character_rows=np.concatenate(
                [part.character_rows + start for part, start in zip(parts, starts, strict=True)]
            ),
            character_hashes=np.concatenate([part.character_hashes for part in parts]),
            character_offsets=_join_offsets([part.character_offsets for part in parts]),
            character_signatures=np.concatenate([part.character_signatures for part in parts]),
        )


def _join_offsets(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    ends = np.cumsum([0] + [int(part[-1]) for part in parts[:-1]])
    return np.concatenate(
        [parts[0][:1]] + [part[1:] + end for part, end in zip(parts, ends, strict=True)]
    ).astype(np.int64)


@kernel
def _sketch_rows(
    data, offsets, first, tables, size, shingle_mult, perm_mult, perm_incr,
    tokens, token_offsets, fingerprints, signatures,
):  # fmt: skip
    """Sketch the texts from row `first` on; return the first row that `tokens` had no room for."""
    raw = np.empty(RAW_SCRATCH, dtype=np.uint64)
    tail = np.empty(8, dtype=np.uint8)
    sums = np.empty(_BLOCK, dtype=np.uint64)
    block = np.empty(_BLOCK, dtype=np.uint32)
    sign = signatures.shape[1] > 0
    for row in range(first, len(offsets) - 1):
        begin = token_offsets[row]
        end = tokenize(data, offsets[row], offsets[row + 1], tables, raw, tail, tokens, begin)
        if end < 0:
            return row
        token_offsets[row + 1] = end
        fingerprints[row] = _fingerprint(tokens, begin, end)
        if not sign:
            continue
        _sign_row(tokens, begin, end, size, shingle_mult, perm_mult, perm_incr, sums, block, signatures[row])
    return len(offsets) - 1


@kernel
def _sign_row(tokens, begin, end, size, shingle_mult, perm_mult, perm_incr, sums, block, signature):
    signature[:] = np.uint32(0xFFFFFFFF)
    at = begin
    last = end - size
    while at <= last:
        count = min(_BLOCK, last + 1 - at)
        word_shingles(tokens, at, count, size, shingle_mult, sums, block)
        premix(block, count)
        update_signature(block, count, perm_mult, perm_incr, signature)
        at += count


@kernel
def _sketch_tokens(tokens, token_offsets, size, shingle_mult, perm_mult, perm_incr, fingerprints, signatures):
    """Fill in what follows from the token hashes."""
    sums = np.empty(_BLOCK, dtype=np.uint64)
    block = np.empty(_BLOCK, dtype=np.uint32)
    for row in range(len(token_offsets) - 1):
        begin, end = token_offsets[row], token_offsets[row + 1]
        fingerprints[row] = _fingerprint(tokens, begin, end)
        if signatures.shape[1] > 0:
            _sign_row(
                tokens, begin, end, size, shingle_mult, perm_mult, perm_incr, sums, block, signatures[row]
            )


@kernel
def _fingerprint(tokens, begin, end):
    total = u64(0)
    for k in range(end - begin):
        h = (u64(k + 1) << u64(32) | u64(tokens[begin + k])) * u64(0x9E3779B97F4A7C15)
        total += (h ^ (h >> u64(29))) * u64(0xD6E8FEB86659FD93)  # wraps modulo 2**64, as intended
    return total


@kernel
def _character_rows(data, offsets, rows, tables, lengths, hashes, hash_offsets):
    """Write the character shingle hashes of some rows; `hashes` has room for all."""
    longest = 0
    for k in range(len(rows)):
        longest = max(longest, offsets[rows[k] + 1] - offsets[rows[k]])
    characters = np.empty(MAX_CODE_POINTS_PER_BYTE * longest + 1, dtype=np.uint32)
    at = 0
    hash_offsets[0] = 0
    for k in range(len(rows)):
        row = rows[k]
        count = fold_characters(data, offsets[row], offsets[row + 1], tables, characters)
        if at + count > len(hashes):
            return k
        at += character_shingles(characters, count, lengths, hashes[at:])
        hash_offsets[k + 1] = at
    return len(rows)


def sketch_texts(texts: pa.LargeStringArray, settings: Settings, num_threads: int = 1) -> Sketches:
    """Return the sketches of the texts of an Arrow array; a null counts as empty text.

    The number of threads never changes the result.
    """
    if num_threads < 1:
        raise SettingsError(f"num_threads is {num_threads}; it is a number of threads, 1 or more")
    offsets, data = string_buffers(texts)
    tables = load_tables()
    if num_threads == 1 or len(texts) <= _ROWS_PER_TASK:
        return _sketch_task(data, offsets, tables, settings)
    starts = range(0, len(texts), _ROWS_PER_TASK)
    tasks = [offsets[start : start + _ROWS_PER_TASK + 1] for start in starts]
    with ThreadPoolExecutor(num_threads) as pool:
        return Sketches.concatenate(
            list(pool.map(lambda task: _sketch_task(data, task, tables, settings), tasks))
        )


def sketch_tokens(
    tokens: npt.NDArray[np.uint32],
    token_offsets: npt.NDArray[np.int64],
    character_rows: npt.NDArray[np.int64],
    character_hashes: npt.NDArray[np.uint32],
    character_offsets: npt.NDArray[np.int64],
    settings: Settings,
) -> Sketches:
    """Return the sketches of texts from what an index keeps of them, as `sketch_texts` made them."""
    num_rows = len(token_offsets) - 1
    fingerprints = np.empty(num_rows, dtype=np.uint64)
    signatures = np.empty((num_rows, settings.num_perm if settings.uses_words else 0), dtype=np.uint32)
    size = settings.shingle_size
    _sketch_tokens(
        tokens, token_offsets, size, shingle_multipliers(size),
        *permutations(settings.num_perm, settings.seed), fingerprints, signatures,
    )  # fmt: skip
    return Sketches(
        tokens=tokens,
        token_offsets=token_offsets,
        fingerprints=fingerprints,
        signatures=signatures,
        character_rows=character_rows,
        character_hashes=character_hashes,
        character_offsets=character_offsets,
        character_signatures=sign_shingle_hashes(
            character_hashes, character_offsets, num_perm=settings.num_perm, seed=settings.seed
        ),
    )


def sign_texts(
    texts: pa.Array | pa.ChunkedArray | Sequence[str],
    settings: Settings | None = None,
    *,
    num_threads: int = 1,
) -> npt.NDArray[np.uint32]:
    """Return the signatures, uint32[n, num_perm], of the word shingles of n texts.

    A text of fewer words than a shingle has the signature of the empty set, 2**32 - 1 throughout. Raises
    `SettingsError` for a profile that compares no words.

    >>> sign_texts(["one two three four", ""]).shape
    (2, 128)
    """
    settings = settings or Settings()
    if not settings.uses_words:
        raise SettingsError(f"the profile {settings.profile!r} compares no word shingles; take 'article'")
    array = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else text_array(texts)
    array = array.cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.large_string())
    return sketch_texts(array, settings, num_threads).signatures


def _sketch_task(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], tables: Tables, settings: Settings
) -> Sketches:
    num_rows = len(offsets) - 1
    num_bytes = int(offsets[-1] - offsets[0])
    multipliers, increments = permutations(settings.num_perm, settings.seed)
    tokens = np.empty(num_bytes // 6 + RAW_SCRATCH + 1024, dtype=np.uint32)
    token_offsets = np.zeros(num_rows + 1, dtype=np.int64)
    fingerprints = np.empty(num_rows, dtype=np.uint64)
    signatures = np.empty((num_rows, settings.num_perm if settings.uses_words else 0), dtype=np.uint32)
    row = 0
    while True:
        row = _sketch_rows(
            data, offsets, row, tables, settings.shingle_size, shingle_multipliers(settings.shingle_size),
            multipliers, increments, tokens, token_offsets, fingerprints, signatures,
        )  # fmt: skip
        if row == num_rows:
            break
        grown = np.empty(2 * len(tokens), dtype=np.uint32)
        grown[: token_offsets[row]] = tokens[: token_offsets[row]]
        tokens = grown
    tokens.resize(token_offsets[-1], refcheck=False)  # gives room back without a copy; nobody else holds it
    num_tokens = np.diff(token_offsets)
    rows = np.flatnonzero((num_tokens > 0) & (num_tokens <= settings.max_short_words))
    hashes, hash_offsets = _hash_characters(data, offsets, rows, tables)
    return Sketches(
        tokens=tokens,
        token_offsets=token_offsets,
        fingerprints=fingerprints,
        signatures=signatures,
        character_rows=rows,
        character_hashes=hashes,
        character_offsets=hash_offsets,
        character_signatures=sign_shingle_hashes(
            hashes, hash_offsets, num_perm=settings.num_perm, seed=settings.seed
        ),
    )


def _hash_characters(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], tables: Tables
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    hash_offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    if not len(rows):
        return np.empty(0, dtype=np.uint32), hash_offsets
    lengths = np.array(NGRAM_LENGTHS, dtype=np.int64)
    num_bytes = int(np.sum(offsets[rows + 1] - offsets[rows]))
    room = num_bytes
    while True:
        hashes = np.empty(room + 1, dtype=np.uint32)
        if _character_rows(data, offsets, rows, tables, lengths, hashes, hash_offsets) == len(rows):
            return hashes[: hash_offsets[-1]].copy(), hash_offsets
        room = MAX_CODE_POINTS_PER_BYTE * num_bytes  # many expansions; the upper bound fits


def text_array(texts: Sequence[str]) -> pa.LargeStringArray:
    """Return the strings as an Arrow array; surrogates become "?", which separates words."""
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        clean = [text and text.encode("utf-8", "replace").decode() for text in texts]
        return pa.array(clean, pa.large_string())


def string_buffers(texts: pa.LargeStringArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return offsets int64[n + 1] and bytes uint8 of an Arrow string array, without copying them."""
    _, offset_buffer, data_buffer = texts.buffers()
    if len(texts) == 0 or offset_buffer is None:
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer or b"", dtype=np.uint8)
    if texts.null_count:
        return string_buffers(texts.fill_null(""))
    return offsets, data
