"""The rule of groups: is one article a copy of another, a part of it, or neither?

Both articles' word shingle sets are at hand, A of the article and B of the canonical.

- *Copy*: Jaccard similarity at the threshold or above, and the smaller set has at least
  `copy_length_ratio` of the larger: a fuller story is never removed for a brief.
- *Part*: the smaller set is covered by the larger to `part_coverage`, and is clearly smaller; or it is
  covered to `formula_coverage` and no copy for want of evidence.
- *Other facts*: neither, where both articles hold numbers and these differ (see `facts`).
- *Unsure*: a copy needs `formula_threshold` and a part `formula_coverage` where `formula_share` of the
  shared wording or more is formula (see `wording`), where it is less than `min_shared` shingles, or where
  both articles go on alone (see `passages`).
- Short texts are copies by their character shingles too.
"""

from dedup.compiling import inner_kernel
from dedup.match.facts import other_facts
from dedup.match.passages import both_go_on_alone
from dedup.match.verify import (
    BY_WORDS,
    NO_MATCH,
    PART,
    WHOLE,
    alike_by_characters,
    in_window,
    jaccard_of,
    measure_article,
    most_shared_words,
    same_text,
    same_tokens,
    shared_of_laid_out,
)
from dedup.match.wording import formula_share


@inner_kernel
def judge(position, other, rows, sizes, features, rule, worded, is_formula, scratch):
    """Return what the loaded article at `position` is to the one at `other`, and the sizes of their sets.

    The kind is BY_WORDS or BY_CHARACTERS for a copy, PART (the loaded one is the part), WHOLE or
    NO_MATCH; then |A and B|, |A| and |B|. `sizes`
    int64[n, 2] holds set sizes by row, -1 where they are not known yet.
    """
    row, other_row = rows[position], rows[other]
    if not in_window(features.dates[row], features.dates[other_row], rule.window):
        return NO_MATCH, 0, 0, 0
    measure_article(other_row, features, rule, scratch, sizes)
    if same_tokens(row, other_row, features):
        return same_text(row, sizes)
    own, others = sizes[row, 0], sizes[other_row, 0]
    smaller = min(own, others)
    shared = 0
    is_part = False
    most = min(smaller, most_shared_words(row, other_row, features, rule, scratch)) if smaller > 0 else 0
    if most > 0 and (jaccard_of(most, own, others) >= rule.threshold or most >= rule.part_coverage * smaller):
        shared = shared_of_laid_out(row, other_row, features, rule, scratch, position)
        jaccard = jaccard_of(shared, own, others)
        ratio = smaller / max(own, others)
        is_copy = jaccard >= rule.threshold and ratio >= rule.copy_length_ratio
        is_part = shared >= rule.part_coverage * smaller and ratio <= rule.part_length_ratio
        if (is_copy or is_part) and other_facts(row, other_row, features, scratch):
            is_copy = is_part = False
        sure_copy = is_copy and jaccard >= rule.formula_threshold
        sure_part = own != others and shared >= rule.formula_coverage * smaller
        unsure = (is_copy and not sure_copy) or (is_part and not sure_part)
        if unsure and (
            shared < rule.min_shared
            or formula_share(position, other, worded, is_formula) >= rule.formula_share
            or both_go_on_alone(row, other_row, features, rule, scratch, position)
        ):
            is_copy, is_part = sure_copy, sure_part
        if is_copy:
            return BY_WORDS, shared, own, others
    by_characters = alike_by_characters(row, other_row, sizes, features, rule, scratch, position)
    # Facts second: of long texts, which have no character shingles, nobody needs to read them.
    if by_characters[0] != NO_MATCH and not other_facts(row, other_row, features, scratch):
        return by_characters
    if is_part:
        return (PART if own < others else WHOLE), shared, own, others
    return NO_MATCH, 0, 0, 0
