"""Articles on their way into an index: records in, batches of sketched columns out."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dedup.articles import MISSING_DATE, ArticleId, Fields
from dedup.errors import InputError, RecordError
from dedup.formats.records import Chunk
from dedup.index.rows import Facts
from dedup.run.contents import ContentHashes, kept_string
from dedup.run.deciding import Arrivals, Int64s
from dedup.run.records import as_table, columns_of_articles
from dedup.run.recurring import NO_LINES, cut_lines
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array
from dedup.settings import Settings

_MAX_BATCH_CHARACTERS = 64 << 20
"""A batch ends once its texts are so long together, however few they are."""


@dataclass(frozen=True)
class Batch:
    """Articles as columns, sketched; `keys` are their ids as strings, `contents` hash all that is kept."""

    ids: Sequence[ArticleId]
    published: Int64s
    sketches: Sketches
    keys: Sequence[str]
    contents: Sequence[bytes]
    sources: Sequence[str | None]
    titles: Sequence[str | None]
    urls: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.keys)

    def article_id(self, row: int) -> ArticleId:
        """Return the id as it was given."""
        return self.ids[row]

    def arrivals(self, rows: Sequence[int], first_no: int) -> Arrivals:
        """Return some of the articles as they arrive, numbered from `first_no` on."""
        nos = np.arange(first_no, first_no + len(rows), dtype=np.int64)
        if len(rows) == len(self):
            return Arrivals(nos, self.sketches, self.published)
        chosen = np.array(rows, dtype=np.int64)
        return Arrivals(nos, self.sketches.take(chosen), self.published[chosen])

    def facts(self, row: int, no: int, added_at: int) -> Facts:
        """Return what an index keeps of one article beside its sketch."""
        published = int(self.published[row])
        num_tokens = int(self.sketches.token_offsets[row + 1] - self.sketches.token_offsets[row])
        return Facts(
            no=no,
            id=self.keys[row],
            is_integer=int(isinstance(self.ids[row], int)),
            content=self.contents[row],
            fingerprint=int(self.sketches.fingerprints[row : row + 1].view(np.int64)[0])
            if num_tokens
            else None,
            published=None if published == MISSING_DATE else published,
            num_tokens=num_tokens,
            added_at=added_at,
            source=self.sources[row],
            title=self.titles[row],
            url=self.urls[row],
        )

    def only(self, row: int) -> "Batch":
        """Return a batch of one of the articles."""
        if len(self) == 1:
            return self
        part = slice(row, row + 1)
        return Batch(
            self.ids[part],
            self.published[part],
            self.sketches.take(np.array([row], dtype=np.int64)),
            self.keys[part],
            self.contents[part],
            self.sources[part],
            self.titles[part],
            self.urls[part],
        )

    def short_rows(self) -> dict[int, int]:
        """Return the index among the short texts by row."""
        rows: Int64s = self.sketches.character_rows
        return {row: k for k, row in enumerate(rows.tolist())}


def batches_of(articles: Any, settings: Settings, fields: Fields, batch_size: int) -> Iterator[Batch]:
    """Return the articles in batches; only one batch is held at a time.

    `articles` are mappings, an Arrow table or a data frame. Raises `InputError` for another type at once,
    `RecordError` for an article without usable id or text when its batch is due.
    """
    return _batches(_mappings(articles), settings, fields, batch_size)


def _batches(
    articles: Iterator[Mapping[str, Any]], settings: Settings, fields: Fields, batch_size: int
) -> Iterator[Batch]:
    first_row = 0
    for records in _slices(articles, fields, settings, batch_size):
        yield batch_of(records, settings, fields, first_row)
        first_row += len(records)


def batch_of(
    records: Sequence[Mapping[str, Any]], settings: Settings, fields: Fields, first_row: int | None = 0
) -> Batch:
    """Return one batch of the records, which are those from number `first_row` on, None for one alone."""
    columns = columns_of_articles(records, settings, fields, first_row)
    sketches = cut_lines(sketch_texts(columns.texts, settings), columns.sources, settings, NO_LINES)
    titles = [kept_string(record.get(fields.title)) for record in records]
    urls = [kept_string(record.get(fields.url)) for record in records]
    sources = [kept_string(source) for source in columns.sources]
    texts = [record.get(fields.text) for record in records]
    contents = ContentHashes(texts, titles, sources, urls, columns.published.tolist())
    keys = [str(id_) for id_ in columns.ids]
    return Batch(columns.ids, columns.published, sketches, keys, contents, sources, titles, urls)


def _mappings(articles: Any) -> Iterator[Mapping[str, Any]]:
    table = as_table(articles)
    if table is not None:
        batches = table.to_batches(max_chunksize=1024)
        return itertools.chain.from_iterable(batch.to_pylist() for batch in batches)
    if isinstance(articles, (str, bytes, Mapping)) or not isinstance(articles, Iterable):
        raise InputError(
            f"articles are a {type(articles).__name__}; expected mappings, an Arrow table or a data frame"
        )
    return (checked_mapping(article, row) for row, article in enumerate(articles))


def checked_mapping(article: Any, row: int | None) -> Mapping[str, Any]:
    """Return the article if it is a mapping; raise `RecordError` for anything else."""
    if not isinstance(article, Mapping):
        raise RecordError(
            f"a {type(article).__name__}; expected a mapping with an id and a text",
            place="the article" if row is None else f"record {row}",
        )
    return article


def _slices(
    articles: Iterator[Mapping[str, Any]], fields: Fields, settings: Settings, batch_size: int
) -> Iterator[list[Mapping[str, Any]]]:
    name = getattr(fields, settings.text_field)
    while True:
        records: list[Mapping[str, Any]] = []
        num_characters = 0
        for article in itertools.islice(articles, batch_size):
            records.append(article)
            text = article.get(name)
            num_characters += len(text) if isinstance(text, str) else 0
            if num_characters >= _MAX_BATCH_CHARACTERS:
                break
        if not records:
            return
        yield records


def batch_of_chunk(chunk: Chunk, settings: Settings) -> Batch:
    """Return one batch of the records that a reader gave, title and URL among them."""
    titles, urls = list(map(kept_string, chunk.titles)), list(map(kept_string, chunk.urls))
    contents = ContentHashes(chunk.texts, titles, chunk.sources, urls, chunk.dates)
    return Batch(
        chunk.ids,
        np.array(chunk.dates, dtype=np.int64),
        sketch_texts(text_array(chunk.texts), settings),
        [str(id_) for id_ in chunk.ids],
        contents,
        chunk.sources,
        titles,
        urls,
    )
