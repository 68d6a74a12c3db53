"""Ours: the whole command, `dedup run`, and the row of each article's canonical from its articles.parquet."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import common


def group(path, threshold, threads, stages, *options):
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dedup", "run", path, "-o", f"{folder}/out", "--quiet"]
        subprocess.run([*command, "--workers", str(threads), *options], check=True)
        stages.seconds.update(json.loads(Path(folder, "out", "summary.json").read_text())["seconds"])
        del stages.seconds["total"]
        with stages.stage("read_answer"):
            return read_answer(f"{folder}/out/articles.parquet")


def read_answer(path):
    """Return the row of each article's canonical; `read_table` would import pandas first."""
    import pyarrow.parquet as pq

    columns = pq.ParquetFile(path).read(columns=["id", "canonical_id"])
    row_of = {id_: row for row, id_ in enumerate(columns["id"].to_pylist())}
    return list(map(row_of.__getitem__, columns["canonical_id"].to_pylist()))


def at_threshold(path, threshold, threads, stages):
    return group(path, threshold, threads, stages, "--threshold", str(threshold))


if __name__ == "__main__":
    common.main({"default": group, "at-threshold": at_threshold})
