"""Taking in the articles of files: read, admit, sketch; the texts are gone when it ends."""

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.articles import Fields
from dedup.errors import InputError, OutputError, RecordError
from dedup.formats.records import BadDates, Chunk, RecordFile, Reject, question_after
from dedup.run.contents import content_hash, kept_string
from dedup.run.gathering import GatheredSketches
from dedup.run.heap import give_back_unused
from dedup.run.ids import ArticleIds
from dedup.run.recurring import cut_lines
from dedup.run.room import Room
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import taken, text_array
from dedup.settings import Settings

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the articles done and the bytes read, as they lie on disk."""

PENDING_BYTES = 64 << 20
"""Input in chunks under way, at most, but for a single larger chunk: bounds memory for many workers."""


@dataclass
class Intake:
    """The admitted articles as columns, in the order of reading, and what was set aside.

    `lines` has for each file the line numbers of its admitted articles. Of the extras, `titles`, `urls` and
    `contents` (hashes) are there where they were asked for. `disk_bytes`: sketches that were kept on disk.
    """

    files: Sequence[RecordFile]
    lines: list["array[int]"] = field(default_factory=list)
    ids: ArticleIds = field(default_factory=ArticleIds)
    dates: "array[int]" = field(default_factory=lambda: array("q"))
    sources: list[str | None] = field(default_factory=list)
    titles: list[str | None] = field(default_factory=list)
    urls: list[str | None] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    num_repeated: int = 0
    bad_dates: BadDates = field(default_factory=BadDates)
    num_bytes: int = 0
    disk_bytes: int = 0


@dataclass
class _Repeat:
    """An article whose id an earlier one has."""

    row: int
    file: str
    line: int
    start: bytes


class _Pending(NamedTuple):
    """A chunk that is being sketched."""

    future: Future[tuple[Sketches, list[int]]]
    repeats: list[_Repeat]
    rejects: list[Reject]
    num_bytes: int


_MAX_SHARED_NAMES = 100_000  # more different ones are no outlets


def take_in(
    files: Sequence[RecordFile],
    settings: Settings,
    fields: Fields,
    num_workers: int,
    progress: Progress,
    *,
    strict: bool = False,
    extras: Sequence[str] = (),
    lines: npt.NDArray[np.uint64] | None = None,
    room: Room | None = None,
) -> tuple[Intake, Sketches]:
    """Return the articles of all files and their sketches, row by row.

    The main thread reads the next chunk while `num_workers` threads sketch earlier ones. An id that
    comes again with the same text, once normalised, is counted; with another text it is set aside.
    Raises `InputError` where no article can be read, and with `strict` `RecordError` at the first record
    that is set aside. With `extras`, of `EXTRAS`, the intake has what an index keeps of a record.
    `lines` are those that recur, `recurring.learn_lines`; by default these articles tell. Sketches go to the
    disk where `room` asks for it.
    """
    intake = Intake(files)
    admission = _Admission(intake, settings, extras, room)
    with _workers(num_workers) as pool:
        for file in files:
            intake.lines.append(array("q"))
            try:
                for chunk in file.chunks(fields, getattr(fields, settings.text_field), extras):
                    admission.admit(chunk, file, pool, max_pending=num_workers)
                    if strict:
                        _raise_first(intake.rejects)
                    progress("read", len(intake.ids), sum(part.bytes_read for part in files))
            except OutputError:  # a disk that is full of what standard input brought
                raise
            except OSError as error:
                raise InputError(f"{file.name} cannot be read: {error.strerror or error}") from error
        admission.finish()
    give_back_unused()  # of texts and chunks, before recurring lines are learned
    if strict:
        _raise_first(intake.rejects)
    if not intake.ids:
        raise InputError(_why_nothing(intake))
    return intake, cut_lines(admission.all_sketches(), intake.sources, settings, lines)


@contextmanager
def _workers(number: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of threads that, when the block fails, drops its work and waits for none of it."""
    pool = ThreadPoolExecutor(number, thread_name_prefix="sketch")
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _raise_first(rejects: Sequence[Reject]) -> None:
    if rejects:
        raise RecordError(rejects[0].reason, place=f"{rejects[0].file}, line {rejects[0].line}")


class _Admission:
    """Chunks on their way into an intake."""

    def __init__(self, intake: Intake, settings: Settings, extras: Sequence[str], room: Room | None) -> None:
        self._intake = intake
        self._extras = extras
        self._settings = settings
        self._sketches = GatheredSketches(room)
        self._source_names: dict[str, str] = {}
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0

    def admit(self, chunk: Chunk, file: RecordFile, pool: ThreadPoolExecutor, max_pending: int) -> None:
        """Move the chunk's columns into the intake and have its texts sketched."""
        intake = self._intake
        rows, is_new = intake.ids.admit(chunk.ids)
        firsts, repeated = np.flatnonzero(is_new).tolist(), np.flatnonzero(~is_new).tolist()
        intake.dates.extend(chunk.dates[k] for k in firsts)
        intake.sources.extend(self._shared_name(chunk.sources[k]) for k in firsts)
        intake.lines[-1].extend(chunk.lines[k] for k in firsts)
        repeats = [_Repeat(int(rows[k]), file.name, chunk.lines[k], chunk.starts[k]) for k in repeated]
        if self._extras:
            self._keep_extras(chunk, firsts)
        intake.bad_dates += chunk.bad_dates
        intake.num_bytes += chunk.num_bytes
        texts, repeated_texts = (taken(chunk.texts, rows) for rows in (firsts, repeated))
        future = pool.submit(_sketch, texts, repeated_texts, self._settings)
        self._pending.append(_Pending(future, repeats, chunk.rejects, chunk.num_bytes))
        self._pending_bytes += chunk.num_bytes
        self.finish(max_pending)

    def _keep_extras(self, chunk: Chunk, rows: list[int]) -> None:
        intake = self._intake
        for k in rows:
            title, url = kept_string(chunk.titles[k]), kept_string(chunk.urls[k])
            intake.titles.append(title)
            intake.urls.append(url)
            content = content_hash(chunk.texts[k], title, chunk.sources[k], url, chunk.dates[k])
            intake.contents.append(content)

    def _shared_name(self, source: str | None) -> str | None:
        """Return the one copy of an outlet's name that all its articles share."""
        if source is None or len(self._source_names) >= _MAX_SHARED_NAMES:
            return source
        return self._source_names.setdefault(source, source)

    def finish(self, max_pending: int = 0) -> None:
        """Collect sketches until no more than `max_pending` chunks are under way."""
        while len(self._pending) > max_pending or (self._pending and self._pending_bytes > PENDING_BYTES):
            future, repeats, rejects, num_bytes = self._pending.popleft()
            sketches, fingerprints = future.result()
            self._pending_bytes -= num_bytes
            self._sketches.append(sketches)
            conflicts = map(self._settle, repeats, fingerprints)
            found = [*rejects, *(conflict for conflict in conflicts if conflict is not None)]
            self._intake.rejects.extend(sorted(found, key=lambda reject: reject.line))

    def _settle(self, repeat: _Repeat, fingerprint: int) -> Reject | None:
        """Count an article whose id was seen before with the same text, else say why it is set aside."""
        if self._sketches.fingerprint(repeat.row) == fingerprint:
            self._intake.num_repeated += 1
            return None
        file, line = self._place_of(repeat.row)
        id_ = self._intake.ids[repeat.row]
        reason = f"the id {id_!r} stands already in {file}, line {line}, with another text"
        return Reject.of(repeat.file, repeat.line, reason, repeat.start)

    def all_sketches(self) -> Sketches:
        """Return the sketches of all articles, once all chunks are collected."""
        self._intake.ids.close()
        self._intake.disk_bytes = self._sketches.disk_bytes
        return self._sketches.finish()

    def _place_of(self, row: int) -> tuple[str, int]:
        for file, lines in zip(self._intake.files, self._intake.lines, strict=True):
            if row < len(lines):
                return file.name, lines[row]
            row -= len(lines)
        raise IndexError(row)


def _sketch(texts: Sequence[str], repeated: Sequence[str], settings: Settings) -> tuple[Sketches, list[int]]:
    """Return the sketches of `texts`, and the fingerprints of the texts whose ids were seen before."""
    fingerprints: list[int] = []
    if repeated:
        fingerprints = sketch_texts(text_array(repeated), settings).fingerprints.astype(np.uint64).tolist()
    return sketch_texts(text_array(texts), settings), fingerprints


def _why_nothing(intake: Intake) -> str:
    names = ", ".join(file.name for file in intake.files)
    if not intake.rejects:
        return f"no article in {names}: the input is empty"
    first = intake.rejects[0]
    return (
        f"no usable article in {names}: {len(intake.rejects)} records were set aside, the first in "
        f"{first.file}, line {first.line}: {first.reason}{question_after(first.reason)}"
    )
