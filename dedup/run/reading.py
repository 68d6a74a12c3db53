"""The first stage of a run over files, with an index or without: check, warn, read and sketch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dedup.articles import Fields
from dedup.formats.records import RecordFile
from dedup.run import memory
from dedup.run.intake import Intake, Progress, take_in
from dedup.run.room import plan_room
from dedup.run.sketches import Sketches
from dedup.run.summaries import Clock, Warnings, warn_of_cuts, warn_of_records, warn_of_skipped
from dedup.settings import Settings


def read_files(
    files: Sequence[RecordFile],
    settings: Settings,
    fields: Fields,
    num_workers: int,
    progress: Progress,
    clock: Clock,
    warnings: Warnings,
    *,
    scratch: Path,
    memory_bytes: int | None,
    skipped: Sequence[tuple[str, str]],
    strict: bool,
    extras: Sequence[str] = (),
    lines: npt.NDArray[np.uint64] | None = None,
) -> tuple[Intake, Sketches]:
    """Return the articles of all files and their sketches, as `take_in` does; all files are checked first.

    Sketches that do not fit in `memory_bytes`, or in what the machine has, are kept on disk in the folder
    `scratch`. `warnings` take what the operator should know: `skipped` files, that sketches go to the disk,
    records that were set aside, dates that lack, articles much of which was cut.
    """
    for file in files:
        file.check(fields, getattr(fields, settings.text_field))
    warn_of_skipped(skipped, warnings)
    sizes = [(file.name, file.size_bytes) for file in files]
    room = plan_room(memory.unpacked_bytes(sizes), _least(memory_bytes), scratch, warnings.add)
    progress("read", 0, 0)
    with clock.stage("read_and_sketch"):
        intake, sketches = take_in(
            files, settings, fields, num_workers, progress, strict=strict, extras=extras, lines=lines,
            room=room,
        )  # fmt: skip
    warn_of_records(intake, fields, warnings)
    warn_of_cuts(intake.ids, sketches, warnings)
    return intake, sketches


def _least(memory_bytes: int | None) -> int | None:
    """Return the memory that may be taken: so much at most, and what can be had."""
    bounds = [bound for bound in (memory_bytes, memory.available_bytes()) if bound is not None]
    return min(bounds, default=None)
