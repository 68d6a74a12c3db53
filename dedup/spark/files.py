"""Files in, folders of Parquet out: what `dedup spark` does, on any file system that Spark knows."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from dedup.articles import Fields
from dedup.errors import InputError, OutputError
from dedup.settings import Settings
from dedup.spark import find_groups
from dedup.spark.grouping import check_settings

_START_CHARACTERS = 200
_PARQUET_SUFFIXES = (".parquet", ".pq")


def run(
    session: SparkSession,
    inputs: Sequence[str],
    out: str,
    settings: Settings,
    *,
    fields: Fields,
    overwrite: bool,
) -> dict[str, Any]:
    """Group the articles of Parquet or JSON Lines files into folders under `out`; return the summary.

    Writes `articles`, `links`, `further_matches` and `rejects` as Parquet and `summary` as JSON, the last,
    so that its `_SUCCESS` says that all is whole. Records without id or text are set aside. Raises
    `InputError`, and `OutputError` where `out` holds a result and `overwrite` is not set; `SettingsError`
    as `find_groups`.
    """
    check_settings(settings)
    _check_output(session, out, overwrite=overwrite)
    frame = _read(session, inputs)
    text_field = getattr(fields, settings.text_field)
    for name in (fields.id, text_field):
        if name not in frame.columns:
            raise InputError(f"there is no field {name!r} in {', '.join(inputs)}; there are {frame.columns}")
    is_whole = F.col(f"`{fields.id}`").isNotNull() & F.col(f"`{text_field}`").isNotNull()
    rejects = _rejects(frame.where(~is_whole), fields.id).persist()
    groups = find_groups(frame.where(is_whole), settings, fields=fields)
    summary = {
        "counts": {**groups.counts, "rejected": rejects.count()},
        "inputs": list(inputs),
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint(),
        "fields": dataclasses.asdict(fields),
        "spark": session.version,
    }
    text = session.createDataFrame([(json.dumps(summary, ensure_ascii=False),)], "value string")
    try:
        for name in ("articles", "links", "further_matches"):
            getattr(groups, name).write.mode("overwrite").parquet(f"{out}/{name}")
        rejects.write.mode("overwrite").parquet(f"{out}/rejects")
        text.coalesce(1).write.mode("overwrite").text(f"{out}/summary")
    except (PySparkException, Py4JError) as error:
        raise OutputError(f"{out} cannot be written: {error}") from error
    return summary


def _read(session: SparkSession, inputs: Sequence[str]) -> DataFrame:
    is_parquet = {PurePosixPath(name).name.endswith(_PARQUET_SUFFIXES) for name in inputs}
    if len(is_parquet) > 1:
        raise InputError(f"{', '.join(inputs)}: Parquet and JSON Lines in one run; name inputs of one kind")
    try:
        if is_parquet.pop():
            return session.read.parquet(*inputs)
        return session.read.json(list(inputs))
    except AnalysisException as error:
        raise InputError(f"{', '.join(inputs)} cannot be read: {error}") from error


def _rejects(frame: DataFrame, id_field: str) -> DataFrame:
    """Return the records without id or text: reason and start of the record."""
    reason = F.when(F.col(f"`{id_field}`").isNull(), "no id, or no JSON").otherwise("no text")
    columns = [F.col(f"`{name}`") for name in frame.columns]
    start = F.substring(F.to_json(F.struct(*columns)), 1, _START_CHARACTERS)
    return frame.select(reason.alias("reason"), start.alias("start"))


def _check_output(session: SparkSession, out: str, *, overwrite: bool) -> None:
    if overwrite:
        return
    try:
        session.read.text(f"{out}/*")
    except AnalysisException:
        return
    raise OutputError(f"{out} exists already and is not empty; name another folder, or say --overwrite")
