"""Progress: a live line on a terminal, plain lines elsewhere, JSON lines for machines."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from dedup.run.intake import Progress

_SECONDS_BETWEEN_LINES = 10.0
_STAGES = {"read": "Reading", "group": "Grouping", "write": "Writing"}


@contextmanager
def show_progress(total_bytes: int | None, *, quiet: bool, log_format: str) -> Iterator[Progress]:
    """Give a `Progress` that shows stage, throughput and time left on standard error.

    `total_bytes` is what will be read, None where that is unknown.
    """
    if quiet:
        yield lambda stage, articles, num_bytes: None
    elif log_format == "json":
        yield _Lines(total_bytes, _json_line)
    elif sys.stderr.isatty():
        with _live_bar(total_bytes) as progress:
            yield progress
    else:
        yield _Lines(total_bytes, _text_line)


@contextmanager
def _live_bar(total_bytes: int | None) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        TextColumn("{task.fields[articles]:,} articles, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=total_bytes, articles=0, rate=0.0)

        def progress(stage: str, articles: int, num_bytes: int) -> None:
            rate = articles / max(1e-9, time.perf_counter() - started)
            bar.update(task, description=_STAGES[stage], completed=num_bytes, articles=articles, rate=rate)

        yield progress


class _Lines:
    """A line at the start of each stage, and one from time to time."""

    def __init__(self, total_bytes: int | None, render: Any) -> None:
        self._total_bytes = total_bytes
        self._render = render
        self._started = time.perf_counter()
        self._last: tuple[str, float] = ("", 0.0)

    def __call__(self, stage: str, articles: int, num_bytes: int) -> None:
        now = time.perf_counter()
        if stage == self._last[0] and now - self._last[1] < _SECONDS_BETWEEN_LINES:
            return
        self._last = (stage, now)
        elapsed = now - self._started
        left = None
        if stage == "read" and self._total_bytes and num_bytes:
            left = max(0.0, elapsed * (self._total_bytes / num_bytes - 1))
        click.echo(self._render(stage, articles, elapsed, left), err=True)


def _text_line(stage: str, articles: int, elapsed: float, left: float | None) -> str:
    rate = f", {articles / elapsed:,.0f}/s" if articles and elapsed > 0 else ""
    remaining = f", {left:,.0f} s left" if left is not None else ""
    return f"{elapsed:7.1f} s  {_STAGES[stage]}: {articles:,} articles{rate}{remaining}"


def _json_line(stage: str, articles: int, elapsed: float, left: float | None) -> str:
    record = {"event": "progress", "stage": stage, "articles": articles, "seconds": round(elapsed, 3)}
    if left is not None:
        record["seconds_left"] = round(left, 1)
    return json.dumps(record)
