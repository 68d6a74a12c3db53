"""Spark beside one machine on a week of news: the same groups? bytes shuffled, and seconds."""

import argparse
import json
import lzma
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.quality import DATA
from dedup import Fields, find_groups
from dedup.errors import DependencyError
from dedup.run.groups import Groups
from dedup.spark import find_groups as find_groups_on_spark
from dedup.spark.session import open_session

REPEATS = 3
WEEK = "saudi_2015-07.jsonl.xz"
_FIELDS = Fields(text="body", date="date")
_NUM_THREADS = 2


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return seconds and shuffled bytes of Spark on two threads, and where its answers differ."""
    del arguments
    if not (DATA / WEEK).exists():
        lacking.append(f"the week of news, {DATA / WEEK}")
        return {"checks": {}}
    try:
        session = open_session(f"local[{_NUM_THREADS}]", None)
    except DependencyError as error:
        lacking.append(str(error))
        return {"checks": {}}
    lines = lzma.decompress((DATA / WEEK).read_bytes())
    records = [json.loads(line) for line in lines.splitlines()]
    session.conf.set("spark.sql.shuffle.partitions", "4")
    seconds: dict[str, list[float]] = {"one_machine": [], "spark": [], "spark_in_rounds": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "week.jsonl")
        path.write_bytes(lines)
        frame = session.read.json(str(path))
        for number in range(repeats + 1):  # the first compiles and is not counted
            say(f"spark: round {number} of {repeats}")
            start = time.perf_counter()
            groups = find_groups(records, fields=_FIELDS, num_threads=_NUM_THREADS)
            ended = time.perf_counter()
            before = _shuffled_bytes(session)
            frames = find_groups_on_spark(frame, fields=_FIELDS)
            spark_ended = time.perf_counter()
            shuffled = _shuffled_bytes(session) - before
            in_rounds = find_groups_on_spark(frame, fields=_FIELDS, max_pairs_in_one_task=0)
            if number:
                seconds["one_machine"].append(ended - start)
                seconds["spark"].append(spark_ended - ended)
                seconds["spark_in_rounds"].append(time.perf_counter() - spark_ended)
        differences = {
            "in_one_task": _differences(groups, frames),
            "in_rounds": _differences(groups, in_rounds),
        }
    medians = {name: round(statistics.median(values), 2) for name, values in seconds.items()}
    session.stop()
    return {
        "checks": {
            "every article has the same group and scores": not any(
                d["articles"] for d in differences.values()
            ),
            "no link is lost": not any(d["links_lost"] for d in differences.values()),
        },
        "spark": session.version,
        "num_threads": _NUM_THREADS,
        "articles": len(records),
        "seconds": medians,
        "spark_times_as_long": round(medians["spark"] / medians["one_machine"], 1),
        "shuffled_bytes_an_article": round(shuffled / len(records)),
        "text_bytes_an_article": round(sum(len(r["body"].encode()) for r in records) / len(records)),
        "differences": differences,
        "full_buckets_on_one_machine": groups.scan.num_full_buckets,
        "counts_on_spark": {"in_one_task": frames.counts, "in_rounds": in_rounds.counts},
    }


def _differences(groups: Groups, frames: Any) -> dict[str, int]:
    """Return how many articles have another row, and how many links are lost and added."""
    expected = {row["id"]: row for row in groups.to_table().to_pylist()}
    found = {row.id: row.asDict() for row in frames.articles.collect()}
    links = {(link.part_id, link.whole_id) for link in groups.links}
    found_links = {(row.part_id, row.whole_id) for row in frames.links.collect()}
    return {
        "articles": sum(expected[id_] != found.get(id_) for id_ in expected),
        "links_lost": len(links - found_links),
        "links_added": len(found_links - links),
    }


def _shuffled_bytes(session: Any) -> int:
    """Return the bytes that all stages so far wrote for others to read, compressed as they travel."""
    context = session.sparkContext
    no_quantiles = context._gateway.new_array(context._jvm.double, 0)
    stages = context._jsc.sc().statusStore().stageList(None, False, False, no_quantiles, None)
    return sum(stages.apply(number).shuffleWriteBytes() for number in range(stages.size()))
