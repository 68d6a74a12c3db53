"""The cut of recurring lines: learned from the sketches of a batch, made in them without the texts."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import kernel
from dedup.run.characters import hash_characters
from dedup.run.sketches import Sketches
from dedup.run.token_sketches import sketch_rows_again
from dedup.settings import Settings
from dedup.sketch.signatures import permutations, sign_shingle_hashes
from dedup.text.hashing import shingle_multipliers
from dedup.text.recurring import learn_recurring, line_keys, source_key

NO_LINES = np.empty(0, dtype=np.uint64)
"""For `cut_lines` where articles come one by one, as they do to an index: markers alone cut there."""


def learn_lines(sketches: Sketches, sources: Sequence[str | None]) -> npt.NDArray[np.uint64]:
    """Return the lines of these articles that recur across one source's: keys, rising, uint64.

    It is a plain value that can be kept and handed to `cut_lines` for other articles of the same sources.
    """
    keys = keys_of_lines(sketches, sources)
    if len(keys) == 0:
        return keys
    num_of_source = np.fromiter(map(Counter(sources).__getitem__, sources), np.int64, len(sources))
    return learn_recurring(keys, sketches.line_words, sketches.line_offsets, num_of_source)


def cut_lines(
    sketches: Sketches,
    sources: Sequence[str | None],
    settings: Settings,
    learned: npt.NDArray[np.uint64] | None = None,
) -> Sketches:
    """Return the sketches without the recurring lines, and without what is kept of lines until then.

    Takes `sketches` over, whose arrays are written to: use only what is returned.
    `learned` is what `learn_lines` gave; by default it is learned from these articles.
    An article all of whose lines recur keeps them. A text that the cut makes short, of more than
    `sketching.SPARE_WORDS` words before, has no character shingles.
    """
    if learned is None:
        learned = learn_lines(sketches, sources)
    if len(sketches.line_hashes) == 0 and len(sketches.spare_rows) == 0:
        return sketches
    if len(learned):
        keys = keys_of_lines(sketches, sources)
        places = np.minimum(np.searchsorted(learned, keys), len(learned) - 1)
        recurs = learned[places] == keys
        if recurs.any():
            sketches = _cut(sketches, recurs, settings)
    return dataclasses.replace(
        sketches,
        line_offsets=np.zeros(len(sketches) + 1, dtype=np.int64),
        line_hashes=np.empty(0, dtype=np.uint64),
        line_words=np.empty(0, dtype=np.int32),
        spare_rows=np.empty(0, dtype=np.int64),
        spare_bytes=np.empty(0, dtype=np.uint8),
        spare_offsets=np.zeros(1, dtype=np.int64),
    )


def keys_of_lines(sketches: Sketches, sources: Sequence[str | None]) -> npt.NDArray[np.uint64]:
    """Return the keys of the lines that are kept of these articles, uint64, article by article."""
    if len(sketches.line_hashes) == 0:
        return np.empty(0, dtype=np.uint64)
    of_source = {source: source_key(source) for source in set(sources)}
    of_row = np.fromiter(map(of_source.__getitem__, sources), np.uint64, len(sources))
    return line_keys(sketches.line_hashes, np.repeat(of_row, np.diff(sketches.line_offsets)))


def _cut(sketches: Sketches, recurs: npt.NDArray[np.bool_], settings: Settings) -> Sketches:
    touched = np.zeros(len(sketches), dtype=np.bool_)
    num_cut = sketches.num_cut.copy()
    token_offsets = np.zeros_like(sketches.token_offsets)
    _drop_tokens(
        sketches.tokens, sketches.token_offsets, sketches.line_offsets, sketches.line_words, recurs,
        token_offsets, num_cut, touched,
    )  # fmt: skip
    tokens = sketches.tokens[: token_offsets[-1]]
    fingerprints, signatures = sketches.fingerprints, sketches.signatures
    rows = np.flatnonzero(touched)
    multipliers, increments = permutations(settings.num_perm, settings.seed)
    sketch_rows_again(
        tokens, token_offsets, rows, settings.shingle_size, shingle_multipliers(settings.shingle_size),
        multipliers, increments, fingerprints, signatures,
    )  # fmt: skip
    kept = ~touched[sketches.character_rows]
    again = _characters_again(sketches, recurs, touched, np.diff(token_offsets), settings)
    old_hashes, old_offsets = _select(sketches.character_hashes, sketches.character_offsets, kept)
    character_rows = np.concatenate([sketches.character_rows[kept], again.rows])
    order = np.argsort(character_rows, kind="stable")
    hashes, offsets = _reorder(
        np.concatenate([old_hashes, again.hashes]),
        np.concatenate([old_offsets, again.offsets[1:] + old_offsets[-1]]),
        order,
    )
    return dataclasses.replace(
        sketches,
        tokens=tokens,
        token_offsets=token_offsets,
        fingerprints=fingerprints,
        signatures=signatures,
        num_cut=num_cut,
        character_rows=character_rows[order],
        character_hashes=hashes,
        character_offsets=offsets,
        character_signatures=np.concatenate([sketches.character_signatures[kept], again.signatures])[order],
    )


class _Characters(NamedTuple):
    rows: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint32]


def _characters_again(
    sketches: Sketches,
    recurs: npt.NDArray[np.bool_],
    touched: npt.NDArray[np.bool_],
    num_tokens: npt.NDArray[np.int64],
    settings: Settings,
) -> _Characters:
    """Return the character shingles of the texts that were cut and are short now."""
    short = touched & (num_tokens <= settings.max_short_words)
    spare = np.flatnonzero(short[sketches.spare_rows])
    rows = sketches.spare_rows[spare]
    data = sketches.spare_bytes
    begins = sketches.spare_offsets[spare]
    ends = sketches.spare_offsets[spare + 1].copy()
    _drop_bytes(data, begins, ends, rows, sketches.line_offsets, recurs)
    hashes, offsets = hash_characters(data, begins, ends)
    signatures = sign_shingle_hashes(hashes, offsets, num_perm=settings.num_perm, seed=settings.seed)
    return _Characters(rows, hashes, offsets, signatures)


def _select(
    values: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    sizes = np.diff(offsets)
    return values[np.repeat(kept, sizes)], np.concatenate([[0], np.cumsum(sizes[kept])]).astype(np.int64)


def _reorder(
    values: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    sizes = np.diff(offsets)[order]
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.arange(ends[-1]) + np.repeat(offsets[:-1][order] - ends[:-1], sizes)
    return values[places], ends


@kernel
def _drop_tokens(tokens, token_offsets, line_offsets, line_words, recurs, new_offsets, num_cut, touched):
    """Move the tokens that stay to the front of `tokens`."""
    to = 0
    for row in range(len(token_offsets) - 1):
        begin, end = token_offsets[row], token_offsets[row + 1]
        first_line, last_line = line_offsets[row], line_offsets[row + 1]
        num_recurring = 0
        for k in range(first_line, last_line):
            num_recurring += recurs[k]
        touched[row] = 0 < num_recurring < last_line - first_line
        if touched[row]:
            at = begin
            for k in range(first_line, last_line):
                if recurs[k]:
                    num_cut[row] += line_words[k]
                else:
                    for j in range(at, at + line_words[k]):
                        tokens[to] = tokens[j]
                        to += 1
                at += line_words[k]
        elif to == begin:
            to = end
        else:
            for j in range(begin, end):
                tokens[to] = tokens[j]
                to += 1
        new_offsets[row + 1] = to


@kernel
def _drop_bytes(data, begins, ends, rows, line_offsets, recurs):
    """Move the bytes of the lines that stay to the front of each text; each line has its break."""
    for k in range(len(rows)):
        to = begins[k]
        line = line_offsets[rows[k]]
        for i in range(begins[k], ends[k]):
            value = data[i]
            if not recurs[line]:
                data[to] = value
                to += 1
            line += value == 10
        ends[k] = to
