"""FastSketchLSH 1.0: `FastSimilaritySketch.batch`, `LSH`, its README's 16 bands; candidates are verified by
`estimate_jaccard` of their sketches."""

import common
import numpy as np
from FastSketchLSH import LSH, FastSimilaritySketch

NUM_BANDS = 16
BATCH = 8192


def group(path, threshold, threads, stages):
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        sketch = FastSimilaritySketch(size=common.NUM_PERM, seed=common.SEED)
        matrix = np.concatenate(
            [
                np.asarray(
                    sketch.batch(
                        [common.shingles(text) for text in texts[k : k + BATCH]], num_threads=threads
                    )
                )
                for k in range(0, len(texts), BATCH)
            ]
        )
    with stages.stage("group"):
        index = LSH(num_perm=common.NUM_PERM, num_bands=NUM_BANDS, num_threads=threads)
        index.insert(matrix)
        components = common.Components(len(texts))
        flat, starts = index.query(matrix, format="csr")
        rows = np.repeat(np.arange(len(texts)), np.diff(np.asarray(starts).astype(np.int64)))
        flat = np.asarray(flat).astype(np.int64)
        ahead = flat < rows
        rows, flat = rows[ahead], flat[ahead]
        for k in range(0, len(rows), 1 << 16):
            near = (matrix[rows[k : k + (1 << 16)]] == matrix[flat[k : k + (1 << 16)]]).mean(
                axis=1
            ) >= threshold
            for row, other in zip(
                rows[k : k + (1 << 16)][near].tolist(), flat[k : k + (1 << 16)][near].tolist(), strict=True
            ):
                components.join(row, other)
        return components.labels()


if __name__ == "__main__":
    common.main({"": group})
