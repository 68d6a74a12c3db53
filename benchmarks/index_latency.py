"""How long one call on an index takes: `open`, `check`, durable `add` alone and by several processes."""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np

import dedup
from dedup.articles import Fields
from dedup.index.posting_tables import find_postings
from dedup.run.arrivals import likely_candidates, posting_keys
from dedup.run.index_batches import batch_of
from dedup.run.stages import rule_of

WRITERS = 4
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "p999": 99.9}
_SYNCED_BYTES = 16_384

Article = dict[str, Any]


def latencies(calls: Sequence[Callable[[], Any]]) -> tuple[dict[str, float], list[Any]]:
    """Return percentiles of the calls in microseconds, by clock and of the thread, and what each gave."""
    seconds, thread_seconds, outcomes = [], [], []
    for call in calls:
        clock, thread = time.perf_counter_ns(), time.thread_time_ns()
        outcomes.append(call())
        seconds.append(time.perf_counter_ns() - clock)
        thread_seconds.append(time.thread_time_ns() - thread)
    return {**_spread(seconds), **_spread(thread_seconds, "cpu_")}, outcomes


def _spread(nanoseconds: Sequence[float], prefix: str = "") -> dict[str, float]:
    values = np.array(nanoseconds) / 1000
    found = {name: round(float(np.percentile(values, at)), 1) for name, at in _PERCENTILES.items()}
    return {
        f"{prefix}{name}": value for name, value in {**found, "max": round(float(values.max()), 1)}.items()
    }


def time_opening(path: Path, repeats: int) -> dict[str, float]:
    """Return percentiles of `Index.open` of a file that was closed as it should, modules imported before."""

    def open_and_close() -> None:
        clock = time.perf_counter_ns()
        index = dedup.Index.open(path)
        opened.append(time.perf_counter_ns() - clock)
        index.close()

    opened: list[int] = []
    for _ in range(repeats):
        open_and_close()
    return _spread(opened)


def time_checks(path: Path, articles: Sequence[Article]) -> dict[str, Any]:
    """Return percentiles of `check`, of all and by relation; the first tenth of the articles warms up."""
    num_warm = len(articles) // 10
    with dedup.Index.open(path) as index:
        for article in articles[:num_warm]:
            index.check(article)
        found, verdicts = latencies([_call(index.check, article) for article in articles[num_warm:]])
    relations = Counter(verdict.relation for verdict in verdicts)
    return {"checks": len(verdicts), **found, "verdicts": dict(sorted(relations.items()))}


def _call(method: Callable[[Article], Any], article: Article) -> Callable[[], Any]:
    return lambda: method(article)


def time_adds(path: Path, articles: Sequence[Article]) -> dict[str, Any]:
    """Return percentiles of durable `add` by one process that has the index to itself."""
    with dedup.Index.open(path) as index:
        found, _ = latencies([_call(index.add, article) for article in articles])
    return {"adds": len(articles), **found}


def time_writers(path: Path, articles: Sequence[Article]) -> dict[str, Any]:
    """Return percentiles of `add` by `WRITERS` processes at once, each with its share, and their rate.

    `others_served` counts, for an `add`, those of the other processes that ended while it waited. Where
    writers are served in the order in which they come it is at most two for each of the others, however
    slow the disk.
    """
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(WRITERS), context.SimpleQueue()
    shares = [articles[part::WRITERS] for part in range(WRITERS)]
    writers = [context.Process(target=_write, args=(path, share, barrier, results)) for share in shares]
    for writer in writers:
        writer.start()
    parts = [results.get() for _ in writers]
    for writer in writers:
        writer.join()
    failed = [error for error, *_ in parts if error]
    if failed:
        raise RuntimeError(f"a writer failed: {failed[0]}")
    begin, end = min(part[1] for part in parts), max(part[2] for part in parts)
    return {
        "writers": WRITERS,
        "adds": len(articles),
        **_spread([nanoseconds for part in parts for nanoseconds in part[3]]),
        "adds_per_second": round(len(articles) / (end - begin) * 1e9),
        "others_served": _others_served([(part[1], part[3]) for part in parts]),
    }


def _others_served(parts: Sequence[tuple[int, Sequence[int]]]) -> dict[str, int]:
    """Return percentiles over all adds from when each process began and how long its adds took in turn."""
    ends = [begin + np.cumsum(taken) for begin, taken in parts]
    counts = []
    for own, (_, taken) in enumerate(parts):
        others = np.sort(np.concatenate(ends[:own] + ends[own + 1 :]))
        begun = np.searchsorted(others, ends[own] - np.array(taken))
        counts.append(np.searchsorted(others, ends[own]) - begun)
    served = np.concatenate(counts)
    return {
        "p50": int(np.median(served)),
        "p99": int(np.percentile(served, 99)),
        "max": int(served.max()),
    }


def _write(path: Path, articles: Sequence[Article], barrier: Any, results: Any) -> None:
    taken: list[int] = []
    begin = end = 0
    error = ""
    try:
        with dedup.Index.open(path) as index:
            index.check(articles[0])  # loads the compiled kernels
            barrier.wait()
            begin = end = time.monotonic_ns()
            for article in articles:
                index.add(article)
                taken.append(time.monotonic_ns() - end)
                end += taken[-1]
    except Exception as failure:  # a process has nobody else to tell
        barrier.abort()
        error = repr(failure)
    results.put((error, begin, end, taken))


def time_syncs(folder: Path, repeats: int) -> dict[str, Any]:
    """Return percentiles of the floor of a durable write: append 16 KiB to a file and sync it."""
    path = folder / "synced"
    data = os.urandom(_SYNCED_BYTES)

    def append() -> None:
        os.write(file, data)
        os.fdatasync(file)

    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        found, _ = latencies([append] * repeats)
    finally:
        os.close(file)
        path.unlink()
    return {"bytes": _SYNCED_BYTES, "syncs": repeats, **found}


def count_rows(path: Path, articles: Sequence[Article]) -> dict[str, Any]:
    """Return how many keys a check looks up, posting rows it reads, and held articles it compares with."""
    with dedup.Index.open(path, read_only=True) as index:
        settings = index.settings
    connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    counts = []
    for article in articles:
        posted = posting_keys(batch_of([article], settings, Fields()).sketches, settings)
        keys = np.sort(posted.keys)
        rows = find_postings(connection, keys)
        found_at = np.argsort(posted.keys)[np.searchsorted(keys, rows.keys)]
        held = likely_candidates(posted, found_at, rows.nos, rows.sampled, rule_of(settings))
        counts.append((len(keys), len(rows.keys), len(held)))
    connection.close()
    columns = np.array(counts).T
    names = ("keys", "posting_rows", "held_articles")
    return {
        name: {"p50": int(np.median(column)), "p99": int(np.percentile(column, 99)), "max": int(column.max())}
        for name, column in zip(names, columns, strict=True)
    }
