"""The output folder: written beside, flushed, and renamed into place when it is whole."""

import os
import shutil
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
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{target} exists and is not a folder; choose another name")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; choose another folder or allow it to be overwritten")
    if target.exists() and not _is_own(target):
        raise OutputError(f"{target} holds files that no run wrote; refusing to overwrite it")
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.absolute().parent))
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from error
    try:
        yield partial
        _commit(partial, target.absolute())
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


SUMMARY = "summary.json"
"""The file that each run writes; a folder with it may be overwritten."""


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
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
        target.rename(old)  # an empty folder gives way to a rename
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
