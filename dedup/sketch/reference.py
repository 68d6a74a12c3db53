"""The plain-Python twin of the sketch kernels: their specification, and the tests' oracle."""

from collections.abc import Iterable, Sequence

_MASK32 = (1 << 32) - 1
_MASK64 = (1 << 64) - 1


def fmix32(h: int) -> int:
    """Return MurmurHash3's 32-bit finaliser of `h` (Appleby 2011).

    >>> fmix32(1)
    1364076727
    """
    h ^= h >> 16
    h = (h * 0x85EBCA6B) & _MASK32
    h ^= h >> 13
    h = (h * 0xC2B2AE35) & _MASK32
    return h ^ (h >> 16)


def sign(hashes: Iterable[int], multipliers: Sequence[int], increments: Sequence[int]) -> list[int]:
    """Return the signature of a set of shingle hashes; an empty set gives 2**32 - 1 throughout."""
    mixed = [fmix32(h) for h in hashes]
    return [
        min(((a * h + b) & _MASK32 for h in mixed), default=_MASK32)
        for a, b in zip(multipliers, increments, strict=True)
    ]


def band_key(signature: Sequence[int], band: int, rows_per_band: int) -> int:
    """Return the 64-bit key of one band of a signature."""
    h = band + 1
    for value in signature[band * rows_per_band : (band + 1) * rows_per_band]:
        h = ((h ^ value) * 0x9E3779B97F4A7C15) & _MASK64
        h ^= h >> 32
    return h
