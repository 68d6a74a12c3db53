"""Plain Python twin of the kernels of page furniture, and their specification."""

from dataclasses import dataclass

from dedup.text import reference
from dedup.text.fold_table import SEPARATOR_CODE_POINT, SINGLE, load_fold_table
from dedup.text.furniture import (
    AFTER_END,
    BULLETS,
    COLONS,
    KEPT,
    LISTED,
    MAX_BRIEF,
    MAX_HEADLINE,
    MIN_ARTICLE,
    STOPS,
)
from dedup.text.markers import (
    END,
    KEYWORDS,
    LABEL,
    LINKS,
    NO_MARKER,
    NOTICE,
    SOURCE,
    STUCK,
    read_markers,
)


@dataclass(frozen=True)
class Line:
    """A line that has a word, and what is to be known of it."""

    text: str
    num_words: int
    kind: int
    is_alone: bool
    is_set_off: bool

    @property
    def is_bulleted(self) -> bool:
        """Whether it begins with a bullet."""
        return self.text.lstrip(" \t\r\N{NO-BREAK SPACE}")[:1] in set(BULLETS)

    @property
    def is_stopped(self) -> bool:
        """Whether a full stop is among the signs behind the last letter or digit."""
        for character in reversed(self.text):
            if character in STOPS:
                return True
            if any(folded != SEPARATOR_CODE_POINT for folded in reference.fold(character)):
                return False
        return False

    @property
    def is_item(self) -> bool:
        """Whether it can be an item of a list of links."""
        return self.is_bulleted or (len(self.text) <= MAX_HEADLINE and not self.is_stopped)


def read_line(text: str) -> Line:
    """Return a line with the longest marker that fits at its start.

    >>> read_line("Source: the harbour office").kind == SOURCE
    True
    """
    markers = read_markers()
    found = Line(text, len(reference.tokens(text)), NO_MARKER, is_alone=False, is_set_off=False)
    longest = max(map(len, markers))
    folded = ""
    for at in range(len(text) + 1):
        if at < len(text) and not _has_letters(text[at]):
            continue
        signs = _signs_before(text, at)
        gap = signs != ""
        colon = any(sign in COLONS for sign in signs)
        is_alone = at == len(text)
        kind, form = markers.get(folded, (NO_MARKER, 0))
        if kind != NO_MARKER and (is_alone or _stands(folded, form, gap=gap, colon=colon)):
            set_off = is_alone or colon or not gap
            found = Line(text, found.num_words, kind, is_alone, set_off)
        if is_alone or len(folded) > longest or SEPARATOR_CODE_POINT in reference.fold(text[at]):
            break
        folded += (" " if gap and folded else "") + "".join(map(chr, reference.fold(text[at])))
    return found


def _has_letters(character: str) -> bool:
    """Return whether a character is neither deleted nor a separator."""
    return any(folded != SEPARATOR_CODE_POINT for folded in reference.fold(character))


def _signs_before(text: str, at: int) -> str:
    """Return the separators between the last letter before a place and the place."""
    begin = at
    while begin and not _has_letters(text[begin - 1]):
        begin -= 1
    return "".join(sign for sign in text[begin:at] if reference.fold(sign))


def _stands(folded: str, form: int, *, gap: bool, colon: bool) -> bool:
    if form == LABEL:
        return colon
    return gap or form == STUCK or bool(load_fold_table().entry(ord(folded[-1])) & SINGLE)


def decide(text: str) -> list[tuple[Line, int]]:
    """Return the lines of a text that have a word, each with the reason why it is cut, or KEPT."""
    lines = [line for line in map(read_line, text.split("\n")) if line.num_words]
    reasons = [KEPT] * len(lines)
    words = 0
    ended = listing = first = after_source = stopped = False
    run: int | None = None
    for j, line in enumerate(lines):
        if ended:
            reasons[j] = AFTER_END
            continue
        has_article = words >= MIN_ARTICLE
        kind = _kind_of(line, is_last=has_article and j == len(lines) - 1)
        reasons[j] = kind
        if kind != NO_MARKER:
            if run is not None:
                reasons[run:j] = [LISTED] * (j - run)
            run = None
            ended = has_article and (kind in (KEYWORDS, END) or (kind == LINKS and after_source))
            after_source = kind == SOURCE
            if kind != NOTICE:
                listing = first = kind == LINKS and line.is_alone
                run = j + 1 if kind == LINKS and not listing and stopped else None
            continue
        after_source = False
        if listing and line.is_item and (line.is_bulleted or first or stopped):
            reasons[j] = LISTED
            first = False
            continue
        listing = False
        words += line.num_words
        if not line.is_item:
            run = None
            stopped = line.is_stopped
    if run is not None:
        reasons[run:] = [LISTED] * (len(lines) - run)
    if all(reasons):
        reasons = [KEPT] * len(lines)
    return list(zip(lines, reasons, strict=True))


def _kind_of(line: Line, *, is_last: bool) -> int:
    """Return the kind of marker, NO_MARKER where a paragraph or a sentence only begins like one."""
    if line.kind in (LINKS, SOURCE, NOTICE) and len(line.text) > MAX_BRIEF and not is_last:
        return NO_MARKER
    if line.kind == LINKS and line.is_stopped and not line.is_set_off:
        return NO_MARKER
    return line.kind
