"""Numbered lines: the same whatever the blocks, and bounded."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.formats.lines import BrokenLineError, LongLine, copy_lines, numbered_lines
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


@given(
    st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b" ")), max_size=12),
    st.booleans(),
    st.booleans(),
    st.integers(1, 9),
    st.data(),
)
def test_copied_lines_are_those_that_are_numbered(
    lines: list[bytes], has_mark: bool, ends_whole: bool, size: int, data: st.DataObject
) -> None:
    content = b"\xef\xbb\xbf" * has_mark + b"\n".join(lines) + b"\n" * ends_whole
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    numbered = dict(numbered_lines(iter(blocks)))
    wanted = sorted(data.draw(st.sets(st.sampled_from(sorted(numbered))) if numbered else st.just(set())))
    out = io.BytesIO()
    copy_lines(iter(blocks), np.array(wanted, dtype=np.int64), out)
    assert out.getvalue() == b"".join(numbered[number] + b"\n" for number in wanted)
