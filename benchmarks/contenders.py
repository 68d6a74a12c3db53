"""The contenders of the sketch benchmark, by stage: from text, from shingles, from shingle hashes."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

import dedup
from benchmarks import peers
from benchmarks.measure import Contender

ONE_PERMUTATION = dedup.Settings(num_perm=1, threshold=1.0, short_threshold=1.0, recall=0.5)
"""Our pass with next to no signing: what is left is folding, tokenising and hashing."""


def from_text(texts: list[str], found: dict[str, Any]) -> Iterator[Contender]:
    """Yield the ways from text to signatures, and the parts of ours and of the peers' before the sketch."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    arrow = pa.array(encoded, pa.large_binary()).cast(pa.large_string())

    def from_list(stage: str, name: str, what: str, run: Callable[[list[str]], Any]) -> Contender:
        return Contender(stage, name, what, lambda: [text.decode() for text in encoded], run)

    def from_arrow(stage: str, name: str, what: str, run: Callable[[pa.Array], Any]) -> Contender:
        return Contender(stage, name, what, lambda: arrow, run)

    yield from_list("text", "dedup, from a list of str", "dedup.sign_texts(list)", dedup.sign_texts)
    yield from_arrow("text", "dedup, from an Arrow array", "dedup.sign_texts(array)", dedup.sign_texts)
    yield from_list("ours", "list of str to Arrow", "pyarrow.array(list)", pa.array)
    yield from_arrow(
        "ours",
        "fold, tokenise and hash, from an Arrow array",
        "dedup.sign_texts(array) with one permutation",
        lambda array: dedup.sign_texts(array, ONE_PERMUTATION),
    )
    for name, shingles_of in peers.TOKENISERS.items():
        yield from_list("tokenising", name, "each article's shingles are dropped", _dropping(shingles_of))
    for name, what, run in _peers_from_text(found):
        yield from_list("text", name, what, run)


def _peers_from_text(found: dict[str, Any]) -> Iterator[tuple[str, str, Callable[[list[str]], Any]]]:
    plain, encoded, tuned = peers.plain_shingles, peers.encoded_shingles, peers.tuned_shingles
    if "rensa" in found:
        of_strings = peers.rensa_from_strings(found["rensa"])
        of_bytes = peers.rensa_from_bytes(found["rensa"])
        sampling = peers.rensa_sampling(found["rensa"])
        strings, raw = "digest_matrix_from_token_sets", "digest_matrix_from_token_byte_sets"
        yield "rensa full-set, plain tokenising", strings, _after(plain, of_strings)
        yield (
            "rensa full-set, plain tokenising of all first",
            f"{strings} of a list of lists, as in its README",
            lambda texts: of_strings([plain(text) for text in texts]),
        )
        yield "rensa full-set, tuned tokenising", raw, _after(tuned, of_bytes)
        yield "rensa position-sampling, plain tokenising", f"{strings}_rho", _after(plain, sampling)
    if "datasketch" in found:
        sha1 = peers.datasketch_bulk(found["datasketch"], None)
        yield "datasketch with SHA-1, plain tokenising", "MinHash.bulk", _after(encoded, sha1)
    if {"datasketch", "xxhash"} <= found.keys():
        xxh32 = peers.datasketch_bulk(found["datasketch"], peers.xxh32(found["xxhash"]))
        what = "MinHash.bulk, hashfunc=xxhash.xxh32_intdigest"
        yield "datasketch with xxhash, plain tokenising", what, _after(encoded, xxh32)
        yield "datasketch with xxhash, tuned tokenising", what, _after(tuned, xxh32)


def _after(shingles_of: Callable[[str], Any], sign: Callable[[Any], Any]) -> Callable[[list[str]], Any]:
    return lambda texts: sign(map(shingles_of, texts))


def _dropping(shingles_of: Callable[[str], Any]) -> Callable[[list[str]], None]:
    def tokenise(texts: list[str]) -> None:
        for text in texts:
            shingles_of(text)

    return tokenise


def from_shingles(texts: list[str], found: dict[str, Any]) -> Iterator[Contender]:
    """Yield the peers' ways from lists of shingles in bytes, which are there already; we have none."""
    sets = [peers.tuned_shingles(text) for text in texts]

    def given(name: str, what: str, run: Callable[[Any], Any]) -> Contender:
        return Contender("shingles", name, what, lambda: sets, run)

    if "rensa" in found:
        rensa = found["rensa"]
        yield given("rensa full-set", "digest_matrix_from_token_byte_sets", peers.rensa_from_bytes(rensa))
        yield given(
            "rensa position-sampling", "digest_matrix_from_token_sets_rho", peers.rensa_sampling(rensa)
        )
    if "datasketch" in found:
        sha1 = peers.datasketch_bulk(found["datasketch"], None)
        yield given("datasketch with SHA-1", "MinHash.bulk", sha1)
    if {"datasketch", "xxhash"} <= found.keys():
        xxh32 = peers.datasketch_bulk(found["datasketch"], peers.xxh32(found["xxhash"]))
        yield given("datasketch with xxhash", "MinHash.bulk, hashfunc=xxhash.xxh32_intdigest", xxh32)


class HashedShingles:
    """The shingles of the corpus as hashes: `wide` uint64 for rensa, their upper half `narrow` for others.

    Set i is at offsets[i]:offsets[i + 1], int64[n + 1].
    """

    def __init__(self, texts: list[str]) -> None:
        sets = [[_hash64(shingle) for shingle in peers.tuned_shingles(text)] for text in texts]
        self.offsets = np.array([0, *accumulate(map(len, sets))], dtype=np.int64)
        self.wide = np.array([value for row in sets for value in row], dtype=np.uint64)
        self.narrow = (self.wide >> np.uint64(32)).astype(np.uint32)


def _hash64(shingle: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(shingle, digest_size=8).digest(), "little")


def from_hashes(hashed: HashedShingles, found: dict[str, Any]) -> Iterator[Contender]:
    """Yield the ways from shingle hashes that are there already, each in the form its call takes."""
    rows = np.split(hashed.narrow, hashed.offsets[1:-1])
    ints = [row.tolist() for row in rows]
    flat = (hashed.wide, hashed.offsets.astype(np.uint64))

    def given(name: str, what: str, prepared: Any, run: Callable[[Any], Any]) -> Contender:
        return Contender("hashes", name, what, lambda: prepared, run)

    yield given(
        "dedup",
        "dedup.sign_shingle_hashes, uint32",
        (hashed.narrow, hashed.offsets),
        lambda given: dedup.sign_shingle_hashes(*given),
    )
    if "rensa" in found:
        full = peers.rensa_from_hashes(found["rensa"])
        sampling = peers.rensa_sampling_from_hashes(found["rensa"])
        what = "digest_matrix_from_flat_token_hashes"
        yield given("rensa full-set", f"{what}, uint64", flat, full)
        yield given("rensa position-sampling", f"{what}_rho, uint64", flat, sampling)
    if "datasketch" in found:
        bulk = peers.datasketch_bulk(found["datasketch"], peers.identity)
        arithmetic = peers.datasketch_arithmetic(found["datasketch"])
        yield given("datasketch", "MinHash.bulk of int, hashfunc=operator.index", ints, bulk)
        yield given(
            "datasketch's arithmetic alone",
            "the numpy steps of MinHash.update_batch on uint32 arrays; it has no such call",
            rows,
            arithmetic,
        )
