"""Passages: does each of two articles go on alone?

A copy is edited throughout: words are changed here and there, a paragraph is dropped or added on one
side. Two articles that share a passage and then each tell a story of their own (a questions column with
one answer in common, a column written anew, a report with yesterday's as its background) have long runs
of words that the other does not hold, on both sides.
"""

from dedup.compiling import inner_kernel
from dedup.match.verify import lay_out_shingles, table_mask

PASSAGE_WORDS = 30
"""A run of so many words without a shared shingle is a passage, not an edit."""

OWN_WORDS = 60
OWN_SHARE = 0.1
"""Words in passages that both articles must have to themselves, and their share of each. Judged copies of the
week have 51 such words at most, half of the partial ones of a daily have 75 or more; from 52 to 69 no judged
pair changes. Of a long text, a tenth."""


@inner_kernel
def both_go_on_alone(loaded, row, features, rule, scratch, owner):
    """Return whether both articles hold `OWN_WORDS` and `OWN_SHARE` in passages that the other does not.

    `shared_words` or `shared_of_laid_out` was called for the two just before: `readers` has what they share.
    """
    for article in (row, loaded):
        num_words = features.token_ends[article] - features.token_begins[article]
        needed = max(OWN_WORDS, OWN_SHARE * num_words)
        if _own_words(article, loaded, row, features, rule, scratch, owner) < needed:
            return False
    return True


@inner_kernel
def _own_words(article, loaded, row, features, rule, scratch, owner):
    """Return the number of words of one of the two in passages that the other does not hold."""
    size = rule.shingle_size
    table = scratch.words
    loaded_length = max(0, features.token_ends[loaded] - features.token_begins[loaded] - size + 1)
    mask = table_mask(table, loaded_length)
    num_words = features.token_ends[article] - features.token_begins[article]
    count = lay_out_shingles(article, features, rule, scratch)
    own = 0
    covered = 0  # words up to here are covered, or counted
    for k in range(count):
        value = scratch.shingles[k]
        slot = int(value) & mask
        while table.owners[slot] == owner and table.keys[slot] != value:
            slot = (slot + 1) & mask
        if table.owners[slot] == owner and table.readers[slot] == row:
            if k - covered >= PASSAGE_WORDS:
                own += k - covered
            covered = k + size
    if num_words - covered >= PASSAGE_WORDS:
        own += num_words - covered
    return own
