"""The Scrapy pipeline in real crawls of a small site on this machine, each in a process of its own."""

import html
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dedup
from dedup.errors import SettingsError

pytest.importorskip("scrapy")
NotConfigured = pytest.importorskip("scrapy.exceptions").NotConfigured
Settings = pytest.importorskip("scrapy.settings").Settings
DedupPipeline = pytest.importorskip("dedup.integrations.scrapy").DedupPipeline

ROOT = Path(dedup.__file__).parents[1]
EXAMPLES = Path(__file__).parents[2] / "examples"
SPIDER = Path(__file__).with_name("news_spider.py")
STORIES = ("ar-port-", "en-ferry-", "ar-flash-")
PIPELINE = "dedup.integrations.scrapy.DedupPipeline"
FIELDS = {"id": "link", "text": "body", "title": "headline"}


@dataclass
class Site:
    """A site whose front page links `pages`, the articles by id; the tests change them."""

    address: str
    pages: dict[str, str]

    def url(self, id_: str) -> str:
        return f"{self.address}/{id_}"


@dataclass
class Crawl:
    """What a crawl wrote and said."""

    items: list[dict[str, Any]]
    log: str

    def count(self, name: str) -> int:
        found = re.search(rf"'dedup/{name}': (\d+)", self.log)
        return int(found.group(1)) if found else 0

    def urls(self) -> list[str]:
        return [item["link"] for item in self.items if item.get("link")]


def page_of(article: dict[str, Any]) -> str:
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in article["text"].split("\n\n"))
    return f"<article><h1>{html.escape(article['title'])}</h1>{paragraphs}</article>"


@pytest.fixture
def site() -> Iterator[Site]:
    lines = (EXAMPLES / "articles.jsonl").read_text("utf-8").splitlines()
    articles = [json.loads(line) for line in lines]
    pages = {article["id"]: page_of(article) for article in articles if article["id"].startswith(STORIES)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            page = pages.get(name)
            if not name:
                page = "".join(f'<a href="/{id_}">{id_}</a>' for id_ in pages)
            body = f"<!DOCTYPE html><meta charset=utf-8>{page}".encode()
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_port}", pages)
        server.shutdown()
        thread.join()


def run_spider(spider: Path, site: Site, folder: Path, arguments: list[str]) -> Crawl:
    out = folder / "items.jsonl"
    command = [sys.executable, "-m", "scrapy", "runspider", str(spider), "-a", f"start={site.address}/"]
    done = subprocess.run(
        [*command, "-O", str(out), "-s", "TELNETCONSOLE_ENABLED=False", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    return Crawl([json.loads(line) for line in lines], done.stderr)


def crawl(site: Site, folder: Path, kind: str = "dict", **settings: Any) -> Crawl:
    """Crawl the site with the spider of these tests."""
    given = {
        "ITEM_PIPELINES": {PIPELINE: 300},
        "DEDUP_INDEX": "news.dedup",
        "DEDUP_FIELDS": FIELDS,
        **settings,
    }
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    arguments = [part for name, value in texts.items() for part in ("-s", f"{name}={value}")]
    return run_spider(SPIDER, site, folder, ["-a", f"kind={kind}", *arguments])


def crawler_with(settings: dict[str, Any]) -> Any:
    """Return what a pipeline reads of a crawler."""
    return SimpleNamespace(settings=Settings(settings), stats=None)


def copies() -> dict[str, str]:
    """Return the copies among the pages, each with its canonical, as an editor sees them."""
    groups = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))["articles"]["groups"]
    return {id_: ids[0] for ids in groups for id_ in ids[1:] if id_.startswith(STORIES)}


def kept(site: Site) -> list[str]:
    return [site.url(id_) for id_ in site.pages if id_ not in copies()]


@pytest.mark.parametrize("kind", ["dict", "dataclass", "item"])
def test_copies_are_dropped_and_the_rest_is_untouched(site: Site, tmp_path: Path, kind: str) -> None:
    done = crawl(site, tmp_path, kind)
    assert done.urls() == kept(site)
    assert not any(item.get("dedup") for item in done.items)
    assert done.count("dropped") == done.count("exact") + done.count("near") == len(copies())
    assert done.count("new") + done.count("part") == len(kept(site))
    assert "ERROR" not in done.log
    assert f"copy of '{site.url('en-ferry-1')}': Jaccard" in done.log
    with dedup.Index.open(tmp_path / "news.dedup", create=False) as index:
        for id_, canonical in copies().items():
            held = index.get(site.url(id_))
            assert held is not None
            assert held.canonical_id == site.url(canonical)
        assert index.verify() == []


@pytest.mark.parametrize("kind", ["dict", "dataclass", "item"])
def test_tags_say_of_what_an_item_is_a_copy(site: Site, tmp_path: Path, kind: str) -> None:
    done = crawl(site, tmp_path, kind, DEDUP_MODE="tag")
    assert done.urls() == [site.url(id_) for id_ in site.pages]
    tags = {item["link"]: item["dedup"] for item in done.items}
    for id_ in site.pages:
        tag = tags[site.url(id_)]
        canonical = copies().get(id_, id_)
        assert tag["canonical_id"] == tag["group_id"] == site.url(canonical), id_
        assert (tag["relation"] in {"exact", "near"}) == (id_ in copies()), id_
    part = tags[site.url("en-ferry-cut")]
    assert (part["relation"], part["of"]) == ("part", site.url("en-ferry-1"))
    assert part["coverage"] > 0.9 > part["jaccard"]
    assert tags[site.url("en-ferry-1")]["of"] is None


def test_parts_are_dropped_where_that_is_asked(site: Site, tmp_path: Path) -> None:
    done = crawl(site, tmp_path, DEDUP_CUT_COPIES="remove")
    parts = {site.url("en-ferry-cut"), site.url("ar-port-cut-1")}
    assert done.urls() == [url for url in kept(site) if url not in parts]


def test_second_crawl_keeps_what_the_first_kept(site: Site, tmp_path: Path) -> None:
    first = crawl(site, tmp_path)
    again = crawl(site, tmp_path)
    assert again.urls() == first.urls() == kept(site)
    with dedup.Index.open(tmp_path / "news.dedup", create=False) as index:
        assert index.stats()["articles"] == len(site.pages)


def test_next_crawl_drops_copies_of_earlier_articles_and_reads_changed_pages_anew(
    site: Site, tmp_path: Path
) -> None:
    late = site.pages.pop("en-ferry-2")
    crawl(site, tmp_path)
    site.pages["late"] = late
    site.pages["ar-flash-1"] = page_of({"title": "Rain", "text": "It rained all day in the hills above."})
    done = crawl(site, tmp_path)
    assert site.url("late") not in done.urls()
    assert f"copy of '{site.url('en-ferry-1')}'" in done.log
    assert site.url("ar-flash-1") in done.urls()
    assert site.url("ar-flash-2") in done.urls()  # whose canonical now tells another story


def test_items_that_are_no_articles_pass_and_are_counted(site: Site, tmp_path: Path) -> None:
    site.pages["en-ferry-1"] += '<figure><img src="a.png"></figure>'
    done = crawl(site, tmp_path)
    assert {"picture": "a.png"} in done.items
    assert {"link": None, "body": "a text without an address"} in done.items
    assert (done.count("without_text"), done.count("unusable")) == (1, 1)
    assert "the item with the id None cannot be compared and passes: 'link' is null" in done.log


def test_crawl_goes_on_under_a_reactor_without_asyncio(site: Site, tmp_path: Path) -> None:
    reactor = "twisted.internet.selectreactor.SelectReactor"
    assert crawl(site, tmp_path, TWISTED_REACTOR=reactor).urls() == kept(site)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"DEDUP_MODE": "mark"}, "DEDUP_MODE is 'mark'; the choices are drop, tag"),
        ({"DEDUP_CUT_COPIES": "drop"}, "DEDUP_CUT_COPIES is 'drop'; the choices are keep, remove"),
        ({"DEDUP_FIELDS": {"body": "text"}}, "DEDUP_FIELDS has 'body'; the names are id, text, title"),
        ({"DEDUP_THRESHOLD": "high"}, "DEDUP_THRESHOLD is 'high'; it is a number from 0.05 to 1"),
        ({"DEDUP_PROFILE": "short"}, "profile is 'short'; the choices are article, headline"),
    ],
)
def test_wrong_setting_is_refused_with_its_choices(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        DedupPipeline.from_crawler(crawler_with({"DEDUP_INDEX": "news.dedup", **settings}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"DEDUP_INDEX": "none/news.dedup"}, "none/news.dedup: there is no folder"),
        ({"DEDUP_THRESHOLD": 0.5}, "threshold is 0.28 there, 0.5 asked for"),
    ],
)
def test_index_that_cannot_be_used_stops_the_crawl_before_it_starts(
    site: Site, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    dedup.Index.open(tmp_path / "news.dedup").close()
    done = crawl(site, tmp_path, **settings)
    assert message in done.log
    assert "AttributeError" not in done.log
    assert done.items == []


def test_missing_field_for_the_tag_is_named(site: Site, tmp_path: Path) -> None:
    done = crawl(site, tmp_path, "bare", DEDUP_MODE="tag")
    assert "BareItem has no field 'dedup' for the tag; declare it" in done.log


def test_pipeline_without_an_index_is_off() -> None:
    with pytest.raises(NotConfigured, match="DEDUP_INDEX names no index file"):
        DedupPipeline.from_crawler(crawler_with({}))


def test_example_spider_keeps_each_story_once(site: Site, tmp_path: Path) -> None:
    arguments = ["-s", "CONCURRENT_REQUESTS=1"]
    done = run_spider(EXAMPLES / "crawl_news.py", site, tmp_path, arguments)
    assert len(done.items) == len(kept(site))
    assert done.count("dropped") == len(copies())
