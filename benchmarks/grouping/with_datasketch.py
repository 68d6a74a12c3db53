"""datasketch 2.x: `MinHash.bulk`, then `MinHashLSH`; candidates at or above the threshold are joined."""

import common
from datasketch import MinHash, MinHashLSH


def group(path, threshold, threads, stages, hashfunc=None):
    del threads  # has none
    with stages.stage("read"):
        texts = common.read_texts(path)
    with stages.stage("sketch"):
        sets = ([one.encode() for one in common.shingles(text)] for text in texts)
        keywords = {} if hashfunc is None else {"hashfunc": hashfunc}
        hashes = list(MinHash.bulk(sets, num_perm=common.NUM_PERM, seed=common.SEED, **keywords))
    with stages.stage("group"):
        index = MinHashLSH(threshold=threshold, num_perm=common.NUM_PERM)
        components = common.Components(len(texts))
        for row, minhash in enumerate(hashes):
            for other in index.query(minhash):
                if minhash.jaccard(hashes[other]) >= threshold:
                    components.join(row, other)
            index.insert(row, minhash, check_duplication=False)
        return components.labels()


def with_xxhash(path, threshold, threads, stages):
    import xxhash

    return group(path, threshold, threads, stages, xxhash.xxh32_intdigest)


if __name__ == "__main__":
    common.main({"sha1": group, "xxhash": with_xxhash})
