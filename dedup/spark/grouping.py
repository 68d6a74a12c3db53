"""The stages of grouping as data frames: sketches, meetings, verified relations, groups and links."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import IntegralType, StringType

from dedup.articles import Fields
from dedup.errors import InputError, SettingsError
from dedup.match.likely import MANY_BANDED, MANY_BANDS
from dedup.match.samples import MAX_MEETING
from dedup.match.wording import formula_bounds
from dedup.run.stages import rule_of
from dedup.run.summaries import MUCH_CUT
from dedup.settings import Settings
from dedup.spark import tasks
from dedup.spark.answers import Relations, answer
from dedup.spark.furniture import learn_lines
from dedup.spark.settling import settle

_ORDERS = {
    "earliest": ("published", "source_rank", "-num_tokens", "id_text"),
    "longest": ("-num_tokens", "published", "source_rank", "id_text"),
}
"""The canonical order, as `match.order` has it."""


_COUNTED = ("articles", "empty", "dates_not_understood", "furniture_cut", "much_cut")


@dataclass(frozen=True)
class GroupFrames:
    """Groups as data frames, and the figures of the run.

    - `articles`: a row an article with the columns of `articles.parquet`: id, group_id, canonical_id,
      is_canonical, jaccard, coverage, relation, cut_share (`docs/running.md`);
    - `links`: part_id, whole_id, coverage, jaccard; cut copies;
    - `further_matches`: id, canonical_id, jaccard; other canonicals that a member matches.
    - `counts`: articles, groups, copies, links, empty, dates_not_understood, furniture_cut, much_cut,
      candidate_pairs, full_buckets (see `docs/spark.md`) and rounds.
    """

    articles: DataFrame
    links: DataFrame
    further_matches: DataFrame
    counts: dict[str, int] = field(repr=False)


def group_frame(df: DataFrame, settings: Settings, fields: Fields, max_pairs_in_one_task: int) -> GroupFrames:
    """Return the groups of a data frame; see `dedup.spark.find_groups`."""
    check_settings(settings)
    rule = rule_of(settings)
    _check_columns(df, settings, fields)
    sketches = _sketches(df, settings, fields).persist()
    counts = _check(sketches, fields, getattr(fields, settings.text_field))
    articles = keep(_in_order(sketches, settings))
    sketches.unpersist()
    repeats = keep(_repeats(articles))
    walked = _walked(articles, repeats, settings)
    meetings = keep(_wording_meetings(walked, rule.sample_ratio))
    band_meetings = keep(_band_meetings(walked))
    pairs = keep(_likely_pairs(meetings, band_meetings))
    formulas = df.sparkSession.sparkContext.broadcast(_formulas(articles, walked))
    judge = tasks.judge_task(rule, formulas)
    relations = keep(_relations(pairs, walked).mapInArrow(judge, tasks.RELATIONS_SCHEMA))
    matches = relations.where(F.col("kind").isin(*tasks.COPY_KINDS)).select("earlier", "later")
    members, num_rounds = settle(matches, keep, max_pairs_in_one_task)
    found = answer(articles, Relations(relations, members, repeats, settings.window_days is None), keep)
    full = F.sum(F.when(F.col("kind") == tasks.FULL_BUCKETS, F.col("number")))
    counts["candidate_pairs"] = pairs.count()
    counts["full_buckets"] = sum(frame.agg(full).first()[0] or 0 for frame in (meetings, band_meetings))
    counts["rounds"] = num_rounds
    counts |= found.counts
    return GroupFrames(found.articles, found.links, found.further_matches, counts)


def check_settings(settings: Settings) -> None:
    """Raise `SettingsError` for settings that need all articles at once, or the order of records."""
    if not settings.uses_words:
        raise SettingsError(
            "the profile is 'headline', but Spark groups articles only: what a title says is weighed by all "
            "titles at once; use dedup run --profile headline, or dedup.find_groups"
        )
    if settings.keep not in _ORDERS:
        raise SettingsError(
            f"keep is {settings.keep!r}, but the rows of a Spark data frame have no order; "
            f"the choices here are {', '.join(_ORDERS)}"
        )


def keep(frame: DataFrame) -> DataFrame:
    """Return the frame with its rows computed and cut off from how they were made.

    In the checkpoint folder, if the session has one, so that lost machines cost work only; else on the
    executors, where a lost one fails the job. Positions must never be given twice, so neither recomputes.
    """
    context = frame.sparkSession.sparkContext
    return frame.checkpoint() if context.getCheckpointDir() else frame.localCheckpoint()


def _check_columns(df: DataFrame, settings: Settings, fields: Fields) -> None:
    """Raise `InputError` for a frame without usable columns of ids and texts."""
    text_field = getattr(fields, settings.text_field)
    for name in (fields.id, text_field):
        if df.columns.count(name) != 1:
            wrong = "there are several columns" if name in df.columns else "there is no column"
            raise InputError(f"{wrong} {name!r}; the columns are {df.columns}")
    id_type = df.schema[fields.id].dataType
    if not isinstance(id_type, IntegralType | StringType):
        raise InputError(
            f"column {fields.id!r} holds {id_type.simpleString()}; ids are strings or whole numbers"
        )
    if not isinstance(df.schema[text_field].dataType, StringType):
        kind = df.schema[text_field].dataType.simpleString()
        raise InputError(f"column {text_field!r} holds {kind}, not strings")


def _sketches(df: DataFrame, settings: Settings, fields: Fields) -> DataFrame:
    """Return the sketches of all articles, without the lines that recur across a source."""
    text_field = getattr(fields, settings.text_field)
    learned = df.sparkSession.sparkContext.broadcast(learn_lines(df, settings, fields, keep))
    read = [name for name in (fields.id, text_field, fields.date, fields.source) if name in df.columns]
    columns = [F.col(f"`{name}`") for name in dict.fromkeys(read)]
    schema = tasks.sketch_schema(df.schema[fields.id].dataType.simpleString())
    return df.select(*columns).mapInArrow(tasks.sketch_task(settings, fields, learned), schema)


def _check(sketches: DataFrame, fields: Fields, text_field: str) -> dict[str, int]:
    """Return the first counts; raise `InputError` for records that cannot be used."""
    facts = sketches.agg(
        F.count("*").alias("articles"),
        F.count_if(F.col("id").isNull()).alias("no_id"),
        F.count_if("lacks_text").alias("no_text"),
        F.count_if("has_bad_date").alias("dates_not_understood"),
        F.count_if(F.col("num_tokens") == 0).alias("empty"),
        F.count_if(F.col("num_cut") > 0).alias("furniture_cut"),
        F.count_if(F.col("num_cut") > MUCH_CUT * (F.col("num_tokens") + F.col("num_cut"))).alias("much_cut"),
    ).first()
    for name, column in (("no_id", fields.id), ("no_text", text_field)):
        if facts[name]:
            raise InputError(
                f"{column!r} is null in {facts[name]} of {facts['articles']} rows; drop these rows, for "
                f"example with df.dropna(subset=[{column!r}])"
            )
    repeated = sketches.groupBy("id_text").count().where("count > 1").orderBy("id_text").first()
    if repeated:
        raise InputError(
            f"the id {repeated['id_text']!r} stands in {repeated['count']} rows; ids must differ, as strings "
            "too"
        )
    return {name: facts[name] for name in _COUNTED}


def _in_order(sketches: DataFrame, settings: Settings) -> DataFrame:
    """Return the sketches with `position`, which rises in canonical order; the numbers have gaps."""
    keys = [
        F.col(name.removeprefix("-")).desc() if name.startswith("-") else F.col(name)
        for name in _ORDERS[settings.keep]
    ]
    return sketches.orderBy(*keys).withColumn("position", F.monotonically_increasing_id())


def _repeats(articles: DataFrame) -> DataFrame:
    """Return the articles whose very tokens an earlier one has: `position` and `first`, the first of them.

    Tokens are compared by a digest of 128 bits: among 10**9 texts two are taken for the same by chance with
    probability 10**-21.
    """
    texts = articles.where("num_tokens > 0").select("position", "digest")
    first = F.min("position").alias("first")
    firsts = texts.groupBy("digest").agg(first, F.count("*").alias("size")).where("size > 1").drop("size")
    return texts.join(firsts, "digest").where("position != first").select("position", "first")


def _walked(articles: DataFrame, repeats: DataFrame, settings: Settings) -> DataFrame:
    """Return the articles that take part, with `counts`: whether an article tells how wording is spread.

    The very same text goes where its first one goes, but with a window it may start a group of its own.
    """
    if settings.window_days is None:
        return articles.join(repeats, "position", "left_anti").withColumn("counts", F.lit(True))
    return articles.join(repeats, "position", "left").withColumn("counts", F.col("first").isNull())


def _formulas(articles: DataFrame, walked: DataFrame) -> npt.NDArray[np.uint32]:
    """Return the formulas among the sampled shingles of all articles, rising."""
    num_days = articles.agg(F.countDistinct("day")).first()[0]
    counting = walked.where("counts")
    task = tasks.formula_task(formula_bounds(num_days, counting.count()))
    entries = counting.select("day", F.explode("sampled").alias("hash")).repartition("hash")
    found = entries.mapInArrow(task, tasks.FORMULAS_SCHEMA).toArrow().column("hash").to_numpy()
    return np.sort(found.astype(np.uint32))


def _wording_meetings(walked: DataFrame, sample_ratio: float) -> DataFrame:
    """Return who meets in the lowest sampled shingles (`tasks.MEETINGS_SCHEMA`)."""
    entries = walked.select(
        "position", F.size("sampled").cast("long").alias("num_sampled"),
        F.posexplode(F.slice("sampled", 1, MAX_MEETING)).alias("rank", "hash"),
    )  # fmt: skip
    return entries.repartition("hash").mapInArrow(tasks.wording_task(sample_ratio), tasks.MEETINGS_SCHEMA)


def _band_meetings(walked: DataFrame) -> DataFrame:
    entries = walked.select("position", F.explode("band_keys").alias("key"))
    return entries.repartition("key").mapInArrow(tasks.band_task, tasks.MEETINGS_SCHEMA)


def _likely_pairs(wording: DataFrame, bands: DataFrame) -> DataFrame:
    """Return the pairs that bands or wording speak for: earlier, later, and how far to trust the bands."""
    is_meeting = F.col("kind") == tasks.MEETING
    pair = (F.col("a").alias("earlier"), F.col("b").alias("later"))
    none, number = F.lit(0).cast("long"), F.col("number")
    met = (
        wording.where(is_meeting)
        .select(*pair, number.alias("worded"), none.alias("banded"), "needed")
        .unionAll(bands.where(is_meeting).select(*pair, none, number, F.lit(0.0)))
        .groupBy("earlier", "later")
        .agg(
            F.sum("worded").alias("worded"), F.sum("banded").alias("banded"), F.max("needed").alias("needed")
        )
        .withColumn("by_wording", F.expr("worded > 0 and worded >= needed"))
    )
    return met.where("banded > 0 or by_wording").select(
        "earlier", "later", "banded", "by_wording",
        F.count_if(F.col("banded") > 0).over(Window.partitionBy("later")).alias("num_banded"),
    )  # fmt: skip


def _relations(pairs: DataFrame, texts: DataFrame) -> DataFrame:
    """Return the pairs with both articles' features side by side, for `tasks.judge_task`.

    Short texts with many candidates must meet in several bands, as in the scan.
    """

    def side(name: str) -> DataFrame:
        return texts.select(
            F.col("position").alias(name),
            F.col("published").alias(f"{name}_published"),
            F.col("tokens").alias(f"{name}_tokens"),
            F.col("characters").alias(f"{name}_characters"),
        )

    trusted = (
        F.col("by_wording")
        | (F.col("num_banded") <= MANY_BANDED)
        | (F.col("banded") >= MANY_BANDS)
        | (F.length("later_characters") == 0)
    )
    return pairs.join(side("later"), "later").where(trusted).join(side("earlier"), "earlier")
