"""The output folder: written beside, flushed, and renamed into place when it is whole."""

import glob
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dedup.errors import OutputError


@contextmanager
def output_folder(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a new folder to write into; when the block ends well it becomes `target`, else it is removed.

    Raises `OutputError` at once if `target` exists and `overwrite` is false, or if nothing can be
    written beside it. With `overwrite` the old folder stays until the new one is whole.
    """
    parent = target.absolute().parent
    _finish_interrupted_swap(parent / target.name)
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{target} exists and is not a folder; choose another name")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; choose another folder or allow it to be overwritten")
    if target.exists() and not _is_own(target):
        raise OutputError(f"{target} holds files that no run wrote; refusing to overwrite it")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{_partial_prefix(target)}{os.getpid()}-", dir=parent))
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from error
    try:
        _remove_abandoned(target, parent)
        yield partial
        _commit(partial, parent / target.name)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


SUMMARY = "summary.json"
"""The file that each run writes; a folder with it may be overwritten."""


def _partial_prefix(target: Path) -> str:
    return f".{target.name}.partial-{socket.gethostname()}-"


def _remove_abandoned(target: Path, parent: Path) -> None:
    """Remove what runs on this machine left behind when they were killed."""
    prefix = _partial_prefix(target)
    for path in parent.glob(f"{glob.escape(prefix)}*"):
        pid = path.name.removeprefix(prefix).partition("-")[0]
        if pid.isdecimal() and not _is_running(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _finish_interrupted_swap(target: Path) -> None:
    """Bring back the old folder where a run was killed between its two renames."""
    old = target.with_name(f".{target.name}.old")
    if old.is_dir() and not target.exists():
        old.rename(target)


def _is_own(folder: Path) -> bool:
    return (folder / SUMMARY).is_file() or not any(folder.iterdir())


def _commit(partial: Path, target: Path) -> None:
    for path in partial.iterdir():
        _flush(path)
    umask = os.umask(0)
    os.umask(umask)
    partial.chmod(0o777 & ~umask)
    _flush(partial)
    if target.exists():
        old = target.with_name(f".{target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
        try:
            partial.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
