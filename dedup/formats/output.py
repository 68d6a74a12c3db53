"""The output folder: written beside, flushed, and renamed into place when it is whole.

A run writes into a folder `.NAME.dedup-partial-MACHINE-RANDOM` beside its target and keeps a lock on it.
The system drops the lock when the process ends, however it ends: what bears such a name and is not
locked was left by a run that was killed, and the next run removes it.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dedup.errors import OutputError
from dedup.formats.signals import signals_held
from dedup.formats.swap import exchange, rename_new, set_aside_name

SUMMARY = "summary.json"
OUTPUT_FILES = frozenset(
    {
        *("groups.jsonl", "links.jsonl", "articles.parquet", "changes.jsonl"),
        *("unique.jsonl", "rejects.jsonl", SUMMARY),
    }
)
"""The files of a run. A folder that holds another one is never replaced."""

_MARK = ".dedup-partial-"
_SECONDS_UNTIL_FORGOTTEN = 2 * 86_400
"""Age at which leftovers are removed whose locks say nothing: those of other machines."""

_LOCK_PATIENCE_SECONDS = 5.0


@contextmanager
def output_folder(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a new folder to write into; when the block ends well it becomes `target`, else it is removed.

    A symbolic link is followed. Raises `OutputError` at once if `target` exists and `overwrite` is false
    or it holds what no run wrote, if another run is writing it, or if nothing can be written beside it.
    With `overwrite` the old folder stays until the new one is whole. An interrupt that comes once the new
    folder is being renamed comes too late.
    """
    place = _place_of(target)
    made: list[Path] = []
    partial: Path | None = None
    lock = -1
    try:
        with blaming(target):
            _finish_exchange(place)
            _check_target(target, place, overwrite=overwrite)
            with signals_held() as received:
                _make_parents(place.parent, made)
                partial, lock = _start(target, place)
        for number in received:
            signal.raise_signal(number)
        try:
            yield partial
        except OutputError as error:
            raise OutputError(f"{target}: {error}") from error
        with blaming(target):
            for path in partial.iterdir():
                flush(path)
            flush(partial)
            _check_target(target, place, overwrite=overwrite)
            with signals_held():
                _put_in_place(partial, place)
                made.clear()
                shutil.rmtree(partial, ignore_errors=True)
    finally:
        with signals_held():
            _clear(partial, lock, made)


def check_output(target: Path, inputs: Sequence[str], *, overwrite: bool) -> None:
    """Raise `OutputError` where `output_folder` would refuse `target`, or it would replace an input.

    `inputs` are names of files and folders; those that are no path are passed over.
    """
    place = _place_of(target)
    with blaming(target):
        _check_target(target, place, overwrite=overwrite)
    for name in inputs:
        source = Path(os.path.realpath(name))
        if source.exists() and source.is_relative_to(place):
            raise OutputError(
                f"{target} holds the input {name}, which it would replace; choose another folder"
            )


def folder_beside(target: Path) -> Path:
    """Return the folder, one that exists, on whose disk `target` is or will be."""
    place = _place_of(target)
    return next(folder for folder in place.parents if folder.is_dir())


def _place_of(target: Path) -> Path:
    """Return the absolute path of the folder, free of links."""
    place = Path(os.path.realpath(target))
    if not place.name:
        raise OutputError(f"{target} is the root of the file system; give a folder inside it")
    return place


def _check_target(target: Path, place: Path, *, overwrite: bool) -> None:
    if os.path.lexists(place) and not place.is_dir():
        raise OutputError(f"{target} exists and is not a folder; choose another name")
    if not place.exists():
        return
    if not overwrite:
        raise OutputError(f"{target} exists; choose another folder or allow it to be replaced (--overwrite)")
    if os.path.ismount(place):
        raise OutputError(f"{target} is a mount point, which cannot be replaced; give a folder inside it")
    if place == Path.cwd():
        raise OutputError(f"{target} is the current folder; run from another one to replace it")
    foreign = _foreign_file(place)
    if foreign:
        raise OutputError(f"{target} holds {foreign}, which no run wrote; refusing to replace the folder")


def _foreign_file(folder: Path) -> str | None:
    """Return the name of something in the folder that no run wrote, None where there is nothing."""
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        if entry.name not in OUTPUT_FILES or not entry.is_file(follow_symlinks=False):
            return repr(entry.name)
    if not entries:
        return None
    try:
        versions = json.loads((folder / SUMMARY).read_bytes())["versions"]
        return None if "article-dedup" in versions else f"another program's {SUMMARY}"
    except FileNotFoundError:
        return f"{entries[0].name!r} and no {SUMMARY}"
    except (ValueError, KeyError, TypeError):
        return f"another program's {SUMMARY}"


def _make_parents(parent: Path, made: list[Path]) -> None:
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another run was faster
            folder.mkdir()
            made.append(folder)


def _start(target: Path, place: Path) -> tuple[Path, int]:
    """Return a new folder beside the target and the lock on it; remove what killed runs left there.

    A lock on the parent keeps other runs from taking the new folder for a leftover before it is locked.
    """
    parent_lock = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not _try_lock(parent_lock) and time.monotonic() < deadline:
            time.sleep(0.05)
        for folder in _partial_folders(place.parent):
            if not _is_held(folder):
                _remove_abandoned(folder)
            elif folder.name.startswith(f".{place.name}{_MARK}"):
                raise OutputError(f"{target} is being written by another run; wait for it to end")
        partial = place.with_name(f".{place.name}{_MARK}{_machine()}-{secrets.token_hex(4)}")
        partial.mkdir()
        try:
            if place.exists():
                shutil.copymode(place, partial)
                partial.chmod(stat.S_IMODE(partial.stat().st_mode) | stat.S_IRWXU)
            lock = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        except BaseException:
            partial.rmdir()
            raise
        _try_lock(lock)
        return partial, lock
    finally:
        os.close(parent_lock)


def _partial_folders(parent: Path) -> list[Path]:
    return [
        parent / entry.name
        for entry in os.scandir(parent)
        if entry.name.startswith(".") and _MARK in entry.name and entry.is_dir(follow_symlinks=False)
    ]


def _is_held(folder: Path) -> bool:
    """Return whether a process on this machine has the folder locked."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(lock)
    return False


def _remove_abandoned(folder: Path) -> None:
    """Remove a folder that nobody here holds; one of another machine only when it is old."""
    with contextlib.suppress(OSError):
        from_here = folder.name.partition(_MARK)[2].startswith(f"{_machine()}-")
        if from_here or time.time() - folder.stat().st_mtime > _SECONDS_UNTIL_FORGOTTEN:
            shutil.rmtree(folder, ignore_errors=True)


def _machine() -> str:
    """Return eight characters that stand for this machine: a lock is seen on the machine that holds it."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _try_lock(descriptor: int) -> bool:
    """Lock and return True; False where another process has the lock or the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _put_in_place(partial: Path, place: Path) -> None:
    """Give the new folder its name, at once; an old one then has the name of the partial folder."""
    if place.exists():
        exchange(place, partial)
    else:
        rename_new(partial, place)
    flush(place.parent)


def _finish_exchange(place: Path) -> None:
    """Bring back the old folder where a run was killed between two renames of an exchange."""
    aside = set_aside_name(place)
    if not aside.is_dir() or _foreign_file(aside):
        return
    if place.exists():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.rename(place)


def _clear(partial: Path | None, lock: int, made: list[Path]) -> None:
    if partial is not None:
        shutil.rmtree(partial, ignore_errors=True)
    if lock >= 0:
        os.close(lock)
    for folder in reversed(made):
        with contextlib.suppress(OSError):  # something else was put there meanwhile
            folder.rmdir()


@contextmanager
def blaming(target: Path) -> Iterator[None]:
    """Turn errors of the file system into an `OutputError` about the target."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error


def flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems cannot flush a folder; their files are flushed all the same.
        if not (error.errno in (errno.EINVAL, errno.ENOTSUP) and path.is_dir()):
            raise
    finally:
        os.close(descriptor)
