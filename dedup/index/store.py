"""The store: connections to the file of an index, and the transactions in which it is read and written."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from dedup.errors import IndexBusyError, IndexFileError
from dedup.index.file import check_header, check_identity, check_place, translated_errors
from dedup.index.filtering import Filtering, FilteringConnection
from dedup.index.schema import APPLICATION_ID, PAGE_SIZE, SCHEMA_VERSION, TABLES, VIEWS

BUSY_MILLISECONDS = 60_000
"""How long a writer waits for others."""

_ASKED_AGAIN = ((0.003, 0.000_5), (0.5, 0.000_1), (float("inf"), 0.001))
"""Until it has waited for so many seconds, a writer asks again after so many. One that has let others pass
asks more often than one that has just come; behind a long transaction it no longer matters much."""

_CACHE_KIB = 64 * 1024

_OPEN: "weakref.WeakSet[Store]" = weakref.WeakSet()

_LEFT_BEHIND: list[set[apsw.Connection]] = []
"""Connections that a fork carried into this process. They must be neither used nor closed here
(sqlite.org/howtocorrupt.html, 2.6), so they are kept from the garbage collector."""


_OPENING = threading.Lock()
"""Held while the header of a file is read and a connection made, see `_is_open_here`."""


def _leave_connections_behind() -> None:
    _OPENING.release()
    for store in list(_OPEN):
        store.leave_connections_behind()


os.register_at_fork(
    before=_OPENING.acquire, after_in_parent=_OPENING.release, after_in_child=_leave_connections_behind
)


def _is_open_here(path: Path) -> bool:
    """Return whether this process has the file open.

    It must not be read beside SQLite then: closing it anywhere in a process drops all the locks that the
    process has on it (sqlite.org/howtocorrupt.html, 2.2).
    """
    return any(store.has_open(path) for store in list(_OPEN))


class _Waiting:
    """Whether to ask again for a lock that another connection holds; sleeps before it says yes.

    A busy writer leaves the file free for less than a millisecond between two transactions. SQLite's own
    waiting sleeps for up to 100 ms at a time, and hundreds of them pass by. An interrupt ends the wait.
    """

    def __init__(self) -> None:
        self._since = 0.0

    def __call__(self, num_asked: int) -> bool:
        now = time.monotonic()
        if num_asked == 0:
            self._since = now
        waited = now - self._since
        if waited >= BUSY_MILLISECONDS / 1000:
            return False
        time.sleep(next(step for until, step in _ASKED_AGAIN if waited < until))
        return True


class Store:
    """The file of an index. A connection serves one transaction at a time and then waits for the next.

    Transactions of several threads run side by side; writing ones come one after the other, in this
    process by a lock and among processes by SQLite's. After a fork the child opens connections of its
    own.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._closed = False
        self._connections: set[apsw.Connection] = set()
        self._idle: list[apsw.Connection] = []
        self._write_lock = threading.RLock()
        self._immutable = False
        self._files: tuple[tuple[int, ...] | None, ...] = (None, None)
        self._filtering = Filtering()
        self._file = os.fspath(path)  # asked for in each transaction
        self._log = self._file + "-wal"
        _OPEN.add(self)

    def leave_connections_behind(self) -> None:
        """Begin anew in the child of a fork, without the connections of its parent."""
        _LEFT_BEHIND.append(self._connections)
        self._connections, self._idle = set(), []
        self._write_lock = threading.RLock()
        self._filtering = Filtering()

    def has_open(self, path: Path) -> bool:
        """Return whether this store has a connection to the file at `path`, in use or not."""
        try:
            return bool(self._connections) and path.samefile(self.path)
        except OSError:
            return False

    @classmethod
    def open(
        cls, path: Path, *, create: bool, read_only: bool, first_rows: Callable[[], list[tuple[str, str]]]
    ) -> "Store":
        """Return the store of a file, made if it is not there and `create` allows.

        `first_rows` returns the rows of `meta` for a new index.
        """
        exists = path.exists()
        if not exists and (read_only or not create):
            raise IndexFileError(
                f"{path}: there is no such index; its name is misspelt, or add articles first"
            )
        check_place(path)
        store = cls(path, read_only=read_only)
        with translated_errors(path):
            with _OPENING:
                has_content = exists and (_is_open_here(path) or check_header(path))
                connection = store._connect(apsw.SQLITE_OPEN_CREATE)
            try:
                is_index = check_identity(connection, path)
                if not is_index and (read_only or not create):
                    raise IndexFileError(f"{path}: is empty; there is no index in it yet")
                if not is_index:
                    _create(connection, path, first_rows(), new=not has_content)
                elif not read_only:
                    _use_log(connection)  # a copy made by VACUUM INTO has none
                store._note_files(connection)
            except BaseException:
                store._disconnect(connection)
                raise
        store._idle.append(connection)
        return store

    def _connect(self, creating: int = 0) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READONLY if self.read_only else apsw.SQLITE_OPEN_READWRITE | creating
        connection = FilteringConnection(self._uri(), flags | apsw.SQLITE_OPEN_URI)
        connection.filtering = self._filtering
        self._connections.add(connection)
        try:
            connection.set_busy_handler(_Waiting())
            if not self.read_only:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA trusted_schema = OFF")
            self._note_files(connection)
        except BaseException:
            self._disconnect(connection)
            raise
        return connection

    def _disconnect(self, connection: apsw.Connection) -> None:
        connection.close()
        self._connections.discard(connection)

    def _note_files(self, connection: apsw.Connection) -> None:
        """Keep which files these are. A read opens the log, which then stays as long as the connection."""
        if self._files[1] is None:
            connection.pragma("user_version")
            self._files = self._files[0] or self._identity(), _inode(self._log)

    def _uri(self) -> str:
        uri = "file:" + quote(str(self.path.absolute()))
        # Without a log, and in a folder in which it cannot make one, SQLite reads only what cannot change.
        self._immutable = (
            self.read_only and not os.access(self.path.parent, os.W_OK) and not os.path.exists(self._log)
        )
        return uri + "?immutable=1" if self._immutable else uri

    def _identity(self) -> tuple[int, ...] | None:
        if not self._immutable:
            return _inode(self._file)
        try:
            status = os.stat(self._file)
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, int(os.path.exists(self._log))

    @contextmanager
    def _connection(self) -> Iterator[apsw.Connection]:
        with translated_errors(self.path):
            self._check_file()
            idle = self._idle
            try:  # not by asking first: another thread may take the last one
                connection = idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            finally:
                if self._closed and self._idle is idle:
                    self._disconnect(connection)
                else:  # the list of the parent, in the child of a fork
                    idle.append(connection)

    def _check_file(self) -> None:
        if self._closed:
            raise IndexFileError(f"{self.path}: the index was closed; open it again")
        file, log = self._files
        if self._identity() != file or (log is not None and _inode(self._log) != log):
            what = "written to by another program" if self._immutable else "removed or replaced"
            raise IndexFileError(
                f"{self.path}: was {what} while it was open; it is neither read nor written any more; "
                "open it again"
            )

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give a connection within one read transaction: what it sees does not change."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            idle = self._idle
            try:
                yield connection
            finally:
                if self._idle is idle and connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the other threads of this process that write, as long as for other processes."""
        lock = self._write_lock
        if not lock.acquire(timeout=BUSY_MILLISECONDS / 1000):
            raise IndexBusyError(
                f"{self.path}: another thread of this process writes to it for too long; try again later"
            )
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """Give a connection within one write transaction; what is written is durable once the block ends.

        An exception, also one of the commit, leaves the file as it was.
        """
        if self.read_only:
            raise IndexFileError(f"{self.path}: was opened with read_only=True; open it for writing")
        with self._turn(), self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self._check_file()

    def vacuum(self) -> None:
        """Write the file anew without the room that removed articles left."""
        if self.read_only:
            raise IndexFileError(f"{self.path}: was opened with read_only=True; open it for writing")
        with self._turn(), self._connection() as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections that are not in use; those in use close when their transaction ends."""
        self._closed = True
        while self._idle:
            self._disconnect(self._idle.pop())


def _inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _create(connection: apsw.Connection, path: Path, first_rows: list[tuple[str, str]], *, new: bool) -> None:
    """Make the tables; of several processes that try, one does."""
    if new:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    _use_log(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not check_identity(connection, path):
            connection.execute(TABLES + VIEWS)
            connection.executemany("INSERT INTO meta VALUES(?, ?)", first_rows)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_log(connection: apsw.Connection) -> None:
    """Switch to the write-ahead log. SQLite does not wait for a lock here, so this does."""
    deadline = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
