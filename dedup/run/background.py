"""Work in another thread: while this one waits, so that a signal reaches it at once, or beside it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

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


@contextmanager
def beside(*functions: Callable[[], Any]) -> Iterator[None]:
    """Call the functions one by one in another thread while the block runs; the block ends when all have.

    Raises what the block raises, else what a function raises. Where the block fails or is interrupted, it
    waits for the function that is under way, which must not write on while what it writes is removed; those
    after it are not called.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as pool:
        futures = [pool.submit(function) for function in functions]
        try:
            yield
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
