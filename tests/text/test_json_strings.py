"""Compiled passes over JSON strings, against `bytes.decode` and the `json` module."""

import itertools
import json
import random
from collections.abc import Sequence

import numpy as np
import pytest

from dedup.text.json_strings import find_ends, is_utf8, unescape

SAMPLES = ["", "a", "Ω", "خبر عاجل", "新聞", "\U0001f600", "\x7f", "\ud7ff\ue000\uffff\U00010000\U0010ffff"]
LEADS = [
    0x00,
    0x7F,
    0x80,
    0xBF,
    0xC0,
    0xC1,
    0xC2,
    0xDF,
    0xE0,
    0xE1,
    0xED,
    0xEE,
    0xEF,
    0xF0,
    0xF1,
    0xF4,
    0xF5,
    0xFF,
]
SECONDS = [0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2]
PADDING = [0, 1, 2, 3, 61, 62, 63, 64, 65, 66, 67, 130]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _found(data: bytes) -> bool:
    return bool(is_utf8(np.frombuffer(data, dtype=np.uint8)))


@pytest.mark.parametrize("before", PADDING)
@pytest.mark.parametrize("after", [0, 1, 2, 64])
def test_utf8_is_told_from_other_bytes_wherever_they_stand(before: int, after: int) -> None:
    sequences = [bytes(rest) for n in range(3) for rest in itertools.product(LEADS, *[SECONDS] * n)]
    sequences += [bytes([lead, 0x90, 0x80, last]) for lead in LEADS for last in SECONDS]
    for sequence in sequences:
        data = b"a" * before + sequence + b"b" * after
        assert _found(data) == _is_utf8(data), data


def test_bytes_at_random_are_told_as_python_tells_them() -> None:
    rng = random.Random(5)
    alphabet = [*LEADS, *SECONDS, *b"abc"]
    for _ in range(3000):
        data = bytes(rng.choices(alphabet, k=rng.randrange(9))) + "ب新\U0001f600".encode() * rng.randrange(30)
        assert _found(data) == _is_utf8(data), data


def _unescaped(literals: Sequence[bytes]) -> list[str]:
    data = np.frombuffer(b"\n".join(literals), dtype=np.uint8)
    ends = np.empty(len(literals), dtype=np.int64)
    find_ends(data, ends)
    begins = np.concatenate([[0], ends[:-1] + 1])[: len(literals)]
    assert ends.tolist() == list(np.cumsum([len(literal) + 1 for literal in literals]) - 1)
    out = np.full(len(data), 0xFF, dtype=np.uint8)
    offsets = np.empty(len(literals) + 1, dtype=np.int64)
    unescape(data, begins, ends, out, offsets)
    assert offsets[0] == 0
    assert (out[offsets[-1] :] == 0xFF).all()
    return [out[a:b].tobytes().decode() for a, b in itertools.pairwise(offsets.tolist())]


def _escaped(text: str, rng: random.Random) -> bytes:
    """Return the text as JSON, each character as it is or in one of its escapes."""
    pieces = []
    for character in text:
        plain, escaped = json.dumps(character, ensure_ascii=False), json.dumps(character)
        units = character.encode("utf-16-be")
        spelt = "".join(f"\\u{int.from_bytes(units[k : k + 2], 'big'):04X}" for k in range(0, len(units), 2))
        pieces.append(rng.choice([plain[1:-1], plain[1:-1], escaped[1:-1], spelt]))
    return f'"{"".join(pieces)}"'.encode()


def test_every_escape_is_undone() -> None:
    literals = [rb'"\"\\\/\b\f\n\r\t"', rb'"\u0628\uD83D\uDE00\ud83d\ude00\u0000"', b'""', b'"/"']
    assert _unescaped(literals) == [json.loads(literal) for literal in literals]
    assert _unescaped([]) == []


def test_escapes_are_undone_as_the_json_module_does() -> None:
    rng = random.Random(7)
    characters = [*'"\\/\b\f\n\r\tabc ', *"".join(SAMPLES), "\x00", "\u2028"]
    texts = ["".join(rng.choices(characters, k=rng.choice([0, 1, 5, 63, 64, 65, 300]))) for _ in range(400)]
    texts += ["ب" * 200, "a" * 63 + "\n", "a" * 64 + "\\", "\n" * 130]
    assert _unescaped([_escaped(text, rng) for text in texts]) == texts
    for as_ascii in (True, False):
        assert _unescaped([json.dumps(text, ensure_ascii=as_ascii).encode() for text in texts]) == texts
