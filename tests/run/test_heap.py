"""Free memory goes back to the system, where its C library can be asked."""

import ctypes
import platform
from pathlib import Path

import numpy as np
import pytest

from dedup.run.heap import give_back_unused

_NUM_BLOCKS, _BLOCK_BYTES = 4096, 64 << 10


def resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another")
def test_freed_blocks_between_used_ones_are_given_back() -> None:
    blocks = [np.ones(_BLOCK_BYTES, dtype=np.uint8) for _ in range(_NUM_BLOCKS)]
    before = resident_bytes()
    for k in range(1, _NUM_BLOCKS, 2):
        blocks[k] = np.empty(0, dtype=np.uint8)
    give_back_unused()
    assert before - resident_bytes() > _NUM_BLOCKS * _BLOCK_BYTES // 4
    assert all(block.all() for block in blocks)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back_unused()
