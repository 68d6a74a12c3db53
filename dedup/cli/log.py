"""What the user is told on standard error: lines of text, or a JSON object a line for machines.

A line that cannot be written, because its reader has gone or a disk is full, is lost without a word: a
log never stops a run.
"""

import json
import os
import sys
import traceback
import unicodedata
import warnings
from contextlib import suppress
from typing import IO, Any, TextIO

from dedup.errors import OutputError

FORMS = ("text", "json")
_ISSUES = "the project's issue tracker"
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # letters' shapes depend on them


class Log:
    """`form` is "text" or "json"; with `quiet` only errors are shown.

    `is_running` says that the command is at work, past its arguments; `outcome`, what there is to see of
    it, should it end here.
    """

    def __init__(self, form: str = "text") -> None:
        self.form = form
        self.quiet = False
        self.is_running = False
        self.outcome = "nothing was written"

    def event(self, kind: str, text: str, **values: Any) -> None:
        """Show an event: its text, or its kind and values."""
        if not self.quiet:
            self._show(kind, text, values)

    def warning(self, message: str) -> None:
        """Show what the user should know."""
        self.event("warning", f"dedup: warning: {message}", message=message)

    def error(self, message: str, exit_code: int) -> None:
        """Show why the run ends."""
        self._show("error", f"dedup: {message}", {"message": message, "exit_code": exit_code})

    def fault(self, exit_code: int) -> None:
        """Show the exception that is being handled, which is no fault of the user's."""
        lines = traceback.format_exc()
        message = f"this is a fault of the program; please report the lines above to {_ISSUES}"
        values = {"message": message.replace("lines above", "traceback"), "exit_code": exit_code}
        self._show("error", f"{lines}dedup: {message}", values | {"traceback": lines})

    def take_warnings(self) -> None:
        """Have Python's warnings, of whatever library, come as warnings of this log."""

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            self.warning(str(message))

        warnings.showwarning = show

    def _show(self, kind: str, text: str, values: dict[str, Any]) -> None:
        with suppress(OSError, ValueError):  # gone, full or closed
            write_line(sys.stderr, json_text({"event": kind, **values}) if self.form == "json" else text)


def json_text(record: dict[str, Any]) -> str:
    """Return a record as one line of JSON, as legible as standard output's encoding lets it be."""
    text = json.dumps(record, ensure_ascii=False, default=str)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return json.dumps(record, default=str)
    return text


def legible(text: str) -> str:
    """Return a text on one line, with a blank for what a terminal would obey: it comes from outside."""
    shown = (char if unicodedata.category(char)[0] != "C" or char in _JOINERS else " " for char in text)
    return " ".join("".join(shown).split())


def write_line(stream: IO[str], text: str) -> None:
    """Write a line and send it off; raises `OSError` where it cannot be."""
    stream.write(text + "\n")
    stream.flush()


def print_text(text: str, done: str = "") -> None:
    """Print on standard output; a reader that has gone wants no more.

    Raises `OutputError` where it cannot be written, with what was `done` all the same.
    """
    try:
        write_line(sys.stdout, text)
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        reason = f"standard output cannot be written: {error.strerror or error}"
        raise OutputError(f"{reason}; {done}" if done else reason) from error


def open_missing_streams() -> None:
    """Open the null device in place of standard streams that the caller had closed.

    Else the next file that is opened would get their number, and what a library prints. Characters that
    an encoding other than UTF-8 lacks become question marks.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Send what is still to come, and what is in the buffer, of standard output to the null device."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
