"""Crawl a front page and yield its articles as items of the kind that `-a kind=` names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import scrapy
from scrapy.http import Response


@dataclass
class NewsRecord:
    """An item as a dataclass, the tag declared as Scrapy asks."""

    link: str
    headline: str
    body: str
    dedup: dict[str, Any] | None = None


class NewsItem(scrapy.Item):
    """An item in Scrapy's own way."""

    link = scrapy.Field()
    headline = scrapy.Field()
    body = scrapy.Field()
    dedup = scrapy.Field()


class BareItem(scrapy.Item):
    """An item that declares no field for the tag."""

    link = scrapy.Field()
    headline = scrapy.Field()
    body = scrapy.Field()


KINDS = {"dict": dict, "dataclass": NewsRecord, "item": NewsItem, "bare": BareItem}


class LocalSpider(scrapy.Spider):
    """Read one page after another, in the order of the front page."""

    name = "local"
    custom_settings = {"CONCURRENT_REQUESTS": 1}  # noqa: RUF012

    def __init__(self, start: str, kind: str = "dict", **others: Any) -> None:
        super().__init__(**others)
        self.start_urls = [start]
        self.make = KINDS[kind]

    def parse(self, response: Response, **others: Any) -> Iterator[Any]:
        """Yield requests for the pages that the front page links."""
        for rank, link in enumerate(response.css("a::attr(href)").getall()):
            yield response.follow(link, callback=self.parse_article, priority=-rank)

    def parse_article(self, response: Response) -> Iterator[Any]:
        """Yield the article of a page, and an item of another sort that has no text."""
        for article in response.css("article"):
            yield self.make(
                link=response.url,
                headline=article.css("h1::text").get(),
                body="\n\n".join(article.css("p::text").getall()),
            )
        if self.make is dict and response.css("figure"):
            yield {"picture": response.css("figure img::attr(src)").get()}
            yield {"link": None, "body": "a text without an address"}
