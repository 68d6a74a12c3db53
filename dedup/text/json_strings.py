"""Compiled passes over strings as JSON has them: whether they are UTF-8, and without their escapes.

`bytes.decode` and `json.loads` say in plain Python what these compute.
"""

import numpy as np

from dedup.compiling import inner_kernel, kernel
from dedup.text.lines import find_byte

u8 = np.uint8
u64 = np.uint64

_BLOCK_BYTES = 64
_LINE_BREAK, _BACKSLASH, _LETTER_U = (ord(sign) for sign in "\n\\u")
_CONTROLS = np.arange(256, dtype=np.uint8)
"""What a letter behind a backslash stands for; quotes and slashes stand for themselves."""
_CONTROLS[list(b"bfnrt")] = list(b"\b\f\n\r\t")


@kernel
def find_ends(data, ends):
    """Write where each line ends."""
    begin = 0
    for k in range(len(ends)):
        ends[k] = find_byte(data, begin, len(data), _LINE_BREAK)
        begin = ends[k] + 1


@kernel
def is_utf8(data):
    """Return whether the bytes are well-formed UTF-8 (The Unicode Standard, table 3-7)."""
    count = len(data)
    start = min(3, count)
    for i in range(start):
        if _fault_at(data, i) != 0:
            return False
    while start + _BLOCK_BYTES <= count:
        if _faults(data, start) != 0:
            return False
        start += _BLOCK_BYTES
    for i in range(start, count):
        if _fault_at(data, i) != 0:
            return False
    # A character that is cut off at the end lacks bytes that would stand there.
    is_cut = count > 0 and data[count - 1] >= 0xC0
    is_cut |= count > 1 and data[count - 2] >= 0xE0
    is_cut |= count > 2 and data[count - 3] >= 0xF0
    return not is_cut


@inner_kernel
def _fault_at(data, i):
    """Return 1 where the byte at `i` must not stand behind those before it, else 0."""
    before = data[i - 1] if i > 0 else u8(0)
    second = data[i - 2] if i > 1 else u8(0)
    third = data[i - 3] if i > 2 else u8(0)
    return _is_fault(data[i], before, second, third)


@inner_kernel
def _faults(data, start):
    """Return 0 where no byte of a block, behind three others, stands where it must not."""
    worst = u8(0)
    for k in range(_BLOCK_BYTES):  # in this form LLVM looks at many bytes at a time
        i = u64(start) + u64(k)
        worst = max(worst, _is_fault(data[i], data[i - u64(1)], data[i - u64(2)], data[i - u64(3)]))
    return worst


@inner_kernel
def _is_fault(byte, before, second, third):
    """Return 1 where a byte must not stand behind the three before it, nearest first, else 0."""
    continues = u8(byte ^ u8(0x80)) < u8(0x40)
    is_due = (before >= u8(0xC0)) | (second >= u8(0xE0)) | (third >= u8(0xF0))
    never_stands = (u8(byte & u8(0xFE)) == u8(0xC0)) | (byte >= u8(0xF5))
    is_overlong = (before == u8(0xE0)) & (byte < u8(0xA0)) | (before == u8(0xF0)) & (byte < u8(0x90))
    is_surrogate = (before == u8(0xED)) & (byte >= u8(0xA0))
    is_too_high = (before == u8(0xF4)) & (byte >= u8(0x90))
    return u8((continues != is_due) | never_stands | is_overlong | is_surrogate | is_too_high)


@kernel
def unescape(data, begins, ends, out, offsets):
    """Write the UTF-8 that well-formed literals stand for, and where each begins and the last ends."""
    at = u64(0)
    for k in range(len(begins)):
        offsets[k] = at
        i, stop = u64(begins[k] + 1), u64(ends[k] - 1)
        while i < stop:
            while i < stop and data[i] == _BACKSLASH:
                i, at = _unescape_one(data, i, out, at)
            count = u64(find_byte(data, i, stop, _BACKSLASH)) - i
            for j in range(count):
                out[at + u64(j)] = data[i + u64(j)]
            i += count
            at += count
    offsets[len(begins)] = at


@inner_kernel
def _unescape_one(data, i, out, at):
    """Write the character of the escape at `i`; return the ends of the escape and of the character."""
    letter = data[i + u64(1)]
    if letter != _LETTER_U:
        out[at] = _CONTROLS[letter]
        return i + u64(2), at + u64(1)
    code_point = _number_at(data, i + u64(2))
    i += u64(6)
    if u64(0xD800) <= code_point < u64(0xDC00):  # its other half follows
        low = _number_at(data, i + u64(2))
        code_point = u64(0x10000) + ((code_point - u64(0xD800)) << u64(10)) + (low - u64(0xDC00))
        i += u64(6)
    return i, _write_character(code_point, out, at)


@inner_kernel
def _number_at(data, i):
    """Return the number of the four hexadecimal digits at `i`."""
    number = u64(0)
    for k in range(4):
        digit = u64(data[i + u64(k)])
        number = (number << u64(4)) | ((digit & u64(15)) + u64(9) * (digit >> u64(6)))  # letters: 0x41, 0x61
    return number


@inner_kernel
def _write_character(code_point, out, at):
    """Write a character as UTF-8; return where it ends."""
    if code_point < u64(0x80):
        out[at] = code_point
        return at + u64(1)
    if code_point < u64(0x800):
        out[at] = u64(0xC0) | (code_point >> u64(6))
    else:
        if code_point < u64(0x10000):
            out[at] = u64(0xE0) | (code_point >> u64(12))
        else:
            out[at] = u64(0xF0) | (code_point >> u64(18))
            at += u64(1)
            out[at] = u64(0x80) | ((code_point >> u64(12)) & u64(63))
        at += u64(1)
        out[at] = u64(0x80) | ((code_point >> u64(6)) & u64(63))
    out[at + u64(1)] = u64(0x80) | (code_point & u64(63))
    return at + u64(2)
