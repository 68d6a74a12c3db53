"""Progress: a live line on a terminal, plain lines elsewhere, JSON lines for machines."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from dedup.cli.log import Log
from dedup.run.intake import Progress

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_UNTIL_RATE = 0.5  # an earlier one says nothing
_STAGES = {"read": "Reading", "group": "Grouping", "write": "Writing"}
_NARROW_COLUMNS = 70


def announce_compiling(log: Log) -> None:
    """Have the log say, once, that kernels are compiled, if any are: it can take longer than the work."""
    from dedup.compiling import tell_of_compiling

    text = "dedup: compiling for this machine, once (some ten to fifteen seconds)"
    tell_of_compiling(lambda: log.event("compiling", text))


@contextmanager
def show_progress(total_bytes: int, log: Log) -> Iterator[Progress]:
    """Give a `Progress` that shows stage, throughput and time left on standard error.

    `total_bytes` is what will be read, 0 where that is unknown.
    """
    if log.quiet:
        yield lambda stage, articles, num_bytes: None
    elif log.form == "text" and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _live_bar(total_bytes) as progress:
            yield progress
    else:
        yield _Lines(total_bytes, log)


@contextmanager
def _live_bar(total_bytes: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(file=_Unfailing(sys.stderr))  # type: ignore[arg-type]
    columns: list[ProgressColumn] = [TextColumn("{task.description:<8}"), BarColumn(bar_width=None)]
    if console.width >= _NARROW_COLUMNS:
        columns += [TextColumn("{task.fields[figures]}"), TimeElapsedColumn()]
    columns.append(TimeRemainingColumn(compact=True))
    started = time.perf_counter()
    with Bar(*columns, console=console, transient=True, expand=True) as bar:
        task_of: dict[str, Any] = {}

        def progress(stage: str, articles: int, num_bytes: int) -> None:
            if stage not in task_of:
                for other in task_of.values():
                    bar.update(other, visible=False)
                total = (total_bytes or None) if stage == "read" else None
                task_of[stage] = bar.add_task(_STAGES[stage], total=total, figures="")
            elapsed = time.perf_counter() - started
            figures = f"{articles:,} articles"
            if stage == "read" and elapsed > _SECONDS_UNTIL_RATE:
                figures += f", {articles / elapsed:,.0f}/s, {_bytes(num_bytes / elapsed)}/s"
            bar.update(task_of[stage], completed=num_bytes, figures=figures)

        yield progress


class _Unfailing:
    """A stream whose failed writes are lost without a word: its terminal may go at any time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Lines:
    """A line at the start of each stage, and one from time to time."""

    def __init__(self, total_bytes: int, log: Log) -> None:
        self._total_bytes = total_bytes
        self._log = log
        self._started = time.perf_counter()
        self._last: tuple[str, float] = ("", 0.0)

    def __call__(self, stage: str, articles: int, num_bytes: int) -> None:
        now = time.perf_counter()
        if stage == self._last[0] and now - self._last[1] < _SECONDS_BETWEEN_LINES:
            return
        self._last = (stage, now)
        elapsed = now - self._started
        values: dict[str, Any] = {"stage": stage, "articles": articles, "seconds": round(elapsed, 3)}
        text = f"{elapsed:7.1f} s  {_STAGES[stage]}"
        if articles:
            text += f": {articles:,} articles"
        if stage == "read":
            values |= {"bytes": num_bytes, "total_bytes": self._total_bytes or None}
            if self._total_bytes:
                share = min(1.0, num_bytes / self._total_bytes)
                text += f", {share:.0%} of {_bytes(self._total_bytes)}"
                if articles and share:
                    values["seconds_left"] = round(elapsed * (1 / share - 1), 1)
            if articles and elapsed > _SECONDS_UNTIL_RATE:
                values["articles_per_second"] = round(articles / elapsed, 1)
                text += f", {articles / elapsed:,.0f} articles/s"
            if values.get("seconds_left"):
                text += f", {values['seconds_left']:,.0f} s left"
        self._log.event("progress", text, **values)


def _bytes(number: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit in ("B", "kB") else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
