"""The nightly run: files in; groups, links, unique records and a summary out."""

import platform
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from dedup.articles import Fields
from dedup.formats.output import SUMMARY, output_folder
from dedup.formats.records import RecordFile
from dedup.formats.results import write_groups, write_rejects, write_summary, write_unique
from dedup.run.batch import group_sketches
from dedup.run.groups import Groups
from dedup.run.intake import Intake, Progress, take_in
from dedup.run.sketching import Sketches
from dedup.settings import Settings

_PACKAGES = ("article-dedup", "numpy", "numba", "pyarrow", "msgspec")


@dataclass(frozen=True)
class RunResult:
    """What a run found, and the figures of `summary.json`."""

    groups: Groups
    summary: dict[str, Any]


class _Clock:
    """Wall-clock seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start

    def total(self) -> float:
        return time.perf_counter() - self._start


def run(
    files: Sequence[RecordFile],
    out: Path,
    settings: Settings,
    *,
    fields: Fields | None = None,
    num_workers: int = 1,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = lambda stage, articles, num_bytes: None,
) -> RunResult:
    """Group the articles of all files and write the folder `out`, which appears when it is whole.

    Raises `InputError` if no article can be read, `OutputError` if the folder exists or cannot be
    written. Bad records are set aside and listed; with `strict` the first raises `RecordError`.
    """
    fields = fields or Fields()
    clock = _Clock()
    with output_folder(out, overwrite=overwrite) as folder:
        with clock.stage("read_and_sketch"):
            intake, sketches = take_in(files, settings, fields, num_workers, progress, strict=strict)
        progress("group", len(intake.ids), intake.num_bytes)
        with clock.stage("group"):
            dates = np.array(intake.dates, dtype=np.int64)
            groups = group_sketches(
                intake.ids, dates, intake.sources, sketches, settings, num_threads=num_workers
            )
        progress("write", len(intake.ids), intake.num_bytes)
        with clock.stage("write"):
            write_groups(folder / "groups.jsonl", groups)
            (folder / "links.jsonl").touch()
            pq.write_table(groups.to_table(), folder / "articles.parquet", compression="zstd")
            write_unique(folder / "unique.jsonl", files, intake.lines, groups.is_canonical)
            write_rejects(folder / "rejects.jsonl", intake.rejects)
        summary = _summarize(intake, groups, sketches, settings, fields, num_workers, clock)
        write_summary(folder / SUMMARY, summary)
    return RunResult(groups, summary)


def _summarize(
    intake: Intake,
    groups: Groups,
    sketches: Sketches,
    settings: Settings,
    fields: Fields,
    num_workers: int,
    clock: _Clock,
) -> dict[str, Any]:
    seconds = clock.total()
    sizes = [group.size for group in groups]
    return {
        "counts": {
            "articles": groups.num_articles,
            "groups": len(groups),
            "copies": groups.num_copies,
            "unique": groups.num_articles - groups.num_copies,
            "largest_group": max(sizes, default=0),
            "empty": groups.num_empty,
            "joined_by_characters": int(np.count_nonzero(groups.by_characters)),
            "links": 0,
            "rejected": len(intake.rejects),
            "repeated_records": intake.num_repeated,
            "dates_not_understood": intake.num_bad_dates,
            "candidate_pairs": groups.scan.num_candidates,
            "full_buckets": groups.scan.num_full_buckets,
        },
        "seconds": {**clock.seconds, "total": seconds},
        "articles_per_second": groups.num_articles / seconds,
        "input_bytes": intake.num_bytes,
        "sketch_bytes": sketches.nbytes,
        "peak_memory_bytes": _peak_memory_bytes(),
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
