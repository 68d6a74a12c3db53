"""Text to signature at word 3-grams and 128 permutations on one thread, and each stage apart.

Stages, each on the same articles:

- `text`: from text to signatures, tokenising included, as a caller has it;
- `shingles`: from shingles that are there already, as lists of bytes (the peers only);
- `hashes`: from shingle hashes that are there already;
- `ours`, `tokenising`: the parts of our pass, and the Python that the peers need before theirs.
"""

import argparse
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np

import dedup
from benchmarks import peers
from benchmarks.compile_time import measure_compile_time
from benchmarks.contenders import HashedShingles, from_hashes, from_shingles, from_text
from benchmarks.corpus import Corpus, load_corpus
from benchmarks.estimates import measure_estimates
from benchmarks.measure import Timing, measure, peak_extra_bytes, ratio, summarize

REPEATS = 9
NUM_CHECKED = 200

OURS_FROM_LIST = "text: dedup, from a list of str"
OURS_FROM_ARROW = "text: dedup, from an Arrow array"
OURS_FROM_HASHES = "hashes: dedup"
REFERENCES = {"text": OURS_FROM_LIST, "shingles": OURS_FROM_ARROW, "hashes": OURS_FROM_HASHES}

TARGETS = (
    ("text: rensa full-set, plain tokenising", OURS_FROM_LIST, 14.0),
    ("text: rensa full-set, plain tokenising", OURS_FROM_ARROW, 14.0),
    ("text: rensa full-set, plain tokenising of all first", OURS_FROM_ARROW, 14.0),
    ("text: datasketch with xxhash, plain tokenising", OURS_FROM_LIST, 22.0),
    ("text: datasketch with xxhash, plain tokenising", OURS_FROM_ARROW, 22.0),
    ("hashes: rensa full-set", OURS_FROM_HASHES, 3.0),
    ("hashes: datasketch", OURS_FROM_HASHES, 1.0),
    ("hashes: datasketch's arithmetic alone", OURS_FROM_HASHES, 1.0),
)
"""A contender, ours, and how many times ours the contender should take, at least."""


def run(arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]) -> dict:
    """Return settings, corpus, timings, ratios, peak memory, checks and the errors of the estimates."""
    corpus = load_corpus(arguments.data, arguments.field, arguments.limit, lacking)
    found = peers.find_peers(lacking)
    say("compiling apart")
    compile_time = measure_compile_time()
    dedup.sign_texts(["loads the compiled kernels"])
    checks = _check_against_datasketch(corpus, found)
    hashed = HashedShingles(corpus.texts)
    contenders = [
        *from_text(corpus.texts, found),
        *from_shingles(corpus.texts, found),
        *from_hashes(hashed, found),
    ]
    say("peak memory, in a process each")
    peaks = {contender.key: peak_extra_bytes(contender) for contender in contenders}
    timings = measure(contenders, repeats, say)
    return {
        "settings": {"shingle_size": peers.SIZE, "num_perm": peers.NUM_PERM, "num_threads": 1},
        "corpus": {**corpus.describe(), "num_shingles": len(hashed.wide)},
        "compile_time": compile_time,
        "checks": checks,
        "contenders": {
            contender.key: {
                "what": contender.what,
                **summarize(timings[contender.key], len(corpus.texts)),
                "peak_extra_bytes": peaks[contender.key],
            }
            for contender in contenders
        },
        "times_as_long_as": _ratios(timings),
        "targets": _targets(timings),
        "estimates": measure_estimates(corpus.texts, found),
    }


def _check_against_datasketch(corpus: Corpus, found: dict[str, Any]) -> dict[str, bool]:
    """Return whether our signatures are datasketch's, bit for bit, on articles spread over the corpus."""
    if "datasketch" not in found:
        return {}
    texts = [*corpus.texts[:: max(1, len(corpus.texts) // NUM_CHECKED)], "", "two words"]
    ours = dedup.sign_texts(texts)
    compared = [dedup.cut_furniture(text).text for text in texts]
    shingles = [[one.encode() for one in dedup.word_shingles(text, peers.SIZE)] for text in compared]
    sign = peers.datasketch_bulk(found["datasketch"], dedup.hash_word_shingle)
    theirs = np.stack([minhash.hashvalues for minhash in sign(shingles)])
    hashes = [np.array([dedup.hash_word_shingle(one) for one in row], dtype=np.uint32) for row in shingles]
    offsets = np.array([0, *accumulate(map(len, hashes))])
    from_hashes = dedup.sign_shingle_hashes(np.concatenate(hashes), offsets)
    of = f"equal datasketch's, bit for bit, on {len(texts)} texts"
    return {
        f"signatures from text {of}": bool(np.array_equal(ours, theirs)),
        f"signatures from shingle hashes {of}": bool(np.array_equal(from_hashes, theirs)),
    }


def _ratios(timings: dict[str, Timing]) -> dict[str, dict]:
    """Return for each reference of ours how many times as long every other contender of the stage took."""
    ratios: dict[str, dict] = {}
    for stage, reference in [*REFERENCES.items(), ("text", OURS_FROM_ARROW)]:
        ratios.setdefault(reference, {}).update(
            {
                key: ratio(timing, timings[reference])
                for key, timing in timings.items()
                if key.startswith(f"{stage}:") and key != reference
            }
        )
    return ratios


def _targets(timings: dict[str, Timing]) -> list[dict]:
    targets = []
    for contender, reference, asked in TARGETS:
        if contender in timings:
            measured = ratio(timings[contender], timings[reference])
            met = measured["of_medians"] >= asked
            targets.append(
                {"contender": contender, "ours": reference, "asked": asked, **measured, "met": met}
            )
    return targets
