"""Compiled passes that read a text line by line: where the lines are and where their tokens end.

A line ends at U+000A. Lines without a token are not counted as lines.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel
from dedup.text.kernels import CHUNK_BYTES, finish_tokens, tokenize, tokenize_span

u8 = np.uint8
u64 = np.uint64

_LINE_BREAK = 10
_BLOCK_BYTES = 64


class Lines(NamedTuple):
    """Scratch for the lines of one text: bytes, end of their tokens, kind of marker, traits, why cut."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    token_ends: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    traits: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint8]


def make_lines(num_lines: int) -> Lines:
    """Return scratch for up to so many lines."""
    return Lines(
        starts=np.empty(num_lines, dtype=np.int64),
        ends=np.empty(num_lines, dtype=np.int64),
        token_ends=np.empty(num_lines, dtype=np.int64),
        kinds=np.empty(num_lines, dtype=np.uint8),
        traits=np.empty(num_lines, dtype=np.uint8),
        reasons=np.empty(num_lines, dtype=np.uint8),
    )


def count_lines(data: npt.NDArray[np.uint8], start: int, end: int) -> int:
    """Return the number of lines in data[start:end], those without a token too."""
    return int(np.count_nonzero(data[start:end] == _LINE_BREAK)) + 1


@inner_kernel
def find_byte(data, start, end, byte):
    """Return the position of the first such byte in data[start:end], `end` where there is none."""
    i = u64(start)
    while i + u64(_BLOCK_BYTES) <= u64(end):
        nearest = u8(255)
        for k in range(_BLOCK_BYTES):  # in this form LLVM compares many bytes at a time
            nearest = min(nearest, data[i + u64(k)] ^ u8(byte))
        if nearest == 0:
            break
        i += u64(_BLOCK_BYTES)
    while i < u64(end) and data[i] != byte:
        i += u64(1)
    return np.int64(i)


@inner_kernel
def _note_line(lines, num_lines, start, end, token_end):
    """Write one more line to `lines`; return how many there are now, -1 where there is no room."""
    if num_lines == len(lines.starts):
        return -1
    lines.starts[num_lines] = start
    lines.ends[num_lines] = end
    lines.token_ends[num_lines] = token_end
    return num_lines + 1


@inner_kernel
def _tokenize_again(data, start, end, tables, raw, tail, tokens, at, first):
    """Write the token hashes of earlier lines that wait in `raw`, then those of a line from `first`."""
    if first + len(raw) > len(tokens):
        return -1
    finish_tokens(raw, max(first - at, 0), tokens, at)
    return tokenize(data, start, end, tables, raw, tail, tokens, first)


@inner_kernel
def tokenize_lines(data, start, end, tables, raw, tail, tokens, at, lines):
    """Write the token hashes of a text from `at` and its lines to `lines`; return their number and the end.

    As `kernels.tokenize` for each line; the number is -1 where `tokens` could become or `lines` is too
    short, which is so only for a text of more than so many `count_lines`.
    """
    num_lines, num_raw = 0, u64(0)
    chunk_end = start + CHUNK_BYTES
    begin = start
    while begin <= end:
        stop = find_byte(data, begin, end, _LINE_BREAK)
        first = at + np.int64(num_raw)
        state, not_digit = u64(0), u64(0)
        i = begin
        while i < stop <= end - 3:  # a character that starts before `stop` ends within the text
            now, state, num_raw, not_digit = tokenize_span(
                data, u64(i), u64(min(stop, chunk_end)), tables, state, num_raw, not_digit, raw
            )
            i = np.int64(now)
            if i >= chunk_end:
                if at + np.int64(num_raw) > len(tokens):
                    return -1, at
                finish_tokens(raw, np.int64(num_raw), tokens, at)
                at, num_raw, chunk_end = at + np.int64(num_raw), u64(0), i + CHUNK_BYTES
        if i == stop:
            raw[num_raw] = state + state + not_digit
            num_raw += u64(state != u64(0))
        else:  # near the end of the text, or its last character is cut off: read with care
            at = _tokenize_again(data, begin, stop, tables, raw, tail, tokens, at, first)
            if at < 0:
                return -1, first
            num_raw, chunk_end = u64(0), stop + CHUNK_BYTES
        token_end = at + np.int64(num_raw)
        if token_end > first:
            num_lines = _note_line(lines, num_lines, begin, stop, token_end)
            if num_lines < 0:
                return -1, at
        begin = stop + 1
    if at + np.int64(num_raw) > len(tokens):
        return -1, at
    finish_tokens(raw, np.int64(num_raw), tokens, at)
    return num_lines, at + np.int64(num_raw)
