"""Renames that take the place of nothing by accident: onto a free name, or two folders exchanged at once.

Linux has both as `renameat2` (version 3.15), macOS as `renamex_np` (10.12). Where the system or the
file system has neither, they are composed of plain renames, with a moment in between.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

_LACKING = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_AT_FDCWD = -100
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2  # <linux/fs.h>
_RENAME_SWAP, _RENAME_EXCL = 2, 4  # macOS, <sys/stdio.h>

Rename = Callable[[Path, Path], int]
"""Renames and returns 0, else the error number."""


def rename_new(source: Path, target: Path) -> None:
    """Rename `source` to `target`; raises `FileExistsError` where `target` is there already."""
    number = _native_new(source, target)
    if number in _LACKING:
        if os.path.lexists(target):
            number = errno.EEXIST
        else:
            source.rename(target)
            number = 0
    if number:
        raise OSError(number, os.strerror(number), str(target))


def exchange(first: Path, second: Path) -> None:
    """Let two folders change their names, at once where the system can.

    Where it cannot, `first` bears the name `set_aside_name(first)` for a moment.
    """
    number = _native_exchange(first, second)
    if number not in _LACKING:
        if number:
            raise OSError(number, os.strerror(number), str(first))
        return
    aside = set_aside_name(first)
    first.rename(aside)
    try:
        second.rename(first)
    except OSError:
        aside.rename(first)
        raise
    aside.rename(second)


def set_aside_name(folder: Path) -> Path:
    """Return the name that a folder has in the middle of an exchange that takes several renames."""
    return folder.with_name(f".{folder.name}.dedup-aside")


def _native(name: str, exchanging: int, onto_free_name: int) -> tuple[Rename, Rename]:
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    folder = (_AT_FDCWD,) if name == "renameat2" else ()

    def rename(flag: int) -> Rename:
        def call(source: Path, target: Path) -> int:
            if function is None:
                return errno.ENOSYS
            paths = (*folder, os.fsencode(source), *folder, os.fsencode(target))
            return ctypes.get_errno() if function(*paths, ctypes.c_uint(flag)) else 0

        return call

    return rename(exchanging), rename(onto_free_name)


if sys.platform == "darwin":
    _native_exchange, _native_new = _native("renamex_np", _RENAME_SWAP, _RENAME_EXCL)
else:
    _native_exchange, _native_new = _native("renameat2", _RENAME_EXCHANGE, _RENAME_NOREPLACE)
