"""The nightly run with an index: tonight's articles are matched with those of earlier nights, and added.

What is written follows from the index and the input alone: a run that was killed, wherever, goes on where
it stopped and writes what one writes that was not. The night is known by a hash of its articles; its
row in the index tells which changes are its own.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import ArticleId, Fields, Group
from dedup.errors import IndexBusyError, IndexFileError
from dedup.formats import results
from dedup.formats.output import SUMMARY, folder_beside, output_folder
from dedup.formats.records import EXTRAS, RecordFile
from dedup.index import nights, reads
from dedup.index.nights import NightRow
from dedup.match.order import canonical_order
from dedup.run.background import call_in_background
from dedup.run.gathering import expect_scattered_reads
from dedup.run.heap import give_back_unused
from dedup.run.ids import id_strings
from dedup.run.index_batches import Batch
from dedup.run.index_formulas import formulas_of
from dedup.run.index_groups import named_links
from dedup.run.index_upkeep import now
from dedup.run.indexing import Index
from dedup.run.intake import Intake, Progress
from dedup.run.reading import read_files
from dedup.run.records import source_ranks
from dedup.run.recurring import NO_LINES
from dedup.run.sketches import Sketches
from dedup.run.summaries import Clock, Warnings, conditions, cut_counts, figures
from dedup.run.touched import Touched, changes_in, find_touched, groups_in, table_of

BATCH_ARTICLES = 4096
"""Articles that are added in one transaction."""

_NUM_LARGEST = 5


@dataclass(frozen=True)
class NightResult:
    """How many articles the index did not hold yet, the largest groups touched, the figures of the summary.

    A group of `largest` is its size, the id of its canonical and the title of that.
    """

    num_added: int
    largest: list[tuple[int, ArticleId, str | None]]
    summary: dict[str, Any]


@dataclass(frozen=True)
class _Night:
    """The articles of a night and their rows in canonical order, int64[n]."""

    intake: Intake
    sketches: Sketches
    dates: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    keys: list[str]
    key: bytes


def run(
    files: Sequence[RecordFile],
    out: Path,
    index: Index,
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
) -> NightResult:
    """Add the articles of all files to an index and write the folder `out`, which appears when it is whole.

    `out` has the groups that were touched, with their members of earlier nights, and the changes since the
    last night whose output is in place. An index that holds nothing learns its formulas from these
    articles first. Parameters and errors as for `nightly.run`; raises `IndexFileError` where the index
    fails, `IndexBusyError` where another run uses it.
    """
    fields = fields or Fields()
    clock = Clock()
    warnings = Warnings(warn)
    settings = index.settings
    with output_folder(out, overwrite=overwrite) as folder, _alone(index.path):
        intake, sketches = read_files(
            files, settings, fields, num_workers, progress, clock, warnings,
            skipped=skipped, strict=strict,
            memory_bytes=memory_bytes, scratch=scratch or folder_beside(out), extras=EXTRAS, lines=NO_LINES,
        )  # fmt: skip
        num_bytes = sum(file.bytes_read for file in files)
        progress("group", 0, num_bytes)
        with clock.stage("group"):
            give_back_unused()
            night = call_in_background(lambda: _night_of(index, intake, sketches))
            num_added = _add(index, night, lambda count: progress("group", count, num_bytes))
        progress("write", len(intake.ids), num_bytes)
        with clock.stage("write"), index.store.reading() as connection:
            row = nights.read_night(connection, night.key) or NightRow(0, 0)
            touched = find_touched(connection, night.keys, row)
            keep = touched.kept(cut_copies)
            groups = _write_results(folder, files, connection, night, row, touched, keep)
            largest = _largest(connection, touched, groups)
        summary = {
            "counts": _counts(night, touched, groups, int(np.count_nonzero(keep))),
            "night": {"key": night.key.hex(), "after_seq": row.after_seq, "up_to_seq": row.up_to_seq},
            "warnings": warnings.messages,
            "index": str(index.path),
            "inputs": [file.name for file in files],
            "skipped": [{"path": path, "reason": reason} for path, reason in skipped],
            "cut_copies": cut_copies,
            **figures(intake, sketches.nbytes, clock),
            **conditions(settings, fields, num_workers),
        }
        results.write_summary(folder / SUMMARY, summary)
    with index.store.writing() as connection:
        nights.set_written(connection, night.key, now())
    return NightResult(num_added, largest, summary)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock that keeps other nightly runs from an index; it goes with the process, however that ends.

    It is a file of its own: SQLite loses its locks on a file that its process opens and closes elsewhere.
    """
    lock = path.with_name(path.name + "-run")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise IndexFileError(f"{lock}: cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise IndexBusyError(
                f"{path}: another nightly run uses this index; wait for it to end"
            ) from error
        yield
    finally:
        os.close(descriptor)


def _night_of(index: Index, intake: Intake, sketches: Sketches) -> _Night:
    dates = np.asarray(intake.dates, dtype=np.int64)
    order = canonical_order(
        ids=id_strings(intake.ids),
        published=dates,
        source_ranks=source_ranks(intake.sources, index.settings),
        num_tokens=sketches.num_tokens,
        keep=index.settings.keep,
    )
    keys = [str(id_) for id_ in intake.ids]
    digest = hashlib.blake2b(digest_size=16)
    for row in order.tolist():
        digest.update(f"{len(keys[row])}:{keys[row]}".encode())
        digest.update(intake.contents[row])
    return _Night(intake, sketches, dates, order, keys, digest.digest())


def _add(index: Index, night: _Night, progress: Callable[[int], None]) -> int:
    """Add the articles that the index does not hold as they are, in canonical order; return how many."""
    with index.store.reading() as connection:
        held = reads.find_ids(connection, night.keys)
        known = nights.read_night(connection, night.key)
        is_empty = reads.next_number(connection) == 1
    contents = night.intake.contents
    is_new = np.array(
        [key not in held or held[key][1] != contents[row] for row, key in enumerate(night.keys)],
        dtype=np.bool_,
    )
    rows = night.order[is_new[night.order]]
    if known is None or (len(rows) and known.up_to_seq is not None):
        with index.store.writing() as connection:
            nights.begin_night(connection, night.key, now())
    if is_empty:
        call_in_background(lambda: _learn(index, night))
    done = len(night.order) - len(rows)
    sketches = night.sketches
    expect_scattered_reads(sketches.tokens, sketches.signatures, sketches.character_hashes)
    for start in range(0, len(rows), BATCH_ARTICLES):
        batch = _batch(night, rows[start : start + BATCH_ARTICLES])
        call_in_background(lambda batch=batch: index.add_batch(batch))  # type: ignore[misc]
        done += len(batch)
        progress(done)
    with index.store.writing() as connection:
        nights.end_night(connection, night.key)
    return len(rows)


def _learn(index: Index, night: _Night) -> None:
    """Put the formulas of the night in force; an earlier try, cut short, may have done so."""
    formulas = formulas_of(night.sketches, night.dates, night.order, index.settings)
    if not np.array_equal(np.unique(formulas), index.formulas()):
        index.set_formulas(formulas, len(night.order))


def _batch(night: _Night, rows: npt.NDArray[np.int64]) -> Batch:
    intake, chosen = night.intake, rows.tolist()
    return Batch(
        [intake.ids[row] for row in chosen],
        night.dates[rows],
        night.sketches.take(rows),
        [night.keys[row] for row in chosen],
        [intake.contents[row] for row in chosen],
        [intake.sources[row] for row in chosen],
        [intake.titles[row] for row in chosen],
        [intake.urls[row] for row in chosen],
    )


def _write_results(
    folder: Path,
    files: Sequence[RecordFile],
    connection: apsw.Connection,
    night: _Night,
    row: NightRow,
    touched: Touched,
    keep: npt.NDArray[np.bool_],
) -> list[tuple[int, ArticleId]]:
    """Write all files but the summary; return sizes and canonicals of the groups."""
    sizes: list[tuple[int, ArticleId]] = []

    def counted() -> Iterator[Group]:
        for group in groups_in(connection, touched):
            sizes.append((group.size, group.canonical_id))
            yield group

    intake = night.intake
    results.write_groups(folder / "groups.jsonl", counted())
    results.write_links(folder / "links.jsonl", named_links(connection, touched.links))
    table = table_of(connection, touched, intake.ids, night.sketches)
    results.write_articles(folder / "articles.parquet", table)
    results.write_changes(folder / "changes.jsonl", changes_in(connection, row))
    results.write_unique(folder / "unique.jsonl", files, intake.lines, keep)
    results.write_rejects(folder / "rejects.jsonl", intake.rejects)
    return sizes


def _largest(
    connection: apsw.Connection, touched: Touched, groups: Sequence[tuple[int, ArticleId]]
) -> list[tuple[int, ArticleId, str | None]]:
    largest = sorted(groups, key=lambda group: -group[0])[:_NUM_LARGEST]
    held = reads.find_ids(connection, [str(id_) for _, id_ in largest])
    nos = np.array([held[str(id_)][0] for _, id_ in largest], dtype=np.int64)
    titles = [facts.title for facts in reads.read_facts(connection, nos)]
    return [(size, id_, title) for (size, id_), title in zip(largest, titles, strict=True)]


def _counts(
    night: _Night, touched: Touched, groups: Sequence[tuple[int, ArticleId]], num_unique: int
) -> dict[str, int]:
    intake = night.intake
    return {
        "articles": len(intake.ids),
        "groups": len(groups),
        **cut_counts(night.sketches),
        "copies": len(intake.ids) - int(np.count_nonzero(touched.is_canonical)),
        "unique": num_unique,
        "largest_group": max((size for size, _ in groups), default=0),
        "empty": int(np.count_nonzero(night.sketches.num_tokens == 0)),
        "joined_by_characters": touched.num_by_characters,
        "links": len(touched.links),
        "rejected": len(intake.rejects),
        "repeated_records": intake.num_repeated,
        "dates_not_understood": intake.bad_dates.count,
        "full_buckets": int(touched.full_buckets.sum()),
    }
