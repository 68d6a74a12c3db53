"""Grouping of a Spark data frame: `dedup.spark.find_groups`, for what one machine cannot hold.

Importing this module loads no pyspark. It needs the extra `spark`, and Java.
"""

from typing import TYPE_CHECKING

from dedup.articles import Fields
from dedup.errors import DependencyError
from dedup.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dedup.spark.grouping import GroupFrames

__all__ = ["find_groups"]


def find_groups(
    df: "DataFrame",
    settings: Settings | None = None,
    *,
    fields: Fields | None = None,
    max_pairs_in_one_task: int | None = None,
) -> "GroupFrames":
    """Return the canonical groups of the rows of a Spark data frame, as data frames.

    The groups are those of `dedup.find_groups` on the same records, see `docs/spark.md` for the one
    exception. `df` has the columns that `fields` names; `id`, strings or integers, and the compared text
    must be there. Matches are settled in rounds until `max_pairs_in_one_task` are left. The work is done
    when this returns; the frames keep their rows. Raises `DependencyError` without pyspark, `InputError`
    for a frame that cannot be used, `SettingsError` for the profile "headline", whose groups weigh all titles
    at once, and for `keep` "first-seen": rows have no order.
    """
    require_pyspark()
    from dedup.spark.grouping import group_frame
    from dedup.spark.settling import MAX_PAIRS_IN_ONE_TASK

    if max_pairs_in_one_task is None:
        max_pairs_in_one_task = MAX_PAIRS_IN_ONE_TASK
    return group_frame(df, settings or Settings(), fields or Fields(), max_pairs_in_one_task)


def require_pyspark() -> None:
    """Raise `DependencyError` where pyspark, or pandas, which its Arrow functions import, is missing."""
    for package in ("pyspark", "pandas"):
        try:
            __import__(package)
        except ImportError as error:
            raise DependencyError(
                f"{package} cannot be imported ({error}); install the extra, in the folder of this "
                "project: pip install '.[spark]'"
            ) from error
