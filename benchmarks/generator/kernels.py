"""Compiled writing of generated articles: which sentences, which words, which bytes.

Every article follows from (seed, number) alone, so that the base of a copy is planned again where the
copy is written, and a stream needs no memory of what it wrote.
"""

import numpy as np

from dedup.compiling import kernel

u64 = np.uint64

MAX_WORD_BYTES = 64
"""The pool has no longer words: what stands there, mostly addresses, is left out."""
MAX_SENTENCES = 256
"""Longer articles (1 in 2,000 of the real ones) are planned as this long."""
TITLE_WORDS = 9

ORIGINAL, COPY, CUT_COPY = 0, 1, 2
HEADLINE, DATELINE, SOURCE_LINE, SPELLING, TYPOS, LEAD, CUT, REPLACED, MOVED, SHORTENED = range(10)
EDITS = (
    "headline", "dateline", "source line", "spelling", "words replaced", "lead added", "passage cut",
    "sentences replaced", "sentence moved", "cut to its beginning",
)  # fmt: skip
"""Names of the edits by bit."""
EDIT_CHANCES = np.array([0.6, 0.5, 0.4, 0.25, 0.25, 0.15, 0.3, 0.25, 0.15, 0.0])
TYPO_SHARE = 0.01

_KIND, _PLAN, _EDITS, _BASE, _SOURCE = (u64(k) for k in range(1, 6))  # independent streams of a number


@kernel
def _mix(value):
    """SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014); wraps modulo 2**64, as intended."""
    z = u64(value) + u64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> u64(30))) * u64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> u64(27))) * u64(0x94D049BB133111EB)
    return z ^ (z >> u64(31))


@kernel
def _start(seed, number, stream):
    return _mix(_mix(_mix(seed) ^ u64(number)) ^ u64(stream))


@kernel
def _unit(value):
    return (value >> u64(11)) * (1.0 / (1 << 53))


@kernel
def _below(value, bound):
    return np.int64(_unit(value) * bound)


@kernel
def kind_of(seed, number, recipe):
    """Return what an article is meant to be; the first ones have nothing to copy."""
    if number == 0:
        return ORIGINAL
    draw = _unit(_start(seed, number, _KIND))
    if draw < recipe.cut_share:
        return CUT_COPY
    return COPY if draw < recipe.cut_share + recipe.copy_share else ORIGINAL


@kernel
def base_of(seed, number, recipe):
    """Return the original that a copy has: one of the last `reach`, a wire story more often than others."""
    rng = _start(seed, number, _BASE)
    at = number - 1 - _below(rng, min(number, recipe.reach))
    rng = _mix(rng)
    if _unit(rng) < recipe.wire_share:
        at -= at % recipe.wire_step
    while kind_of(seed, at, recipe) != ORIGINAL:
        at -= 1
    return at


@kernel
def _plan_original(seed, number, tables, recipe, sentences, seeds):
    """Write the sentences of an original and seeds of their words; return count and how they are written.

    How: the chance that a word is replaced, and that a sentence goes over into another one half-way.
    """
    rng = _start(seed, number, _PLAN)
    num_articles = len(tables.article_offsets) - 1
    rng = _mix(rng)
    if _unit(rng) < recipe.formula_share:
        rng = _mix(rng)
        family = _start(seed, _below(rng, recipe.num_formulas), _SOURCE) ^ u64(0x5F)
        article = _below(family, num_articles)
        first, last = tables.article_offsets[article], tables.article_offsets[article + 1]
        count = min(last - first, MAX_SENTENCES)
        for k in range(count):
            rng = _mix(rng)
            sentences[k], seeds[k] = first + k, rng
        rng = _mix(rng)
        return count, recipe.formula_low + (recipe.formula_high - recipe.formula_low) * _unit(rng), 0.0
    rng = _mix(rng)
    article = _below(rng, num_articles)
    length = tables.article_offsets[article + 1] - tables.article_offsets[article]
    length = min(length, MAX_SENTENCES)
    count = 0
    while count < length:
        rng = _mix(rng)
        article = _below(rng, num_articles)
        first, last = tables.article_offsets[article], tables.article_offsets[article + 1]
        rng = _mix(rng)
        sentence = first + _below(rng, last - first)
        while sentence < last and count < length:
            rng = _mix(rng)
            sentences[count], seeds[count] = sentence, rng
            count += 1
            sentence += 1
            rng = _mix(rng)
            if _unit(rng) >= recipe.run_on:
                break
    return count, recipe.novelty[min(_log2(number), len(recipe.novelty) - 1)], recipe.splice_share


@kernel
def _log2(number):
    k = 0
    while number > 0:
        number >>= 1
        k += 1
    return k


@kernel
def _draw_edits(seed, number, chances):
    """Return the edits of a copy as bits, one at least, and a state to draw their details from."""
    rng = _start(seed, number, _EDITS)
    edits = 0
    while edits == 0:
        for bit in range(len(chances)):
            rng = _mix(rng)
            if _unit(rng) < chances[bit]:
                edits |= 1 << bit
    return edits, rng


@kernel
def _has(edits, bit):
    return (edits >> bit) & 1 == 1


@kernel
def _shift(sentences, seeds, source, target, count):
    """Move `count` planned sentences, as memmove does."""
    if source < target:
        for k in range(count - 1, -1, -1):
            sentences[target + k], seeds[target + k] = sentences[source + k], seeds[source + k]
    else:
        for k in range(count):
            sentences[target + k], seeds[target + k] = sentences[source + k], seeds[source + k]


@kernel
def _apply_edits(edits, rng, tables, sentences, seeds, count):  # noqa: C901, PLR0912
    """Apply the edits that concern sentences; return the new count and the edits that were possible."""
    num_sentences = len(tables.sentence_offsets) - 1
    if _has(edits, SHORTENED):
        rng = _mix(rng)
        count = max(1, np.int64(count * (0.25 + 0.35 * _unit(rng))))
    if _has(edits, CUT):
        rng = _mix(rng)
        gone = 1 + _below(rng, max(1, count // 5))
        if count >= 4:
            rng = _mix(rng)
            at = 1 + _below(rng, count - gone)
            _shift(sentences, seeds, at + gone, at, count - gone - at)
            count -= gone
        else:
            edits &= ~(1 << CUT)
    if _has(edits, REPLACED):
        if count >= 3:
            for _ in range(1 + count // 12):
                rng = _mix(rng)
                at = 1 + _below(rng, count - 1)
                rng = _mix(rng)
                sentences[at], seeds[at] = _below(rng, num_sentences), _mix(rng)
        else:
            edits &= ~(1 << REPLACED)
    if _has(edits, MOVED):
        if count >= 4:
            rng = _mix(rng)
            at = 1 + _below(rng, count - 2)
            sentence, own_seed = sentences[at], seeds[at]
            _shift(sentences, seeds, at + 1, at, count - at - 1)
            sentences[count - 1], seeds[count - 1] = sentence, own_seed
        else:
            edits &= ~(1 << MOVED)
    if _has(edits, LEAD):
        if count >= 3 and count < MAX_SENTENCES:
            _shift(sentences, seeds, 0, 1, count)
            rng = _mix(rng)
            sentences[0], seeds[0] = _below(rng, num_sentences), _mix(rng)
            count += 1
        else:
            edits &= ~(1 << LEAD)
    return count, edits


@kernel
def _put(out, at, data, begin, end):
    for k in range(begin, end):
        out[at] = data[k]
        at += 1
    return at


@kernel
def _put_word(out, at, word, words):
    at = _put(out, at, words.data, words.offsets[word], words.offsets[word + 1])
    out[at] = 32
    return at + 1


@kernel
def _halves(sentence, own_seed, splice, tables):
    """Return the words of a sentence as two stretches of the stream, and a state to draw on from."""
    begin, end = tables.sentence_offsets[sentence], tables.sentence_offsets[sentence + 1]
    rng = _mix(own_seed)
    if _unit(rng) >= splice:
        return begin, end, end, end, rng
    rng = _mix(rng)
    other = _below(rng, len(tables.sentence_offsets) - 1)
    tail_end = tables.sentence_offsets[other + 1]
    return begin, (begin + end + 1) // 2, (tables.sentence_offsets[other] + tail_end) // 2, tail_end, rng


@kernel
def _put_sentence(out, at, sentence, own_seed, novelty, splice, typo_seed, limit, tables, respell):
    """Write up to `limit` words of a sentence, each with a space behind it."""
    begin, middle, tail, tail_end, rng = _halves(sentence, own_seed, splice, tables)
    length = min(middle - begin + tail_end - tail, limit)
    typo = typo_seed ^ own_seed
    words = tables.respelled if respell else tables.words
    for step in range(length):
        k = begin + step if step < middle - begin else tail + step - (middle - begin)
        word = tables.stream[k]
        rng = _mix(rng)
        if _unit(rng) < novelty:
            rng = _mix(rng)
            word = tables.stream[_below(rng, len(tables.stream))]
        if typo_seed != u64(0):
            typo = _mix(typo)
            if _unit(typo) < TYPO_SHARE:
                typo = _mix(typo)
                word = tables.stream[_below(typo, len(tables.stream))]
        at = _put_word(out, at, word, words)
    return at


@kernel
def _put_furniture(out, at, line, tables):
    for k in range(tables.furniture_offsets[line], tables.furniture_offsets[line + 1]):
        at = _put_word(out, at, tables.furniture[k], tables.words)
    return at


@kernel
def _put_number(out, at, number, digits):
    for k in range(digits - 1, -1, -1):
        out[at + k] = 48 + number % 10
        number //= 10
    return at + digits


@kernel
def _source_of(seed, number, base, tables):
    picks = tables.source_picks
    own = picks[_below(_start(seed, base, _SOURCE), len(picks))]
    if base == number:
        return own
    rng = _start(seed, number, _SOURCE)
    for _ in range(8):  # another outlet than the original's, where there are several
        pick = picks[_below(rng, len(picks))]
        if pick != own:
            return pick
        rng = _mix(rng)
    return own


@kernel
def write_articles(  # noqa: C901
    first, seed, tables, recipe, dates, keys, out, ends, bases, kinds, edited
):
    """Write JSON Lines for articles from number `first` on; return how many `out` had room for.

    `dates` uint8[n, 19]; `keys` are the constant parts of a line. Fills `ends` int64[n], the end of each
    line in `out`; `bases` int64[n], the number itself for an original; `kinds` int8[n]; `edited` int32[n].
    """
    sentences = np.empty(MAX_SENTENCES + 1, dtype=np.int64)
    seeds = np.empty(MAX_SENTENCES + 1, dtype=np.uint64)
    at = 0
    for row in range(len(ends)):
        number = first + row
        kind = kind_of(seed, number, recipe)
        base = number if kind == ORIGINAL else base_of(seed, number, recipe)
        count, novelty, splice = _plan_original(seed, base, tables, recipe, sentences, seeds)
        edits, rng = 0, u64(0)
        title, title_seed = sentences[0], seeds[0]
        if kind != ORIGINAL:
            edits, rng = _draw_edits(seed, number, recipe.edit_chances)
            if kind == CUT_COPY:
                if count >= 4:
                    edits = edits & ((1 << HEADLINE) | (1 << DATELINE) | (1 << SOURCE_LINE)) | (
                        1 << SHORTENED
                    )
                else:
                    kind = COPY
            if _has(edits, HEADLINE):
                title, title_seed = sentences[count - 1], seeds[count - 1]
            count, edits = _apply_edits(edits, rng, tables, sentences, seeds, count)
            if edits == 0:  # too short for what was drawn
                edits = 1 << DATELINE
        if at + _room(sentences, seeds, count, splice, tables) > len(out):
            return row
        respell = _has(edits, SPELLING)
        typo_seed = _mix(rng) | u64(1) if _has(edits, TYPOS) else u64(0)
        at = _put(out, at, keys.data, keys.offsets[0], keys.offsets[1])
        at = _put_number(out, at, number, 9)
        at = _put(out, at, keys.data, keys.offsets[1], keys.offsets[2])
        at = (
            _put_sentence(out, at, title, title_seed, novelty, splice, u64(0), TITLE_WORDS, tables, respell)
            - 1
        )
        at = _put(out, at, keys.data, keys.offsets[2], keys.offsets[3])
        if _has(edits, DATELINE):
            rng = _mix(rng)
            at = _put_furniture(out, at, _below(rng, tables.num_datelines), tables)
        for k in range(count):
            at = _put_sentence(
                out,
                at,
                sentences[k],
                seeds[k],
                novelty,
                splice,
                typo_seed,
                np.int64(1 << 40),
                tables,
                respell,
            )
            if seeds[k] & u64(3) == u64(0):  # a paragraph ends here
                at = _put(out, at - 1, keys.data, keys.offsets[5], keys.offsets[6])
        if _has(edits, SOURCE_LINE):
            rng = _mix(rng)
            num_lines = len(tables.furniture_offsets) - 1 - tables.num_datelines
            at = _put_furniture(out, at, tables.num_datelines + _below(rng, num_lines), tables)
        at = _put(out, at, keys.data, keys.offsets[3], keys.offsets[4])
        source = _source_of(seed, number, base, tables)
        names = tables.source_names
        at = _put(out, at, names.data, names.offsets[source], names.offsets[source + 1])
        at = _put(out, at, keys.data, keys.offsets[4], keys.offsets[5])
        at = _put(out, at, dates[row], 0, dates.shape[1])
        at = _put(out, at, keys.data, keys.offsets[6], keys.offsets[7])
        ends[row], bases[row], kinds[row], edited[row] = at, base, kind, edits
    return len(ends)


@kernel
def _room(sentences, seeds, count, splice, tables):
    """Return bytes enough for an article of the planned sentences, its title, and what stands around them."""
    total = 200
    for k in range(count):
        begin, middle, tail, tail_end, _ = _halves(sentences[k], seeds[k], splice, tables)
        total += middle - begin + tail_end - tail + 1
    return (MAX_WORD_BYTES + 1) * total
