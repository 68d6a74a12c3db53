"""Work in another thread while this one waits: a signal reaches the waiting thread at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def call_in_background(function: Callable[[], T]) -> T:
    """Return what `function` returns, or raise what it raises.

    Where the waiting thread is interrupted, the other runs on to its end, or to that of the process.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # handed to the thread that waits
            future.set_exception(error)

    threading.Thread(target=work, name="background", daemon=True).start()
    return future.result()
