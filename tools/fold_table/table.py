"""The table and its file format."""

import io
import zipfile
from collections.abc import Sequence

import numpy as np

from fold_table.database import NUM_CODE_POINTS, SEPARATED, CharacterDatabase, Folded
from fold_table.flags import DELETE, EXPAND, flags_of
from fold_table.folds import FOLDS, fold_code_point

TABLE_VERSION = 1

BLOCK_SIZE = 256
# The first blocks are the first code points in order, so that `entries[code_point]` is right without
# `index` for the one- and two-byte sequences of UTF-8 (Latin, Greek, Cyrillic, Hebrew, Arabic).
NUM_DIRECT_BLOCKS = 0x800 // BLOCK_SIZE


class Expansions:
    """The flat array of expansions; equal ones are stored once."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self._offsets: dict[Folded, int] = {}

    def entry(self, folded: Folded) -> int:
        """Return the table entry that leads to `folded`, which is added if it is new."""
        if folded not in self._offsets:
            self._offsets[folded] = len(self.values)
            self.values += [len(folded), *folded]
        return self._offsets[folded] << 8 | EXPAND


def build_entries(database: CharacterDatabase) -> tuple[list[int], list[int], dict[str, int]]:
    """Return one entry for each code point, the expansions, and how many characters each fold touches.

    Code points without a character (unassigned, private, surrogates) are not counted. They share one
    expansion, because the entry of an expansion does not depend on the code point: so the blocks that
    they fill are equal and stored once.
    """
    expansions = Expansions()
    without_character = expansions.entry(SEPARATED)
    entries: list[int] = []
    num_touched = dict.fromkeys((fold.name for fold in FOLDS), 0)
    for code_point in range(NUM_CODE_POINTS):
        has_character = database.category.get(code_point, "Cn") not in ("Cn", "Cs", "Co")
        if not has_character and code_point not in database.default_ignorable:
            entries.append(without_character)
            continue
        folded, names = fold_code_point(database, code_point)
        if has_character:
            for name in names:
                num_touched[name] += 1
        if not folded:
            entries.append(DELETE)
        elif len(folded) == 1:
            delta = (folded[0] - code_point) % (1 << 24)
            entries.append(delta << 8 | flags_of(database, folded[0]))
        else:
            entries.append(expansions.entry(folded))
    return entries, expansions.values, num_touched


def pack(database: CharacterDatabase, entries: Sequence[int], expansions: Sequence[int]) -> bytes:
    """Return the bytes of the .npz file.

    `index`: uint16[4352], the block of code point cp is index[cp >> 8].
    `entries`: uint32, the entry of cp is entries[index[cp >> 8] * 256 + (cp & 255)]. Its low 8 bits are
    flags: SEPARATOR 1, DELETE 2, DIGIT 4, SINGLE 8, EXPAND 16, bits 5 to 7 the script class. The upper
    24 bits are a value: folded = (cp + value) & 0x1FFFFF, U+0020 for a separator; 0 for DELETE; with
    EXPAND, and then no other flag, an offset into `expansions`.
    `expansions`: uint32, a count at the offset, then that many code points, U+0020 for a separator.
    `unicode_version`: uint32[3]. `table_version`: uint32, raised when the format changes.
    """
    blocks: list[tuple[int, ...]] = []
    numbers: dict[tuple[int, ...], int] = {}
    index: list[int] = []
    for start in range(0, NUM_CODE_POINTS, BLOCK_SIZE):
        block = tuple(entries[start : start + BLOCK_SIZE])
        if block not in numbers or len(blocks) < NUM_DIRECT_BLOCKS:
            numbers.setdefault(block, len(blocks))
            index.append(len(blocks))
            blocks.append(block)
        else:
            index.append(numbers[block])
    return npz_bytes(
        {
            "index": np.array(index, dtype="<u2"),
            "entries": np.array(blocks, dtype="<u4").reshape(-1),
            "expansions": np.array(expansions, dtype="<u4"),
            "unicode_version": np.array(database.version, dtype="<u4"),
            "table_version": np.array(TABLE_VERSION, dtype="<u4"),
        }
    )


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an uncompressed .npz whose bytes depend on the arrays alone, not on clock or system."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, content.getvalue())
    return file.getvalue()
