"""SIGINT, SIGTERM and SIGHUP as an exception where the main thread stands, so that it clears up."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from dedup.formats.signals import STOPPING

_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "terminated (its terminal has gone)"}


class Interrupted(BaseException):
    """A signal asked the program to end; no `KeyboardInterrupt`, which click would make its own of."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        self.word = _WORDS[signal.Signals(number).name]


def raise_on_signals() -> None:
    """Have the signals raise `Interrupted`; one that the caller had us ignore (nohup) stays ignored."""
    for number in STOPPING:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def leave(exit_code: int) -> NoReturn:
    """End the process now: no wait for threads in the middle of a kernel, no freeing one by one."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code)
