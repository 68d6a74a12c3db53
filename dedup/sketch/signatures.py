"""MinHash signatures: made from shingle hashes, compared, and moved to and from datasketch.

A signature is that of datasketch 2.x's scheme `affine32`, bit for bit: the shingle hash goes through
MurmurHash3's finaliser, then for each permutation a * h + b modulo 2**32 with odd a; the signature
holds the minimum of each over the set. Broder, "On the resemblance and containment of documents",
1997: the share of equal values in two signatures estimates the Jaccard similarity of the sets.
"""

import functools
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.arguments import described
from dedup.errors import InputError, SettingsError
from dedup.sketch import kernels

if TYPE_CHECKING:
    from datasketch import MinHash

EMPTY = 0xFFFFFFFF
"""Each value of the signature of an empty set; no band key is made from such a signature."""


@functools.lru_cache(maxsize=16)
def permutations(num_perm: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return multipliers and increments, uint32[num_perm] each, as datasketch draws them.

    numpy's `RandomState` is frozen by its makers (NEP 19), so the values never change.
    """
    if num_perm < 1:
        raise SettingsError(f"num_perm is {num_perm}; it is a number of permutations, 1 or more")
    if not 0 <= seed < 1 << 32:
        raise SettingsError(f"seed is {seed}; it is a whole number from 0 to 4294967295")
    generator = np.random.RandomState(seed)
    multipliers = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    increments = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    for array in (multipliers, increments):
        array.flags.writeable = False
    return multipliers, increments


def sign_shingle_hashes(
    hashes: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], *, num_perm: int = 128, seed: int = 1
) -> npt.NDArray[np.uint32]:
    """Return the signatures, uint32[n, num_perm], of n sets of shingle hashes.

    Set i is hashes[offsets[i]:offsets[i + 1]]; `offsets` has n + 1 values. Repeats do not matter.

    >>> hashes = np.array([7, 8, 9, 7], dtype=np.uint32)
    >>> a, b = sign_shingle_hashes(hashes, np.array([0, 3, 4]))
    >>> len(a), estimate_jaccard(a, a), bool(estimate_jaccard(a, b) < 1)
    (128, 1.0, True)
    """
    hashes = _row("hashes", hashes, np.uint32)
    offsets = _row("offsets", offsets, np.int64)
    if len(offsets) < 1 or offsets[0] < 0 or offsets[-1] > len(hashes) or np.any(np.diff(offsets) < 0):
        raise InputError("offsets must rise from 0 or more to at most the number of hashes")
    for name, value in (("num_perm", num_perm), ("seed", seed)):
        if not isinstance(value, Integral):
            raise SettingsError(f"{name} is {described(value)}; it is a whole number")
    if len(offsets) == 1:
        return np.empty((0, num_perm), dtype=np.uint32)
    multipliers, increments = permutations(num_perm, seed)
    signatures = np.empty((len(offsets) - 1, num_perm), dtype=np.uint32)
    kernels.sign_hashes(hashes, offsets, multipliers, increments, signatures)
    return signatures


def estimate_jaccard(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32]) -> float:
    """Return the share of equal values of two signatures, an unbiased estimate from 0 to 1.

    Its standard error is sqrt(J * (1 - J) / num_perm) (Broder 1997). Empty sets are alike to nothing.
    """
    a, b = _row("a", a, np.uint32), _row("b", b, np.uint32)
    if len(a) != len(b) or not len(a):
        raise InputError(f"signatures of {len(a)} and {len(b)} permutations cannot be compared")
    if np.all(a == EMPTY) or np.all(b == EMPTY):
        return 0.0
    return float(np.count_nonzero(a == b)) / len(a)


def to_datasketch(signature: npt.NDArray[np.uint32], *, seed: int = 1) -> "MinHash":
    """Return a `datasketch.MinHash` with this signature, for any of datasketch's structures."""
    from datasketch import MinHash

    signature = _row("signature", signature, np.uint32)
    multipliers, increments = permutations(len(signature), seed)
    return MinHash(
        seed=seed,
        hashvalues=signature.copy(),
        permutations=np.array([multipliers, increments]),
        scheme="affine32",
    )


def from_datasketch(minhash: "MinHash") -> npt.NDArray[np.uint32]:
    """Return the signature, uint32[num_perm], of a datasketch MinHash of the scheme `affine32`."""
    if not hasattr(minhash, "hashvalues"):
        raise InputError(f"minhash is {described(minhash)}; expected a datasketch.MinHash")
    scheme = getattr(minhash, "scheme", "legacy")
    if scheme != "affine32":
        raise InputError(f"the MinHash has scheme {scheme!r}; only 'affine32' (datasketch 2.x) fits")
    return np.array(minhash.hashvalues, dtype=np.uint32)


def _row(name: str, values: Any, kind: type) -> npt.NDArray[Any]:
    """Return an argument as a row of unsigned or signed whole numbers; raises `InputError` for another."""
    array = np.asarray(values)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "iu"):
        what = described(values) if array.ndim == 0 else f"of {array.ndim} dimensions and type {array.dtype}"
        raise InputError(f"{name} is {what}; expected one row of {np.dtype(kind)}")
    return np.ascontiguousarray(array, dtype=kind)
