"""Sketches: what is kept of texts, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Sketches:
    """What is kept of n texts, in the order of the texts. Rows in compressed form have n + 1 offsets.

    - `tokens` uint32, `token_offsets` int64: the ordered token hashes;
    - `fingerprints` uint64[n]: equal for equal token sequences; 0 for a text without a token;
    - `signatures` uint32[n, num_perm] of the word shingles (no columns if words are not used);
    - `character_rows` int64[m], rising: the rows of the short texts; for each of them
      `character_hashes` uint32 with `character_offsets` int64[m + 1], and `character_signatures`
      uint32[m, num_perm];
    - `keys` uint32 with `key_offsets` int64[n + 1]: the word keys of each title, if titles are compared
      (else none, and one offset).
    - `num_cut` int64[n]: tokens that were left out as page furniture;
    - until recurring lines are cut: for the lines of texts of several lines, `line_hashes` uint64 and
      `line_words` int32 with `line_offsets` int64[n + 1]; and of those that may become short,
      `spare_rows` int64, rising, the bytes `spare_bytes` uint8 with `spare_offsets`, a break behind each
      line; of a line that is too long for a short text nothing but the break.
    """

    tokens: npt.NDArray[np.uint32]
    token_offsets: npt.NDArray[np.int64]
    fingerprints: npt.NDArray[np.uint64]
    signatures: npt.NDArray[np.uint32]
    character_rows: npt.NDArray[np.int64]
    character_hashes: npt.NDArray[np.uint32]
    character_offsets: npt.NDArray[np.int64]
    character_signatures: npt.NDArray[np.uint32]
    num_cut: npt.NDArray[np.int64]
    line_hashes: npt.NDArray[np.uint64]
    line_words: npt.NDArray[np.int32]
    line_offsets: npt.NDArray[np.int64]
    spare_rows: npt.NDArray[np.int64]
    spare_bytes: npt.NDArray[np.uint8]
    spare_offsets: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint32]
    key_offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.fingerprints)

    @property
    def num_tokens(self) -> npt.NDArray[np.int64]:
        """The number of tokens of each text, int64[n]."""
        return self.token_offsets[1:] - self.token_offsets[:-1]

    @property
    def cut_shares(self) -> npt.NDArray[np.float64]:
        """The share of each text's words that was left out as page furniture, float64[n]."""
        return shares_cut(self.num_cut, self.num_tokens)

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
        columns: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            arrays = [getattr(part, name) for part in parts]
            if name in OFFSETS:
                columns[name] = join_offsets(arrays)
            elif name in ROWS:
                columns[name] = np.concatenate(
                    [array + start for array, start in zip(arrays, starts, strict=True)]
                )
            else:
                columns[name] = np.concatenate(arrays)
        return cls(**columns)

    def take(self, rows: npt.NDArray[np.int64]) -> "Sketches":
        """Return the sketches of some rows, int64[k], distinct, in their order; lines are cut by now."""
        tokens, token_offsets = _take_ranges(self.tokens, self.token_offsets, rows)
        short_at = np.full(len(self), -1, dtype=np.int64)
        short_at[self.character_rows] = np.arange(len(self.character_rows))
        short = short_at[rows]
        character_rows = np.flatnonzero(short >= 0)
        short = short[character_rows]
        hashes, hash_offsets = _take_ranges(self.character_hashes, self.character_offsets, short)
        return Sketches.without_lines(
            tokens=tokens,
            token_offsets=token_offsets,
            fingerprints=self.fingerprints[rows],
            signatures=self.signatures[rows],
            character_rows=character_rows,
            character_hashes=hashes,
            character_offsets=hash_offsets,
            character_signatures=self.character_signatures[short],
            num_cut=self.num_cut[rows],
        )

    @classmethod
    def without_lines(cls, *, num_cut: npt.NDArray[np.int64], **columns: Any) -> "Sketches":
        """Return sketches of articles of which no lines are kept, and no word keys."""
        return cls(
            num_cut=num_cut,
            line_hashes=np.empty(0, dtype=np.uint64),
            line_words=np.empty(0, dtype=np.int32),
            line_offsets=np.zeros(len(num_cut) + 1, dtype=np.int64),
            spare_rows=np.empty(0, dtype=np.int64),
            spare_bytes=np.empty(0, dtype=np.uint8),
            spare_offsets=np.zeros(1, dtype=np.int64),
            keys=np.empty(0, dtype=np.uint32),
            key_offsets=np.zeros(1, dtype=np.int64),
            **columns,
        )


def shares_cut(num_cut: npt.NDArray[np.int64], num_tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the share, 0 to 1, of the words of each text that was cut; `num_tokens` are left of it."""
    return np.asarray(num_cut / np.maximum(1, num_tokens + num_cut), dtype=np.float64)


OFFSETS = ("token_offsets", "character_offsets", "line_offsets", "spare_offsets", "key_offsets")
"""The columns of sketches that are offsets into others."""

ROWS = ("character_rows", "spare_rows")
"""The columns of sketches that are numbers of rows."""


LARGE = (
    *("tokens", "signatures", "character_hashes", "character_signatures", "keys"),
    *("line_hashes", "line_words", "spare_bytes"),
)
"""The columns of sketches that are kept on disk where memory is short: all but some 40 bytes a text."""


def join_offsets(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the offsets of compressed rows that are put one after the other."""
    joined = [parts[0]]
    end = int(parts[0][-1])
    for part in parts[1:]:
        joined.append(part[1:] + end)
        end += int(part[-1])
    return np.concatenate(joined)


def _take_ranges(
    values: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    lengths = (offsets[1:] - offsets[:-1])[rows]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    return values[np.repeat(offsets[rows], lengths) + within], ends
