"""The nightly run: files in; groups, links, unique records and a summary out."""

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.articles import Fields
from dedup.formats.inputs import UNREAD_KIND
from dedup.formats.output import SUMMARY, output_folder
from dedup.formats.records import RecordFile
from dedup.formats.results import (
    write_articles,
    write_groups,
    write_links,
    write_rejects,
    write_summary,
    write_unique,
)
from dedup.run import memory
from dedup.run.background import call_in_background
from dedup.run.batch import group_sketches
from dedup.run.groups import Groups
from dedup.run.intake import Intake, Progress, take_in
from dedup.run.sketches import Sketches
from dedup.settings import Settings

MUCH_CUT = 0.5
"""An article of which a larger share of the words was cut as page furniture is reported."""

_PACKAGES = ("article-dedup", "numpy", "numba", "pyarrow", "msgspec")


@dataclass(frozen=True)
class RunResult:
    """What a run found, which rows are in `unique.jsonl` (bool[n]), and the figures of `summary.json`."""

    groups: Groups
    kept: npt.NDArray[np.bool_]
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
    cut_copies: str = "keep",
    skipped: Sequence[tuple[str, str]] = (),
    progress: Progress = lambda stage, articles, num_bytes: None,
    warn: Callable[[str], None] = lambda message: None,
) -> RunResult:
    """Group the articles of all files and write the folder `out`, which appears when it is whole.

    `progress` hears of each stage and chunk, `warn` of what the operator should know; the warnings are in
    the summary too, as is what was `skipped` when the files were looked for (path and reason). With
    `cut_copies` "remove", parts of longer articles are left out of the unique records. Bad records are
    set aside and listed; with `strict` the first raises `RecordError`. Raises `InputError` if no article
    can be read, `OutputError` if the folder exists or cannot be written.
    """
    fields = fields or Fields()
    clock = _Clock()
    warnings = _Warnings(warn)
    with output_folder(out, overwrite=overwrite) as folder:
        for file in files:
            file.check(fields, getattr(fields, settings.text_field))
        _warn_of_skipped(skipped, warnings)
        sizes = [(file.name, file.size_bytes) for file in files]
        warnings.add(memory.shortage(memory.unpacked_bytes(sizes), memory.available_bytes()))
        progress("read", 0, 0)
        with clock.stage("read_and_sketch"):
            intake, sketches = take_in(files, settings, fields, num_workers, progress, strict=strict)
        _warn_of_records(intake, warnings)
        num_bytes = sum(file.bytes_read for file in files)
        progress("group", len(intake.ids), num_bytes)
        with clock.stage("group"):
            pa.default_memory_pool().release_unused()  # of the texts
            dates = np.asarray(intake.dates, dtype=np.int64)
            # The kernels do not hear signals; the main thread, waiting, does.
            groups = call_in_background(
                lambda: group_sketches(
                    intake.ids, dates, intake.sources, sketches, settings, num_threads=num_workers
                )
            )
        _warn_of_cuts(groups, warnings)
        progress("write", len(intake.ids), num_bytes)
        with clock.stage("write"):
            keep = _kept_rows(groups, cut_copies)
            _write_results(folder, files, intake, groups, keep)
        counts = _counts(intake, groups, int(np.count_nonzero(keep)))
        summary = {
            "counts": counts,
            "warnings": warnings.messages,
            "inputs": [file.name for file in files],
            "skipped": [{"path": path, "reason": reason} for path, reason in skipped],
            "cut_copies": cut_copies,
            **_figures(intake, sketches, clock),
            **_conditions(settings, fields, num_workers),
        }
        write_summary(folder / SUMMARY, summary)
    return RunResult(groups, keep, summary)


def _write_results(
    folder: Path, files: Sequence[RecordFile], intake: Intake, groups: Groups, keep: npt.NDArray[np.bool_]
) -> None:
    write_groups(folder / "groups.jsonl", groups)
    write_links(folder / "links.jsonl", groups.links)
    write_articles(folder / "articles.parquet", groups.to_table())
    write_unique(folder / "unique.jsonl", files, intake.lines, keep)
    write_rejects(folder / "rejects.jsonl", intake.rejects)


class _Warnings:
    """What the operator should know: passed on at once, and kept for the summary."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.messages: list[str] = []
        self._warn = warn

    def add(self, message: str | None) -> None:
        if message is not None:
            self.messages.append(message)
            self._warn(message)


def _warn_of_skipped(skipped: Sequence[tuple[str, str]], warnings: _Warnings) -> None:
    unread = [path for path, reason in skipped if reason == UNREAD_KIND]
    if unread:
        warnings.add(f"files in the folders {UNREAD_KIND}: {len(unread)}, the first is {unread[0]}")


def _warn_of_records(intake: Intake, warnings: _Warnings) -> None:
    if intake.rejects:
        first = intake.rejects[0]
        warnings.add(
            f"records set aside: {len(intake.rejects)}, see rejects.jsonl; the first is {first.file}, "
            f"line {first.line}: {first.reason}"
        )
    if intake.num_bad_dates:
        warnings.add(f"dates not understood and taken as missing: {intake.num_bad_dates}")


def _warn_of_cuts(groups: Groups, warnings: _Warnings) -> None:
    much = np.flatnonzero(groups.cut_shares > MUCH_CUT)
    if len(much):
        most = int(much[np.argmax(groups.cut_shares[much])])
        share = groups.cut_shares[most]
        warnings.add(
            f"articles of which more than {MUCH_CUT:.0%} was cut as page furniture: {len(much)}, see "
            f"cut_share in articles.parquet; the most is {share:.0%} of {groups.ids[most]!r}"
        )


def _kept_rows(groups: Groups, cut_copies: str) -> npt.NDArray[np.bool_]:
    """Return which articles go to the unique records, bool[n], by row.

    A part goes only where its whole is a canonical, which stays or is a part itself of one that does.
    """
    if cut_copies == "keep":
        return groups.is_canonical
    canonicals = {str(id_) for id_, kept in zip(groups.ids, groups.is_canonical, strict=True) if kept}
    parts = {str(link.part_id) for link in groups.links if str(link.whole_id) in canonicals}
    is_part = np.fromiter((str(id_) in parts for id_ in groups.ids), dtype=np.bool_, count=len(groups.ids))
    return groups.is_canonical & ~is_part


def _counts(intake: Intake, groups: Groups, num_unique: int) -> dict[str, int]:
    return {
        "articles": groups.num_articles,
        "groups": len(groups),
        "copies": groups.num_copies,
        "unique": num_unique,
        "largest_group": max((group.size for group in groups), default=0),
        "empty": groups.num_empty,
        "joined_by_characters": int(np.count_nonzero(groups.by_characters)),
        "links": len(groups.links),
        "furniture_cut": int(np.count_nonzero(groups.num_cut)),
        "much_cut": int(np.count_nonzero(groups.cut_shares > MUCH_CUT)),
        "rejected": len(intake.rejects),
        "repeated_records": intake.num_repeated,
        "dates_not_understood": intake.num_bad_dates,
        "candidate_pairs": groups.scan.num_candidates,
        "full_buckets": groups.scan.num_full_buckets,
    }


def _figures(intake: Intake, sketches: Sketches, clock: _Clock) -> dict[str, Any]:
    seconds = clock.total()
    return {
        "seconds": {**clock.seconds, "total": seconds},
        "articles_per_second": len(intake.ids) / seconds,
        "input_bytes": intake.num_bytes,
        "sketch_bytes": sketches.nbytes,
        "peak_memory_bytes": _peak_memory_bytes(),
    }


def _conditions(settings: Settings, fields: Fields, num_workers: int) -> dict[str, Any]:
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
