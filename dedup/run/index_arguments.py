"""What callers hand to an index, checked: a path, an id, a date, a batch size."""

import datetime
import re
from pathlib import Path
from typing import Any

from dedup.errors import InputError
from dedup.formats.dates import parse_date
from dedup.run.records import checked_id

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")


def checked_path(path: Any) -> Path:
    """Return the path of the file itself, not of a link to it: the log lies beside the file.

    Raises `InputError` for what names no file.
    """
    if not isinstance(path, (str, Path)) or not str(path):
        raise InputError(f"the path of the index is {path!r}; it is a string or a pathlib.Path")
    if str(path) == ":memory:":
        raise InputError(
            "':memory:' is no file, and an index is one, so that it survives its process; give the path of a "
            "file, for a try one in tempfile.TemporaryDirectory()"
        )
    return Path(path).resolve()


def key_of(id_: Any) -> str:
    """Return an id that is asked for as the index knows it; raise `RecordError` for what is no id."""
    return str(checked_id(id_, f"id {id_!r}"))


def checked_bound(before: Any) -> int:
    """Return a date in microseconds since 1970 UTC; raise `InputError` for what is none, numbers included.

    A number could count seconds or milliseconds or write a day, and what is pruned does not come back. Of
    strings of digits only those are taken that write a day or a year.
    """
    known = isinstance(before, datetime.date) or (isinstance(before, str) and not _counts(before.strip()))
    bound = parse_date(before) if known else None
    if bound is None:
        kind = "" if isinstance(before, str) else f" ({type(before).__name__})"
        raise InputError(
            f"before is {before!r}{kind}; it is a date, such as '2024-05-31' or datetime.date(2024, 5, 31)"
        )
    return bound


def _counts(text: str) -> bool:
    """Return whether a string is a number that may count from 1970: its digits are no day and no year."""
    if not _NUMBER.fullmatch(text):
        return False
    try:
        datetime.datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%Y")
    except ValueError:
        return True
    return False


def check_batch_size(batch_size: Any) -> None:
    """Raise `InputError` for what is no number of articles."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f"batch_size is {batch_size!r}; it is a number of articles, 1 or more")


def check_seq(name: str, seq: Any) -> None:
    """Raise `InputError` for what is no number of a change."""
    if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
        raise InputError(f"{name} is {seq!r}; it is the `seq` of a change, or 0")
