"""Who is a canonical: rounds of the lexicographically-first maximal independent set, as data frames.

An article is a canonical once no earlier match of it can be one any more, and a member once an earlier
match is one (Blelloch, Fineman and Shun, "Greedy sequential maximal independent set and matching are
parallel on average", SPAA 2012, algorithm 2). Each round settles the articles whose earlier matches
were settled in the rounds before; pairs between settled articles leave the graph.
"""

from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedup.spark.tasks import MEMBERS_SCHEMA, settle_task

MAX_PAIRS_IN_ONE_TASK = 4_000_000
"""So many pairs take 64 MB and a second or two in one task; a round takes several jobs of the cluster."""


def settle(
    pairs: DataFrame, keep: Callable[[DataFrame], DataFrame], max_pairs_in_one_task: int
) -> tuple[DataFrame, int]:
    """Return the members, a column `position`, and the number of rounds.

    `pairs` are the columns `earlier`, `later` of all matches, positions in canonical order. Once there are
    no more than `max_pairs_in_one_task` the rest is settled in one. `keep` cuts a frame off from how it was
    made.
    """
    found: list[DataFrame] = []
    num_rounds = 0
    while (num_pairs := pairs.count()) > max_pairs_in_one_task:
        members = keep(_members_of_roots(pairs))
        found.append(members)
        pairs = keep(_open_pairs(pairs, members))
        num_rounds += 1
    if num_pairs or not found:
        found.append(pairs.repartition(1).mapInArrow(settle_task, MEMBERS_SCHEMA))
    members = found[0]
    for more in found[1:]:
        members = members.unionAll(more)
    return keep(members), num_rounds


def _members_of_roots(pairs: DataFrame) -> DataFrame:
    """Return the articles that match one which has no earlier match: that one is a canonical."""
    with_earlier = pairs.select(F.col("later").alias("earlier")).distinct()
    of_roots = pairs.join(with_earlier, "earlier", "left_anti")
    return of_roots.select(F.col("later").alias("position")).distinct()


def _open_pairs(pairs: DataFrame, members: DataFrame) -> DataFrame:
    """Return the pairs of which neither article is settled. All matches of a root are members."""
    for side in ("later", "earlier"):
        pairs = pairs.join(members.withColumnRenamed("position", side), side, "left_anti")
    return pairs.select("earlier", "later")
