"""Compiled passes over UTF-8 bytes: decode, fold, token hashes, shingle hashes.

`reference` and `hashing` say in plain Python what these compute. A text is read once, left to
right, in chunks of `CHUNK_BYTES`, through scratch that stays in the first-level cache; only the token
hashes are kept. No byte outside [start, end) of `data` is ever read. Ill-formed UTF-8 is read as
`reference.decode` says; readers refuse it before it comes here.

The inner loop has no branch for separators, deletions and digits: each code point below U+0800 has a
symbol (folded code point and flags) and a multiplier, which is the hash multiplier for a kept
character, 1 for a deleted and 0 for a separator, so `hash = (hash + symbol) * multiplier` is right
for all three.

Loops that LLVM is to make vectors of have unsigned indices. A signed one may count from the end of an
array, so that neighbours in the loop need not be neighbours in memory.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.text.fold_table import (
    DELETE,
    DIGIT,
    EXPAND,
    SEPARATOR,
    SINGLE,
    FoldTable,
    load_fold_table,
)
from dedup.text.hashing import FINAL_MULTIPLIER, MULTIPLIER

u32 = np.uint32
u64 = np.uint64

CHUNK_BYTES = 2048
"""Bytes read between two flushes of the raw token hashes."""

MAX_TOKENS_PER_BYTE = 3
"""Upper bound: U+3315 takes 3 bytes and gives 6 one-character tokens; a test checks the whole table."""

MAX_CODE_POINTS_PER_BYTE = 6
"""Upper bound: U+FDFA takes 3 bytes and gives 18 code points; a test checks the whole table."""

RAW_SCRATCH = MAX_TOKENS_PER_BYTE * CHUNK_BYTES + 16
"""Length of the scratch of raw token hashes that `tokenize` needs."""

_MULTIPLIER = u64(MULTIPLIER)
_FINAL_MULTIPLIER = u64(FINAL_MULTIPLIER)
_SHORT_CODE_POINTS = 0x800  # one or two bytes of UTF-8
_SYMBOL_SEPARATOR = 24  # bit numbers in a symbol; the folded code point is below
_SYMBOL_NOT_DIGIT = 25
_SYMBOL_RARE = 26  # an expansion, or a character that is a token of its own
SYMBOL_SEPARATOR, SYMBOL_RARE = 1 << _SYMBOL_SEPARATOR, 1 << _SYMBOL_RARE
_SEPARATOR_SYMBOL = u64(1 << _SYMBOL_SEPARATOR)


class Tables(NamedTuple):
    """The fold table in the form that the kernels read; arrays are read-only by convention.

    `symbols` uint32[2048] and `multipliers` uint64[2048] serve code points below U+0800; `blocks`,
    `entries` and `expansions` are the fold table's own and serve the rest.
    """

    symbols: npt.NDArray[np.uint32]
    multipliers: npt.NDArray[np.uint64]
    blocks: npt.NDArray[np.uint16]
    entries: npt.NDArray[np.uint32]
    expansions: npt.NDArray[np.uint32]


@functools.lru_cache(maxsize=4)
def load_tables(table: FoldTable | None = None) -> Tables:
    """Return the kernels' tables for `table`, by default the shipped fold table."""
    table = table or load_fold_table()
    entries = table.entries[:_SHORT_CODE_POINTS]
    code_points = np.arange(_SHORT_CODE_POINTS, dtype=np.uint32)
    folded = (code_points + (entries >> u32(8))) & u32(0x1FFFFF)
    separator = (entries & SEPARATOR) != 0
    deleted = (entries & DELETE) != 0
    rare = (entries & (EXPAND | SINGLE)) != 0
    not_digit = ((entries & DIGIT) == 0) & ~separator & ~deleted
    symbols = np.where(separator | deleted | rare, 0, folded).astype(np.uint32)
    for bit, holds in ((_SYMBOL_SEPARATOR, separator), (_SYMBOL_NOT_DIGIT, not_digit), (_SYMBOL_RARE, rare)):
        symbols |= holds.astype(np.uint32) << u32(bit)
    multipliers = np.where(separator, 0, np.where(deleted, 1, _MULTIPLIER)).astype(np.uint64)
    return Tables(symbols, multipliers, table.index, table.entries, table.expansions)


@inner_kernel
def _entry(code_point, tables):
    block = u64(tables.blocks[code_point >> u64(8)])
    return u64(tables.entries[(block << u64(8)) | (code_point & u64(255))])


@inner_kernel
def _decode_long(data, i):
    """Return the code point of three or four bytes at `i`, and the position after it."""
    b = u64(data[i])
    b1 = u64(data[i + u64(1)]) & u64(63)
    b2 = u64(data[i + u64(2)]) & u64(63)
    if b < u64(0xF0):
        return ((b & u64(15)) << u64(12)) | (b1 << u64(6)) | b2, i + u64(3)
    b3 = u64(data[i + u64(3)]) & u64(63)
    code_point = ((b & u64(7)) << u64(18)) | (b1 << u64(12)) | (b2 << u64(6)) | b3
    return min(code_point, u64(0x10FFFF)), i + u64(4)


@inner_kernel
def fold_at(data, i, end, tables):
    """Return the code point at data[i], its entry in the fold table and the position behind it.

    A character that is cut off at `end` is U+FFFD, a separator.
    """
    b = u64(data[i])
    if b < u64(0xC0):
        code_point, after = b, i + 1
    elif b < u64(0xE0) and i + 1 < end:
        code_point, after = ((b & u64(31)) << u64(6)) | (u64(data[i + 1]) & u64(63)), i + 2
    elif b < u64(0xF0) and i + 2 < end:
        code_point, _ = _decode_long(data, u64(i))
        after = i + 3
    elif i + 3 < end:
        code_point, _ = _decode_long(data, u64(i))
        after = i + 4
    else:
        code_point, after = u64(0xFFFD), end
    return code_point, _entry(code_point, tables), after


@inner_kernel
def _take(code_point, flags, state, count, not_digit, raw):
    """Take one folded code point, the plain way, for code points that the fast loop leaves."""
    if flags & u64(DELETE):
        return state, count, not_digit
    if flags & u64(SEPARATOR | SINGLE):
        if state != u64(0):
            raw[count] = state + state + not_digit
            count += u64(1)
        if flags & u64(SINGLE):
            state = code_point * _MULTIPLIER
            raw[count] = state + state + u64(1)
            count += u64(1)
        return u64(0), count, u64(0)
    state = (state + code_point) * _MULTIPLIER
    if not flags & u64(DIGIT):
        not_digit = u64(1)
    return state, count, not_digit


@inner_kernel
def _take_rare(code_point, entry, tables, state, count, not_digit, raw):
    if not entry & u64(EXPAND):
        folded = (code_point + (entry >> u64(8))) & u64(0x1FFFFF)
        return _take(folded, entry & u64(255), state, count, not_digit, raw)
    offset = entry >> u64(8)
    for j in range(u64(tables.expansions[offset])):
        folded = u64(tables.expansions[offset + u64(1) + u64(j)])
        flags = _entry(folded, tables) & u64(255)
        state, count, not_digit = _take(folded, flags, state, count, not_digit, raw)
    return state, count, not_digit


@inner_kernel
def tokenize_span(data, i, stop, tables, state, count, not_digit, raw):
    """Read characters from `i` while they start before `stop`; needs 3 readable bytes after them."""
    symbols = tables.symbols
    multipliers = tables.multipliers
    while i < stop:
        b = u64(data[i])
        if b < u64(0xE0):
            # One byte or two, chosen by a mask: a branch or a conditional move costs a third more.
            two = b >> u64(7)
            long = ((b & u64(31)) << u64(6)) | (u64(data[i + u64(1)]) & u64(63))
            code_point = ((long ^ b) & (u64(0) - two)) ^ b
            i += u64(1) + two
            symbol = u64(symbols[code_point])
            multiplier = multipliers[code_point]
            if symbol & u64(1 << _SYMBOL_RARE):
                entry = _entry(code_point, tables)
                state, count, not_digit = _take_rare(code_point, entry, tables, state, count, not_digit, raw)
                continue
        else:
            code_point, i = _decode_long(data, i)
            entry = _entry(code_point, tables)
            if not entry & u64(SEPARATOR):
                state, count, not_digit = _take_rare(code_point, entry, tables, state, count, not_digit, raw)
                continue
            symbol = _SEPARATOR_SYMBOL
            multiplier = u64(0)
        # Written for each character, kept only when a separator ends a token.
        raw[count] = state + state + not_digit
        separator = (symbol >> u64(_SYMBOL_SEPARATOR)) & u64(1)
        count += separator & u64(state != u64(0))
        state = (state + (symbol & u64(0xFFFFFF))) * multiplier  # wraps modulo 2**64, as intended
        not_digit = (not_digit | (symbol >> u64(_SYMBOL_NOT_DIGIT))) & (separator ^ u64(1))
    return i, state, count, not_digit


@inner_kernel
def finish_tokens(raw, count, tokens, at):
    """Mix raw token hashes into uint32 token hashes whose lowest bit says that the token is a number."""
    first = u64(at)
    for j in range(u64(count)):
        value = raw[j]
        h = value >> u64(1)
        h ^= h >> u64(32)
        h *= _FINAL_MULTIPLIER  # wraps modulo 2**64, as intended
        tokens[first + j] = (u32(h >> u64(32)) | u32(1)) ^ u32(value & u64(1))


@inner_kernel
def tokenize(data, start, end, tables, raw, tail, tokens, at):
    """Write the token hashes of the text in data[start:end] to `tokens` from `at`; return their end.

    `data` uint8; `raw` uint64[RAW_SCRATCH] and `tail` uint8[8] are scratch; `tokens` uint32. Returns
    -1 if `tokens` could become too short; then nothing of it may be used and the call is repeated
    with a longer one.
    """
    i = u64(start)
    state = u64(0)
    not_digit = u64(0)
    last_safe = u64(max(start, end - 3))  # a character that starts before it ends within the text
    while i < last_safe:
        if at + RAW_SCRATCH > len(tokens):
            return -1
        stop = min(last_safe, i + u64(CHUNK_BYTES))
        i, state, count, not_digit = tokenize_span(data, i, stop, tables, state, u64(0), not_digit, raw)
        finish_tokens(raw, np.int64(count), tokens, at)
        at += np.int64(count)
    if at + RAW_SCRATCH > len(tokens):
        return -1
    tail[:] = 0
    length = max(np.int64(0), end - np.int64(i))
    for j in range(length):
        tail[j] = data[np.int64(i) + j]
    i, state, count, not_digit = tokenize_span(
        tail, u64(0), u64(length), tables, state, u64(0), not_digit, raw
    )
    if state != u64(0):
        raw[count] = state + state + not_digit
        count += u64(1)
    finish_tokens(raw, np.int64(count), tokens, at)
    return at + np.int64(count)


@inner_kernel
def _put(code_point, flags, out, count):
    """Append one folded code point; runs of separators become one space, none at the start."""
    if flags & u64(DELETE):
        return count
    if flags & u64(SEPARATOR):
        if count > 0 and (out[count - 1] & u32(0x1FFFFF)) != u32(32):
            out[count] = u32(32)
            count += 1
        return count
    out[count] = u32(code_point) | (u32(flags >> u64(5)) << u32(24))
    return count + 1


@kernel
def fold_characters(data, start, end, tables, out):
    """Write the normalised text of data[start:end] to `out`; return its length in characters.

    `out` uint32, at least MAX_CODE_POINTS_PER_BYTE * (end - start) + 1 long, receives the code point in
    bits 0 to 20 and the script class in bits 24 to 26. Words are separated by one space.
    """
    tail = np.zeros(8, dtype=np.uint8)
    count = 0
    last_safe = max(start, end - 3)
    i = u64(start)
    while i < u64(end):
        source, at = data, i
        if i >= u64(last_safe):
            tail[:] = 0
            for j in range(end - np.int64(i)):
                tail[j] = data[np.int64(i) + j]
            source, at = tail, u64(0)
        b = u64(source[at])
        if b < u64(0x80):
            code_point, after = b, at + u64(1)
        elif b < u64(0xE0):
            code_point = ((b & u64(31)) << u64(6)) | (u64(source[at + u64(1)]) & u64(63))
            after = at + u64(2)
        else:
            code_point, after = _decode_long(source, at)
        i += after - at
        entry = _entry(code_point, tables)
        if entry & u64(EXPAND):
            offset = entry >> u64(8)
            for j in range(u64(tables.expansions[offset])):
                folded = u64(tables.expansions[offset + u64(1) + u64(j)])
                count = _put(folded, _entry(folded, tables) & u64(255), out, count)
        else:
            folded = (code_point + (entry >> u64(8))) & u64(0x1FFFFF)
            count = _put(folded, entry & u64(255), out, count)
    if count > 0 and (out[count - 1] & u32(0x1FFFFF)) == u32(32):
        count -= 1
    return count


@inner_kernel
def word_shingles(tokens, start, count, size, multipliers, sums, out):
    """Write the hashes of the `count` word shingles that begin at tokens[start:start + count] to `out`.

    A shingle is `size` consecutive tokens. `sums` uint64 is scratch; it and `out` uint32 hold at
    least `count` values; `multipliers` is `hashing.shingle_multipliers(size)`.
    """
    for k in range(u64(count)):
        sums[k] = u64(0)
    for j in range(u64(size)):
        multiplier = multipliers[j]
        first = u64(start) + j
        for k in range(u64(count)):
            sums[k] += u64(tokens[first + k]) * multiplier  # wraps modulo 2**64, as intended
    for k in range(u64(count)):
        h = sums[k]
        h ^= h >> u64(32)
        h *= _FINAL_MULTIPLIER
        out[k] = u32(h >> u64(32))


@inner_kernel
def character_shingles(characters, count, lengths, out):
    """Write the hashes of the character shingles of a normalised text to `out`; return how many.

    `characters` as `fold_characters` leaves them; `lengths` int64[8], the shingle length for each
    script class of the first character; `out` uint32, at least `count` long. A shingle that would
    pass the end is left out; a text with no shingle at all is one shingle as a whole.
    """
    num_shingles = 0
    for k in range(count):
        length = lengths[characters[k] >> u32(24)]
        if k + length > count:
            continue
        out[num_shingles] = _hash_characters(characters, k, length)
        num_shingles += 1
    if num_shingles == 0 and count > 0:
        out[0] = _hash_characters(characters, 0, count)
        num_shingles = 1
    return num_shingles


@inner_kernel
def _hash_characters(characters, start, length):
    h = u64(0)
    for j in range(start, start + length):
        h = (h + u64(characters[j] & u32(0x1FFFFF))) * _MULTIPLIER  # wraps modulo 2**64, as intended
    h ^= h >> u64(32)
    h *= _FINAL_MULTIPLIER
    return u32(h >> u64(32))
