"""datatrove 0.10: its four MinHash blocks, 14 buckets of 8 hashes as its documentation has them.

A tokeniser that splits at white space, as the words stand so in the file; its own for Arabic is slower.
Its buckets are made for a similarity of 0.72; the threshold is not asked for.
"""

import struct
import tempfile
from pathlib import Path

import common
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.utils.word_tokenizers import WordTokenizer


class Whitespace(WordTokenizer):
    """Words between white space."""

    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        return [text]

    def span_tokenize(self, text):
        return [(0, len(text))]


def group(path, threshold, threads, stages):
    del threshold
    config = MinhashConfig(n_grams=common.SIZE)
    file = Path(path)
    with tempfile.TemporaryDirectory() as folder:
        blocks = [
            (
                "sketch",
                1,
                [
                    JsonlReader(str(file.parent), glob_pattern=file.name),
                    MinhashDedupSignature(f"{folder}/signatures", config, Whitespace()),
                ],
            ),
            (
                "buckets",
                config.num_buckets,
                [MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)],
            ),
            (
                "group",
                1,
                [
                    MinhashDedupCluster(
                        f"{folder}/buckets", f"{folder}/groups", config=config, save_cluster_id=True
                    )
                ],
            ),
        ]
        for name, tasks, block in blocks:
            with stages.stage(name):
                LocalPipelineExecutor(
                    block, tasks=tasks, workers=min(tasks, threads), logging_dir=f"{folder}/logs/{name}"
                ).run()
        texts = common.read_texts(path)
        labels = list(range(len(texts)))
        rows = [row for row, text in enumerate(texts) if text]  # its reader passes over empty texts
        firsts = {}
        clusters = Path(folder, "groups", "000000.clusters")
        if clusters.exists():
            for number, cluster in struct.iter_unpack("<II", clusters.read_bytes()):
                labels[rows[number]] = firsts.setdefault(cluster, rows[number])
        return labels


if __name__ == "__main__":
    common.main({"": group})
