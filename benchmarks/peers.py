"""The peers, called as their documentation says is fastest, and what they are fed.

**Tokenising.** Neither peer tokenises. `plain_shingles` is what their documentation does, with word
3-grams: `text.split()`, words joined by one space, encoded for datasketch, which hashes bytes. No
folding of case, marks or punctuation, which our pass does. `tuned_shingles` is the fastest that we found
in pure Python: bytes from the start and no loop in Python. Both hand over one article at a time, from
a generator, which was faster for both peers than a list of all.

**rensa 0.5.** Its benchmarks and documentation name `RMinHash.digest_matrix_from_token_sets` the bulk
call. It hashes full sets. The calls that end in `_rho` sample token positions: their signatures estimate
no Jaccard similarity where a word is inserted or the order changes, so they are reported apart.

**datasketch 2.x.** `MinHash.bulk`; its documentation recommends a faster `hashfunc` than SHA-1.
"""

import importlib
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

SIZE = 3
NUM_PERM = 128
SEED = 1

Shingles = list[bytes]


def find_peers(lacking: list[str]) -> dict[str, Any]:
    """Return the peers that are installed, by name; `lacking` says which are not."""
    found = {}
    for name in ("rensa", "datasketch", "xxhash"):
        try:
            found[name] = importlib.import_module(name)
        except ImportError:
            lacking.append(f"{name} is not installed (pip install 'article-dedup[bench]'); left out")
    return found


def plain_shingles(text: str) -> list[str]:
    """Return the word 3-grams of a text split at white space.

    >>> plain_shingles("One, two  three four")
    ['One, two three', 'two three four']
    """
    words = text.split()
    return [" ".join(words[k : k + SIZE]) for k in range(len(words) - SIZE + 1)]


def encoded_shingles(text: str) -> Shingles:
    """Return `plain_shingles` in UTF-8."""
    return [shingle.encode("utf-8") for shingle in plain_shingles(text)]


def tuned_shingles(text: str) -> Shingles:
    """Return the word 3-grams in UTF-8, of a text split at ASCII white space.

    >>> tuned_shingles("One, two  three four")
    [b'One, two three', b'two three four']
    """
    words = text.encode("utf-8").split()
    return list(map(b" ".join, zip(words, words[1:], words[2:], strict=False)))


TOKENISERS: dict[str, Callable[[str], list]] = {
    "plain": plain_shingles,
    "plain and encoded": encoded_shingles,
    "tuned": tuned_shingles,
}


def rensa_from_strings(rensa: Any) -> Callable[[Iterable[list[str]]], Any]:
    """Return rensa's full-set bulk call for `str` tokens."""
    return lambda sets: rensa.RMinHash.digest_matrix_from_token_sets(sets, NUM_PERM, SEED)


def rensa_from_bytes(rensa: Any) -> Callable[[Iterable[Shingles]], Any]:
    """Return rensa's full-set bulk call for bytes tokens."""
    return lambda sets: rensa.RMinHash.digest_matrix_from_token_byte_sets(sets, NUM_PERM, SEED)


def rensa_sampling(rensa: Any) -> Callable[[Iterable[Any]], Any]:
    """Return rensa's bulk call that samples token positions."""
    return lambda sets: rensa.RMinHash.digest_matrix_from_token_sets_rho(sets, NUM_PERM, SEED)


def datasketch_bulk(datasketch: Any, hashfunc: Callable[[Any], int] | None) -> Callable[[Iterable], Any]:
    """Return `MinHash.bulk`; `hashfunc` None is its default, SHA-1."""
    return lambda sets: datasketch.MinHash.bulk(sets, num_perm=NUM_PERM, seed=SEED, hashfunc=hashfunc)


def xxh32(xxhash: Any) -> Callable[[bytes], int]:
    """Return the 32-bit xxHash of bytes, without a Python function around it."""
    return xxhash.xxh32_intdigest


identity: Callable[[int], int] = operator.index
"""The hash function that leaves an integer as it is, for datasketch fed with hashes."""


def datasketch_arithmetic(datasketch: Any) -> Callable[[Iterable[np.ndarray]], np.ndarray]:
    """Return datasketch's own arithmetic on uint32 hashes, without its loop over hash values.

    datasketch has no call for this; the steps are those of `MinHash.update_batch`.
    """
    from datasketch.minhash import _fmix

    a, b = datasketch.MinHash(num_perm=NUM_PERM, seed=SEED).permutations

    def sign(sets: Iterable[np.ndarray]) -> np.ndarray:
        rows = [_sign_row(_fmix(hashes, 32), a, b) for hashes in sets]
        return np.stack(rows)

    return sign


def _sign_row(mixed: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (mixed.reshape(-1, 1) * a + b).min(axis=0, initial=np.uint32(0xFFFFFFFF))


def rensa_from_hashes(rensa: Any) -> Callable[[tuple[np.ndarray, np.ndarray]], Any]:
    """Return rensa's full-set bulk call for uint64 hashes in one array, with row offsets."""
    return lambda flat: rensa.RMinHash.digest_matrix_from_flat_token_hashes(*flat, NUM_PERM, SEED)


def rensa_sampling_from_hashes(rensa: Any) -> Callable[[tuple[np.ndarray, np.ndarray]], Any]:
    """Return rensa's position-sampling call for uint64 hashes in one array, with row offsets."""
    return lambda flat: rensa.RMinHash.digest_matrix_from_flat_token_hashes_rho(*flat, NUM_PERM, SEED)
