"""Articles of files and the verdicts on them, printed as they come."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from dedup.articles import Verdict
from dedup.cli.lines import Lines, open_lines
from dedup.cli.log import Log
from dedup.cli.options import fields_of
from dedup.cli.progress import announce_compiling, show_progress
from dedup.formats.inputs import html_fields, open_inputs
from dedup.formats.results import reject_record
from dedup.run.feeding import Feed, feed
from dedup.run.index_batches import Batch
from dedup.run.indexing import Index
from dedup.run.summaries import lack_of_dates

_RELATIONS = ("new", "exact", "near", "part")


def judge_files(
    opened: Index,
    judge: Callable[[Batch], list[Verdict]],
    inputs: Sequence[str],
    options: dict[str, Any],
    log: Log,
) -> None:
    """Print the verdicts on the articles of the inputs as `judge` gives them, and tell the counts."""
    found = open_inputs(inputs)
    announce_compiling(log)
    others: list[str | Path] = [opened.path, *inputs]
    shows_lines = options["output"] is None and sys.stdout.isatty()
    total_bytes = sum(file.size_bytes for file in found.files)
    with (
        open_lines(options["output"], others) as lines,
        _rejects(options["rejects"], others) as rejects,
        nullcontext(_no_progress) if shows_lines else show_progress(total_bytes, log) as progress,
    ):
        told = feed(
            html_fields(found.files) if options["html"] else found.files,
            opened.settings,
            fields_of(options),
            judge,
            take=lambda verdicts: lines.write(map(verdict_record, verdicts)),
            set_aside=lambda found: rejects.write(map(reject_record, found)) if rejects else None,
            strict=options["strict"],
            progress=progress,
        )
    num_undated = told.num_undated - told.bad_dates.count
    _tell(told, lack_of_dates(found.files, fields_of(options), told.num_articles, num_undated), log)


def _no_progress(stage: str, articles: int, num_bytes: int) -> None:
    """Show nothing: the terminal shows the verdicts."""


@contextmanager
def _rejects(path: Path | None, others: Sequence[str | Path]) -> Iterator[Lines | None]:
    if path is None:
        yield None
        return
    with open_lines(path, others) as lines:
        yield lines


def _tell(told: Feed, lack: str | None, log: Log) -> None:
    if told.first_reject:
        first = told.first_reject
        log.warning(
            f"records set aside: {told.num_rejected}; the first is {first.file}, line {first.line}: "
            f"{first.reason}"
        )
    if told.bad_dates.count:
        log.warning(told.bad_dates.message())
    if lack:
        log.warning(lack)
    counts = {relation: told.relations[relation] for relation in _RELATIONS}
    listed = ", ".join(f"{count:,} {relation}" for relation, count in counts.items())
    log.event(
        "done",
        f"{told.num_articles:,} articles: {listed}; {told.num_rejected:,} rejected",
        articles=told.num_articles,
        **counts,
        rejected=told.num_rejected,
        dates_not_understood=told.bad_dates.count,
    )


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as it is written."""
    return {
        "id": verdict.id,
        "relation": verdict.relation,
        "canonical_id": verdict.canonical_id,
        "group_id": verdict.group_id,
        "matches": [match._asdict() for match in verdict.matches],
        "reason": verdict.reason,
        "full_buckets": verdict.full_buckets,
    }
