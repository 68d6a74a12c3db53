"""From relations and members to groups, links and further matches, as data frames."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedup.match.verify import PART
from dedup.spark.tasks import COPY_KINDS

_JACCARD = "shared / (own + other - shared)"


@dataclass(frozen=True)
class Relations:
    """What was found between articles, all as positions in canonical order.

    `pairs` as `tasks.RELATIONS_SCHEMA`; `members`, a column `position`; `repeats`: `position` and `first`.
    With `repeats_follow` a repeat goes where its first goes; else it was compared itself.
    """

    pairs: DataFrame
    members: DataFrame
    repeats: DataFrame
    repeats_follow: bool


@dataclass(frozen=True)
class Answer:
    """The frames of `GroupFrames`, and the counts of groups, copies and links."""

    articles: DataFrame
    links: DataFrame
    further_matches: DataFrame
    counts: dict[str, int]


def answer(articles: DataFrame, found: Relations, keep: Callable[[DataFrame], DataFrame]) -> Answer:
    """Return groups and links of the articles, columns `position`, `id`, `num_tokens` and `cut_share`."""
    to_canonicals = keep(
        found.pairs.join(found.members.withColumnRenamed("position", "earlier"), "earlier", "left_anti")
        .withColumn("jaccard", F.expr(_JACCARD))
    )  # fmt: skip
    copies = to_canonicals.where(F.col("kind").isin(*COPY_KINDS))
    assigned = keep(_assigned(copies))
    placed = keep(_placed(articles, found, assigned))
    ids = articles.select(F.col("position").alias("canonical"), F.col("id").alias("canonical_id"))
    rows = keep(_article_rows(placed, ids))
    links = keep(_links(to_canonicals.where(~F.col("kind").isin(*COPY_KINDS)), assigned, articles))
    further = copies.join(assigned.select(F.col("position").alias("later"), "canonical"), "later")
    further = further.where("earlier != canonical").select("later", "earlier", "jaccard")
    named = further.join(_named(articles, "later", "id"), "later").join(
        _named(articles, "earlier", "canonical_id"), "earlier"
    )
    counts = rows.agg(
        F.count_if(F.col("relation") == "canonical").alias("groups"),
        F.count_if(~F.col("is_canonical")).alias("copies"),
    ).first()
    return Answer(
        rows,
        links,
        keep(named.select("id", "canonical_id", "jaccard")),
        {"groups": counts["groups"], "copies": counts["copies"], "links": links.count()},
    )


def _named(articles: DataFrame, position: str, id_: str) -> DataFrame:
    return articles.select(F.col("position").alias(position), F.col("id").alias(id_))


def _assigned(copies: DataFrame) -> DataFrame:
    """Return for each member its best match: highest Jaccard similarity, the earlier where these tie."""
    best = F.max(F.struct("jaccard", -F.col("earlier"), "earlier", "kind", "shared", "own", "other"))
    return (
        copies.groupBy(F.col("later").alias("position"))
        .agg(best.alias("best"))
        .select("position", F.col("best.earlier").alias("canonical"), "best.shared", "best.own", "best.other")
    )


def _placed(articles: DataFrame, found: Relations, assigned: DataFrame) -> DataFrame:
    """Return for each article its canonical and its scores; `same` is the first with its very tokens."""
    slim = articles.select("position", "id", "num_tokens", "cut_share").join(
        found.repeats, "position", "left"
    )
    slim = slim.withColumn("same", F.coalesce("first", "position")).drop("first")
    leader = F.col("same") if found.repeats_follow else F.col("position")
    matches = assigned.withColumnRenamed("position", "leader")
    placed = slim.withColumn("leader", leader).join(matches, "leader", "left")
    return placed.withColumn("canonical", F.coalesce("canonical", "leader")).drop("leader")


def _article_rows(placed: DataFrame, ids: DataFrame) -> DataFrame:
    """Return the columns of `articles.parquet`."""
    canonicals = placed.groupBy("canonical").agg(F.count("*").alias("size"))
    of_canonical = placed.select(F.col("position").alias("canonical"), F.col("same").alias("canonical_same"))
    rows = placed.join(canonicals.join(of_canonical, "canonical").join(ids, "canonical"), "canonical")
    is_canonical = F.col("canonical") == F.col("position")
    is_alone = is_canonical & (F.col("size") == 1)
    relation = (
        F.when(is_canonical & (F.col("num_tokens") == 0), "empty")
        .when(is_alone, "unique")
        .when(is_canonical, "canonical")
        .when(F.col("same") == F.col("canonical_same"), "exact")
        .otherwise("near")
    )

    def score(formula: str) -> Column:
        return F.when(is_alone, F.lit(None)).otherwise(F.coalesce(F.expr(formula), F.lit(1.0)))

    return rows.select(
        "id",
        F.col("canonical_id").alias("group_id"),
        "canonical_id",
        is_canonical.alias("is_canonical"),
        score(_JACCARD).alias("jaccard"),
        score("shared / own").alias("coverage"),
        relation.alias("relation"),
        "cut_share",
    )


def _links(parts: DataFrame, assigned: DataFrame, articles: DataFrame) -> DataFrame:
    """Return at most one link from a group to another, as `run.groups` chooses it."""
    own = assigned.select(F.col("position").alias("later"), "canonical")
    related = parts.join(own, "later", "left").withColumn("canonical", F.coalesce("canonical", "later"))
    later_is_part = F.col("kind") == PART

    def side(if_part: str, if_whole: str) -> Column:
        return F.when(later_is_part, F.col(if_part)).otherwise(F.col(if_whole))

    best = F.max(
        F.struct(
            (F.col("canonical") == F.col("later")).alias("between_canonicals"),
            F.expr("shared / least(own, other)").alias("coverage"),
            "jaccard",
            side("later", "earlier").alias("part"),
            side("earlier", "later").alias("whole"),
        )
    )
    groups = (
        side("canonical", "earlier").alias("part_group"),
        side("earlier", "canonical").alias("whole_group"),
    )
    links = related.where("canonical != earlier").groupBy(*groups).agg(best.alias("best")).select("best.*")
    named = links.join(_named(articles, "part", "part_id"), "part")
    named = named.join(_named(articles, "whole", "whole_id"), "whole")
    return named.select("part_id", "whole_id", "coverage", "jaccard")
