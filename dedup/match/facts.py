"""The facts of two articles: do they hold the same numbers, or does each have its own?

Two reports of one form (a market's day, a buy-back, a match day) share their words and differ in their
numbers. Copies of one report hold the same ones. A number that is written with a point, a comma or a
slash is several tokens; adjacent number tokens are one fact, whatever their order, since right-to-left
text may turn 37.6 into 6.37. A single digit alone is none: any two reports share some of them.
"""

import numpy as np

from dedup.compiling import inner_kernel
from dedup.text.hashing import hash_token

MIN_FACTS = 4
MAX_SHARED_FACTS = 0.25
"""With four facts or more in each, judged copies share more than this; with three some do not (a sum that
one outlet rounds, a day in another calendar). From 0.1 to 0.33 no judged pair of the week changes."""

_DIGITS = np.array([hash_token(digit) for digit in "0123456789"], dtype=np.uint32)

u64 = np.uint64


@inner_kernel
def other_facts(a, b, features, scratch):
    """Return whether both articles hold `MIN_FACTS` distinct facts or more and share few of them."""
    facts, others = scratch.facts[0], scratch.facts[1]
    num_a = _distinct_facts(a, features, facts)
    if num_a < MIN_FACTS:
        return False
    num_b = _distinct_facts(b, features, others)
    if num_b < MIN_FACTS:
        return False
    shared = 0
    for i in range(num_a):
        for j in range(num_b):
            shared += facts[i] == others[j]
    return shared <= MAX_SHARED_FACTS * min(num_a, num_b)


@inner_kernel
def _distinct_facts(row, features, facts):
    """Write the first distinct facts of an article to `facts`, uint64, as sums of hashes; return how many."""
    count = 0
    total = u64(0)
    in_number = False
    for k in range(features.token_begins[row], features.token_ends[row] + 1):
        if k < features.token_ends[row] and features.tokens[k] & np.uint32(1) == 1:
            total += u64(features.tokens[k])
            in_number = True
            continue
        if not in_number:
            continue
        known = _is_digit(total)
        for j in range(count):
            known = known or facts[j] == total
        if not known and count < len(facts):
            facts[count] = total
            count += 1
        total = u64(0)
        in_number = False
    return count


@inner_kernel
def _is_digit(total):
    for k in range(len(_DIGITS)):  # noqa: SIM110 - numba has no any() over a generator
        if total == u64(_DIGITS[k]):
            return True
    return False
