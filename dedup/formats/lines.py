"""Numbered lines out of blocks of bytes."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from dedup.formats.byte_source import BYTE_ORDER_MARK, BrokenFileError
from dedup.formats.records import MAX_RECORD_BYTES, START_BYTES

_LINE_BREAK = ord("\n")


class LongLine(bytes):
    """The first bytes of a line that is longer than any record may be; the rest was passed over."""


class BrokenLineError(Exception):
    """The bytes end in the middle of a line: why, its number and how it begins."""

    def __init__(self, reason: str, number: int, start: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number
        self.start = start


def numbered_lines(blocks: Iterator[bytes], max_bytes: int = MAX_RECORD_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, as `line_runs` has them."""
    for number, lines in line_runs(blocks, max_bytes):
        yield from enumerate(lines, number)


def line_runs(
    blocks: Iterator[bytes], max_bytes: int = MAX_RECORD_BYTES
) -> Iterator[tuple[int, list[bytes]]]:
    r"""Yield lines, at least one, that end in one block, with the number, from 1, of the first.

    They are without their "\n"; the byte order mark is taken off. A line longer than `max_bytes`, and than
    a block, comes as a `LongLine`, the first of its run; no more is ever held of it. Raises `BrokenLineError`
    where the bytes end early; the lines yielded before are whole.
    """
    number = 1
    held: list[bytes] = []  # the pieces of a line that goes over several blocks
    num_held = 0
    try:
        for block in blocks:
            lines = block.split(b"\n")
            num_held += len(lines[0])
            if num_held <= max_bytes:
                held.append(lines[0])
            else:
                held = [LongLine(_start([*held, lines[0]]))]
            if len(lines) == 1:
                continue
            lines[0] = _join(held, number)
            held = [lines.pop()]
            num_held = len(held[0])
            yield number, lines
            number += len(lines)
    except BrokenFileError as error:
        raise BrokenLineError(error.reason, number, _start(held)) from error
    if last := _join(held, number):
        yield number, [last]


def copy_lines(blocks: Iterator[bytes], wanted: npt.NDArray[np.int64], out: BinaryIO) -> None:
    """Write the lines with these numbers, int64, rising, from 1, byte for byte, each with its "\\n".

    Lines that stand one behind the other are written at once. The byte order mark is left out. Raises what
    `blocks` raises.
    """
    number = 1  # of the line that goes on in the next block
    ends_whole = True
    for block in filter(None, _without_mark(blocks)):
        data = np.frombuffer(block, dtype=np.uint8)
        bounds = np.concatenate([[0], np.flatnonzero(data == _LINE_BREAK) + 1, [len(data)]])
        num_ended = len(bounds) - 2
        first, behind = np.searchsorted(wanted, [number, number + num_ended + 1])
        places = wanted[first:behind] - number
        starts_run = np.diff(places, prepend=-2) != 1
        ends_run = np.diff(places, append=num_ended + 2) != 1
        view = memoryview(block)
        for begin, end in zip(
            bounds[places[starts_run]].tolist(), bounds[places[ends_run] + 1].tolist(), strict=True
        ):
            out.write(view[begin:end])
        number += num_ended
        ends_whole = bounds[-1] == bounds[-2]
        if not len(wanted) or number > wanted[-1]:
            return
    if not ends_whole and number in wanted:
        out.write(b"\n")


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the bytes without the byte order mark."""
    start = b""
    for block in blocks:
        start += block
        if len(start) >= len(BYTE_ORDER_MARK):
            break
    yield start.removeprefix(BYTE_ORDER_MARK)
    yield from blocks


def _join(held: list[bytes], number: int) -> bytes:
    line = held[0] if len(held) == 1 else b"".join(held)
    if number == 1 and line.startswith(BYTE_ORDER_MARK):
        return type(line)(line.removeprefix(BYTE_ORDER_MARK))
    return line


def _start(held: list[bytes]) -> bytes:
    return b"".join(piece[:START_BYTES] for piece in held)[:START_BYTES]
