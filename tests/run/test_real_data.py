"""On real articles, where they are at hand: all pairs against brute force, and the page of the seed.

The texts may not be redistributed with the project; where they are absent these tests are skipped.
"""

import json
import lzma
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse

import dedup
from dedup import Fields, Settings, find_groups, find_pairs
from dedup.text import reference
from dedup.text.fold_table import SEPARATOR_CODE_POINT, SINGLE, load_fold_table

SHARED = Path(dedup.__file__).parents[2] / "shared"
ARTICLES = SHARED / "data" / "saudi_2015-07.jsonl.xz"
PAGE = SHARED / "seed" / "page.txt"

BODY = Fields(text="body", date="date")

needs_articles = pytest.mark.skipif(not ARTICLES.exists(), reason="the articles are not at hand")


@cache
def read_articles() -> list[dict[str, Any]]:
    with lzma.open(ARTICLES, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class _Words(dict[int, str]):
    """What `str.translate` puts for a character, by the plain reference: its words, set off by spaces."""

    def __missing__(self, code_point: int) -> str:
        table = load_fold_table()
        folded = reference.fold(chr(code_point))
        parts = [f" {chr(part)} " if table.entry(part) & SINGLE else chr(part) for part in folded]
        self[code_point] = "".join(parts)
        return self[code_point]


def shingle_sets(texts: list[str], size: int = 3) -> scipy.sparse.csr_matrix:
    """Return texts by shingles, 1 where a text has a shingle; numbers of words stand for hashes."""
    fold, numbers = _Words(), {}
    rows, shingles = [], []
    for row, text in enumerate(texts):
        words = [word for word in text.translate(fold).split(chr(SEPARATOR_CODE_POINT)) if word]
        if row % 500 == 0:
            assert words == reference.tokens(text)
        ids = np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int64)
        count = max(0, len(ids) - size + 1)
        together = np.zeros(count, dtype=np.int64)
        for k in range(size):
            together = (together << 21) | ids[k : k + count]
        shingles.append(np.unique(together))
        rows.append(np.full(len(shingles[-1]), row))
    assert len(numbers) < 1 << 21
    _, columns = np.unique(np.concatenate(shingles), return_inverse=True)
    ones = np.ones(len(columns), dtype=np.int32)
    return scipy.sparse.csr_matrix(
        (ones, (np.concatenate(rows), columns)), shape=(len(texts), columns.max() + 1)
    )


def pairs_by_brute_force(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    """Return the Jaccard similarity of all pairs of texts at or above the threshold."""
    sets = shingle_sets(texts)
    sizes = np.asarray(sets.sum(axis=1)).ravel()
    shared_by_two = np.asarray(sets.sum(axis=0)).ravel() > 1
    sets = sets[:, shared_by_two]
    inverted = sets.T.tocsr()
    pairs = {}
    for start in range(0, len(texts), 1000):
        product = (sets[start : start + 1000] @ inverted).tocoo()
        a, b, shared = product.row + start, product.col, product.data
        later = a < b
        a, b, shared = a[later], b[later], shared[later]
        jaccard = shared / (sizes[a] + sizes[b] - shared)
        above = jaccard >= threshold
        pairs.update(
            zip(zip(a[above].tolist(), b[above].tolist(), strict=True), jaccard[above].tolist(), strict=True)
        )
    return pairs


@needs_articles
@pytest.mark.parametrize(("threshold", "every"), [(None, 1), (0.5, 2)])
def test_pairs_of_real_articles_are_those_of_brute_force(threshold: float | None, every: int) -> None:
    articles = read_articles()[::every]
    chosen = Settings.of("article", furniture="keep", **({"threshold": threshold} if threshold else {}))
    expected = pairs_by_brute_force([article["body"] for article in articles], chosen.threshold)
    found = find_pairs(articles, chosen, fields=BODY, num_threads=2)
    by_words: dict[tuple[int, int], float] = {}
    rows: npt.NDArray[np.int64] = found.rows
    for (a, b), jaccard, words in zip(rows.tolist(), found.jaccard.tolist(), found.by_words, strict=True):
        if words:
            by_words[a, b] = jaccard
        else:
            assert len(reference.tokens(articles[a]["body"])) <= chosen.max_short_words
    assert len(expected) > 100
    assert set(by_words) <= set(expected)
    for pair, jaccard in by_words.items():
        assert jaccard == pytest.approx(expected[pair])
    recall = len(by_words) / len(expected)
    assert recall >= 0.995, f"{len(expected) - len(by_words)} of {len(expected)} pairs were missed"


@needs_articles
def test_groups_of_real_articles_ignore_their_order_and_hold_copies_only() -> None:
    articles = read_articles()[::4]
    groups = find_groups(articles, fields=BODY)
    order = np.random.default_rng(1).permutation(len(articles))
    shuffled = find_groups([articles[row] for row in order], fields=BODY, num_threads=2)
    assert list(groups) == list(shuffled)
    assert groups.links == shuffled.links
    assert len(groups) > 100
    settings = Settings()
    for group in groups:
        assert all(
            member.jaccard >= min(settings.threshold, settings.short_threshold) for member in group.members
        )
        assert len({member.id for member in group.members}) == group.size


@pytest.mark.skipif(not PAGE.exists(), reason="the page is not at hand")
def test_headlines_of_the_page_that_are_variants_are_one_group_and_the_others_stay_alone() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    headlines = [match[1] for line in lines if (match := re.match(r"\s*•\s*(.*\S)", line))][-10:]
    records = [{"id": number, "title": title} for number, title in enumerate(headlines)]
    variants = {record["id"] for record in records if "الخيارات العسكرية" in str(record["title"])}
    assert (len(records), len(variants)) == (10, 3)
    groups = find_groups(records, Settings.of("headline"))
    assert [{member.id for member in group.members} for group in groups] == [variants]
    assert groups.num_copies == 2
