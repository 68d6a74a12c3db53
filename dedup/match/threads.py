"""Kernels on several threads: they run beside each other, since they do not hold Python's lock."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def on_threads(function: Callable[[Task], Result], tasks: Sequence[Task], num_threads: int) -> list[Result]:
    """Return what `function` returns for each task, in their order; a single task needs no thread."""
    if num_threads == 1 or len(tasks) < 2:
        return [function(task) for task in tasks]
    with ThreadPoolExecutor(min(num_threads, len(tasks))) as pool:
        return list(pool.map(function, tasks))
