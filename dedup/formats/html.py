"""Articles out of HTML pages: files of their own, or a field of records; needs the extra `html`."""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from dedup.articles import MISSING_DATE, Fields
from dedup.errors import InputError
from dedup.formats.dates import parse_date
from dedup.formats.records import Chunk, RecordFile, Reject
from dedup.formats.text_files import TextFiles

NO_ARTICLE = "no article was found in the HTML"


@dataclass(frozen=True)
class Page:
    """An article and what its page says of it; None where it does not."""

    text: str
    title: str | None
    date: str | None
    url: str | None
    source: str | None


def read_page(html: str | bytes) -> Page | None:
    """Return the article of a page by trafilatura, without comments, a line a paragraph; None if it has none.

    Bytes are decoded as the page or their content says.
    """
    import trafilatura

    document = trafilatura.bare_extraction(html, with_metadata=True, include_comments=False)
    if document is None or not document.text:
        return None
    return Page(document.text, document.title, document.date, document.url, document.sitename)


def check_installed(name: str) -> None:
    """Raise `InputError` where the extra is not installed; `name` is the file that needs it."""
    if importlib.util.find_spec("trafilatura") is None:
        raise InputError(
            f"{name}: HTML is read with trafilatura, which is not installed; "
            "install the extra, in the folder of this project: pip install '.[html]'"
        )


class HtmlFiles(TextFiles):
    """HTML files on disk, an article each; title, date, URL and site come from the page's metadata."""

    kind = "HTML files"
    has_title = True
    has_date = True

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`."""
        check_installed(self.name)
        super().check(fields, text_field)

    def article(self, content: bytes, fields: Fields) -> dict[str, str]:
        """Return the article as a record without id; raises `ValueError` where there is none."""
        page = read_page(content)
        if page is None:
            raise ValueError(NO_ARTICLE)
        record = {fields.text: page.text}
        found = {
            fields.title: page.title,
            fields.date: page.date,
            fields.source: page.source,
            fields.url: page.url,
        }
        return record | {name: value for name, value in found.items() if value and name not in record}


class HtmlField:
    """Records whose text is HTML: what is compared is the article in it; the records stay as they are."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    @property
    def name(self) -> str:
        """See `RecordFile`."""
        return self._file.name

    @property
    def size_bytes(self) -> int:
        """See `RecordFile`."""
        return self._file.size_bytes

    @property
    def bytes_read(self) -> int:
        """See `RecordFile`."""
        return self._file.bytes_read

    def check(self, fields: Fields, text_field: str) -> None:
        """See `RecordFile`."""
        check_installed(self.name)
        self._file.check(fields, text_field)

    def chunks(self, fields: Fields, text_field: str, extras: Sequence[str] = ()) -> Iterator[Chunk]:
        """Yield the articles; see `RecordFile`. A date and a source that the record lacks are the page's."""
        for chunk in self._file.chunks(fields, text_field, extras):
            yield self._without_tags(chunk) if text_field == fields.text else chunk

    def copy_records(self, lines: Sequence[int], out: BinaryIO) -> None:
        """See `RecordFile`."""
        self._file.copy_records(lines, out)

    def _without_tags(self, given: Chunk) -> Chunk:
        texts: list[str] = []
        chunk = Chunk(
            texts=texts, rejects=given.rejects, num_bytes=given.num_bytes, bad_dates=given.bad_dates
        )
        columns = (given.ids, given.texts, given.dates, given.sources, given.titles, given.urls)
        for id_, text, date, source, title, url, line, start in zip(
            *columns, given.lines, given.starts, strict=True
        ):
            page = read_page(text)
            if page is None:
                chunk.rejects.append(Reject.of(self.name, line, NO_ARTICLE, start))
                continue
            of_page = parse_date(page.date) if page.date else None
            chunk.ids.append(id_)
            texts.append(page.text)
            chunk.dates.append(of_page if date == MISSING_DATE and of_page is not None else date)
            chunk.sources.append(source or page.source)
            chunk.titles.append(title or page.title)
            chunk.urls.append(url or page.url)
            chunk.lines.append(line)
            chunk.starts.append(start)
        return chunk
