"""Compiled passes that tell the lines of an article from the furniture of its page.

`furniture_reference` says in plain Python what these compute, `docs/furniture.md` in words.
"""

import numpy as np

from dedup.compiling import inner_kernel
from dedup.text.fold_table import DELETE, EXPAND, SEPARATOR
from dedup.text.hashing import MULTIPLIER
from dedup.text.kernels import SYMBOL_RARE, SYMBOL_SEPARATOR, fold_at
from dedup.text.lines import tokenize_lines
from dedup.text.markers import END, KEYWORDS, LABEL, LINKS, NO_MARKER, NOTICE, SOURCE, STUCK

u64 = np.uint64

KEPT = NO_MARKER
LISTED, AFTER_END, RECURRING = 6, 7, 8
"""Why a line is cut, beside the kinds of marker: an item of a list of links, a line behind the article's
end, a line that comes back in other articles of its source."""

ALONE, SURE, BULLETED, HEADLINE, BRIEF, STOPPED = 1, 2, 4, 8, 16, 32
"""Traits of a line: nothing but its marker; its marker is set off; it begins with a bullet; it is as short
as a headline, or as a link with its marker; it ends with a full stop."""

MAX_HEADLINE = 120
"""Code points of the longest headline; of 12,824 titles of Arabic news the longest has 110."""
MAX_BRIEF = 240
MIN_ARTICLE = 20
"""Words that must be kept before a line can end the article."""

COLONS = ":|>\N{FULLWIDTH COLON}\N{EN DASH}\N{EM DASH}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
COLONS += "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}\N{RIGHTWARDS ARROW}\N{LEFTWARDS ARROW}"
BULLETS = "*-\N{MIDDLE DOT}\N{BULLET}\N{BLACK SQUARE}\N{BLACK SMALL SQUARE}\N{BLACK CIRCLE}\N{WHITE CIRCLE}"
BULLETS += "\N{WHITE BULLET}\N{TRIANGULAR BULLET}\N{EN DASH}\N{BLACK RIGHT-POINTING TRIANGLE}"
STOPS = ".\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH FULL STOP}\N{ARABIC FULL STOP}\N{DEVANAGARI DANDA}"
STOPS += "\N{DEVANAGARI DOUBLE DANDA}\N{HORIZONTAL ELLIPSIS}"

_COLONS, _BULLETS, _STOPS = (tuple(map(ord, signs)) for signs in (COLONS, BULLETS, STOPS))
_MULTIPLIER = u64(MULTIPLIER)
_NEVER = 1 << 30  # longer than any marker


@inner_kernel
def read_lines(data, start, end, tables, markers, raw, tail, tokens, at, lines):
    """Write the token hashes of a text from `at` and its lines to `lines`; return their number and the end.

    As `lines.tokenize_lines`; why each line is cut is written too.
    """
    num_lines, token_end = tokenize_lines(data, start, end, tables, raw, tail, tokens, at, lines)
    num_marked = 0
    for j in range(num_lines):
        kind, traits = NO_MARKER, 0
        if not _begins_like_no_marker(data, lines.starts[j], lines.ends[j], tables, markers):
            kind, traits = _find_marker(data, lines.starts[j], lines.ends[j], tables, markers)
        lines.kinds[j] = kind
        lines.traits[j] = traits
        lines.reasons[j] = KEPT
        num_marked += kind != NO_MARKER
    if num_marked > 0:  # without a marker every line stays; most texts have none
        for j in range(num_lines):
            lines.traits[j] |= _traits_of(data, lines.starts[j], lines.ends[j], tables)
        _decide_cuts(lines, num_lines, at)
    return num_lines, token_end


@inner_kernel
def _traits_of(data, start, end, tables):
    """Return the traits of the line in data[start:end] that do not follow from its marker."""
    traits = 0
    num_characters = 0
    for i in range(start, min(end, start + 4 * MAX_BRIEF + 1)):
        num_characters += (data[i] & 0xC0) != 0x80
    if num_characters <= MAX_HEADLINE:
        traits |= HEADLINE
    if num_characters <= MAX_BRIEF:
        traits |= BRIEF
    if _ends_with_stop(data, start, end, tables):
        traits |= STOPPED
    if _begins_with_bullet(data, start, end):
        traits |= BULLETED
    return traits


@inner_kernel
def _find_marker(data, start, end, tables, markers):
    """Return kind and traits of the longest marker at the start of a line; NO_MARKER where none fits."""
    kind, traits = NO_MARKER, 0
    state, length = u64(0), 0
    gap = False  # separators came since the last folded character
    colon = False  # one of them sets off what stands before
    i = start
    while i < end and length <= markers.longest:
        code_point, entry, after = fold_at(data, i, end, tables)
        i = after
        if entry & u64(DELETE):
            continue
        if _separates(entry, tables):
            gap = True
            colon |= _is_one_of(code_point, _COLONS)
            continue
        if length >= markers.shortest:
            found = _look_up(state, markers)
            if found and _stands(found >> 3, gap, colon):
                kind, traits = found & 7, SURE * (colon or not gap)
        if gap and length > 0:
            state = (state + u64(32)) * _MULTIPLIER  # wraps modulo 2**64, as intended
            length += 1
        gap, colon = False, False
        state, length = _append_folded(code_point, entry, tables, state, length)
        if not _begins_marker(state, markers):
            return kind, traits
    if i >= end and markers.shortest <= length <= markers.longest:
        found = _look_up(state, markers)
        if found:
            kind, traits = found & 7, ALONE | SURE
    return kind, traits


@inner_kernel
def _begins_like_no_marker(data, start, end, tables, markers):
    """Return whether no marker begins like a line, as far as its common characters show; the fast way."""
    i = u64(start)
    state = u64(0)
    while i + u64(1) < u64(end):
        b = u64(data[i])
        if b >= u64(0xE0):
            return False
        two = b >> u64(7)
        long = ((b & u64(31)) << u64(6)) | (u64(data[i + u64(1)]) & u64(63))
        code_point = ((long ^ b) & (u64(0) - two)) ^ b
        i += u64(1) + two
        symbol = u64(tables.symbols[code_point])
        if symbol & u64(SYMBOL_SEPARATOR | SYMBOL_RARE):
            if state != u64(0) or symbol & u64(SYMBOL_RARE):
                return False
            continue
        state = (state + (symbol & u64(0xFFFFFF))) * tables.multipliers[code_point]
        if state != u64(0) and not _begins_marker(state, markers):
            return True
    return False


@inner_kernel
def _separates(entry, tables):
    if entry & u64(EXPAND):
        offset = entry >> u64(8)
        return tables.expansions[offset] == 1 and tables.expansions[offset + u64(1)] == 32
    return entry & u64(SEPARATOR) != u64(0)


@inner_kernel
def _append_folded(code_point, entry, tables, state, length):
    """Return state and length with one more character; one that becomes several words is in no marker."""
    if not entry & u64(EXPAND):
        return (state + ((code_point + (entry >> u64(8))) & u64(0x1FFFFF))) * _MULTIPLIER, length + 1
    offset = entry >> u64(8)
    for j in range(u64(tables.expansions[offset])):
        folded = u64(tables.expansions[offset + u64(1) + u64(j)])
        state = (state + folded) * _MULTIPLIER
        length += _NEVER if folded == u64(32) else 1
    return state, length


@inner_kernel
def _stands(form, gap, colon):
    if form == LABEL:
        return colon
    return gap or form == STUCK


@inner_kernel
def _begins_marker(state, markers):
    """Return whether a marker could begin with the folded characters of hash `state`; most often rightly."""
    word = markers.beginnings[state >> u64(53)]
    return (word >> ((state >> u64(47)) & u64(63))) & u64(1) != u64(0)


@inner_kernel
def _look_up(state, markers):
    mask = u64(len(markers.keys) - 1)
    key = max(state, u64(1))
    slot = key & mask
    while markers.keys[slot] != u64(0):
        if markers.keys[slot] == key:
            return np.int64(markers.values[slot])
        slot = (slot + u64(1)) & mask
    return np.int64(0)


@inner_kernel
def _is_one_of(code_point, signs):
    for sign in signs:  # noqa: SIM110 - kernels have no generators
        if code_point == u64(sign):
            return True
    return False


@inner_kernel
def _ends_with_stop(data, start, end, tables):
    """Return whether a full stop is among the signs behind the last letter or digit."""
    i = end
    while i > start:
        last = i
        i -= 1
        while i > start and (data[i] & 0xC0) == 0x80:
            i -= 1
        code_point, entry, _ = fold_at(data, i, last, tables)
        if _is_one_of(code_point, _STOPS):
            return True
        if not entry & u64(DELETE) and not _separates(entry, tables):
            return False
    return False


@inner_kernel
def _begins_with_bullet(data, start, end):
    i = start
    while i < end:
        b = data[i]
        if b in (0x20, 0x09, 0x0D):
            i += 1
        elif b == 0xC2 and i + 1 < end and data[i + 1] == 0xA0:  # no-break space
            i += 2
        else:
            break
    for sign in _BULLETS:
        if sign < 0x80:
            if i < end and data[i] == sign:
                return True
        elif sign < 0x800:
            if i + 1 < end and data[i] == 0xC0 | (sign >> 6) and data[i + 1] == 0x80 | (sign & 63):
                return True
        elif (
            i + 2 < end
            and data[i] == 0xE0 | (sign >> 12)
            and data[i + 1] == 0x80 | ((sign >> 6) & 63)
            and data[i + 2] == 0x80 | (sign & 63)
        ):
            return True
    return False


@inner_kernel
def _decide_cuts(lines, num_lines, first_token):
    """Write to `lines.reasons` why each line is cut, KEPT for those that stay; at least one line stays."""
    words, token_end = 0, first_token
    ended, listing, first, after_source, stopped = False, False, False, False, False
    # `stopped`: paragraphs of this text end with full stops, so a short line without one is a headline.
    run = -1  # where lines begin that are links if a marker or the end of the text follows
    for j in range(num_lines):
        num_words = lines.token_ends[j] - token_end
        token_end = lines.token_ends[j]
        traits = lines.traits[j]
        item = _is_item(traits)
        if ended:
            lines.reasons[j] = AFTER_END
            continue
        has_article = words >= MIN_ARTICLE
        kind = _kind_of(lines.kinds[j], traits, has_article and j == num_lines - 1)
        lines.reasons[j] = kind
        if kind != NO_MARKER:
            if run >= 0:
                lines.reasons[run:j] = LISTED
            run = -1
            ended = has_article and _ends_article(kind, after_source)
            after_source = kind == SOURCE
            if kind != NOTICE:
                listing = kind == LINKS and traits & ALONE != 0
                first = listing
                run = j + 1 if kind == LINKS and not listing and stopped else -1
            continue
        after_source = False
        if listing and item and (first or stopped or traits & BULLETED):
            lines.reasons[j] = LISTED
            first = False
            continue
        listing = False
        words += num_words
        if not item:
            run = -1
            stopped = traits & STOPPED != 0
    if run >= 0:
        lines.reasons[run:num_lines] = LISTED
    if count_kept(lines, num_lines) == 0:
        lines.reasons[:num_lines] = KEPT


@inner_kernel
def count_kept(lines, num_lines):
    num_kept = 0
    for j in range(num_lines):
        num_kept += lines.reasons[j] == KEPT
    return num_kept


@inner_kernel
def _is_item(traits):
    """Return whether a line can be an item of a list of links: bulleted, or short and without a stop."""
    return traits & BULLETED != 0 or (traits & HEADLINE != 0 and traits & STOPPED == 0)


@inner_kernel
def _ends_article(kind, after_source):
    return kind in (KEYWORDS, END) or (kind == LINKS and after_source)


@inner_kernel
def _kind_of(kind, traits, is_last):
    """Return the kind of marker of a line, NO_MARKER where a paragraph or a sentence only begins like one."""
    if kind in (LINKS, SOURCE, NOTICE) and not traits & BRIEF and not is_last:
        return NO_MARKER
    if kind == LINKS and traits & STOPPED and not traits & SURE:
        return NO_MARKER
    return np.int64(kind)
