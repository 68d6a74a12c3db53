"""Ours: the whole command, `dedup run`, and the row of each article's canonical from its articles.parquet."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import common


def group(path, threshold, threads, stages, *options):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dedup", "run", path, "-o", f"{folder}/out", "--quiet"]
        subprocess.run([*command, "--workers", str(threads), *options], check=True)
        stages.seconds.update(json.loads(Path(folder, "out", "summary.json").read_text())["seconds"])
        del stages.seconds["total"]
        table = pq.read_table(f"{folder}/out/articles.parquet")
    return pc.index_in(table["canonical_id"], table["id"].combine_chunks()).to_pylist()


def at_threshold(path, threshold, threads, stages):
    return group(path, threshold, threads, stages, "--threshold", str(threshold))


if __name__ == "__main__":
    common.main({"default": group, "at-threshold": at_threshold})
