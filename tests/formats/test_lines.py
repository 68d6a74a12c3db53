"""Numbered lines: the same whatever the blocks, and bounded."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.formats.lines import BrokenLineError, LongLine, numbered_lines
from dedup.formats.packed import BrokenFileError

BLOCKS = st.lists(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"bc", b"\xef\xbb\xbf"])).map(b"".join))


@given(BLOCKS)
def test_blocks_do_not_matter(blocks: list[bytes]) -> None:
    expected = b"".join(blocks).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert list(numbered_lines(iter(blocks))) == list(enumerate(expected, 1))


def test_long_line_is_cut_and_the_next_is_whole() -> None:
    lines = list(numbered_lines(iter([b"ab\ncde", b"fgh", b"ijk", b"l\nmn\n", b"op"]), max_bytes=5))
    assert lines == [(1, b"ab"), (2, b"cdefghijkl"), (3, b"mn"), (4, b"op")]
    assert [type(line) is LongLine for _, line in lines] == [False, True, False, False]


def test_long_line_holds_little() -> None:
    lines = list(numbered_lines(iter([b"x" * 1000] * 50), max_bytes=2000))
    assert lines == [(1, b"x" * 200)]


def test_break_says_in_which_line() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"one\ntwo\nthr"
        raise BrokenFileError("cut off")

    lines = numbered_lines(blocks())
    assert [next(lines), next(lines)] == [(1, b"one"), (2, b"two")]
    with pytest.raises(BrokenLineError) as caught:
        next(lines)
    assert (caught.value.reason, caught.value.number, caught.value.start) == ("cut off", 3, b"thr")
