"""Lines that recur across the articles of a source, learned from a data frame (`docs/furniture.md`).

The counts of `text.recurring`, so divided that no task needs a source whole: a line's articles are counted
where the line is, what speaks for it where the article is. Articles that hold no line of enough articles are
out before their lines travel with counts.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType

from dedup.articles import Fields
from dedup.run.recurring import keys_of_lines
from dedup.run.sketching import sketch_texts
from dedup.settings import Settings
from dedup.spark.tasks import Task, pieces
from dedup.text.recurring import MIN_ARTICLES, MIN_SHARE, count_speaking, source_key

_LINES_SCHEMA = "source long, keys array<long>, words array<int>"
_SOURCES_SCHEMA = "source long, num_of_source long"
_SPEAKING_SCHEMA = "key long, speaking long"

_NEVER = np.iinfo(np.int64).max
"""So many articles no line has: it is in too few to be learned."""


def learn_lines(
    df: DataFrame, settings: Settings, fields: Fields, keep: Callable[[DataFrame], DataFrame]
) -> npt.NDArray[np.uint64]:
    """Return what `run.recurring.learn_lines` returns for the articles of a frame: keys, rising, uint64."""
    if not settings.cuts_furniture:
        return np.empty(0, dtype=np.uint64)
    text = F.col(f"`{getattr(fields, settings.text_field)}`").alias("text")
    source = _source(df, fields).alias("name")
    of_several = df.select(text, source).where(F.contains("text", F.lit("\n")))
    lines = keep(
        of_several.mapInArrow(_line_task(settings), _LINES_SCHEMA)
        .withColumn("article", F.monotonically_increasing_id())
    )  # fmt: skip
    counts = keep(_counts(lines))
    sources = df.groupBy(source).count().mapInArrow(_source_task, _SOURCES_SCHEMA)
    frequent = keep(_frequent(counts, sources))
    if frequent.isEmpty():
        return np.empty(0, dtype=np.uint64)
    speaking = _with_counts(lines, counts, frequent).mapInArrow(_speaking_task, _SPEAKING_SCHEMA)
    learned = (
        speaking.groupBy("key").agg(F.sum("speaking").alias("speaking"))
        .join(frequent, "key").where("speaking >= least").select("key").toArrow()
    )  # fmt: skip
    return np.sort(learned.column("key").to_numpy().view(np.uint64))


def _source(df: DataFrame, fields: Fields) -> Column:
    """Return the column of sources; one that holds no strings names none."""
    if fields.source in df.columns and isinstance(df.schema[fields.source].dataType, StringType):
        return F.col(f"`{fields.source}`")
    return F.lit(None).cast("string")


def _counts(lines: DataFrame) -> DataFrame:
    """Return in how many articles each line is that is in several, with its source."""
    each = lines.select("source", F.explode(F.array_distinct("keys")).alias("key"))
    counted = each.groupBy("key").agg(F.count("*").alias("num_articles"), F.min("source").alias("source"))
    return counted.where("num_articles > 1")


def _frequent(counts: DataFrame, sources: DataFrame) -> DataFrame:
    """Return the lines in enough articles of their source, with `least`: how many are enough."""
    share = F.ceil(F.col("num_of_source") * F.lit(MIN_SHARE))
    of_source = sources.select("source", F.greatest(F.lit(MIN_ARTICLES).cast("long"), share).alias("least"))
    return (
        counts.where(F.col("num_articles") >= MIN_ARTICLES)
        .join(of_source, "source").where("num_articles >= least").select("key", "least")
    )  # fmt: skip


def _with_counts(lines: DataFrame, counts: DataFrame, frequent: DataFrame) -> DataFrame:
    """Return the lines of each article that has a frequent one, in order, with the counts of all."""
    each = lines.select("article", F.posexplode(F.arrays_zip("keys", "words")).alias("number", "line"))
    each = each.select(
        "article", "number", F.col("line.keys").alias("key"), F.col("line.words").alias("words")
    )
    speaking = each.join(frequent, "key", "left_semi").select("article").distinct()
    counted = (
        each.join(speaking, "article", "left_semi")
        .join(counts.drop("source"), "key", "left").join(frequent, "key", "left")
        .withColumn("num_articles", F.coalesce("num_articles", F.lit(1).cast("long")))
        .withColumn("least", F.coalesce("least", F.lit(int(_NEVER))))
    )  # fmt: skip
    line = F.struct("number", "key", "words", "num_articles", "least")
    return counted.groupBy("article").agg(F.sort_array(F.collect_list(line)).alias("lines")).drop("article")


def _source_task(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield the key of each source beside its number of articles."""
    for batch in batches:
        keys = np.array([source_key(name) for name in batch.column(0).to_pylist()], dtype=np.uint64)
        yield pa.RecordBatch.from_pydict({"source": keys.view(np.int64), "num_of_source": batch.column(1)})


def _line_task(settings: Settings) -> Task:
    """Return the task from texts to their lines, for texts of which several are left by the markers."""

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for piece in pieces(batch, "text"):
                if piece.num_rows:
                    yield _lines_of(piece, settings)

    return read


def _lines_of(batch: Any, settings: Settings) -> Any:
    names = batch.column("name").to_pylist()
    sketches = sketch_texts(batch.column("text").cast(pa.large_string()), settings)
    keys = keys_of_lines(sketches, names).view(np.int64)
    offsets = pa.array(sketches.line_offsets.astype(np.int32))
    sources = np.array([source_key(name) for name in names], dtype=np.uint64).view(np.int64)
    rows = pa.RecordBatch.from_pydict(
        {
            "source": sources,
            "keys": pa.ListArray.from_arrays(offsets, pa.array(keys)),
            "words": pa.ListArray.from_arrays(offsets, pa.array(sketches.line_words)),
        }
    )
    return rows.filter(pc.greater(pc.list_value_length(rows.column("keys")), 0))


def _speaking_task(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield how many of some articles speak for each of their frequent lines."""
    for batch in batches:
        if batch.num_rows == 0:
            continue
        lists = batch.column("lines")
        flat = lists.flatten()
        sizes = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        columns = [flat.field(name).to_numpy() for name in ("key", "words", "num_articles", "least")]
        keys, first_lines, places = np.unique(columns[0], return_index=True, return_inverse=True)
        speaking = np.zeros(len(keys), dtype=np.int64)
        count_speaking(
            places.astype(np.int64), columns[1], offsets, columns[2][first_lines], columns[3][first_lines],
            speaking,
        )  # fmt: skip
        found = speaking > 0
        yield pa.RecordBatch.from_pydict({"key": keys[found], "speaking": speaking[found]})
