"""Two texts compared: `compare`."""

from typing import Literal

import numpy as np

from dedup.arguments import require_text
from dedup.articles import MISSING_DATE, Comparison, Shingles
from dedup.match.facts import other_facts
from dedup.match.judge import judge
from dedup.match.passages import both_go_on_alone
from dedup.match.verify import (
    BY_CHARACTERS,
    NO_MATCH,
    PART,
    Features,
    Rule,
    Scratch,
    jaccard_of,
    load_article,
    make_scratch,
    shared_characters,
    shared_words,
)
from dedup.match.waiting import start_waiting
from dedup.match.wording import find_wording
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.stages import features_of, rule_of
from dedup.run.text_arrays import text_array
from dedup.settings import Settings, checked_settings
from dedup.sketch.signatures import estimate_jaccard


def compare(a: str, b: str, settings: Settings | None = None) -> Comparison:
    """Return how alike two texts are and whether one is a copy or a part of the other, with the reason.

    Two texts alone do not tell which wording is a formula: `find_groups` does, and may keep apart two
    market reports that this calls near.

    >>> comparison = compare("Prices rose on Monday, the bank said", "PRICES rose on Monday the bank said!")
    >>> comparison.verdict, comparison.jaccard
    ('exact', 1.0)
    """
    require_text("a", a)
    require_text("b", b)
    settings = checked_settings(settings)
    sketches = sketch_texts(text_array([a, b]), settings)
    features, rule = features_of(sketches, np.full(2, MISSING_DATE)), rule_of(settings)
    scratch = make_scratch(int(sketches.num_tokens.max()), len(sketches.character_hashes))
    sizes = np.array([load_article(row, features, rule, scratch, row) for row in (1, 0)])[::-1].copy()
    rows, both = np.arange(2), np.ones(2, dtype=np.bool_)
    wording = find_wording(features, rule, rows, both, both)
    kind, *_ = judge(
        0, 1, rows, sizes, features, rule, start_waiting(wording.buckets, 0), wording.is_formula, scratch
    )
    load_article(0, features, rule, scratch, 2)  # a loaded set is counted against another set once
    shared = (
        shared_words(0, 1, features, rule, scratch, 2),
        shared_characters(0, 1, features, scratch, 2),
    )
    column = 1 if kind == BY_CHARACTERS or not settings.uses_words or not sizes[:, 0].all() else 0
    jaccard = float(jaccard_of(shared[column], *sizes[:, column]))
    shingles: Shingles = "characters" if column else "words"
    coverage = float(shared[column] / max(1, sizes[:, column].min()))
    verdict, reason = _verdict(sketches, kind, jaccard, coverage, shingles)
    if verdict == "different" and max(jaccard / rule.threshold, coverage / rule.part_coverage) >= 1:
        reason += _what_is_asked(shared[0], features, rule, scratch)
    signatures = sketches.character_signatures if column else sketches.signatures
    if verdict == "exact":
        return Comparison(1.0, 1.0, 1.0, 1.0, shingles, verdict, reason)
    return Comparison(
        jaccard=jaccard,
        coverage_a=float(shared[column] / max(1, sizes[0, column])),
        coverage_b=float(shared[column] / max(1, sizes[1, column])),
        estimated_jaccard=estimate_jaccard(*signatures) if len(signatures) == 2 else 0.0,
        shingles=shingles,
        verdict=verdict,
        reason=reason,
    )


def _verdict(
    sketches: Sketches, kind: int, jaccard: float, coverage: float, shingles: Shingles
) -> tuple[Literal["exact", "near", "part", "different"], str]:
    lengths = sketches.num_tokens
    if not lengths.all():
        return "different", "a text without a word matches nothing"
    first, second = np.split(sketches.tokens, [lengths[0]])
    if np.array_equal(first, second):
        return "exact", "the same words in the same order once both are normalised"
    unit = shingles.removesuffix("s")  # "words" are compared by word shingles
    figures = f"Jaccard {jaccard:.3f} of {unit} shingles, the smaller set covered to {coverage:.3f}"
    if kind == NO_MATCH:
        return "different", f"{figures}: neither a copy nor a part"
    if kind < PART:
        return "near", f"{figures}: a copy"
    return "part", f"{figures}: the {'first' if kind == PART else 'second'} text is a part of the other"


def _what_is_asked(num_shared: int, features: Features, rule: Rule, scratch: Scratch) -> str:
    """Return why two texts are different that share enough for a copy or a part at first sight.

    `shared_words` was called for them just before, under the number 2.
    """
    if other_facts(0, 1, features, scratch):
        return "; they hold other numbers"
    more = f"a copy needs Jaccard {rule.formula_threshold:g}, a part coverage {rule.formula_coverage:g}"
    if num_shared < rule.min_shared:
        return f"; of fewer than {rule.min_shared} shared shingles {more}"
    if both_go_on_alone(0, 1, features, rule, scratch, 2):
        return f"; where each has passages of its own {more}"
    return ""
