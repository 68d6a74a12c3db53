"""Lines and their tokens: one pass gives what each line gives by itself."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.text import reference
from dedup.text.hashing import hash_token
from dedup.text.kernels import CHUNK_BYTES, MAX_TOKENS_PER_BYTE, RAW_SCRATCH, load_tables, tokenize
from dedup.text.lines import count_lines, make_lines, tokenize_lines

TABLES = load_tables()
LIGATURE = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"
PIECES = (
    "\n",
    "\n",
    " ",
    "الميناء",
    "word",
    "12",
    "新",
    LIGATURE,
    "\N{SQUARE KIROGURAMU}",
    "\N{ARABIC FATHA}",
)
some_text = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=40).map("".join)


def lines_of(
    data: bytes, room: int | None = None, num_lines: int | None = None
) -> list[tuple[int, int, list[int]]]:
    """Return start, end and token hashes of each line; none where there is no room."""
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    room = MAX_TOKENS_PER_BYTE * len(data) + 2 * RAW_SCRATCH if room is None else room
    tokens = np.empty(room, dtype=np.uint32)
    lines = make_lines(count_lines(bytes_, 0, len(data)) if num_lines is None else num_lines)
    found, end = tokenize_lines(
        bytes_, 0, len(data), TABLES, np.empty(RAW_SCRATCH, dtype=np.uint64), np.empty(8, dtype=np.uint8),
        tokens, 0, lines,
    )  # fmt: skip
    if found < 0:
        return []
    assert end == (lines.token_ends[found - 1] if found else 0)
    ends = [0, *lines.token_ends[:found].tolist()]
    return [
        (int(lines.starts[j]), int(lines.ends[j]), tokens[a:b].tolist())
        for j, (a, b) in enumerate(pairwise(ends))
    ]


def lines_by_reference(text: str) -> list[tuple[int, int, list[int]]]:
    expected, start = [], 0
    for line in text.split("\n"):
        end = start + len(line.encode())
        tokens = [hash_token(token) for token in reference.tokens(line)]
        if tokens:
            expected.append((start, end, tokens))
        start = end + 1
    return expected


@settings(max_examples=300)
@given(some_text)
def test_lines_and_tokens_equal_the_reference(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert lines_of(text.encode()) == lines_by_reference(text)


@settings(max_examples=100)
@given(st.integers(-12, 3), st.sampled_from(["x", "x ", "\n", "x\n", LIGATURE]), some_text)
def test_lines_across_a_chunk_border(distance: int, filler: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    before = filler * ((CHUNK_BYTES + distance) // len(filler.encode()))
    whole = before + text + "\n" + before + "\n" + text
    assert lines_of(whole.encode()) == lines_by_reference(whole)


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([b"a", b"\n", b" ", b"\xd8", b"\xd8\xa7", b"\xe2", b"\xe2\x80", b"\xf0\x9f", b"\xff"])
    )
)
def test_a_character_cut_off_by_a_line_break_ends_with_its_line(parts: list[bytes]) -> None:
    data = b"".join(parts) * 3
    expected, start = [], 0
    for line in data.split(b"\n"):
        tokens = np.empty(2 * RAW_SCRATCH, dtype=np.uint32)
        raw, tail = np.empty(RAW_SCRATCH, dtype=np.uint64), np.empty(8, dtype=np.uint8)
        count = tokenize(np.frombuffer(line, dtype=np.uint8), 0, len(line), TABLES, raw, tail, tokens, 0)
        if count:
            expected.append((start, start + len(line), tokens[:count].tolist()))
        start += len(line) + 1
    assert lines_of(data) == expected


def test_too_little_room_is_refused() -> None:
    text = ("word " * 900 + "\n") * 3
    assert len(lines_of(text.encode())) == 3
    assert lines_of(text.encode(), num_lines=2) == []
    assert lines_of(text.encode(), room=2000) == []
