"""Articles in other orders than the canonical one: how far an index agrees with a batch."""

import argparse
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dedup
from benchmarks.quality import DATA, read_lines
from dedup.run.index_formulas import learn_formulas

REPEATS = 5
WEEK = DATA / "saudi_2015-07.jsonl.xz"
FIELDS = dedup.Fields(text="body", date="date")
EXAMPLES = Path(__file__).parent.parent / "examples" / "articles.jsonl"


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return agreement of `repeats` shuffled orders, and of the canonical order, with `find_groups`."""
    path, fields = (WEEK, FIELDS) if WEEK.exists() else (EXAMPLES, dedup.Fields())
    if path == EXAMPLES:
        lacking.append(f"the week of news, {WEEK}; the articles of examples/ stand in")
    articles = list(read_lines(path))[: arguments.limit]
    settings = dedup.Settings()
    groups = dedup.find_groups(articles, settings, fields=fields)
    expected = canonical_by_id(groups, articles)
    ordered = [articles[row] for row in groups.order]
    with tempfile.TemporaryDirectory(prefix="dedup-orders-") as folder:
        say("orders: the canonical order, to learn the formulas")
        with dedup.Index.open(f"{folder}/formulas", settings, fields=fields) as index:
            first = _fill(index, ordered)
            with index._store.reading() as connection:
                formulas, _ = learn_formulas(connection, settings)
        runs = {"canonical order": ordered}
        for seed in range(repeats):
            runs[f"shuffled, seed {seed}"] = random.Random(seed).sample(ordered, k=len(ordered))
        for seed in range(repeats):
            runs[f"shuffled within each day, seed {seed}"] = within_days(ordered, fields, seed)
        results = {}
        for number, (name, order) in enumerate(runs.items()):
            say(f"orders: {name}")
            with dedup.Index.open(f"{folder}/{number}", settings, fields=fields) as index:
                index.set_formulas(formulas, len(ordered))
                results[name] = agreement(expected, _fill(index, order))
    return {
        "checks": {
            "in canonical order the groups are those of a batch": results["canonical order"]["same_partition"]
        },
        "corpus": {"name": path.name, "num_articles": len(articles)},
        "settings": settings.as_dict(),
        "without_formulas_in_canonical_order": agreement(expected, first),
        "orders": results,
        "shuffled": _summary(results, "shuffled, seed"),
        "shuffled_within_each_day": _summary(results, "shuffled within"),
    }


def within_days(articles: list[dict[str, Any]], fields: dedup.Fields, seed: int) -> list[dict[str, Any]]:
    """Return the articles day by day as they stand, in any order within a day, as nights bring them."""
    rng = random.Random(seed)
    days: dict[str, list[dict[str, Any]]] = {}
    for article in articles:
        days.setdefault(str(article.get(fields.date) or "")[:10], []).append(article)
    return [article for day in days.values() for article in rng.sample(day, k=len(day))]


def _fill(index: dedup.Index, articles: Iterable[dict[str, Any]]) -> dict[Any, Any]:
    return {verdict.id: verdict.canonical_id for verdict in index.add_many(articles)}


def canonical_by_id(groups: dedup.Groups, articles: list[dict[str, Any]]) -> dict[Any, Any]:
    """Return the canonical of each article, its own id for one alone."""
    found = {article["id"]: article["id"] for article in articles}
    found |= {member.id: group.canonical_id for group in groups for member in group.members}
    return found


def agreement(expected: dict[Any, Any], found: dict[Any, Any]) -> dict[str, Any]:
    """Return how far two partitions of the same ids agree, the first taken as right.

    `adjusted_rand_index` as Hubert and Arabie, "Comparing partitions", Journal of Classification 2 (1985),
    equation 5; pairs are those of articles in one group.

    >>> agreement({1: 1, 2: 1, 3: 3}, {1: 2, 2: 2, 3: 3})["adjusted_rand_index"]
    1.0
    """
    if expected.keys() != found.keys():
        raise ValueError("the partitions are of different articles")
    both = _pairs(Counter((expected[id_], found[id_]) for id_ in expected))
    wanted, given = _pairs(Counter(expected.values())), _pairs(Counter(found.values()))
    everything = len(expected) * (len(expected) - 1) / 2
    chance = wanted * given / everything if everything else 0.0
    spread = (wanted + given) / 2 - chance
    return {
        "adjusted_rand_index": round((both - chance) / spread, 5) if spread else 1.0,
        "pair_precision": round(both / given, 5) if given else 1.0,
        "pair_recall": round(both / wanted, 5) if wanted else 1.0,
        "pairs": {"both": both, "batch": wanted, "index": given},
        "groups": sum(size > 1 for size in Counter(found.values()).values()),
        "same_partition": both == wanted == given,
    }


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _summary(results: dict[str, dict[str, Any]], prefix: str) -> dict[str, Any]:
    chosen = [result for name, result in results.items() if name.startswith(prefix)]
    names = ("adjusted_rand_index", "pair_precision", "pair_recall")
    return {
        name: {
            "mean": round(statistics.mean(result[name] for result in chosen), 5),
            "min": min(result[name] for result in chosen),
            "max": max(result[name] for result in chosen),
        }
        for name in names
    }
