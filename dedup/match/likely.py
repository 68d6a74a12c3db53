"""Which of the candidates that an article meets are worth reading: those that wording or bands speak for."""

from dedup.compiling import inner_kernel
from dedup.match.samples import MAX_MEETING, MAX_WAITING

MANY_BANDED = 32
"""With more candidates from bands than this, those whose signatures speak against a match are dropped."""

MANY_BANDS = 3
"""Bands in which a short text must then meet another. A pair at the headline threshold meets in 13 of 64 and
in fewer than 3 with probability 1e-4; two titles of the same common words in one."""

MIN_SHARED_SAMPLE = 2
"""Sampled shingles that two articles must share to be compared; and `Rule.sample_ratio` of the smaller
sample."""

_SIGMAS = 4.0  # a match at the threshold is dropped by the signatures with probability 3e-5


def lowest_equal(threshold: float, num_perm: int) -> int:
    """Return how many equal values of `num_perm` a pair at the threshold has all but surely."""
    deviation = (threshold * (1 - threshold) * num_perm) ** 0.5
    return max(0, int(threshold * num_perm - _SIGMAS * deviation))


@inner_kernel
def likely_by_wording(position, candidate, by_wording, num_sampled, rule):
    """Return whether the sampled shingles in which the two met, so many, speak for a match.

    `num_sampled` int32[n] is the number of all sampled shingles of each position.
    """
    if by_wording < MIN_SHARED_SAMPLE:
        return False
    own, others = num_sampled[position], num_sampled[candidate]
    # Both look at their lowest hashes: what they share is met as far as the smaller part reaches.
    reach = min(1.0, MAX_MEETING / max(1, own), MAX_WAITING / max(1, others))
    return by_wording >= rule.sample_ratio * min(own, others) * reach


@inner_kernel
def likely_by_bands(position, candidate, by_bands, num_by_bands, is_short, signatures, least_equal):
    """Return whether the bands in which the two met, `by_bands`, speak for a match.

    Where the article met many in bands, `num_by_bands`, the signatures of long texts must agree, and short
    texts must meet in several bands.
    """
    if by_bands == 0:
        return False
    if num_by_bands <= MANY_BANDED:
        return True
    if is_short:
        return by_bands >= MANY_BANDS
    equal = 0
    own, other = signatures.entries[position], signatures.entries[candidate]
    for p in range(signatures.values.shape[1]):
        equal += signatures.values[own, p] == signatures.values[other, p]
    return equal >= least_equal
