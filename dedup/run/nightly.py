"""The nightly run: files in; groups, links, unique records and a summary out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.articles import Fields
from dedup.formats.output import SUMMARY, folder_beside, output_folder
from dedup.formats.records import RecordFile
from dedup.formats.results import (
    write_articles,
    write_groups,
    write_links,
    write_rejects,
    write_summary,
    write_unique,
)
from dedup.run.background import beside, call_in_background
from dedup.run.batch import group_sketches
from dedup.run.groups import Groups
from dedup.run.heap import give_back_unused
from dedup.run.intake import Intake, Progress
from dedup.run.reading import read_files
from dedup.run.summaries import Clock, Warnings, conditions, cut_counts, figures
from dedup.settings import Settings


@dataclass(frozen=True)
class RunResult:
    """What a run found, which rows are in `unique.jsonl` (bool[n]), and the figures of `summary.json`."""

    groups: Groups
    kept: npt.NDArray[np.bool_]
    summary: dict[str, Any]


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
    memory_bytes: int | None = None,
    scratch: Path | None = None,
    skipped: Sequence[tuple[str, str]] = (),
    progress: Progress = lambda stage, articles, num_bytes: None,
    warn: Callable[[str], None] = lambda message: None,
) -> RunResult:
    """Group the articles of all files and write the folder `out`, which appears when it is whole.

    `progress` hears of each stage and chunk, `warn` of what the operator should know; the warnings are in
    the summary too, as is what was `skipped` when the files were looked for (path and reason). With
    `cut_copies` "remove", parts of longer articles are left out of the unique records. Bad records are
    set aside and listed; with `strict` the first raises `RecordError`. Sketches that do not fit in
    `memory_bytes`, by default in what the machine and its limits leave, are kept on disk in the folder
    `scratch`, by default the one around `out`. Raises `InputError` if no article can be read, `OutputError`
    if the folder exists or cannot be written, or the disk cannot take the sketches.
    """
    fields = fields or Fields()
    clock = Clock()
    warnings = Warnings(warn)
    with output_folder(out, overwrite=overwrite) as folder:
        intake, sketches = read_files(
            files,
            settings,
            fields,
            num_workers,
            progress,
            clock,
            warnings,
            skipped=skipped,
            strict=strict,
            memory_bytes=memory_bytes,
            scratch=scratch or folder_beside(out),
        )
        num_bytes = sum(file.bytes_read for file in files)
        progress("group", len(intake.ids), num_bytes)
        read = [sketches]
        sketch_counts, sketch_bytes = cut_counts(sketches), sketches.nbytes
        del sketches
        with clock.stage("group"):
            give_back_unused()
            dates = np.asarray(intake.dates, dtype=np.int64)
            # The kernels do not hear signals; the main thread, waiting, does. Grouping alone holds the
            # sketches, so that it can let go what it has used.
            groups = call_in_background(
                lambda: group_sketches(
                    intake.ids, dates, intake.sources, read.pop(), settings, num_threads=num_workers
                )
            )
        progress("write", len(intake.ids), num_bytes)
        with clock.stage("write"):
            keep = _kept_rows(groups, cut_copies)
            _write_results(folder, files, intake, groups, keep)
        counts = _counts(intake, sketch_counts, groups, int(np.count_nonzero(keep)))
        summary = {
            "counts": counts,
            "warnings": warnings.messages,
            "inputs": [file.name for file in files],
            "skipped": [{"path": path, "reason": reason} for path, reason in skipped],
            "cut_copies": cut_copies,
            **figures(intake, sketch_bytes, clock),
            **conditions(settings, fields, num_workers),
        }
        write_summary(folder / SUMMARY, summary)
    return RunResult(groups, keep, summary)


def _write_results(
    folder: Path, files: Sequence[RecordFile], intake: Intake, groups: Groups, keep: npt.NDArray[np.bool_]
) -> None:
    findings = (
        lambda: write_groups(folder / "groups.jsonl", groups),
        lambda: write_links(folder / "links.jsonl", groups.links),
        lambda: write_articles(folder / "articles.parquet", groups.to_table()),
        lambda: write_rejects(folder / "rejects.jsonl", intake.rejects),
    )
    with beside(*findings):  # copying records is the system's work
        write_unique(folder / "unique.jsonl", files, intake.lines, keep)


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


def _counts(intake: Intake, sketch_counts: dict[str, int], groups: Groups, num_unique: int) -> dict[str, int]:
    return {
        "articles": groups.num_articles,
        "groups": len(groups),
        "copies": groups.num_copies,
        "unique": num_unique,
        "largest_group": groups.largest_size,
        "empty": groups.num_empty,
        "joined_by_characters": int(np.count_nonzero(groups.by_characters)),
        "links": len(groups.links),
        **sketch_counts,
        "rejected": len(intake.rejects),
        "repeated_records": intake.num_repeated,
        "dates_not_understood": intake.bad_dates.count,
        "candidate_pairs": groups.scan.num_candidates,
        "full_buckets": groups.scan.num_full_buckets,
    }
