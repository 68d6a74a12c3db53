"""The persistent index at several sizes: rates, latencies, bytes; datasketch's `MinHashLSH` beside it.

Articles are generated (`benchmarks/generator`) and arrive in parts, in the order of their dates. What is
timed begins with dictionaries in memory and ends with verdicts; `synchronous=FULL`.
"""

import argparse
import gc
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

import dedup
from benchmarks import index_latency
from benchmarks.generator import Recipe, iterate_records, open_pool
from benchmarks.measure import memory_bytes
from benchmarks.peers import NUM_PERM, SEED, find_peers, tuned_shingles, xxh32

REPEATS = 1
SIZES = (200_000, 1_000_000)
MAX_PEER_ARTICLES = 200_000
"""More than these datasketch's tables, which are in memory, are not given: they would not fit beside."""

_PART = 20_000
_CHECKED = 3_300
_COUNTED = 500
_ADDED = 1_000
_SYNCS = 500
_OPENINGS = 30
_WORDS = range(250, 351)
_BUDGETS = {200_000: (300, 2_000, 5_000), 1_000_000: (600, 4_000, 2_500)}
"""By number of articles: microseconds of `check` at p50 and p99, and articles a second of `add_many`."""

Article = dict[str, Any]


@dataclass
class _Filling:
    """Articles put in, and seconds by the clock and of the processor, part by part."""

    counts: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def time(self, articles: Sequence[Article], put: Callable[[Sequence[Article]], None]) -> None:
        gc.collect()
        clock, cpu = time.perf_counter(), time.process_time()
        put(articles)
        self.seconds.append(time.perf_counter() - clock)
        self.cpu_seconds.append(time.process_time() - cpu)
        self.counts.append(len(articles))

    def describe(self) -> dict[str, float]:
        """Return rates over everything so far and over the last tenth of it."""
        total = sum(self.counts)
        first, last = len(self.counts), 0
        while 10 * last < total:
            first -= 1
            last += self.counts[first]
        return {
            "articles": total,
            "seconds": round(sum(self.seconds), 2),
            "articles_per_second": round(total / sum(self.seconds)),
            "last_tenth_articles": last,
            "last_tenth_articles_per_second": round(last / sum(self.seconds[first:])),
            "cpu_microseconds_an_article": round(sum(self.cpu_seconds) / total * 1e6, 1),
            "last_tenth_cpu_microseconds_an_article": round(sum(self.cpu_seconds[first:]) / last * 1e6, 1),
        }


class _Peer:
    """datasketch's `MinHashLSH` in memory, tokenising and hashing as fast as we know: see `peers`."""

    def __init__(self, datasketch: Any, xxhash: Any, threshold: float) -> None:
        self._minhash = datasketch.MinHash
        self._hash = xxh32(xxhash)
        self.lsh = datasketch.MinHashLSH(threshold=threshold, num_perm=NUM_PERM)
        self.filling = _Filling()

    def _signatures(self, articles: Sequence[Article]) -> list[Any]:
        sets = (tuned_shingles(article["text"]) for article in articles)
        return self._minhash.bulk(sets, num_perm=NUM_PERM, seed=SEED, hashfunc=self._hash)

    def put(self, articles: Sequence[Article]) -> None:
        """Query and insert each article: the work of `add_many`."""
        for article, signature in zip(articles, self._signatures(articles), strict=True):
            self.lsh.query(signature)
            self.lsh.insert(article["id"], signature, check_duplication=False)

    def check(self, article: Article) -> list[str]:
        """Return the ids of candidates: what `check` is beside."""
        (signature,) = self._signatures([article])
        return self.lsh.query(signature)


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return rates, latencies and bytes at each size; all sizes are stages of one index that grows."""
    del repeats
    sizes = sorted(arguments.sizes or SIZES)
    recipe = Recipe(count=sizes[-1] + _PART)
    articles = iterate_records(open_pool(lacking), recipe)
    peers = find_peers(lacking)
    peer = None
    if "datasketch" in peers and "xxhash" in peers:
        peer = _Peer(peers["datasketch"], peers["xxhash"], dedup.Settings().threshold)
    checks: dict[str, bool] = {}
    reports: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        _warm_up(Path(folder, "warm.dedup"))
        path = Path(folder, "index.dedup")
        filling = _Filling()
        for size in sizes:
            _fill(path, filling, articles, size, peer, say)
            say(f"index: {size:,} articles are in, {filling.describe()['articles_per_second']} a second")
            reports[str(size)], articles = _measure(path, filling, articles, peer, say)
            checks.update(_judge(size, reports[str(size)]))
            if peer is not None and size <= MAX_PEER_ARTICLES < sizes[-1]:
                peer = None
                gc.collect()
    return {"checks": checks, "recipe": vars(recipe), "synchronous": "FULL", "sizes": reports}


def _warm_up(path: Path) -> None:
    """Load or compile the kernels, those of one article and those of many."""
    texts = [" ".join(f"word{(k * j) % 97}" for j in range(300)) for k in range(1, 40)]
    articles = [{"id": str(k), "text": text} for k, text in enumerate([*texts, *texts[:5], "", "a b"])]
    with dedup.Index.open(path) as index:
        list(index.add_many(articles))
        index.add({"id": "one", "text": texts[0] + " more"})


def _fill(
    path: Path,
    filling: _Filling,
    articles: Iterator[Article],
    size: int,
    peer: _Peer | None,
    say: Callable[[str], None],
) -> None:
    """Add articles until `size` were added in parts; the peer, while there is one, is given each part too."""
    with dedup.Index.open(path) as index:

        def put(part: Sequence[Article]) -> None:
            for _ in index.add_many(part):
                pass

        while (missing := size - sum(filling.counts)) > 0:
            part = list(itertools.islice(articles, min(_PART, missing)))
            filling.time(part, put)
            if peer is not None and sum(peer.filling.counts) < MAX_PEER_ARTICLES:
                peer.filling.time(part, peer.put)
            say(f"index: {sum(filling.counts):,} articles, {filling.describe()}")


def _measure(
    path: Path,
    filling: _Filling,
    articles: Iterator[Article],
    peer: _Peer | None,
    say: Callable[[str], None],
) -> tuple[dict[str, Any], Iterator[Article]]:
    """Return what calls take at this size, and the articles that come after those added here."""
    ahead = list(itertools.islice(articles, _PART))
    usual = [article for article in ahead if len(article["text"].split()) in _WORDS][:_CHECKED]
    added, ahead = ahead[: 2 * _ADDED], ahead[2 * _ADDED :]
    gc.collect()
    gc.freeze()
    report: dict[str, Any] = {
        "add_many": filling.describe(),
        "disk": describe_disk(path, sum(filling.counts)),
    }
    say("index: opening and checking")
    report["open_microseconds"] = index_latency.time_opening(path, _OPENINGS)
    report["check_microseconds"] = index_latency.time_checks(path, usual)
    report["rows_of_a_check"] = index_latency.count_rows(path, usual[:_COUNTED])
    say("index: durable adds")
    report["sync_microseconds"] = index_latency.time_syncs(path.parent, _SYNCS)
    report["add_microseconds"] = index_latency.time_adds(path, added[:_ADDED])
    report["add_by_writers_microseconds"] = index_latency.time_writers(path, added[_ADDED:])
    if peer is not None:
        say("index: datasketch")
        found, _ = index_latency.latencies([_query(peer, article) for article in usual])
        report["datasketch"] = {
            "what": "MinHashLSH in memory: candidates, no scores, nothing on disk; words between blanks, "
            "not folded",
            "query_and_insert": peer.filling.describe(),
            "query_microseconds": found,
            "resident_bytes_of_this_process": memory_bytes("VmRSS"),
        }
    gc.unfreeze()
    return report, itertools.chain(ahead, articles)


def _query(peer: _Peer, article: Article) -> Callable[[], Any]:
    return lambda: peer.check(article)


def describe_disk(path: Path, num_articles: int) -> dict[str, Any]:
    """Return the bytes an article of file, tables and indexes, and how much of their pages is unused."""
    connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    rows = connection.execute(
        "SELECT name, sum(pgsize), sum(unused) FROM dbstat GROUP BY name ORDER BY 2 DESC"
    ).fetchall()
    connection.close()
    return {
        "bytes_an_article": round(path.stat().st_size / num_articles, 1),
        "tables": {
            name: {
                "bytes_an_article": round(size / num_articles, 1),
                "unused_share": round(unused / size, 3),
            }
            for name, size, unused in rows
            if size / num_articles >= 0.1
        },
    }


def _judge(size: int, report: dict[str, Any]) -> dict[str, bool]:
    """Return whether the budgets hold at a size that has ones."""
    checks = {f"open takes less than 20 ms at {size:,}": report["open_microseconds"]["p99"] < 20_000}
    if size not in _BUDGETS:
        return checks
    p50, p99, rate = _BUDGETS[size]
    check, filled = report["check_microseconds"], report["add_many"]
    return {
        **checks,
        f"check takes {p50} us at most at p50 at {size:,}": check["p50"] <= p50,
        f"check takes {p99} us at most at p99 at {size:,}": check["p99"] <= p99,
        f"add_many adds {rate:,} a second or more in the last tenth of {size:,}": filled[
            "last_tenth_articles_per_second"
        ]
        >= rate,
        f"add_many adds {rate:,} a second or more up to {size:,}": filled["articles_per_second"] >= rate,
    }
