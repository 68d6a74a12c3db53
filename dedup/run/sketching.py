"""Texts to sketches: the one compiled pass that composes the text and sketch kernels.

Each text is read once, page furniture is left out (`text.furniture`); what stays are its token hashes, its
signature and, for a short text, the hashes and the signature of its character shingles. Of a text of several
lines a hash for each line stays until it is known which lines recur (`run.recurring`).
"""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.compiling import inner_kernel
from dedup.errors import SettingsError
from dedup.run.characters import NO_KEYS, hash_characters, hash_keys
from dedup.run.sketches import Sketches, join_offsets
from dedup.run.text_arrays import checked_texts, string_buffers
from dedup.run.token_sketches import BLOCK, fingerprint_of, sign_short_texts, sign_tokens
from dedup.settings import Settings, checked_settings
from dedup.sketch.signatures import permutations
from dedup.text.furniture import KEPT, count_kept, read_lines
from dedup.text.hashing import shingle_multipliers
from dedup.text.kernels import (
    RAW_SCRATCH,
    Tables,
    load_tables,
    tokenize,
)
from dedup.text.lines import count_lines, make_lines
from dedup.text.markers import load_markers

_ROWS_PER_TASK = 4096
_ROOM_FOR_LINES = 256  # a text of more gets more

SPARE_WORDS = 200
"""Of a text of several lines and so many words its short lines are kept until recurring lines are cut: what
is left of it may be so short that its character shingles are compared."""


class _Kept(NamedTuple):
    """What `_sketch_rows` writes of the lines of texts; `ends` int64[2] are the ends of lines and spares."""

    num_cut: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    words: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    spare: npt.NDArray[np.uint8]
    spare_begins: npt.NDArray[np.int64]
    spare_ends: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


class _Scratch(NamedTuple):
    """What `_sketch_rows` needs for one text at a time."""

    raw: npt.NDArray[np.uint64]
    tail: npt.NDArray[np.uint8]
    sums: npt.NDArray[np.uint64]
    block: npt.NDArray[np.uint32]


@inner_kernel
def _sketch_rows(
    data, offsets, first, by_lines, tables, markers, spare_words, max_short_words, size, shingle_mult,
    perm_mult, perm_incr, scratch, lines, tokens, token_offsets, fingerprints, signatures, kept,
):  # fmt: skip
    """Sketch the texts from row `first` on; return the first row that there was no room for."""
    for row in range(first, len(offsets) - 1):
        start, stop, begin = offsets[row], offsets[row + 1], token_offsets[row]
        if by_lines:
            num_lines, end = read_lines(
                data, start, stop, tables, markers, scratch.raw, scratch.tail, tokens, begin, lines
            )
            if num_lines < 0 or kept.ends[0] + num_lines > len(kept.hashes):
                return row
            if num_lines > 1:
                end = _keep_lines(
                    data, lines, num_lines, tokens, begin, row, spare_words, max_short_words, kept
                )
        else:
            end = tokenize(data, start, stop, tables, scratch.raw, scratch.tail, tokens, begin)
            if end < 0:
                return row
        token_offsets[row + 1] = end
        kept.offsets[row + 1] = kept.ends[0]
        fingerprints[row] = fingerprint_of(tokens, begin, end)
        if signatures.shape[1] > 0:
            sign_tokens(
                tokens, begin, end, size, shingle_mult, perm_mult, perm_incr, scratch.sums, scratch.block,
                signatures[row],
            )  # fmt: skip
    return len(offsets) - 1


@inner_kernel
def _keep_lines(data, lines, num_lines, tokens, begin, row, spare_words, max_short_words, kept):
    """Move the tokens of the lines that stay together, and note these lines; return the end of the tokens."""
    num_kept = count_kept(lines, num_lines)
    to, token_begin, line = begin, begin, kept.ends[0]
    for j in range(num_lines):
        token_end = lines.token_ends[j]
        count = token_end - token_begin
        if lines.reasons[j] == KEPT:
            for k in range(count if to != token_begin else 0):
                tokens[to + k] = tokens[token_begin + k]
            if num_kept > 1:
                kept.hashes[line] = fingerprint_of(tokens, to, to + count)
                kept.words[line] = count
                line += 1
            to += count
        token_begin = token_end
    kept.ends[0] = line
    kept.num_cut[row] = token_begin - to
    if to - begin <= spare_words and (num_kept > 1 or num_kept < num_lines):
        _spare_lines(data, lines, num_lines, begin, row, max_short_words, kept)
    return to


@inner_kernel
def _spare_lines(data, lines, num_lines, token_begin, row, max_short_words, kept):
    """Keep the bytes of the lines that stay, a break behind each, if one of them can be in a short text.

    Of a line of more words only the break is kept: where such a line is left, the text is not short.
    """
    at, num_short = kept.ends[1], 0
    for j in range(num_lines):
        num_words = lines.token_ends[j] - token_begin
        token_begin = lines.token_ends[j]
        if lines.reasons[j] != KEPT:
            continue
        if num_words <= max_short_words:
            begin, length = lines.starts[j], lines.ends[j] - lines.starts[j]
            for k in range(length):
                kept.spare[at + k] = data[begin + k]
            at += length
            num_short += 1
        kept.spare[at] = 10
        at += 1
    if num_short > 0:
        kept.spare_begins[row], kept.spare_ends[row] = kept.ends[1], at
        kept.ends[1] = at


def sketch_texts(texts: pa.LargeStringArray, settings: Settings, num_threads: int = 1) -> Sketches:
    """Return the sketches of the texts of an Arrow array; a null counts as empty text.

    The number of threads never changes the result.
    """
    if isinstance(num_threads, bool) or not isinstance(num_threads, int) or num_threads < 1:
        raise SettingsError(f"num_threads is {num_threads!r}; it is a number of threads, 1 or more")
    offsets, data = string_buffers(texts)
    tables = load_tables()
    if num_threads == 1 or len(texts) <= _ROWS_PER_TASK:
        return _sketch_task(data, offsets, tables, settings)
    num_rounds = -(-len(texts) // (_ROWS_PER_TASK * num_threads))
    num_rows = -(
        -len(texts) // (num_rounds * num_threads)
    )  # as many tasks for each thread, of the same length
    tasks = [offsets[start : start + num_rows + 1] for start in range(0, len(texts), num_rows)]
    with ThreadPoolExecutor(num_threads) as pool:
        return Sketches.concatenate(
            list(pool.map(lambda task: _sketch_task(data, task, tables, settings), tasks))
        )


def sign_texts(
    texts: pa.Array | pa.ChunkedArray | Sequence[str],
    settings: Settings | None = None,
    *,
    num_threads: int = 1,
) -> npt.NDArray[np.uint32]:
    """Return the signatures, uint32[n, num_perm], of the word shingles of n texts.

    A text of fewer words than a shingle has the signature of the empty set, 2**32 - 1 throughout. Raises
    `SettingsError` for a profile that compares no words, `InputError` for what is no text.

    >>> sign_texts(["one two three four", ""]).shape
    (2, 128)
    """
    settings = checked_settings(settings)
    if not settings.uses_words:
        raise SettingsError(f"the profile {settings.profile!r} compares no word shingles; take 'article'")
    return sketch_texts(checked_texts(texts), settings, num_threads).signatures


def _sketch_task(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], tables: Tables, settings: Settings
) -> Sketches:
    num_rows = len(offsets) - 1
    num_bytes = int(offsets[-1] - offsets[0])
    multipliers, increments = permutations(settings.num_perm, settings.seed)
    tokens = np.empty(num_bytes // 6 + RAW_SCRATCH + 1024, dtype=np.uint32)
    token_offsets = np.zeros(num_rows + 1, dtype=np.int64)
    fingerprints = np.empty(num_rows, dtype=np.uint64)
    signatures = np.empty((num_rows, settings.num_perm if settings.uses_words else 0), dtype=np.uint32)
    kept = _make_kept(num_rows, num_bytes)
    scratch = _make_scratch()
    lines = make_lines(_ROOM_FOR_LINES)
    row = 0
    while True:
        row = _sketch_rows(
            data, offsets, row, settings.cuts_furniture, tables, load_markers(),
            max(SPARE_WORDS, settings.max_short_words), settings.max_short_words, settings.shingle_size,
            shingle_multipliers(settings.shingle_size), multipliers, increments,
            scratch, lines, tokens, token_offsets, fingerprints, signatures, kept,
        )  # fmt: skip
        if row == num_rows:
            break
        num_lines = count_lines(data, offsets[row], offsets[row + 1])
        if settings.cuts_furniture and num_lines > len(lines.starts):
            lines = make_lines(num_lines)
            continue
        num_kept = kept.ends[0]
        if settings.cuts_furniture and num_kept + num_lines > len(kept.hashes):
            hashes, words = (_grown(column, num_kept, num_lines) for column in (kept.hashes, kept.words))
            kept = kept._replace(hashes=hashes, words=words)
            continue
        tokens = _grown(tokens, token_offsets[row])
    tokens.resize(token_offsets[-1], refcheck=False)  # gives room back without a copy; nobody else holds it
    num_tokens = token_offsets[1:] - token_offsets[:-1]
    rows = np.flatnonzero((num_tokens > 0) & (num_tokens <= settings.max_short_words))
    hashes, hash_offsets = _hash_short_texts(data, offsets, rows, kept)
    num_lines, num_spare = kept.ends.tolist()
    spare_rows = np.flatnonzero(kept.spare_ends)
    keys, key_offsets = NO_KEYS if settings.uses_words else hash_keys(data, offsets, tables)
    return Sketches(
        tokens=tokens,
        token_offsets=token_offsets,
        fingerprints=fingerprints,
        signatures=signatures,
        character_rows=rows,
        character_hashes=hashes,
        character_offsets=hash_offsets,
        character_signatures=sign_short_texts(hashes, hash_offsets, settings),
        num_cut=kept.num_cut,
        line_hashes=kept.hashes[:num_lines].copy(),
        line_words=kept.words[:num_lines].copy(),
        line_offsets=kept.offsets,
        spare_rows=spare_rows,
        spare_bytes=kept.spare[:num_spare].copy(),
        spare_offsets=np.concatenate([[0], kept.spare_ends[spare_rows]]).astype(np.int64),
        keys=keys,
        key_offsets=key_offsets,
    )


def _make_kept(num_rows: int, num_bytes: int) -> _Kept:
    """Return room for what is kept of lines; the system gives memory only for what is written."""
    num_lines = 8 * num_rows + 64
    return _Kept(
        num_cut=np.zeros(num_rows, dtype=np.int64),
        hashes=np.empty(num_lines, dtype=np.uint64),
        words=np.empty(num_lines, dtype=np.int32),
        offsets=np.zeros(num_rows + 1, dtype=np.int64),
        spare=np.empty(num_bytes + num_rows, dtype=np.uint8),
        spare_begins=np.zeros(num_rows, dtype=np.int64),
        spare_ends=np.zeros(num_rows, dtype=np.int64),
        ends=np.zeros(2, dtype=np.int64),
    )


def _make_scratch() -> _Scratch:
    return _Scratch(
        raw=np.empty(RAW_SCRATCH, dtype=np.uint64),
        tail=np.empty(8, dtype=np.uint8),
        sums=np.empty(BLOCK, dtype=np.uint64),
        block=np.empty(BLOCK, dtype=np.uint32),
    )


def _grown(values: npt.NDArray[Any], num_used: int, num_more: int = 0) -> npt.NDArray[Any]:
    """Return an array that begins with the values in use: twice as long, and with room for `num_more`."""
    grown = np.empty(max(2 * len(values), num_used + num_more), dtype=values.dtype)
    grown[:num_used] = values[:num_used]
    return grown


def _hash_short_texts(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], kept: _Kept
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the character shingles of some rows: of what was kept of those that were cut."""
    if len(rows) == 0:
        return np.empty(0, dtype=np.uint32), np.zeros(1, dtype=np.int64)
    was_cut = kept.num_cut[rows] > 0
    begins = np.where(was_cut, kept.spare_begins[rows], offsets[rows])
    ends = np.where(was_cut, kept.spare_ends[rows], offsets[rows + 1])
    if not was_cut.any():
        return hash_characters(data, begins, ends)
    # Cut texts are few: the others are read where they stand, the cut ones put between them.
    parts = []
    bounds = np.flatnonzero(np.diff(was_cut, prepend=~was_cut[:1], append=~was_cut[-1:]))
    for first, last in itertools.pairwise(bounds.tolist()):
        source = kept.spare if was_cut[first] else data
        parts.append(hash_characters(source, begins[first:last], ends[first:last]))
    hashes = np.concatenate([part for part, _ in parts])
    return hashes, join_offsets([part for _, part in parts])
