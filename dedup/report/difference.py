"""Two texts beside each other, row by row: what both have, and what one has alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from dedup.report.alignment import align, moved, without_strays
from dedup.report.words import Word, Words, words_of

Kind = Literal["same", "respelt", "alone", "moved", "left-out"]
"""`same`: both have the word, letter by letter; `respelt`: both have it once normalised; `alone`: this text
only; `moved`: in a passage that the other text has elsewhere; `left-out`: page furniture, not compared."""

_SAME_WORDS = 8
"""So many words in a row that both have are a row of their own; fewer stay with what differs around them."""

_EDGE_WORDS = 7
"""Words shown at either end of a longer passage that both have."""


@dataclass(frozen=True)
class Run:
    """Words in a row of one kind; `reason` says why page furniture is left out."""

    kind: Kind
    text: str
    reason: str = ""

    @property
    def body(self) -> str:
        """The text without the blank or the end of line behind it."""
        return self.text.rstrip()

    @property
    def gap(self) -> str:
        """The blank or the end of line behind the text."""
        return self.text[len(self.body) :]


@dataclass(frozen=True)
class Row:
    """A passage of both texts. `is_same`: both have its words, in this order; `num_words` of them."""

    is_same: bool
    left: tuple[Run, ...]
    right: tuple[Run, ...]
    num_words: int

    @property
    def is_alike(self) -> bool:
        """Whether both texts have the passage letter by letter."""
        return self.is_same and all(run.kind == "same" for run in self.left)

    @property
    def edges(self) -> tuple[str, str] | None:
        """How a long passage of both begins and ends; None for one that is shown whole."""
        if not self.is_same or self.num_words <= 2 * _EDGE_WORDS:
            return None
        words = "".join(run.text for run in self.left).split()
        if len(words) <= 2 * _EDGE_WORDS:  # a script without blanks
            text = " ".join(words)
            if len(text) <= 8 * _EDGE_WORDS:
                return None
            return text[: 3 * _EDGE_WORDS], text[-3 * _EDGE_WORDS :]
        return " ".join(words[:_EDGE_WORDS]), " ".join(words[-_EDGE_WORDS:])


@dataclass(frozen=True)
class Difference:
    """Rows in order, and words by what they are. `num_left_more`, `num_right_more`: words not shown."""

    rows: tuple[Row, ...]
    num_same: int
    num_left_alone: int
    num_right_alone: int
    num_moved: int
    num_respelt: int
    num_left_more: int
    num_right_more: int


@dataclass(frozen=True)
class _Side:
    """The words of a text, the place of each one's partner or -1, and the kind of each."""

    words: Sequence[Word]
    partners: Sequence[int]
    kinds: Sequence[Kind]

    def runs(self, start: int, end: int) -> tuple[Run, ...]:
        """Return the words from start to end, those of one kind together."""
        places = groupby(range(start, end), lambda at: (self.kinds[at], self.words[at].left_out))
        found = [
            (kind, reason, "".join(self.words[at].piece for at in run)) for (kind, reason), run in places
        ]
        return tuple(
            Run(kind, text if k < len(found) - 1 else text.rstrip(), reason)
            for k, (kind, reason, text) in enumerate(found)
        )


def difference(left: str, right: str, *, cuts_furniture: bool = True) -> Difference:
    """Return two texts beside each other; words are the same that are once normalised.

    Of texts longer than `words.MAX_WORDS` the beginnings are compared and the rest is counted.

    >>> found = difference("Prices rose on Monday", "PRICES fell on Monday")
    >>> [(run.kind, run.text) for run in found.rows[0].right]
    [('respelt', 'PRICES '), ('alone', 'fell '), ('same', 'on Monday')]
    """
    given = [words_of(text, cuts_furniture=cuts_furniture) for text in (left, right)]
    sides = _sides(*given)
    rows = tuple(_rows(*sides))
    kinds = [side.kinds for side in sides]
    return Difference(
        rows,
        num_same=sum(partner >= 0 for partner in sides[0].partners),
        num_left_alone=kinds[0].count("alone"),
        num_right_alone=kinds[1].count("alone"),
        num_moved=kinds[1].count("moved"),
        num_respelt=kinds[1].count("respelt"),
        num_left_more=given[0].num_more,
        num_right_more=given[1].num_more,
    )


def _sides(left: Words, right: Words) -> tuple[_Side, _Side]:
    words = left.words, right.words
    compared = [[at for at, word in enumerate(side) if not word.left_out] for side in words]
    keys = [[side[at].key for at in places] for side, places in zip(words, compared, strict=True)]
    found = without_strays(align(keys[0], keys[1]), len(keys[1]))
    moves = moved(keys[0], keys[1], found)
    partners = [-1] * len(words[0]), [-1] * len(words[1])
    for at, partner in enumerate(found):
        if partner >= 0:
            here, there = compared[0][at], compared[1][partner]
            partners[0][here], partners[1][there] = there, here
    sides = []
    for side in (0, 1):
        has_moved = {compared[side][at] for at in moves[side]}
        kinds = [
            _kind(word, words[1 - side], partners[side][at], at in has_moved)
            for at, word in enumerate(words[side])
        ]
        sides.append(_Side(words[side], partners[side], kinds))
    return sides[0], sides[1]


def _kind(word: Word, others: Sequence[Word], partner: int, has_moved: bool) -> Kind:
    if word.left_out:
        return "left-out"
    if partner >= 0:
        return "same" if word.piece.strip() == others[partner].piece.strip() else "respelt"
    return "moved" if has_moved else "alone"


def _rows(left: _Side, right: _Side) -> Iterator[Row]:
    """Yield the rows; passages of few words that both have are put with what differs around them."""
    differs: list[tuple[int, int, int, int]] = []
    for is_same, *bounds in _passages(left.partners, right.partners):
        if not is_same or bounds[1] - bounds[0] < _SAME_WORDS:
            differs.append((bounds[0], bounds[1], bounds[2], bounds[3]))
            continue
        yield from _row_of(differs, left, right)
        differs = []
        yield Row(True, left.runs(*bounds[:2]), right.runs(*bounds[2:]), bounds[1] - bounds[0])
    yield from _row_of(differs, left, right)


def _row_of(differs: Sequence[tuple[int, int, int, int]], left: _Side, right: _Side) -> Iterator[Row]:
    """Yield one row of passages that follow each other, if there are any."""
    if differs:
        start, end, right_start, right_end = differs[0][0], differs[-1][1], differs[0][2], differs[-1][3]
        runs = left.runs(start, end), right.runs(right_start, right_end)
        has_partners = all(partner >= 0 for partner in left.partners[start:end])
        is_same = has_partners and end - start == right_end - right_start
        yield Row(is_same, *runs, end - start)


def _passages(left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Yield passages in order: whether they are the same, and where they start and end in both texts."""
    at, right_at = 0, 0
    while at < len(left) or right_at < len(right):
        start, right_start = at, right_at
        while at < len(left) and left[at] == right_at:
            at, right_at = at + 1, right_at + 1
        if at > start:
            yield True, start, at, right_start, right_at
            continue
        while at < len(left) and left[at] < 0:
            at += 1
        while right_at < len(right) and right[right_at] < 0:
            right_at += 1
        yield False, start, at, right_start, right_at
