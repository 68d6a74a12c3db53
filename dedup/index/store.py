"""The store: connections to the file of an index, and the transactions in which it is read and written."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from dedup.errors import IndexFileError
from dedup.index.file import check_header, check_identity, check_place, translated_errors
from dedup.index.schema import APPLICATION_ID, PAGE_SIZE, SCHEMA_VERSION, TABLES, VIEWS

BUSY_MILLISECONDS = 60_000
_CACHE_KIB = 64 * 1024

_LEFT_BEHIND: list[list[apsw.Connection]] = []
"""Connections that a fork carried into this process. They must be neither used nor closed here
(sqlite.org/howtocorrupt.html, 2.6), so they are kept from the garbage collector."""


class Store:
    """The file of an index. A connection serves one transaction at a time and then waits for the next.

    Transactions of several threads run side by side; writing ones come one after the other, in this
    process by a lock and among processes by SQLite's. After a fork the child opens connections of its
    own.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self._log = path.with_name(path.name + "-wal")
        self.read_only = read_only
        self._closed = False
        self._begin_process()

    def _begin_process(self) -> None:
        self._pid = os.getpid()
        self._idle: list[apsw.Connection] = []
        self._write_lock = threading.RLock()

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
        has_content = exists and check_header(path)
        store = cls(path, read_only=read_only)
        with translated_errors(path):
            connection = store._connect()
            try:
                is_index = check_identity(connection, path)
                if not is_index and (read_only or not create):
                    raise IndexFileError(f"{path}: is empty; there is no index in it yet")
                if not is_index:
                    _create(connection, path, first_rows(), new=not has_content)
                    store._note_files(connection)
            except BaseException:
                connection.close()
                raise
        store._idle.append(connection)
        return store

    def _connect(self) -> apsw.Connection:
        if self._closed:
            raise IndexFileError(f"{self.path}: the index was closed; open it again")
        flags = (
            apsw.SQLITE_OPEN_READONLY
            if self.read_only
            else (apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        )
        connection = apsw.Connection(self._uri(), flags | apsw.SQLITE_OPEN_URI)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        if not self.read_only:
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA trusted_schema = OFF")
        self._note_files(connection)
        return connection

    def _note_files(self, connection: apsw.Connection) -> None:
        connection.pragma("user_version")  # a read opens the log, which stays as long as the connection
        self._files = _identity(self.path), _identity(self._log)

    def _uri(self) -> str:
        uri = "file:" + quote(str(self.path.absolute()))
        if self.read_only and not os.access(self.path.parent, os.W_OK) and not self._log.exists():
            uri += "?immutable=1"  # nobody can write here; without this SQLite would want to make a log
        return uri

    @contextmanager
    def _connection(self) -> Iterator[apsw.Connection]:
        if self._pid != os.getpid():
            _LEFT_BEHIND.append(self._idle)
            self._begin_process()
        with translated_errors(self.path):
            self._check_file()
            idle = self._idle
            try:
                connection = idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            finally:
                if self._closed:
                    connection.close()
                else:
                    idle.append(connection)

    def _check_file(self) -> None:
        if self._closed:
            raise IndexFileError(f"{self.path}: the index was closed; open it again")
        for path, identity in zip((self.path, self._log), self._files, strict=True):
            if identity is not None and _identity(path) != identity:
                raise IndexFileError(
                    f"{path}: was removed or replaced while it was open; nothing is stored any more; "
                    "open the index again"
                )

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give a connection within one read transaction: what it sees does not change."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """Give a connection within one write transaction; what is written is durable once the block ends.

        An exception, also one of the commit, leaves the file as it was.
        """
        if self.read_only:
            raise IndexFileError(f"{self.path}: was opened with read_only=True; open it for writing")
        with self._connection() as connection, self._write_lock:
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
        with self._connection() as connection, self._write_lock:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections that are not in use; those in use close when their transaction ends."""
        self._closed = True
        if self._pid != os.getpid():
            _LEFT_BEHIND.append(self._idle)
            return
        while self._idle:
            self._idle.pop().close()


def _identity(path: Path) -> tuple[int, int] | None:
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
