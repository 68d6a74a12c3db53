"""Which words of two texts stand for each other, in an order that both keep.

Words are anchored where three in a row occur once in each text, then where one does (patience diff, Bram
Cohen), and only what lies between anchors is compared word by word: long texts take little more than time
in proportion to their length, and frequent words never pair up passages that have nothing in common.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_MAX_MEETINGS = 4_000
"""Pairs of equal words between two anchors up to which `SequenceMatcher` compares them, some milliseconds."""

_STRAY_WORDS = 2

MOVED_WORDS = 6
"""As many words in a row, unlike in their place and found elsewhere, have moved."""


def align(a: Sequence[str], b: Sequence[str]) -> list[int]:
    """Return for each word of `a` the place of its partner in `b`, -1 for none. Partners rise.

    >>> align("the bank said on monday".split(), "on monday the bank said".split())
    [2, 3, 4, -1, -1]
    """
    partners = [-1] * len(a)
    open_gaps = [(0, len(a), 0, len(b))]
    while open_gaps:
        start_a, end_a, start_b, end_b = open_gaps.pop()
        while start_a < end_a and start_b < end_b and a[start_a] == b[start_b]:
            partners[start_a] = start_b
            start_a, start_b = start_a + 1, start_b + 1
        while start_a < end_a and start_b < end_b and a[end_a - 1] == b[end_b - 1]:
            end_a, end_b = end_a - 1, end_b - 1
            partners[end_a] = end_b
        if start_a == end_a or start_b == end_b:
            continue
        part_a, part_b = a[start_a:end_a], b[start_b:end_b]
        blocks = _anchored(part_a, part_b, 3) or _anchored(part_a, part_b, 1)
        if not blocks:
            _match_words(part_a, part_b, start_a, start_b, partners)
            continue
        done_a, done_b = start_a, start_b
        for at_a, at_b, size in blocks:
            for k in range(size):
                partners[start_a + at_a + k] = start_b + at_b + k
            open_gaps.append((done_a, start_a + at_a, done_b, start_b + at_b))
            done_a, done_b = start_a + at_a + size, start_b + at_b + size
        open_gaps.append((done_a, end_a, done_b, end_b))
    return partners


def without_strays(partners: Sequence[int], num_b: int) -> list[int]:
    """Return the partners without those of a word or two between longer passages that have none.

    They are words as frequent as "in": to show them as what two sentences share makes both harder to read.

    >>> without_strays([-1, -1, -1, 3, -1, -1, -1], 7), without_strays([0, 1, 2, -1], 5)
    ([-1, -1, -1, -1, -1, -1, -1], [0, 1, 2, -1])
    """
    kept = list(partners)
    end_before = end_before_b = 0  # of the last words that keep their partners
    for start, end in _blocks(partners):
        first, last = partners[start], partners[end - 1]
        following, following_b = _next_partner(partners, end, num_b)
        before = max(start - end_before, first - end_before_b)
        after = max(following - end, following_b - last - 1)
        if end - start <= _STRAY_WORDS and min(before, after) > _STRAY_WORDS:
            kept[start:end] = [-1] * (end - start)
        else:
            end_before, end_before_b = end, last + 1
    return kept


def _blocks(partners: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where words start and end that follow each other in both texts."""
    start = 0
    for place in range(1, len(partners) + 1):
        if place == len(partners) or partners[place] != partners[place - 1] + 1 or partners[start] < 0:
            if partners[start] >= 0:
                yield start, place
            start = place


def _next_partner(partners: Sequence[int], place: int, num_b: int) -> tuple[int, int]:
    """Return the next word that has a partner, and it; the ends of both texts where none has."""
    while place < len(partners) and partners[place] < 0:
        place += 1
    return place, partners[place] if place < len(partners) else num_b


def moved(a: Sequence[str], b: Sequence[str], partners: Sequence[int]) -> tuple[set[int], set[int]]:
    """Return the places in `a` and in `b` of passages without a partner that both have, elsewhere.

    >>> words = [list("abcdefgh.klmnop"), list("klmnop.abcdefgh")]
    >>> [sorted(places) for places in moved(*words, align(*words))]
    [[9, 10, 11, 12, 13, 14], [0, 1, 2, 3, 4, 5]]
    """
    taken = set(partners)
    alone = (
        [words if partner < 0 else None for words, partner in zip(a, partners, strict=True)],
        [None if place in taken else word for place, word in enumerate(b)],
    )
    runs = tuple(_runs(words) for words in alone)
    both = runs[0].keys() & runs[1].keys()
    found = tuple(
        {place + k for run in both for place in places[run] for k in range(MOVED_WORDS)} for places in runs
    )
    return found[0], found[1]


def _runs(words: Sequence[str | None]) -> dict[tuple[str | None, ...], list[int]]:
    """Return where each run of words starts in which none is missing."""
    starts: dict[tuple[str | None, ...], list[int]] = {}
    for place in range(len(words) - MOVED_WORDS + 1):
        run = tuple(words[place : place + MOVED_WORDS])
        if None not in run:
            starts.setdefault(run, []).append(place)
    return starts


def _anchored(a: Sequence[str], b: Sequence[str], size: int) -> list[tuple[int, int, int]]:
    """Return blocks (place in a, place in b, length) of runs that occur once in each and keep their order."""
    once_a, once_b = _once(a, size), _once(b, size)
    pairs = [(place, once_b[run]) for run, place in once_a.items() if run in once_b]
    blocks: list[tuple[int, int, int]] = []
    for at_a, at_b in _longest_rise(sorted(pairs)):
        if blocks:
            last_a, last_b, length = blocks[-1]
            overlap = last_a + length - at_a
            if at_b - at_a == last_b - last_a and overlap >= 0:
                blocks[-1] = (last_a, last_b, at_a + size - last_a)
                continue
            if overlap > 0 or last_b + length > at_b:
                continue
        blocks.append((at_a, at_b, size))
    return blocks


def _once(words: Sequence[str], size: int) -> dict[tuple[str, ...], int]:
    """Return the place of each run of so many words that occurs once."""
    places: dict[tuple[str, ...], int] = {}
    for place in range(len(words) - size + 1):
        run = tuple(words[place : place + size])
        places[run] = -1 if run in places else place
    return {run: place for run, place in places.items() if place >= 0}


def _longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest subsequence in which the second number rises too (Fredman 1975)."""
    ends: list[int] = []  # the least second number that ends a rise of each length
    rows: list[int] = []
    before = [-1] * len(pairs)
    for row, (_, second) in enumerate(pairs):
        length = bisect_left(ends, second)
        before[row] = rows[length - 1] if length else -1
        if length == len(ends):
            ends.append(second)
            rows.append(row)
        else:
            ends[length], rows[length] = second, row
    found = []
    row = rows[-1] if rows else -1
    while row >= 0:
        found.append(pairs[row])
        row = before[row]
    return found[::-1]


def _match_words(a: Sequence[str], b: Sequence[str], start_a: int, start_b: int, partners: list[int]) -> None:
    """Note the partners of two passages without an anchor, unless they repeat the same words all over."""
    counts: dict[str, int] = {}
    for word in b:
        counts[word] = counts.get(word, 0) + 1
    if sum(counts.get(word, 0) for word in a) > _MAX_MEETINGS:
        return
    for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        for k in range(block.size):
            partners[start_a + block.a + k] = start_b + block.b + k
