"""Group a table of articles on a cluster: spark-submit spark_groups.py INPUT.parquet OUT."""

import sys

from pyspark.sql import SparkSession

from dedup.spark import find_groups


def main(source: str, out: str) -> None:
    """Write the groups and links of the articles in `source`, with columns id, text, published_at."""
    session = SparkSession.builder.appName("dedup").getOrCreate()
    groups = find_groups(session.read.parquet(source))
    groups.articles.write.parquet(f"{out}/articles")
    groups.links.write.parquet(f"{out}/links")


if __name__ == "__main__":
    main(*sys.argv[1:3])
