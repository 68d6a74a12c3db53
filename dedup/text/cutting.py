"""Page furniture shown to people: what is left of a text, and which lines were cut and why."""

from dataclasses import dataclass

import numpy as np

from dedup.arguments import require_text
from dedup.text.furniture import AFTER_END, LISTED, read_lines
from dedup.text.kernels import MAX_TOKENS_PER_BYTE, RAW_SCRATCH, load_tables
from dedup.text.lines import make_lines
from dedup.text.markers import KINDS, load_markers

REASONS = {code: name for name, code in KINDS.items()} | {LISTED: "listed", AFTER_END: "after the end"}
"""The names of the reasons for which a line is cut."""


@dataclass(frozen=True)
class CutLine:
    """A line that was cut: its number in the text, from 1, the line, and why.

    `reason` is the kind of its marker ("links", "source", "keywords", "end", "notice"), "listed" for an item
    of a list of links, or "after the end" of the article.
    """

    number: int
    line: str
    reason: str


@dataclass(frozen=True)
class CutText:
    """What is left of a text and what was cut, in order; `share` is the share of its words that was."""

    text: str
    lines: tuple[CutLine, ...]
    share: float


def cut_furniture(text: str) -> CutText:
    """Return a text without the lines that are page furniture, with these lines and the reasons.

    It is what `find_groups` compares, but for lines that recur across a source: one text does not show
    them. Kept lines stay as they are. A text is never cut whole.

    >>> cut = cut_furniture("The ferry sails twice a day from June.\\nRead also: Harbour fees rise")
    >>> cut.text, cut.lines[0].reason
    ('The ferry sails twice a day from June.', 'links')
    """
    require_text("text", text)
    raw = text.encode("utf-8", "replace")
    data = np.frombuffer(raw, dtype=np.uint8)
    breaks = np.flatnonzero(data == ord("\n"))
    if len(breaks) == 0:
        return CutText(text, (), 0.0)
    lines = make_lines(len(breaks) + 1)
    tokens = np.empty(MAX_TOKENS_PER_BYTE * len(data) + 2 * RAW_SCRATCH, dtype=np.uint32)
    num_lines, num_tokens = read_lines(
        data, 0, len(data), load_tables(), load_markers(), np.empty(RAW_SCRATCH, dtype=np.uint64),
        np.empty(8, dtype=np.uint8), tokens, 0, lines,
    )  # fmt: skip
    numbers = np.searchsorted(breaks, lines.starts[:num_lines])  # of lines with a word, from 0
    reasons = dict(zip(numbers.tolist(), lines.reasons[:num_lines].tolist(), strict=True))
    words = np.diff(lines.token_ends[:num_lines], prepend=0)
    num_cut = int(words[lines.reasons[:num_lines] != 0].sum())
    if not num_cut:
        return CutText(text, (), 0.0)
    given = text.split("\n")
    left = "\n".join(line for number, line in enumerate(given) if not reasons.get(number))
    cut = [
        CutLine(number + 1, given[number], REASONS[reason]) for number, reason in reasons.items() if reason
    ]
    return CutText(left.rstrip(), tuple(cut), num_cut / int(num_tokens))
