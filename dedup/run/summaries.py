"""What runs tell beside their answer: warnings, seconds by stage, figures, the conditions they ran under."""

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from typing import Any

import numpy as np

from dedup.articles import MISSING_DATE, ArticleId, Fields
from dedup.formats.inputs import UNREAD_KIND
from dedup.formats.records import RecordFile
from dedup.formats.text_files import TextFiles
from dedup.run.intake import Intake
from dedup.run.sketches import Sketches
from dedup.settings import Settings

_PACKAGES = ("article-dedup", "numpy", "numba", "pyarrow", "msgspec")


FEW_DATES = 0.1
"""A smaller share of articles with a date is reported: the name of the field may be wrong."""

MUCH_CUT = 0.5
"""An article of which a larger share of the words was cut as page furniture is reported."""


class Clock:
    """Wall-clock seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under a name."""
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start

    def total(self) -> float:
        """Return the seconds since the clock was made."""
        return time.perf_counter() - self._start


class Warnings:
    """What the operator should know: passed on at once, and kept for the summary."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.messages: list[str] = []
        self._warn = warn

    def add(self, message: str | None) -> None:
        """Take a message; None is none."""
        if message is not None:
            self.messages.append(message)
            self._warn(message)


def warn_of_skipped(skipped: Sequence[tuple[str, str]], warnings: Warnings) -> None:
    """Add a warning of files in folders that no reader knows."""
    unread = [path for path, reason in skipped if reason == UNREAD_KIND]
    if unread:
        warnings.add(f"files in the folders {UNREAD_KIND}: {len(unread)}, the first is {unread[0]}")


def warn_of_records(intake: Intake, fields: Fields, warnings: Warnings) -> None:
    """Add warnings of records that were set aside, dates that were not understood and dates that lack."""
    if intake.rejects:
        first = intake.rejects[0]
        warnings.add(
            f"records set aside: {len(intake.rejects)}, see rejects.jsonl; the first is {first.file}, "
            f"line {first.line}: {first.reason}"
        )
    if intake.bad_dates.count:
        warnings.add(intake.bad_dates.message())
    num_undated = intake.dates.count(MISSING_DATE)
    warnings.add(lack_of_dates(intake.files, fields, len(intake.ids), num_undated - intake.bad_dates.count))


def lack_of_dates(
    files: Sequence[RecordFile], fields: Fields, num_articles: int, num_undated: int
) -> str | None:
    """Return a warning where next to no article of files that may have dates has one, else None."""
    if num_undated <= num_articles * (1 - FEW_DATES) or not any(map(_may_have_dates, files)):
        return None
    num_dated = num_articles - num_undated
    return (
        f"articles with a date in the field {fields.date!r}: {num_dated} of {num_articles}. Dates tell which "
        "article of a group is the earliest, and daily reports apart; --date-field names their field"
    )


def _may_have_dates(file: RecordFile) -> bool:
    return not isinstance(file, TextFiles) or file.has_date


def warn_of_cuts(ids: Sequence[ArticleId], sketches: Sketches, warnings: Warnings) -> None:
    """Add a warning of articles much of which was cut."""
    shares = sketches.cut_shares
    num_much = int(np.count_nonzero(shares > MUCH_CUT))
    if num_much:
        most = int(np.argmax(shares))
        warnings.add(
            f"articles of which more than {MUCH_CUT:.0%} was cut as page furniture: {num_much}, see "
            f"cut_share in articles.parquet; the most is {shares[most]:.0%} of {ids[most]!r}"
        )


def cut_counts(sketches: Sketches) -> dict[str, int]:
    """Return how many articles were cut, and how many of them much."""
    return {
        "furniture_cut": int(np.count_nonzero(sketches.num_cut)),
        "much_cut": int(np.count_nonzero(sketches.cut_shares > MUCH_CUT)),
    }


def figures(intake: Intake, sketch_bytes: int, clock: Clock) -> dict[str, Any]:
    """Return what a run took: seconds, bytes, memory."""
    seconds = clock.total()
    return {
        "seconds": {**clock.seconds, "total": seconds},
        "articles_per_second": len(intake.ids) / seconds,
        "input_bytes": intake.num_bytes,
        "sketch_bytes": sketch_bytes,
        "sketch_bytes_on_disk": intake.disk_bytes,
        "peak_memory_bytes": _peak_memory_bytes(),
    }


def conditions(settings: Settings, fields: Fields, num_workers: int) -> dict[str, Any]:
    """Return the settings and versions under which a run ran."""
    return {
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint(),
        "fields": asdict(fields),
        "workers": num_workers,
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in _PACKAGES},
    }


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
