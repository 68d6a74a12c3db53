"""gaoya 0.2: `MinHashStringIndex` with its own tokeniser, written in Rust; it reports verified candidates."""

import common
from gaoya.minhash import MinHashStringIndex


def group(path, threshold, threads, stages):
    del threads  # its pool reads RAYON_NUM_THREADS
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        index = MinHashStringIndex(
            hash_size=32,
            jaccard_threshold=threshold,
            num_bands=None,
            band_size=None,
            num_hashes=common.NUM_PERM,
            analyzer="word",
            lowercase=False,
            ngram_range=(common.SIZE, common.SIZE),
            id_container="smallvec",
        )
        index.par_bulk_insert_docs(list(range(len(texts))), texts)
    with stages.stage("group"):
        components = common.Components(len(texts))
        for row, found in enumerate(index.par_bulk_query(texts)):
            for other in found:
                if other < row:
                    components.join(row, other)
        return components.labels()


if __name__ == "__main__":
    common.main({"": group})
