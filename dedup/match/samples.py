"""The sample of each article's word shingles, taken on all threads and divided by ranges of the hash.

Of the word shingle hashes every `SAMPLED_SHARE`-th is taken, the same ones in each article, so that the
sample of a part lies in the sample of its whole (FracMinHash: Irber et al., "Lightweight compositional
analysis of metagenomes with FracMinHash and minimum metagenome covers", 2022).
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.compiling import inner_kernel, kernel
from dedup.match.threads import on_threads
from dedup.match.verify import Features, Rule
from dedup.text.kernels import word_shingles

u32 = np.uint32
u64 = np.uint64

SAMPLED_SHARE = 4
"""Of 2, 4 and 8 the largest at which half of a pair's shared sample still tells formulas as well as all
of its shared shingles do on the judged pairs."""

MAX_WAITING = 32
"""An article waits in its lowest sampled shingle hashes, at most so many; so the longer an article, the
thinner the sample that others meet. `docs/quality.md` has what other numbers find and cost."""

MAX_MEETING = 64
"""It looks for others in its lowest sampled shingle hashes, at most so many: a whole that comes after its
part must hit the few shingles in which the part waits."""

POSITION = np.uint64(0xFFFFFFFF)
"""The bits of an entry that have the position."""

_BLOCK = 1024
_SHINGLES_A_THREAD = 1 << 18
_MOST_THREADS = 16


class Samples(NamedTuple):
    """The sampled shingles of some positions: the hash in the high 32 bits of an entry, then the position.

    Those in range k of the hashes, of as many equal ranges as there are parts of
    the positions, are entries[begins[k, p]:ends[k, p]], uint64, of each part p, in no order. A shingle that a
    text repeats is there as often.
    """

    entries: npt.NDArray[np.uint64]
    begins: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


def sample_shingles(
    features: Features,
    rule: Rule,
    rows: npt.NDArray[np.int64],
    positions: npt.NDArray[np.int64],
    num_threads: int = 1,
) -> Samples:
    """Return the samples of some positions; `rows` int64[n] gives the row in `features` at each position."""
    if np.any(rows[positions[1:]] < rows[positions[:-1]]):
        positions = positions[np.argsort(rows[positions])]  # tokens may be on a disk: read them as they lie
    num_tokens = (features.token_ends - features.token_begins)[rows[positions]]
    num_shingles = np.maximum(num_tokens - rule.shingle_size + 1, 0) if rule.shingle_size else num_tokens * 0
    sums = np.concatenate([[0], np.cumsum(num_shingles)])
    num_parts = max(1, min(num_threads, _MOST_THREADS, int(sums[-1]) // _SHINGLES_A_THREAD))
    cuts = np.searchsorted(sums, np.linspace(0, sums[-1], num_parts + 1).astype(np.int64)[1:-1])
    cuts = np.concatenate([[0], cuts, [len(positions)]])
    expected = np.diff(sums[cuts]) // SAMPLED_SHARE // num_parts
    parts = [positions[begin:end] for begin, end in pairwise(cuts)]
    rooms = np.tile(expected + expected // 4 + 4096, (num_parts, 1))
    samples = _sample_parts(features, rule, rows, parts, rooms)
    needed = samples.ends - samples.begins
    if np.any(needed > rooms):  # far from the expected share: many texts have, or one repeats, some shingle
        del samples
        samples = _sample_parts(features, rule, rows, parts, needed)
    return samples


def sampled_rows(features: Features, rule: Rule) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the sampled shingles of all articles, rising, and the row of each; none of a row twice."""
    rows = np.arange(len(features.dates), dtype=np.int64)
    samples = sample_shingles(features, rule, rows, rows)
    entries = np.unique(samples.entries[: samples.ends[0, 0]])  # of one thread
    return (entries >> u64(32)).astype(np.uint32), (entries & POSITION).astype(np.int64)


def one_each(hashes: npt.NDArray[np.uint32]) -> Samples:
    """Return the samples of positions that have one sampled shingle each."""
    n = len(hashes)
    entries = hashes.astype(np.uint64) << u64(32) | np.arange(n, dtype=np.uint64)
    return Samples(entries, np.array([[0]]), np.array([[n]]))


def _sample_parts(
    features: Features,
    rule: Rule,
    rows: npt.NDArray[np.int64],
    parts: list[npt.NDArray[np.int64]],
    rooms: npt.NDArray[np.int64],
) -> Samples:
    """Return samples, each part a thread's; part p has the room rooms[k, p] in range k of the hashes.

    Where that is too little `ends` tells what it should be, and the entries are not to be used.
    """
    num_parts = len(parts)
    room_ends = np.cumsum(rooms).reshape(num_parts, num_parts)
    begins = room_ends - rooms
    ends = begins.copy()
    entries = np.empty(int(room_ends[-1, -1]), dtype=np.uint64)

    def sample(part: int) -> None:
        cursors, limits = begins[:, part].copy(), room_ends[:, part].copy()
        _sample(features, rule, rows, parts[part], cursors, limits, entries)
        ends[:, part] = cursors

    on_threads(sample, range(num_parts), num_parts)
    return Samples(entries, begins, ends)


@inner_kernel
def keep_sampled(shingles, count):
    """Move the sampled ones of the first `count` shingles to the front, in their order; return how many."""
    kept = 0
    for k in range(count):
        shingle = shingles[k]
        shingles[kept] = shingle
        kept += shingle % u32(SAMPLED_SHARE) == 0
    return kept


@kernel
def _sample(features, rule, rows, positions, cursors, limits, entries):
    """Write the entries of all positions to the ranges of their hashes, from the cursors on.

    Those behind the limit of a range are counted only.
    """
    sums = np.empty(_BLOCK, dtype=np.uint64)
    block = np.empty(_BLOCK, dtype=np.uint32)
    if rule.shingle_size == 0:
        return
    for position in positions:
        row = rows[position]
        at = features.token_begins[row]
        last = features.token_ends[row] - rule.shingle_size
        while at <= last:
            num = min(_BLOCK, last + 1 - at)
            word_shingles(features.tokens, at, num, rule.shingle_size, rule.multipliers, sums, block)
            kept = keep_sampled(block, num)
            for k in range(kept):
                shingle = u64(block[k])
                place = np.int64(shingle * u64(len(cursors)) >> u64(32))
                if cursors[place] < limits[place]:
                    entries[cursors[place]] = shingle << u64(32) | u64(position)
                cursors[place] += 1
            at += num
