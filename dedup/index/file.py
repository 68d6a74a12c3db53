"""The file of an index: is it one, may it be used here, and what an error of SQLite means for the user."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from dedup.errors import IndexBusyError, IndexFileError
from dedup.index.schema import APPLICATION_ID, SCHEMA_VERSION, TABLE_NAMES

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100

NETWORK_FILE_SYSTEMS = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
    | {f"fuse.{name}" for name in ("ceph", "glusterfs", "rclone", "s3fs", "sshfs", "gcsfuse", "davfs")}
    | {"davfs", "fuse.sshfs", "gpfs", "orangefs"}
)
"""Kinds of file systems, as Linux names them, on which the locks and shared memory of SQLite's write-ahead
log cannot be relied on (sqlite.org/wal.html, "all processes must be on the same host")."""

_ESCAPED = re.compile(r"\\([0-7]{3})")  # a space in a mount point is \040

_MOUNTS = Path("/proc/self/mountinfo")


def network_kind(path: Path, mounts: str) -> str | None:
    """Return the kind of network file system on which an absolute path lies, None for a local one.

    `mounts` is the text of Linux' /proc/self/mountinfo.

    >>> network_kind(Path("/srv/a.dedup"), "36 25 0:32 / /srv rw - nfs4 host:/srv rw")
    'nfs4'
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        mount = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[4]).rstrip("/")
        inside = str(path) == mount or str(path).startswith(f"{mount}/")
        if inside and len(mount) >= best:
            best, kind = len(mount), after.split()[0]
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def check_place(path: Path) -> None:
    """Raise `IndexFileError` where an index cannot live: on a network file system, in no folder."""
    folder = path.parent
    if not folder.is_dir():
        raise IndexFileError(f"{path}: there is no folder {folder}; make it first")
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace")
    except OSError:  # not Linux; SQLite's own checks remain
        return
    kind = network_kind(path.resolve(), mounts)
    if kind is not None:
        raise IndexFileError(
            f"{path}: lies on a network file system ({kind}), where the locks that keep an index whole do "
            "not work; put it on a local disk"
        )


def check_header(path: Path) -> bool:
    """Return whether the file holds a database at all; raise `IndexFileError` if it is none of SQLite's.

    A truncated file is told from its header where no write-ahead log can hold what is missing.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise IndexFileError(f"{path}: cannot be read: {error.strerror}") from error
    if not header:
        return False
    if not header.startswith(_MAGIC):
        raise IndexFileError(f"{path}: is not an index, nor any SQLite file, or its header is damaged")
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    num_pages = int.from_bytes(header[28:32], "big")
    log = path.with_name(path.name + "-wal")
    if size < num_pages * page_size and not (log.exists() and log.stat().st_size):
        raise IndexFileError(
            f"{path}: is truncated: {size} bytes of {num_pages * page_size}; restore it from a backup"
        )
    return True


def check_identity(connection: apsw.Connection, path: Path) -> bool:
    """Return whether the database is an index, False for one without content; raise if it is another's."""
    application_id = connection.pragma("application_id")
    version = connection.pragma("user_version")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if application_id != APPLICATION_ID:
        if application_id == 0 and not tables and version == 0:
            return False
        raise IndexFileError(
            f"{path}: is an SQLite file of another program (application id {application_id}, expected "
            f"{APPLICATION_ID}); give the path of an index, or of none yet"
        )
    if version != SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        raise IndexFileError(
            f"{path}: was written by {'a newer' if newer else 'another'} version of this program (format "
            f"{version}, this one reads {SCHEMA_VERSION}); "
            + ("install that version or a later one" if newer else "build the index again")
        )
    missing = sorted(set(TABLE_NAMES) - tables)
    if missing:
        raise IndexFileError(f"{path}: is damaged: no table {', '.join(missing)}; restore it from a backup")
    return True


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as `IndexFileError` that say what they mean for the user."""
    try:
        yield
    except apsw.BusyError as error:
        raise IndexBusyError(f"{path}: another process writes to it for too long; try again later") from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise IndexFileError(f"{path}: is damaged ({error}); restore it from a backup") from error
    except apsw.FullError as error:
        raise IndexFileError(
            f"{path}: the disk is full; nothing of this step was stored; make room and try again"
        ) from error
    except apsw.ReadOnlyError as error:
        raise IndexFileError(
            f"{path}: cannot be written ({error}); open it with read_only=True, or allow writing to it and "
            "to its folder"
        ) from error
    except apsw.CantOpenError as error:
        raise IndexFileError(
            f"{path}: cannot be opened ({error}); its folder must be there, and writable for the "
            "log beside it"
        ) from error
    except (apsw.IOError, apsw.NoMemError, apsw.PermissionsError, apsw.ProtocolError) as error:
        raise IndexFileError(f"{path}: reading or writing failed ({error}); nothing was stored") from error
    except apsw.SQLError as error:
        raise IndexFileError(f"{path}: its tables are not as expected ({error}); it is damaged") from error
