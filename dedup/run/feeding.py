"""Records of files on their way to an index, chunk by chunk, each with its verdict."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dedup.articles import MISSING_DATE, Fields, Verdict
from dedup.errors import InputError, OutputError, RecordError
from dedup.formats.records import EXTRAS, BadDates, Chunk, RecordFile, Reject, question_after
from dedup.run.index_batches import Batch, batch_of_chunk
from dedup.run.intake import Progress
from dedup.settings import Settings


@dataclass
class Feed:
    """What became of the records: verdicts by relation, articles without a date, records set aside."""

    relations: Counter[str] = field(default_factory=Counter)
    num_rejected: int = 0
    bad_dates: BadDates = field(default_factory=BadDates)
    num_undated: int = 0
    first_reject: Reject | None = None

    @property
    def num_articles(self) -> int:
        """The number of articles that have a verdict."""
        return self.relations.total()


def feed(
    files: Sequence[RecordFile],
    settings: Settings,
    fields: Fields,
    judge: Callable[[Batch], list[Verdict]],
    *,
    take: Callable[[Sequence[Verdict]], None],
    set_aside: Callable[[Sequence[Reject]], None],
    strict: bool = False,
    progress: Progress = lambda stage, articles, num_bytes: None,
) -> Feed:
    """Return what became of the records of all files.

    `judge` gives the verdicts on a batch, `take` receives them, `set_aside` the records that cannot be used.
    Raises `InputError` if no record can be used, and with `strict` `RecordError` at the first that cannot,
    before the chunk around it is judged.
    """
    text_field = getattr(fields, settings.text_field)
    for file in files:
        file.check(fields, text_field)
    told = Feed()
    for file in files:
        for chunk in _chunks(file, fields, text_field):
            if chunk.rejects:
                first = chunk.rejects[0]
                if strict:
                    raise RecordError(first.reason, place=f"{first.file}, line {first.line}")
                told.first_reject = told.first_reject or first
                told.num_rejected += len(chunk.rejects)
                set_aside(chunk.rejects)
            told.bad_dates += chunk.bad_dates
            told.num_undated += chunk.dates.count(MISSING_DATE)
            if chunk.ids:
                verdicts = judge(batch_of_chunk(chunk, settings))
                told.relations.update(verdict.relation for verdict in verdicts)
                take(verdicts)
            progress("read", told.num_articles, sum(part.bytes_read for part in files))
    if told.first_reject and not told.num_articles:
        first = told.first_reject
        raise InputError(
            f"no usable article: {told.num_rejected} records were set aside, the first in {first.file}, line "
            f"{first.line}: {first.reason}{question_after(first.reason)}"
        )
    return told


def _chunks(file: RecordFile, fields: Fields, text_field: str) -> Iterator[Chunk]:
    """Yield the chunks of a file; a failed read is an `InputError`."""
    chunks = file.chunks(fields, text_field, EXTRAS)
    while True:
        try:
            chunk = next(chunks, None)
        except OutputError:  # a disk that is full of what standard input brought
            raise
        except OSError as error:
            raise InputError(f"{file.name} cannot be read: {error.strerror or error}") from error
        if chunk is None:
            return
        yield chunk
