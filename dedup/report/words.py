"""A text as the words that are compared, each with the piece of the text that it stands for."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from dedup.text.cutting import cut_furniture
from dedup.text.fold_table import SEPARATOR_CODE_POINT, SINGLE, load_fold_table

MAX_WORDS = 5_000
"""Words of a text that a difference shows: twenty columns of a newspaper, and a page that still opens."""


@dataclass(frozen=True)
class Word:
    """A piece of a text and the normalised word in it; `left_out` says why one without is not compared.

    Signs belong to the word that they touch, so that the pieces make up the text.
    """

    piece: str
    key: str
    left_out: str = ""


@dataclass(frozen=True)
class Words:
    """The words of a text in order, and how many more it has that are not shown."""

    words: tuple[Word, ...]
    num_more: int = 0


def words_of(text: str, *, cuts_furniture: bool) -> Words:
    r"""Return the words of a text; a line of page furniture is one piece without a key if furniture is cut.

    Blanks are single and lines are not empty. Words beyond `MAX_WORDS` are counted only.

    >>> [word.piece for word in words_of("«قالَ» الوزير:\n\n 东京!", cuts_furniture=False).words]
    ['«قالَ» ', 'الوزير:\n', '东', '京!\n']
    """
    reasons = _furniture(text) if cuts_furniture else {}
    found: list[Word] = []
    num_words = 0
    opening = ""  # signs before the first word of the text
    for number, given in enumerate(text.split("\n"), 1):
        line = " ".join(given.split())
        if not line:
            continue
        if number in reasons:
            found.append(Word(line + "\n", "", reasons[number]))
            continue
        cut_at = [*_starts(line)]
        num_words += len(cut_at)
        if num_words - len(cut_at) >= MAX_WORDS:
            continue
        if not cut_at:  # a line of signs
            opening = _append(found, f"{line}\n", opening)
        else:
            found += _words_of_line(opening, line, cut_at)
            opening = ""
    return Words(tuple(found[: _end(found)]), max(0, num_words - MAX_WORDS))


def _words_of_line(opening: str, line: str, starts: list[tuple[int, str]]) -> Iterator[Word]:
    begin = 0
    for k, (start, key) in enumerate(starts):
        if k + 1 == len(starts):
            end, closing = len(line), "\n"
        else:
            following = starts[k + 1][0]
            end, closing = line.rfind(" ", start, following) + 1 or following, ""
        yield Word(opening + line[begin:end] + closing, key)
        begin, opening = end, ""


def _append(found: list[Word], signs: str, opening: str) -> str:
    """Add signs to the last word; return what is to come before the first one."""
    if not found or found[-1].left_out:
        return opening + signs
    last = found.pop()
    found.append(Word(last.piece + signs, last.key))
    return ""


def _end(found: list[Word]) -> int:
    """Return where the words that are shown end: the line in which the last of them stands may go on."""
    num_words = 0
    for place, word in enumerate(found):
        num_words += not word.left_out
        if num_words > MAX_WORDS:
            return place
    return len(found)


def _furniture(text: str) -> dict[int, str]:
    """Return the reason for each line, by number from 1, that is page furniture."""
    return {cut.number: cut.reason for cut in cut_furniture(text).lines}


def _starts(line: str) -> Iterator[tuple[int, str]]:
    """Yield where each word of a line starts, and the word normalised: what `text.reference.tokens` gives."""
    run, start = "", 0
    for place, character in enumerate(line):
        for folded, is_single in _folds(character):
            if run and (is_single or folded == " "):
                yield start, run
                run = ""
            if is_single:
                yield place, folded
            elif folded != " ":
                start = start if run else place
                run += folded
    if run:
        yield start, run


@functools.lru_cache(maxsize=4096)
def _folds(character: str) -> tuple[tuple[str, bool], ...]:
    """Return the characters that one becomes, blank for separators, and whether each is a word of its own."""
    table = load_fold_table()
    return tuple(
        (" " if folded == SEPARATOR_CODE_POINT else chr(folded), bool(table.entry(folded) & SINGLE))
        for folded in table.fold_code_point(ord(character))
    )
