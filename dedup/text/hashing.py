"""The hash contract: what a shingle's hash is, in plain integers, the same for ever on every machine.

`hash_word_shingle` and `hash_character_shingle` take a shingle's folded UTF-8 and return the uint32
that the compiled kernels compute, so that `datasketch.MinHash(hashfunc=hash_word_shingle)` fed the
same shingles has the same `hashvalues`.

A word is hashed by a polynomial in `MULTIPLIER` modulo 2**64 over its folded code points, then mixed
(xor-shift, multiply, upper half: the finaliser shape of Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014, section 4). A shingle of words is a multilinear sum of
its token hashes (Lemire and Kaser, "Strongly universal string hashing is fast", 2014, section 2),
mixed alike. With 32-bit hashes two given different shingles collide with probability 2**-32: between
two articles of 300 shingles each, one shared hash appears by chance in about 2 of 100,000 pairs, and
then moves the Jaccard similarity by 1/600.
"""

import functools

import numpy as np
import numpy.typing as npt

from dedup.arguments import described
from dedup.errors import InputError

MULTIPLIER = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio, made odd (Knuth, The Art of Computer Programming 3, 6.4)."""

FINAL_MULTIPLIER = 0xD6E8FEB86659FD93
"""An odd 64-bit constant with a balanced spread of bits; pinned by the known-answer vectors."""

MAX_SHINGLE_SIZE = 16
"""Words in the longest shingle."""

_MASK = (1 << 64) - 1


def _upper_mixed(value: int) -> int:
    value ^= value >> 32
    return ((value * FINAL_MULTIPLIER) & _MASK) >> 32


def _polynomial(text: str) -> int:
    state = 0
    for character in text:
        state = ((state + ord(character)) * MULTIPLIER) & _MASK
    return state


def hash_token(token: str) -> int:
    """Return the uint32 hash of one folded word; its lowest bit is 1 for a number, 0 for a word.

    >>> hash_token("2024") & 1, hash_token("غزه") & 1
    (1, 0)
    """
    is_number = all("0" <= character <= "9" for character in token)
    # The top bit is lost in the kernel, where the number flag is carried below.
    mixed = _upper_mixed(_polynomial(token) & (_MASK >> 1))
    return (mixed & 0xFFFFFFFE) | is_number


def hash_word_shingle(shingle: bytes) -> int:
    """Return the uint32 hash of a shingle given as its folded words in UTF-8, joined by one space.

    >>> hash_word_shingle("وزير الخارجيه المصري".encode())
    3992133212
    """
    hashes = [hash_token(token) for token in _decoded(shingle).split(" ")]
    multipliers = shingle_multipliers(len(hashes))
    total = sum(value * int(multiplier) for value, multiplier in zip(hashes, multipliers, strict=True))
    return _upper_mixed(total & _MASK)


def hash_character_shingle(shingle: bytes) -> int:
    """Return the uint32 hash of a shingle given as consecutive folded characters in UTF-8.

    >>> hash_character_shingle("خيار".encode())
    3220340482
    """
    return _upper_mixed(_polynomial(_decoded(shingle)))


def _decoded(shingle: bytes) -> str:
    if not isinstance(shingle, bytes):
        raise InputError(f"shingle is {described(shingle)}; expected bytes: the folded text in UTF-8")
    try:
        return shingle.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"shingle is not UTF-8: {error}") from error


@functools.cache
def shingle_multipliers(size: int) -> npt.NDArray[np.uint64]:
    """Return the `size` odd 64-bit multipliers of a word shingle, uint64[size], read-only.

    The sequence is SplitMix64 from seed 0 (Steele, Lea and Flood 2014), each value made odd.
    """
    if not 0 <= size <= MAX_SHINGLE_SIZE:
        raise InputError(f"a shingle of {size} words; it has {MAX_SHINGLE_SIZE} at most")
    values = []
    state = 0
    for _ in range(size):
        state = (state + MULTIPLIER) & _MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        values.append((z ^ (z >> 31)) | 1)
    multipliers = np.array(values, dtype=np.uint64)
    multipliers.flags.writeable = False
    return multipliers
