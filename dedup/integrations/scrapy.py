"""A Scrapy item pipeline that drops or tags articles that are copies of ones scraped before.

    ITEM_PIPELINES = {"dedup.integrations.scrapy.DedupPipeline": 300}
    DEDUP_INDEX = "news.dedup"

| setting | default | meaning |
|---|---|---|
| `DEDUP_INDEX` | | the file of the index, made if it is not there; without it the pipeline is off |
| `DEDUP_MODE` | `drop` | `drop` drops copies; `tag` keeps every item and says in a field what it is |
| `DEDUP_CUT_COPIES` | `keep` | `remove`: parts of longer articles are dropped too (mode `drop`) |
| `DEDUP_FIELDS` | `{}` | the item's names for what is read: `{"text": "body"}` and such |
| `DEDUP_TAG_FIELD` | `dedup` | the field that mode `tag` writes |
| `DEDUP_PROFILE`, `DEDUP_THRESHOLD` | the index's | as in `dedup run`; refused where the index has others |

The fields are `id`, `text`, `title`, `source`, `date` and `url`, named as in `dedup run`, but that the id is
the `url` if nothing else is said. An article never is a copy of itself: a crawl that starts again keeps
what it kept, and a page that has changed replaces what the index held of it.

Its place is behind pipelines that drop or change items and before those that store them: what it has let
pass is held, and later articles are copies of it.

The stats `dedup/new`, `dedup/exact`, `dedup/near` and `dedup/part` count the verdicts, `dedup/dropped` what
was dropped. An item without text, or one that the index cannot use, passes: `dedup/without_text`,
`dedup/unusable`. Where the index itself fails, as on a full disk, the item fails with Scrapy's item error.
"""

import asyncio
import logging
from collections.abc import Awaitable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dedup.articles import Fields, Verdict
from dedup.errors import DependencyError, RecordError, SettingsError
from dedup.run.indexing import Index
from dedup.settings import Settings

try:
    from itemadapter import ItemAdapter
    from scrapy.exceptions import DropItem, NotConfigured
    from scrapy.utils.asyncio import is_asyncio_available
    from twisted.internet.defer import Deferred
except ImportError as missing:
    raise DependencyError(
        f"the pipeline needs Scrapy 2.14 or newer ({missing}); install the extra, in the folder of this "
        "project: pip install '.[scrapy]'"
    ) from missing

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_log = logging.getLogger(__name__)

_MODES = ("drop", "tag")
_CUT_COPIES = ("keep", "remove")


class CopyDropped(DropItem):
    """The reason why an item was dropped; handlers of the signal `item_dropped` find its `verdict`."""

    def __init__(self, verdict: Verdict) -> None:
        kind = "part" if verdict.relation == "part" else f"{verdict.relation} copy"
        reason = f"{kind} of {verdict.matches[0].canonical_id!r}: {verdict.reason}"
        super().__init__(reason, log_level="INFO")  # copies are no fault, and the log has the whole item
        self.verdict = verdict


class DedupPipeline:
    """Items in, items without copies out; one thread of its own asks the index, in the items' order.

    The reactor is never blocked: an answer waits for the disk, for another process that writes, and once,
    on a new machine, for the kernels to be compiled.
    """

    def __init__(self, crawler: "Crawler") -> None:
        settings = crawler.settings
        path = settings.get("DEDUP_INDEX")
        if not path:
            raise NotConfigured("DEDUP_INDEX names no index file, so no copies are looked for")
        self._path = Path(path)
        self._mode = _choice("DEDUP_MODE", settings.get("DEDUP_MODE", "drop"), _MODES)
        parts = _choice("DEDUP_CUT_COPIES", settings.get("DEDUP_CUT_COPIES", "keep"), _CUT_COPIES)
        self._dropped = {"exact", "near"} | ({"part"} if parts == "remove" else set())
        self._fields = _fields(settings.getdict("DEDUP_FIELDS"))
        self._tag_field = settings.get("DEDUP_TAG_FIELD", "dedup")
        self._wanted = _settings(settings.get("DEDUP_PROFILE"), settings.get("DEDUP_THRESHOLD"))
        self._stats = crawler.stats
        self._opened = ExitStack()

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> Self:
        """Return the pipeline that a crawler's settings describe; raise `SettingsError` for wrong ones."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Open the index; raise where it cannot be used, so that no crawl runs without it."""
        self._index = self._opened.enter_context(Index.open(self._path, self._wanted, fields=self._fields))
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dedup")
        self._thread = self._opened.enter_context(thread)

    def close_spider(self) -> None:
        """Close the index once it has answered; Scrapy calls this also where opening it failed."""
        self._opened.close()

    async def process_item(self, item: Any) -> Any:
        """Return the item, tagged in mode `tag`; raise `CopyDropped` for a copy in mode `drop`."""
        adapter = ItemAdapter(item)
        names = self._fields.names
        article = {name: adapter[name] for name in names if name in adapter}
        if article.get(self._text_field) is None:
            self._count("without_text")
            return item
        try:
            verdict = await _result(self._thread.submit(self._index.add, article))
        except RecordError as error:
            self._count("unusable")
            id_ = article.get(self._fields.id)
            _log.warning("the item with the id %r cannot be compared and passes: %s", id_, error.reason)
            return item
        self._count(verdict.relation)
        if self._mode == "tag":
            self._tag(adapter, verdict)
        elif verdict.relation in self._dropped:
            self._count("dropped")
            raise CopyDropped(verdict)
        return item

    @property
    def _text_field(self) -> str:
        name: str = getattr(self._fields, self._index.settings.text_field)
        return name

    def _tag(self, adapter: ItemAdapter, verdict: Verdict) -> None:
        try:
            adapter[self._tag_field] = tag_of(verdict)
        except KeyError as error:
            raise SettingsError(
                f"{type(adapter.item).__name__} has no field {self._tag_field!r} for the tag; declare it, or "
                "name another one in DEDUP_TAG_FIELD"
            ) from error

    def _count(self, name: str) -> None:
        if self._stats is not None:
            self._stats.inc_value(f"dedup/{name}")


def tag_of(verdict: Verdict) -> dict[str, Any]:
    """Return what mode `tag` writes: plain data, ready for JSON.

    `relation` is "new", "exact", "near" or "part"; `canonical_id` and `group_id` are those of the index;
    `of`, `jaccard` and `coverage` tell of the article that a copy or part is one of, null for a new one.
    """
    match = verdict.matches[0] if verdict.relation != "new" else None
    return {
        "relation": verdict.relation,
        "canonical_id": verdict.canonical_id,
        "group_id": verdict.group_id,
        "of": match.canonical_id if match else None,
        "jaccard": match.jaccard if match else None,
        "coverage": match.coverage if match else None,
        "reason": verdict.reason,
    }


def _result(future: Future[Verdict]) -> Awaitable[Verdict]:
    """Return what Scrapy can await: a future of asyncio, without it a Deferred of the reactor in use."""
    if is_asyncio_available():
        return asyncio.wrap_future(future)
    from twisted.internet import reactor

    deferred: Deferred[Verdict] = Deferred()

    def settle(done: Future[Verdict]) -> None:
        error = done.exception()
        if error is None:
            reactor.callFromThread(deferred.callback, done.result())
        else:
            reactor.callFromThread(deferred.errback, error)

    future.add_done_callback(settle)
    return deferred


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; the choices are {', '.join(choices)}")
    return str(value)


def _fields(names: dict[str, str]) -> Fields:
    known = vars(Fields())
    for name in names:
        if name not in known:
            raise SettingsError(f"DEDUP_FIELDS has {name!r}; the names are {', '.join(known)}")
    return Fields(**{"id": names.get("url", "url"), **names})


def _settings(profile: str | None, threshold: Any) -> Settings | None:
    """Return the settings asked for, None for those of the index."""
    if profile is None and threshold is None:
        return None
    changes = {}
    if threshold is not None:
        try:
            changes["threshold"] = float(threshold)
        except (TypeError, ValueError) as error:
            raise SettingsError(f"DEDUP_THRESHOLD is {threshold!r}; it is a number from 0.05 to 1") from error
    return Settings.of(profile or "article", **changes)
