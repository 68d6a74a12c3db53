"""What a run says and does about the memory and the disk that it has."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from dedup.errors import OutputError
from dedup.run import memory
from dedup.run.room import Room, plan_room

GIB = 1 << 30


def test_what_fits_stays_in_memory_without_a_word(tmp_path: Path) -> None:
    heard: list[str] = []
    room = plan_room(GIB, memory.needed_bytes(GIB), tmp_path, heard.append)
    assert (room.starts_on_disk, heard) == (False, [])
    assert not plan_room(1 << 50, None, tmp_path, heard.append).starts_on_disk
    assert heard == []


def test_what_does_not_fit_goes_to_the_disk_and_need_and_supply_are_told(tmp_path: Path) -> None:
    heard: list[str] = []
    room = plan_room(GIB, memory.needed_bytes(GIB) - 1, tmp_path, heard.append)
    assert room.starts_on_disk
    assert heard == [
        f"this run needs about 1.2 GiB of memory and 1.2 GiB are available: it keeps sketches on disk in "
        f"{tmp_path}, about 819 MiB"
    ]


def test_what_stays_in_memory_may_not_fit_either(tmp_path: Path) -> None:
    heard: list[str] = []
    assert plan_room(GIB, memory.needed_beside_disk(GIB) - 1, tmp_path, heard.append).starts_on_disk
    assert "it may be killed. To make it fit: " in heard[0]


def test_a_disk_without_room_is_an_error_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=memory.disk_bytes(GIB) - 1))
    with pytest.raises(OutputError, match=r"about 819 MiB, and .* has 819 MiB left: name a folder with more"):
        plan_room(GIB, GIB, tmp_path, print)
    assert not plan_room(GIB, 2 * GIB, tmp_path, print).starts_on_disk


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="gone cannot be used: No such file"):
        plan_room(GIB, 0, tmp_path / "gone", print)


def test_room_is_short_once_the_gathered_sketches_tell_that_the_run_will_not_fit(tmp_path: Path) -> None:
    room = Room(memory.needed_with_sketches(GIB), tmp_path)
    assert not room.is_short(GIB)
    assert room.is_short(GIB + 8)
    assert not Room(None, tmp_path).is_short(1 << 50)
