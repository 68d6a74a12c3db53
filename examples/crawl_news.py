"""Crawl a news site and keep each story once: scrapy runspider crawl_news.py -a start=URL -O kept.jsonl

The index `news.dedup` lies in the current folder; the next crawl goes on from it.
"""

from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.http import Response


class NewsSpider(scrapy.Spider):
    """Follow the links of a front page and read the article behind each, marked up as `<article>`."""

    name = "news"
    custom_settings = {  # noqa: RUF012 - Scrapy's way to set them
        "ITEM_PIPELINES": {"dedup.integrations.scrapy.DedupPipeline": 300},
        "DEDUP_INDEX": "news.dedup",
        "DEDUP_MODE": "drop",
    }

    def __init__(self, start: str, **others: Any) -> None:
        super().__init__(**others)
        self.start_urls = [start]

    def parse(self, response: Response, **others: Any) -> Iterator[scrapy.Request]:
        """Yield a request for each link of the front page."""
        yield from response.follow_all(css="a", callback=self.parse_article)

    def parse_article(self, response: Response) -> Iterator[dict[str, Any]]:
        """Yield the article of a page; its address is its id."""
        for article in response.css("article"):
            yield {
                "url": response.url,
                "title": article.css("h1::text").get(),
                "text": "\n\n".join(article.css("p::text").getall()),
                "published_at": article.css("time::attr(datetime)").get(),
            }
