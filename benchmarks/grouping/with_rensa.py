"""rensa 0.5: R-MinHash of full sets, of sampled positions (`_rho`), and C-MinHash, each with its index.

R-MinHash with `RMinHashLSH`, 16 bands as in its benchmarks, candidates verified by their digests. C-MinHash
has no index of its own; its deduplicator compares each article with those that it kept. Of the digests of
sampled positions no objects can be made; their bands are joined here.
"""

import common
import rensa

NUM_BANDS = 16


def full_set(path, threshold, threads, stages):
    del threads  # its pool reads RAYON_NUM_THREADS
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        sets = map(common.shingles, texts)
        hashes = rensa.RMinHash.from_token_sets(sets, common.NUM_PERM, common.SEED)
    with stages.stage("group"):
        index = rensa.RMinHashLSH(threshold, common.NUM_PERM, NUM_BANDS)
        index.insert_many(hashes)
        components = common.Components(len(texts))
        for row, found in enumerate(index.query_all(hashes)):
            for other in found:
                if other < row and hashes[row].jaccard(hashes[other]) >= threshold:
                    components.join(row, other)
        return components.labels()


def by_deduplicator(path, threshold, threads, stages):
    del threads
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        sets = map(common.shingles, texts)
        hashes = rensa.CMinHash.from_token_sets(sets, common.NUM_PERM, common.SEED)
    with stages.stage("group"):
        kept = rensa.CMinHashDeduplicator(threshold, common.NUM_PERM, common.SEED)
        components = common.Components(len(texts))
        for row, minhash in enumerate(hashes):
            found = kept.get_duplicates(minhash)
            for other in found:
                components.join(row, int(other))
            if not found:
                kept.add(str(row), minhash)
        return components.labels()


def sampled(path, threshold, threads, stages):
    del threads
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        matrix = rensa.RMinHash.digest_matrix_from_token_sets_rho(
            map(common.shingles, texts), common.NUM_PERM, common.SEED
        )
        rows = matrix.to_rows()
    with stages.stage("group"):
        components = common.Components(len(texts))
        width = common.NUM_PERM // NUM_BANDS
        for band in range(NUM_BANDS):
            first = {}
            for row, digest in enumerate(rows):
                other = first.setdefault(tuple(digest[band * width : (band + 1) * width]), row)
                if other != row and _agreement(digest, rows[other]) >= threshold:
                    components.join(row, other)
        return components.labels()


def _agreement(one, other):
    return sum(a == b for a, b in zip(one, other, strict=True)) / common.NUM_PERM


if __name__ == "__main__":
    common.main({"full-set": full_set, "c-minhash": by_deduplicator, "position-sampling": sampled})
