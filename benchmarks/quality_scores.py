"""Scores of groups and links on judged pairs: precision, recall, F1, and counts by kind of error."""

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.metrics import precision_recall_fscore_support

import dedup

COARSE_STRATUM = "J<.2"  # few pairs that stand for very many; left out of the weighted figures
NEGATIVE = ("template", "diff")

Related = Callable[[Any, Any], bool]


def relations(groups: dedup.Groups) -> tuple[Related, Related]:
    """Return whether two ids are in one group, and whether they are or a link joins their groups."""
    canonical_of = dict(zip(groups.ids, (groups.ids[row] for row in groups.canonical_rows), strict=True))
    links = {frozenset((canonical_of[x.part_id], canonical_of[x.whole_id])) for x in groups.links}
    same = same_group(canonical_of)
    return same, lambda a, b: same(a, b) or frozenset((canonical_of[a], canonical_of[b])) in links


def same_group(group_of: Mapping[Any, Any]) -> Related:
    """Return whether two ids have the same group."""
    return lambda a, b: bool(group_of[a] == group_of[b])


def score_articles(pairs: list[dict[str, Any]], grouped: Related, related: Related) -> dict[str, Any]:
    """Return the scores of copies, and of copies and cut copies together, and how partial pairs fared."""
    partial = [pair for pair in pairs if pair["label"] == "partial"]
    return {
        "copies": {
            "weighted": score(pairs, ("copy",), grouped, weighted=True),
            "plain": score(pairs, ("copy",), grouped, weighted=False),
        },
        "copies_and_cut_copies": {
            "weighted": score(pairs, ("copy", "cut_copy"), related, weighted=True),
            "plain": score(pairs, ("copy", "cut_copy"), related, weighted=False),
        },
        "partial_pairs": {
            "judged": len(partial),
            "grouped": sum(grouped(pair["a"], pair["b"]) for pair in partial),
            "grouped_or_linked": sum(related(pair["a"], pair["b"]) for pair in partial),
        },
    }


def score(
    pairs: list[dict[str, Any]], positive: tuple[str, ...], found: Related, *, weighted: bool
) -> dict[str, Any]:
    """Return precision, recall and F1 of `found` against the positive labels and the negative ones."""
    chosen = [pair for pair in pairs if pair["label"] in (*positive, *NEGATIVE)]
    if weighted:
        chosen = [pair for pair in chosen if pair["stratum"] != COARSE_STRATUM]
    truth = [pair["label"] in positive for pair in chosen]
    answers = [found(pair["a"], pair["b"]) for pair in chosen]
    weights = [pair["weight"] if weighted else 1.0 for pair in chosen]
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, answers, average="binary", sample_weight=weights, zero_division=0.0
    )
    wrong = sum(answer and not label for answer, label in zip(answers, truth, strict=True))
    missed = sum(label and not answer for answer, label in zip(answers, truth, strict=True))
    figures = {"precision": float(precision), "recall": float(recall), "f1": float(f1)}
    rounded = {name: round(value, 4) for name, value in figures.items()}
    return {"pairs": len(chosen), **rounded, "found_wrongly": wrong, "missed": missed}


def count_errors(pairs: list[dict[str, Any]], grouped: Related, related: Related) -> dict[str, str]:
    """Return "wrong of judged" for each kind of error, every judged pair counted once."""

    def count(label: str, wrong: Callable[[Any, Any], bool]) -> str:
        of_label = [pair for pair in pairs if pair["label"] == label]
        return f"{sum(wrong(pair['a'], pair['b']) for pair in of_label)} of {len(of_label)}"

    return {
        "copies missed": count("copy", lambda a, b: not grouped(a, b)),
        "cut copies missed": count("cut_copy", lambda a, b: not related(a, b)),
        "templates grouped": count("template", grouped),
        "templates linked": count("template", lambda a, b: related(a, b) and not grouped(a, b)),
        "different grouped": count("diff", grouped),
        "different linked": count("diff", lambda a, b: related(a, b) and not grouped(a, b)),
        "partial grouped": count("partial", grouped),
        "partial linked": count("partial", lambda a, b: related(a, b) and not grouped(a, b)),
    }
