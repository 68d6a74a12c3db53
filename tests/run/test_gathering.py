"""Sketches gathered part by part, in memory or on disk, are those of all texts at once."""

import dataclasses
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest

from dedup.errors import OutputError
from dedup.run import memory
from dedup.run.gathering import GatheredSketches, expect_scattered_reads
from dedup.run.room import Room
from dedup.run.sketches import LARGE, Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array
from dedup.settings import Settings

WORDS = ["مرفأ", "قطار", "harbour", "ferry", "wheat", "rain", "سيول", "12", "2024", "حضرموت"]


SHORT = memory.FIXED_BYTES + 4000  # the sketches outgrow it on the way


@pytest.mark.parametrize(("on_disk", "memory_bytes"), [(False, None), (True, None), (False, SHORT)])
@pytest.mark.parametrize("profile", ["article", "headline"])
@pytest.mark.parametrize("sizes", [[7], [3, 4], [0, 7], [3, 0, 4, 0], [1] * 7])
def test_parts_make_the_whole(
    profile: str, sizes: list[int], on_disk: bool, memory_bytes: int | None, tmp_path: Path
) -> None:
    chosen = random.Random(1)
    texts = [" ".join(chosen.choices(WORDS, k=length)) for length in (0, 4, 80, 15, 0, 300, 2)]
    settings = Settings.of(profile)
    heard: list[str] = []
    gathered = GatheredSketches(Room(memory_bytes, tmp_path, on_disk, heard.append))
    start = 0
    for size in sizes:
        gathered.append(sketch_texts(text_array(texts[start : start + size]), settings))
        start += size
    assert gathered.fingerprint(5) != 0
    disk_bytes = gathered.disk_bytes
    found, expected = gathered.finish(), sketch_texts(text_array(texts), settings)
    large = sum(getattr(expected, name).nbytes for name in LARGE)
    moved = memory_bytes is not None and memory.needed_with_sketches(expected.nbytes) > memory_bytes
    assert disk_bytes == (large if on_disk or moved else 0)
    assert ["keeps sketches on disk" in message for message in heard] == [True] * moved
    assert list(tmp_path.iterdir()) == []  # the files have no name
    expect_scattered_reads(found.tokens)
    for field in dataclasses.fields(Sketches):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(ours, theirs, strict=True)
        assert ours.flags.writeable  # as the kernels are compiled for
        assert ours.flags.c_contiguous


def test_writing_to_sketches_on_disk_changes_them(tmp_path: Path) -> None:
    gathered = GatheredSketches(Room(None, tmp_path, starts_on_disk=True))
    gathered.append(sketch_texts(text_array(["wheat rain ferry harbour"]), Settings()))
    sketches = gathered.finish()
    sketches.tokens[1] = 7
    assert sketches.tokens[:2].tolist() == [sketches.tokens[0], 7]


def test_a_disk_that_fills_is_an_error_that_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: open("/dev/full", "wb"))  # noqa: SIM115
    gathered = GatheredSketches(Room(None, tmp_path, starts_on_disk=True))
    with pytest.raises(OutputError, match=f"cannot be kept in {tmp_path}: No space left on device"):
        gathered.append(sketch_texts(text_array(["wheat rain"]), Settings()))


def test_a_folder_that_cannot_take_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="gone: No such file or directory"):
        GatheredSketches(Room(None, tmp_path / "gone", starts_on_disk=True))
