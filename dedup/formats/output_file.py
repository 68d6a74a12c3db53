"""One output file: written beside, flushed, and renamed into place when it is whole."""

import fcntl
import glob
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dedup.errors import OutputError
from dedup.formats.inputs import is_output
from dedup.formats.output import blaming, flush
from dedup.formats.results import create_file
from dedup.formats.signals import signals_held
from dedup.formats.swap import rename_new

_MARK = ".dedup-partial-"


def check_output_file(target: Path, is_ours: Callable[[bytes], bool], *, overwrite: bool) -> None:
    """Raise `OutputError` where `output_file` would refuse `target`.

    `is_ours` says by the first kilobyte of a file whether this program wrote it: another one is not replaced.
    """
    place = _place_of(target)
    if any(is_output(folder) for folder in place.parents):
        raise OutputError(
            f"{target} lies in the output of a run, which no run could replace then; put it beside the folder"
        )
    if not os.path.lexists(place):
        return
    if not place.is_file():
        raise OutputError(f"{target} exists and is not a file; choose another name")
    if not overwrite:
        raise OutputError(f"{target} exists; choose another file or allow it to be replaced (--overwrite)")
    try:
        with place.open("rb") as old:
            start = old.read(1024)
    except OSError as error:
        raise OutputError(f"{target} cannot be read: {error.strerror}; choose another file") from error
    if start and not is_ours(start):
        raise OutputError(f"{target} was not written by this program; refusing to replace it")


@contextmanager
def output_file(target: Path, is_ours: Callable[[bytes], bool], *, overwrite: bool) -> Iterator[BinaryIO]:
    """Give a new file to write into; when the block ends well it becomes `target`, else it is removed.

    A symbolic link is followed. The file is locked while it is written: one that is not was left by a
    process that was killed, and the next one to the same target removes it. Raises `OutputError` where
    `check_output_file` does, and where the file cannot be written.
    """
    check_output_file(target, is_ours, overwrite=overwrite)
    place = _place_of(target)
    with blaming(target):
        place.parent.mkdir(parents=True, exist_ok=True)
        for path in place.parent.glob(f".{glob.escape(place.name)}{_MARK}*"):
            _remove_abandoned(path)
    partial = place.with_name(f".{place.name}{_MARK}{secrets.token_hex(4)}")
    try:
        with create_file(partial) as out:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(out.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                yield out
                out.flush()
            except OutputError as error:  # it names the file beside
                raise OutputError(f"{target}: {error}") from error
            with blaming(target):
                os.fsync(out.fileno())
            check_output_file(target, is_ours, overwrite=overwrite)
            with blaming(target), signals_held():  # locked until it has its name
                if overwrite:
                    partial.replace(place)
                else:
                    rename_new(partial, place)
                flush(place.parent)
    finally:
        with suppress(OSError):  # it has its name, or was never made
            partial.unlink()


def _place_of(target: Path) -> Path:
    place = Path(os.path.realpath(target))
    if not place.name:
        raise OutputError(f"{target} is the root of the file system; give a file inside it")
    return place


def _remove_abandoned(path: Path) -> None:
    """Remove a file that nobody has locked."""
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
