"""The fold table: what each code point becomes when a text is normalised.

The table is data, `fold_table.npz`, built by `tools/build_fold_table.py` from a stated version of the
Unicode Character Database, so that signatures do not change when Python's Unicode version does. What
it folds and what it leaves alone is listed in `docs/folds.md`.
"""

import functools
import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from dedup.errors import DedupError

TABLE_VERSION = 1
"""The format that this module reads; `tools/fold_table` writes the same number."""

SEPARATOR = 1
"""The code point separates words; folded, it is U+0020."""
DELETE = 2
"""The code point vanishes; it does not separate words."""
DIGIT = 4
"""Folded, it is an ASCII digit."""
SINGLE = 8
"""Folded, it is a token of its own: a character of a script that is written without spaces."""
EXPAND = 16
"""It becomes several code points, each with its own flags; no other flag is set."""

SCRIPT_CLASS_SHIFT = 5
"""Bits 5 to 7 hold the script class of the folded character."""
ALPHABETIC = 0
HAN = 1
KANA = 2
SOUTHEAST_ASIAN = 3
HANGUL = 4
INDIC = 5

VALUE_SHIFT = 8
CODE_POINT_MASK = 0x1FFFFF
SEPARATOR_CODE_POINT = 0x20


@dataclass(frozen=True, eq=False)
class FoldTable:
    """The arrays of the fold table, read-only.

    `index` is uint16[4352]: the block of a code point is `index[code_point >> 8]`. `entries` is uint32:
    the entry is `entries[block * 256 + (code_point & 255)]`, and for code points below 0x800 it is also
    `entries[code_point]`. The low 8 bits of an entry are flags, the upper 24 a value v: one folded code
    point is `(code_point + v) & 0x1FFFFF`; with EXPAND, `expansions[v]` is a count and that many code
    points follow it. `expansions` is uint32. `digest` is a short hex SHA-256 of the content.
    """

    index: NDArray[np.uint16]
    entries: NDArray[np.uint32]
    expansions: NDArray[np.uint32]
    unicode_version: tuple[int, int, int]
    version: int
    digest: str

    def entry(self, code_point: int) -> int:
        """Return the entry of a code point from 0 to 0x10FFFF."""
        block = int(self.index[code_point >> 8])
        return int(self.entries[block * 256 + (code_point & 255)])

    def fold_code_point(self, code_point: int) -> tuple[int, ...]:
        """Return what a code point becomes: none, one or several code points, U+0020 for a separator.

        >>> table = load_fold_table()
        >>> [table.fold_code_point(ord(character)) for character in "aA\\N{ARABIC TATWEEL},"]
        [(97,), (97,), (), (32,)]
        """
        entry = self.entry(code_point)
        value = entry >> VALUE_SHIFT
        if entry & DELETE:
            return ()
        if entry & EXPAND:
            count = int(self.expansions[value])
            return tuple(int(part) for part in self.expansions[value + 1 : value + 1 + count])
        return ((code_point + value) & CODE_POINT_MASK,)

    def script_class(self, folded: int) -> int:
        """Return the script class, ALPHABETIC to INDIC, of a code point that folds to itself."""
        return (self.entry(folded) & 0xFF) >> SCRIPT_CLASS_SHIFT


@functools.cache
def load_fold_table() -> FoldTable:
    """Return the fold table, read from the package at the first call.

    Raises `DedupError` where the installed file is missing, damaged or of another format.
    """
    file = resources.files("dedup.text").joinpath("fold_table.npz")
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            version = int(arrays["table_version"])
            major, minor, update = (int(number) for number in arrays["unicode_version"])
            index = arrays["index"].astype(np.uint16)
            entries = arrays["entries"].astype(np.uint32)
            expansions = arrays["expansions"].astype(np.uint32)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DedupError(f"{file}: cannot be read ({error}); install the package again") from error
    if version != TABLE_VERSION:
        raise DedupError(
            f"{file}: format {version}, expected {TABLE_VERSION}; install the package again, "
            "or run tools/build_fold_table.py in a checkout"
        )
    digest = hashlib.sha256(f"{version} {major}.{minor}.{update}".encode())
    for array in (index, entries, expansions):
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        array.flags.writeable = False
    return FoldTable(
        index=index,
        entries=entries,
        expansions=expansions,
        unicode_version=(major, minor, update),
        version=version,
        digest=digest.hexdigest()[:16],
    )
