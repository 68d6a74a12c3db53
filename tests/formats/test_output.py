"""The output folder is whole or absent, whatever stands in its place and whenever a run ends."""

import errno
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dedup.errors import OutputError
from dedup.formats import output, swap
from dedup.formats.output import check_output, folder_beside, output_folder
from dedup.formats.results import create_file

SUMMARY = json.dumps({"versions": {"article-dedup": "0.1.0"}})


def write_run(
    target: Path,
    content: str = "new",
    *,
    overwrite: bool = False,
    during: Callable[[Path], object] = lambda folder: None,
) -> None:
    with output_folder(target, overwrite=overwrite) as folder:
        (folder / "groups.jsonl").write_text(content)
        (folder / "summary.json").write_text(SUMMARY)
        during(folder)


def raising(error: BaseException) -> Callable[[Path], None]:
    def fail(folder: Path) -> None:
        raise error

    return fail


def content_of(target: Path) -> str:
    return (target / "groups.jsonl").read_text()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_appears_with_its_files_and_nothing_beside_it(tmp_path: Path) -> None:
    with output_folder(tmp_path / "out", overwrite=False) as folder:
        assert folder.parent == tmp_path
        assert names_in(tmp_path) == [folder.name]
        (folder / "groups.jsonl").write_text("new")
        assert not (tmp_path / "out").exists()
    assert names_in(tmp_path) == ["out"]
    assert names_in(tmp_path / "out") == ["groups.jsonl"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), OSError(errno.EIO, "x")], ids=repr)
@pytest.mark.parametrize("exists", [False, True])
def test_a_run_that_fails_leaves_all_as_it_was(tmp_path: Path, error: BaseException, exists: bool) -> None:
    if exists:
        write_run(tmp_path / "deep/out", "old")
    with pytest.raises(type(error)):
        write_run(tmp_path / "deep/out", overwrite=exists, during=raising(error))
    if exists:
        assert names_in(tmp_path / "deep") == ["out"]
        assert content_of(tmp_path / "deep/out") == "old"
    else:
        assert names_in(tmp_path) == []  # the folders made on the way have gone too


def test_an_error_of_a_writer_names_the_target(tmp_path: Path) -> None:
    error = OutputError("groups.jsonl cannot be written: it is full")
    with pytest.raises(OutputError, match=r"out: groups\.jsonl cannot be written: it is full"):
        write_run(tmp_path / "out", during=raising(error))


def test_existing_folder_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    write_run(tmp_path / "out", "old")
    with pytest.raises(OutputError, match=r"out exists.*--overwrite"):
        write_run(tmp_path / "out")
    assert names_in(tmp_path) == ["out"]
    assert content_of(tmp_path / "out") == "old"


def test_overwrite_replaces_what_a_run_wrote(tmp_path: Path) -> None:
    write_run(tmp_path / "out", "old")
    write_run(tmp_path / "out", "new", overwrite=True)
    assert content_of(tmp_path / "out") == "new"
    assert names_in(tmp_path) == ["out"]


def test_overwrite_needs_nothing_to_overwrite_and_takes_an_empty_folder(tmp_path: Path) -> None:
    write_run(tmp_path / "absent", overwrite=True)
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "empty", overwrite=True)
    assert content_of(tmp_path / "absent") == content_of(tmp_path / "empty") == "new"


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"summary.json": SUMMARY, "thesis.doc": ""}, r"'thesis\.doc', which no run wrote"),
        ({"summary.json": SUMMARY, "groups.jsonl/x": ""}, "'groups.jsonl', which no run wrote"),
        ({"summary.json": '{"score": 1}'}, "another program's summary.json"),
        ({"summary.json": "[]"}, "another program's summary.json"),
        ({"summary.json": "\0"}, "another program's summary.json"),
        ({"groups.jsonl": ""}, r"'groups\.jsonl' and no summary\.json"),
    ],
    ids=["a file more", "a folder", "other keys", "a list", "no JSON", "no summary"],
)
def test_overwrite_spares_what_no_run_wrote(tmp_path: Path, files: dict[str, str], named: str) -> None:
    for name, text in files.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text(text)
    with pytest.raises(OutputError, match=named):
        write_run(tmp_path / "out", overwrite=True)
    assert all((tmp_path / "out" / name).read_text() == text for name, text in files.items())


def test_a_file_put_into_the_old_folder_during_the_run_is_spared(tmp_path: Path) -> None:
    write_run(tmp_path / "out", "old")
    with pytest.raises(OutputError, match="'note', which no run wrote"):
        write_run(tmp_path / "out", overwrite=True, during=lambda folder: (tmp_path / "out/note").touch())
    assert names_in(tmp_path) == ["out"]
    assert names_in(tmp_path / "out") == ["groups.jsonl", "note", "summary.json"]


@pytest.mark.parametrize("found_late", [True, False], ids=["after the check", "before it"])
def test_a_folder_that_appears_during_the_run_is_spared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found_late: bool
) -> None:
    def appear(folder: Path) -> None:
        (tmp_path / "out").mkdir()
        if found_late:
            monkeypatch.setattr(output, "_check_target", lambda *args, **kwargs: None)
            monkeypatch.setattr(output, "exchange", lambda place, partial: swap.rename_new(partial, place))

    with pytest.raises(OutputError, match=r"out (exists|cannot be written: File exists)"):
        write_run(tmp_path / "out", during=appear)
    assert names_in(tmp_path) == ["out"]
    assert names_in(tmp_path / "out") == []


@pytest.mark.parametrize("kind", ["file", "socket", "file above"])
def test_what_is_no_folder_is_spared(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(target))
    else:
        target.write_text("old")
    with pytest.raises(OutputError):
        write_run(target / "below" if kind == "file above" else target, overwrite=True)
    assert names_in(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "name", ["out", "out/", "./out", "deep/../out", "link", "dangling", "أخبار", "-o", "a b\n"]
)
def test_any_way_to_name_a_folder_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "deep").mkdir()
    write_run(tmp_path / "elsewhere/old", "old")
    (tmp_path / "link").symlink_to("elsewhere/old")
    (tmp_path / "dangling").symlink_to("elsewhere/new")
    monkeypatch.chdir(tmp_path)
    write_run(Path(name), overwrite=name == "link")
    assert content_of(tmp_path / name) == "new"
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("name", [".", "", "..", "../here", "/"])
def test_the_current_folder_and_those_above_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for overwrite in (False, True):
        with pytest.raises(OutputError):
            write_run(Path(name), overwrite=overwrite)
    assert names_in(tmp_path) == ["here"]


def test_permissions_follow_the_mask_of_the_user_then_the_folder_that_is_replaced(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_run(tmp_path / "out")
        assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o750
        assert (tmp_path / "out/groups.jsonl").stat().st_mode & 0o777 == 0o640
        (tmp_path / "out").chmod(0o2775)
        write_run(tmp_path / "out", overwrite=True)
        assert (tmp_path / "out").stat().st_mode & 0o777 == 0o775
    finally:
        os.umask(mask)


def test_every_file_and_folder_is_flushed_before_and_the_parent_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        flushed.append((os.readlink(f"/proc/self/fd/{descriptor}"), (tmp_path / "out").exists()))
        real(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("the system does not say which file a descriptor is")
    monkeypatch.setattr(os, "fsync", note)
    write_run(tmp_path / "out")
    before = [Path(name).name for name, there in flushed if not there]
    assert sorted(before[:2]) == ["groups.jsonl", "summary.json"]
    assert before[2].startswith(".out.dedup-partial-")
    assert [name for name, there in flushed if there] == [str(tmp_path)]


def test_a_flush_that_fails_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="out cannot be written: No space left on device"):
        write_run(tmp_path / "out")
    assert names_in(tmp_path) == []


def abandoned(parent: Path, target: str = "out", machine: str = "") -> Path:
    folder = parent / f".{target}.dedup-partial-{machine or output._machine()}-0123abcd"
    folder.mkdir()
    (folder / "groups.jsonl").write_text("half")
    return folder


@pytest.mark.parametrize("target", ["out", "out-yesterday"])
def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path, target: str) -> None:
    abandoned(tmp_path, target)
    write_run(tmp_path / "out")
    assert names_in(tmp_path) == ["out"]


def test_what_looks_alike_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".note.dedup-partial-0").write_text("a file")
    (tmp_path / ".link.dedup-partial-0").symlink_to("/")
    write_run(tmp_path / "out")
    assert len(names_in(tmp_path)) == 5


def test_what_another_machine_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    folder = abandoned(tmp_path, machine="deadbeef")
    write_run(tmp_path / "out")
    assert folder.exists()
    long_ago = time.time() - 3 * 86_400
    os.utime(folder, (long_ago, long_ago))
    write_run(tmp_path / "other")
    assert not folder.exists()


def test_two_runs_to_one_folder_are_told_apart_and_two_folders_do_not_meet(tmp_path: Path) -> None:
    with output_folder(tmp_path / "out", overwrite=False) as first:
        with pytest.raises(OutputError, match="out is being written by another run"):
            write_run(tmp_path / "out", "second", overwrite=True)
        assert first.is_dir()
        write_run(tmp_path / "other", "other")
        (first / "groups.jsonl").write_text("first")
    assert content_of(tmp_path / "out") == "first"
    assert content_of(tmp_path / "other") == "other"


@pytest.fixture
def no_native_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system, or a file system, that has plain renames only."""
    monkeypatch.setattr(swap, "_native_exchange", lambda first, second: errno.EINVAL)
    monkeypatch.setattr(swap, "_native_new", lambda source, target: errno.ENOSYS)


@pytest.mark.usefixtures("no_native_rename")
def test_plain_renames_do_as_well(tmp_path: Path) -> None:
    write_run(tmp_path / "out", "old")
    with pytest.raises(OutputError, match="exists"):
        write_run(tmp_path / "out")
    write_run(tmp_path / "out", "new", overwrite=True)
    assert content_of(tmp_path / "out") == "new"
    assert names_in(tmp_path) == ["out"]


@pytest.mark.usefixtures("no_native_rename")
def test_plain_renames_bring_the_old_folder_back_where_the_second_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "out", "old")
    real = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if ".dedup-partial-" in self.name and Path(target).name == "out":
            raise OSError(errno.EIO, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(OutputError, match="Input/output error"):
        write_run(tmp_path / "out", "new", overwrite=True)
    assert content_of(tmp_path / "out") == "old"
    assert names_in(tmp_path) == ["out"]


@pytest.mark.parametrize("came", ["before the new one", "after it"])
def test_a_run_killed_between_plain_renames_is_mended_by_the_next(tmp_path: Path, came: str) -> None:
    write_run(tmp_path / "out", "old")
    (tmp_path / "out").rename(tmp_path / ".out.dedup-aside")
    if came == "after it":
        write_run(tmp_path / "other", "new")
        (tmp_path / "other").rename(tmp_path / "out")
    with pytest.raises(OutputError, match="exists"):
        write_run(tmp_path / "out")
    assert names_in(tmp_path) == ["out"]
    assert content_of(tmp_path / "out") == ("old" if came == "before the new one" else "new")


def test_errors_of_a_native_rename_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        swap.exchange(tmp_path / "a", tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        swap.rename_new(tmp_path / "a", tmp_path / "b")


class Stopped(BaseException):
    """Raised by the handler of the test."""


@pytest.fixture
def handlers() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_rename_comes_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = output._put_in_place

    def signalled(partial: Path, place: Path) -> None:
        signal.raise_signal(number)
        real(partial, place)
        signal.raise_signal(number)

    monkeypatch.setattr(output, "_put_in_place", signalled)
    write_run(tmp_path / "out")
    assert content_of(tmp_path / "out") == "new"
    assert names_in(tmp_path) == ["out"]
    with pytest.raises(Stopped):  # the handlers are back
        signal.raise_signal(number)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("moment", ["start", "clearing"])
def test_a_signal_at_the_edges_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    name = "_start" if moment == "start" else "_clear"
    real = getattr(output, name)

    def signalled(*args: object) -> object:
        done = real(*args)
        signal.raise_signal(signal.SIGINT)
        return done

    monkeypatch.setattr(output, name, signalled)
    with pytest.raises(Stopped):
        write_run(tmp_path / "out", during=raising(Stopped()))
    assert names_in(tmp_path) == []


KILLED = """
import sys
from pathlib import Path
from dedup.formats.output import output_folder
target, turn = Path(sys.argv[1]), 0
while True:
    turn += 1
    with output_folder(target, overwrite=True) as folder:
        for name in ("groups.jsonl", "links.jsonl", "unique.jsonl"):
            (folder / name).write_text(str(turn))
        (folder / "summary.json").write_text('{"versions": {"article-dedup": "0"}}')
    if turn == 1:
        print("ready", flush=True)
"""


@pytest.mark.parametrize("plain_renames", [False, True])
def test_killing_at_any_moment_leaves_the_old_folder_or_the_new_one(
    tmp_path: Path, plain_renames: bool
) -> None:
    script = KILLED
    if plain_renames:
        script = script.replace("target, turn", "import dedup.formats.swap as s\ntarget, turn", 1)
        script = script.replace("while", "s._native_exchange = s._native_new = lambda a, b: 22\nwhile", 1)
    moments = random.Random(1)
    target = tmp_path / "out"
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.random() / 50)
        process.kill()
        process.communicate()
        if plain_renames and not target.exists():
            with pytest.raises(Stopped):
                write_run(target, overwrite=True, during=raising(Stopped()))
        assert (
            len({(target / name).read_text() for name in ("groups.jsonl", "links.jsonl", "unique.jsonl")})
            == 1
        )
        assert names_in(target) == ["groups.jsonl", "links.jsonl", "summary.json", "unique.jsonl"]
    write_run(target, overwrite=True)
    assert names_in(tmp_path) == ["out"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_an_output_error_and_leaves_nothing(small_disk: Path) -> None:
    def fill(folder: Path) -> None:
        with create_file(folder / "unique.jsonl") as out:
            for _ in range(100):
                out.write(b"x" * 10_000)

    with pytest.raises(OutputError, match=r"out: unique\.jsonl cannot be written: No space left on device"):
        write_run(small_disk / "out", during=fill)
    assert names_in(small_disk) == []


def test_a_disk_without_room_for_a_folder_is_an_output_error(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,nr_inodes=2", str(small_disk)], check=True)
    (small_disk / "last").touch()
    with pytest.raises(OutputError, match="out cannot be written: No space left on device"):
        write_run(small_disk / "out")
    assert names_in(small_disk) == ["last"]


def test_a_read_only_disk_is_an_output_error(small_disk: Path) -> None:
    write_run(small_disk / "old", "old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for target in (small_disk / "out", small_disk / "deep/out", small_disk / "old"):
        with pytest.raises(OutputError, match="Read-only file system"):
            write_run(target, overwrite=True)


def test_a_mount_point_is_refused_and_a_folder_in_it_is_not(small_disk: Path) -> None:
    with pytest.raises(OutputError, match=r"mount point.*give a folder inside it"):
        write_run(small_disk, overwrite=True)
    write_run(small_disk / "out")


def test_an_input_that_would_be_replaced_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "out")
    (tmp_path / "link").symlink_to("out/groups.jsonl")
    for name in (tmp_path / "out", tmp_path / "out/groups.jsonl", tmp_path / "link"):
        with pytest.raises(OutputError, match="holds the input"):
            check_output(tmp_path / "out", [str(name)], overwrite=True)
    check_output(tmp_path / "out", [str(tmp_path), "-", "*.jsonl", "absent"], overwrite=True)
    with pytest.raises(OutputError, match="exists"):
        check_output(tmp_path / "out", [], overwrite=False)


def test_folder_beside_is_the_nearest_that_exists(tmp_path: Path) -> None:
    assert folder_beside(tmp_path / "a/b/out") == tmp_path
    assert folder_beside(tmp_path) == tmp_path.parent
