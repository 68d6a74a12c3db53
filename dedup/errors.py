"""The errors that this package raises.

    DedupError
    +-- SettingsError      an option has a value that cannot work
    +-- InputError         the input as a whole cannot be used
    |   +-- RecordError    one record cannot be used; says which and why
    +-- OutputError        a result cannot be written where it was asked for
    +-- DependencyError    an optional part needs a package or program that is not installed
    +-- IndexFileError     an index cannot be opened, read or written; nothing of it was stored
        +-- IndexBusyError another process holds the index's write lock for too long

Each message says what was wrong, the value seen, where, what was expected and what to do.
"""


class DedupError(Exception):
    """The base of every error that this package raises on purpose."""


class SettingsError(DedupError, ValueError):
    """A setting, or a set of them, that cannot work; names the setting, its value and the choices."""


class InputError(DedupError, ValueError):
    """An input that cannot be used as a whole: no such file, a column that is missing, another type."""


class RecordError(InputError):
    """One record that cannot be used; the message says where it stands and why.

    >>> str(RecordError("the id is null", place="row 3"))
    'row 3: the id is null'
    """

    def __init__(self, reason: str, *, place: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason = reason
        self.place = place


class OutputError(DedupError, OSError):
    """A result that cannot be written: a folder that exists, is read-only or is full."""


class DependencyError(DedupError, ImportError):
    """An optional part needs what is not installed; says what and how to install it."""


class IndexFileError(DedupError, OSError):
    """An index that cannot be used: missing, another program's, damaged, newer, read-only, a full disk."""


class IndexBusyError(IndexFileError):
    """An index in which another process writes, for longer than one waits; trying again may work."""
