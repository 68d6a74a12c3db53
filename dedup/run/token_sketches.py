"""Tokens to sketches: what follows from the token hashes of a text, whether it was just read or kept.

An index keeps tokens and no signatures; a text from which recurring lines were cut has fewer tokens than
before. Both are sketched again from here.
"""

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.run.sketches import Sketches
from dedup.settings import Settings
from dedup.sketch.kernels import AT_ONCE, premix, update_signature
from dedup.sketch.signatures import permutations, sign_shingle_hashes
from dedup.text.hashing import shingle_multipliers
from dedup.text.kernels import word_shingles

u64 = np.uint64

BLOCK = 64 * AT_ONCE
"""Shingles hashed at a time; their scratch fits the first-level cache."""


@inner_kernel
def sign_tokens(tokens, begin, end, size, shingle_mult, perm_mult, perm_incr, sums, block, signature):
    """Write the signature of the shingles of tokens[begin:end]; `sums` and `block` are scratch of BLOCK."""
    signature[:] = np.uint32(0xFFFFFFFF)
    at = begin
    last = end - size
    while at <= last:
        count = min(BLOCK, last + 1 - at)
        word_shingles(tokens, at, count, size, shingle_mult, sums, block)
        premix(block, count)
        update_signature(block, count, perm_mult, perm_incr, signature)
        at += count


@kernel
def sketch_rows_again(
    tokens, token_offsets, rows, size, shingle_mult, perm_mult, perm_incr, fingerprints, signatures
):
    """Fill in, for some rows, what follows from the token hashes."""
    sums = np.empty(BLOCK, dtype=np.uint64)
    block = np.empty(BLOCK, dtype=np.uint32)
    for row in rows:
        begin, end = token_offsets[row], token_offsets[row + 1]
        fingerprints[row] = fingerprint_of(tokens, begin, end)
        if signatures.shape[1] > 0:
            sign_tokens(
                tokens, begin, end, size, shingle_mult, perm_mult, perm_incr, sums, block, signatures[row]
            )


@inner_kernel
def fingerprint_of(tokens, begin, end):
    """Return the 64-bit fingerprint of tokens[begin:end]: equal for equal sequences, 0 for none."""
    total = u64(0)
    first = u64(begin)
    for k in range(u64(end - begin)):  # unsigned, so that LLVM makes vectors of it
        h = ((k + u64(1)) << u64(32) | u64(tokens[first + k])) * u64(0x9E3779B97F4A7C15)
        total += (h ^ (h >> u64(29))) * u64(0xD6E8FEB86659FD93)  # wraps modulo 2**64, as intended
    return total


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
    sketch_rows_again(
        tokens, token_offsets, np.arange(num_rows), size, shingle_multipliers(size),
        *permutations(settings.num_perm, settings.seed), fingerprints, signatures,
    )  # fmt: skip
    return Sketches.without_lines(
        tokens=tokens,
        token_offsets=token_offsets,
        fingerprints=fingerprints,
        signatures=signatures,
        character_rows=character_rows,
        character_hashes=character_hashes,
        character_offsets=character_offsets,
        character_signatures=sign_short_texts(character_hashes, character_offsets, settings),
        num_cut=np.zeros(num_rows, dtype=np.int64),
    )


def sign_short_texts(
    hashes: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], settings: Settings
) -> npt.NDArray[np.uint32]:
    """Return the signatures of short texts from their character shingles, uint32[n, num_perm]."""
    if len(offsets) == 1:  # most articles that come alone
        return np.empty((0, settings.num_perm), dtype=np.uint32)
    return sign_shingle_hashes(hashes, offsets, num_perm=settings.num_perm, seed=settings.seed)
