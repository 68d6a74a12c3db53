"""The markers of page furniture: the readable list of `markers.toml`, and the form that kernels read."""

import functools
import threading
import tomllib
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import DedupError
from dedup.text import reference
from dedup.text.fold_table import SINGLE, load_fold_table
from dedup.text.hashing import MULTIPLIER

NO_MARKER, LINKS, SOURCE, KEYWORDS, END, NOTICE = range(6)
KINDS = {"links": LINKS, "source": SOURCE, "keywords": KEYWORDS, "end": END, "notice": NOTICE}
"""The kinds of marker, by the names of the tables in `markers.toml`."""

WORD_ENDS, STUCK, LABEL = range(3)
"""How a marker stands: its last word ends there; the next may be stuck to it; alone or before a colon."""

_FORM_OF = {"…": STUCK, ":": LABEL}
_KIND_BITS = 3
_BEGINNING_BITS = 17  # 16 KB of bits; of other hashes three in a hundred share one with a beginning
_MASK = (1 << 64) - 1


class Markers(NamedTuple):
    """The markers as a hash table with open addressing, read-only by convention.

    `keys` uint64[2**k], 0 where empty: the last of `hash_beginnings` of a marker's folded characters.
    `values` uint8: the kind in the lower 3 bits, the form above. `beginnings` uint64[2**11] has a bit for
    the hash of each beginning of each marker, the marker itself among them, by the upper 17 bits of the
    hash: most lines begin like no marker, and that is seen at their second or third character. `shortest`
    and `longest` are lengths in folded characters.
    """

    keys: npt.NDArray[np.uint64]
    values: npt.NDArray[np.uint8]
    beginnings: npt.NDArray[np.uint64]
    shortest: int
    longest: int


def hash_beginnings(folded: str) -> list[int]:
    """Return the hash of each beginning of folded characters, 64 bits, never 0; the last is that of all.

    Markers are found by it.
    """
    found = []
    state = 0
    for character in folded:
        state = ((state + ord(character)) * MULTIPLIER) & _MASK
        found.append(state or 1)
    return found


@functools.cache
def read_markers() -> dict[str, tuple[int, int]]:
    """Return kind and form of each marker, by its folded text, read from the package at the first call.

    Raises `DedupError` where the installed file is damaged: not TOML, a kind that is not known, a marker
    without a word, one marker of two kinds.
    """
    file = resources.files("dedup.text").joinpath("markers.toml")
    try:
        tables = tomllib.loads(file.read_bytes().decode())
    except (OSError, ValueError) as error:
        raise DedupError(f"{file}: cannot be read ({error}); install the package again") from error
    found: dict[str, tuple[int, int]] = {}
    for name, languages in tables.items():
        if name not in KINDS:
            raise DedupError(f"{file}: there is no kind {name!r}; the kinds are {', '.join(KINDS)}")
        for language, markers in languages.items():
            for marker in markers:
                folded = reference.normalize(marker)
                form = _FORM_OF.get(marker[-1:], WORD_ENDS)
                if not folded:
                    raise DedupError(f"{file}: {name}.{language} has a marker without a word, {marker!r}")
                kind, other_form = found.get(folded, (KINDS[name], form))
                if kind != KINDS[name] or (other_form != form and LABEL in (form, other_form)):
                    raise DedupError(f"{file}: {name}.{language}: {marker!r} stands there in another way")
                found[folded] = kind, max(form, other_form)
    return found


def load_markers() -> Markers:
    """Return the shipped markers in the form that kernels read; the first thread that asks makes it."""
    with _LOADING:
        return _load_once()


@functools.cache
def _load_once() -> Markers:
    return pack_markers(read_markers())


_LOADING = threading.Lock()


def pack_markers(markers: dict[str, tuple[int, int]]) -> Markers:
    """Return markers, kind and form by folded text, in the form that kernels read."""
    table = load_fold_table()
    size = 1 << (4 * len(markers)).bit_length()
    keys, values = [0] * size, [0] * size  # lists, which Python writes to faster than to arrays
    beginnings = [0] * (1 << (_BEGINNING_BITS - 6))
    for folded, (kind, form) in markers.items():
        ends_itself = table.entry(ord(folded[-1])) & SINGLE
        hashes = hash_beginnings(folded)
        key = hashes[-1]
        slot = key & (size - 1)
        while keys[slot]:
            slot = (slot + 1) & (size - 1)
        keys[slot] = key
        values[slot] = kind | (STUCK if ends_itself and form == WORD_ENDS else form) << _KIND_BITS
        for each in hashes:
            bit = each >> (64 - _BEGINNING_BITS)
            beginnings[bit >> 6] |= 1 << (bit & 63)
    lengths = [len(folded) for folded in markers]
    return Markers(
        keys=np.array(keys, dtype=np.uint64),
        values=np.array(values, dtype=np.uint8),
        beginnings=np.array(beginnings, dtype=np.uint64),
        shortest=min(lengths, default=1),
        longest=max(lengths, default=0),
    )
