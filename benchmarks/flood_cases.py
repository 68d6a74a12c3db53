"""The articles of the floods: invented words, a fixed seed, nothing from any corpus.

Words are drawn from `NUM_WORDS` invented ones with the frequencies of Zipf and Mandelbrot, proportional
to 1 / (rank + 2.7), so that common shingles repeat by chance as they do in language.

Two articles that share a template of a share s of their n words, the rest distinct, have m = s n - 2 word
3-grams in common out of n - 2 each: J = m / (2 (n - 2) - m). At n = 200 that is 0.17 for 30%, 0.33 for
50%, 0.42 for 60%, 0.53 for 70% and 0.66 for 80%. A template that hundreds share is a formula, and articles
that share a formula are copies from `formula_threshold` on, which is 0.6: the last are, the others are not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

WORDS_AN_ARTICLE = 200
NUM_WORDS = 50_000
SEED = 20150721
LETTERS = np.array(list("ابتثجحخدذرزسشصضطظعغفقكلمنهوي"))


class Vocabulary:
    """Invented words of two to seven Arabic letters, and a seeded stream of draws from them."""

    def __init__(self, seed: int = SEED) -> None:
        self.generator = np.random.default_rng(seed)
        self.words = [self._invent() for _ in range(NUM_WORDS)]
        weights = 1 / (np.arange(NUM_WORDS) + 2.7)
        self.cumulated = np.cumsum(weights / weights.sum())

    def _invent(self) -> str:
        return "".join(self.generator.choice(LETTERS, self.generator.integers(2, 8)))

    def draw(self, count: int) -> list[str]:
        """Return `count` words, independent of each other."""
        ranks = np.searchsorted(self.cumulated, self.generator.random(count))
        return [self.words[rank] for rank in np.minimum(ranks, NUM_WORDS - 1)]


def identical(vocabulary: Vocabulary) -> Iterator[str]:
    """Yield one article for ever."""
    text = " ".join(vocabulary.draw(WORDS_AN_ARTICLE))
    while True:
        yield text


def near_identical(vocabulary: Vocabulary) -> Iterator[str]:
    """Yield an article for ever with one word, at any place, replaced by a word that is nowhere else."""
    base = vocabulary.draw(WORDS_AN_ARTICLE)
    number = 0
    while True:
        words = list(base)
        words[int(vocabulary.generator.integers(WORDS_AN_ARTICLE))] = spell(number)
        yield " ".join(words)
        number += 1


def templated(share: float) -> Callable[[Vocabulary], Iterator[str]]:
    """Return a case: articles that begin with one template, `share` of their words, and go on distinct."""

    def articles(vocabulary: Vocabulary) -> Iterator[str]:
        template = vocabulary.draw(round(share * WORDS_AN_ARTICLE))
        while True:
            yield " ".join(template + vocabulary.draw(WORDS_AN_ARTICLE - len(template)))

    return articles


def spell(number: int) -> str:
    """Return a word of at least eight letters, another for each number; the vocabulary has none so long.

    >>> len({spell(number) for number in range(2000)}), min(len(spell(number)) for number in range(100))
    (2000, 8)
    """
    letters = []
    for _ in range(8):
        number, letter = divmod(number, len(LETTERS))
        letters.append(str(LETTERS[letter]))
    return "".join(letters)


@dataclass(frozen=True)
class Case:
    """A kind of articles, the Jaccard similarity of two of them, and whether they are one group or none."""

    what: str
    articles: Callable[[Vocabulary], Iterator[str]]
    jaccard: float
    one_group: bool


CASES = {
    "distinct": Case("distinct articles, the baseline", templated(0.0), 0.0, one_group=False),
    "identical": Case("one article, again and again", identical, 1.0, one_group=True),
    "near_identical": Case(
        "one article, each time with one word of its own", near_identical, 0.94, one_group=True
    ),
    "template_30": Case("30% of the words are one template", templated(0.3), 0.17, one_group=False),
    "template_50": Case("50% of the words are one template", templated(0.5), 0.33, one_group=False),
    "template_60": Case("60% of the words are one template", templated(0.6), 0.42, one_group=False),
    "template_70": Case("70% of the words are one template", templated(0.7), 0.53, one_group=False),
    "template_80": Case("80% of the words are one template", templated(0.8), 0.66, one_group=True),
}
