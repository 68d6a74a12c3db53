"""What each number of the rule is worth: the judged pairs, scored with one setting changed at a time."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import dedup
from benchmarks.quality import ARTICLES, DATA, HEADLINES, read_lines, relations, score, score_articles
from dedup.match import headlines, wording
from dedup.run import batch
from dedup.run.batch import group_sketches
from dedup.run.records import columns_of
from dedup.run.sketching import sketch_texts

REPEATS = 1
SWEEPS: dict[str, tuple[float, ...]] = {
    "threshold": (0.22, 0.25, 0.28, 0.3, 0.32, 0.35, 0.4),
    "copy_length_ratio": (0.4, 0.5, 0.6, 0.7),
    "part_coverage": (0.4, 0.45, 0.5, 0.55, 0.6),
    "part_length_ratio": (0.65, 0.7, 0.75, 0.8),
    "formula_share": (0.5, 0.55, 0.6, 0.65, 0.7),
    "formula_threshold": (0.5, 0.55, 0.6, 0.7),
    "formula_coverage": (0.7, 0.8, 0.9),
    "min_shared": (0, 16, 24, 32),
}
EVIDENCE_SWEEPS: dict[str, tuple[float, ...]] = {
    "needed": (8.0, 10.0, 11.0, 13.0, 14.0, 16.0),
    "unshared": (0.0, 0.1, 0.3, 0.4),
    "gap": (0.0, 2.0, 3.0, 5.0, 6.0),
    "same_source": (0.0, 6.0, 8.0, 12.0, 14.0),
}
UNKNOWN_ALIKE = (0.0, 0.8)
FORMULA_DAYS = (4, 5, 6, 7)
MORE_DAYS_THAN_ANY = 1000


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the scores of each variant; see `benchmarks/README.md`."""
    del arguments, repeats
    if not (DATA / ARTICLES).exists():
        lacking.append(f"the judged pairs, {DATA / ARTICLES}")
        return {"checks": {}, "variants": {}}
    fields = dedup.Fields(text="body", date="date")
    columns = columns_of(list(read_lines(DATA / "saudi_2015-07.jsonl.xz")), dedup.Settings(), fields)
    sketches = sketch_texts(columns.texts, dedup.Settings())
    pairs = list(read_lines(DATA / ARTICLES))
    variants = {}
    for name, settings, days in _variants():
        say(f"ablation: {name}")
        with patch.object(wording, "FORMULA_DAYS", days):
            groups = group_sketches(columns.ids, columns.published, columns.sources, sketches, settings)
        variants[name] = {
            "groups": len(groups),
            "links": len(groups.links),
            "candidate_pairs": groups.scan.num_candidates,
            **score_articles(pairs, *relations(groups)),
        }
    return {
        "checks": {},
        "default": dedup.Settings().as_dict(),
        "variants": variants,
        "headline_variants": _headline_variants(say),
    }


def _headline_variants(say: Callable[[str], None]) -> dict[str, Any]:
    """Return the scores of headline variants with one number of their rule changed at a time."""
    settings, fields = dedup.Settings.of("headline"), dedup.Fields(date="date")
    columns = columns_of(list(read_lines(DATA / "saudi_2015-07.jsonl.xz")), settings, fields)
    sketches = sketch_texts(columns.texts, settings)
    pairs = list(read_lines(DATA / HEADLINES))
    default = batch.evidence_of(settings)
    changes = [(name, value) for name, values in EVIDENCE_SWEEPS.items() for value in values]
    variants = {}
    for name, value in [("default", 0.0), *changes, *(("unknown_alike", value) for value in UNKNOWN_ALIKE)]:
        say(f"ablation: headlines, {name} {value}")
        evidence = default._replace(**{name: value}) if name in EVIDENCE_SWEEPS else default
        alike = value if name == "unknown_alike" else headlines.UNKNOWN_ALIKE
        with (
            patch.object(batch, "evidence_of", lambda _, evidence=evidence: evidence),
            patch.object(headlines, "UNKNOWN_ALIKE", alike),
        ):
            groups = batch.group_sketches(columns.ids, columns.published, columns.sources, sketches, settings)
        variants["default" if name == "default" else f"{name} {value}"] = {
            "groups": len(groups),
            "candidate_pairs": groups.scan.num_candidates,
            **score(pairs, ("variant",), relations(groups)[0], weighted=False),
        }
    return variants


def _variants() -> Iterator[tuple[str, dedup.Settings, int]]:
    """Yield name, settings and days of a formula of each variant, the default first."""
    yield "default", dedup.Settings(), wording.FORMULA_DAYS
    for name, values in SWEEPS.items():
        for value in values:
            if value != getattr(dedup.Settings(), name):
                yield f"{name} {value}", dedup.Settings.of("article", **{name: value}), wording.FORMULA_DAYS
    for days in FORMULA_DAYS:
        if days != wording.FORMULA_DAYS:
            yield f"formula on {days} days", dedup.Settings(), days
    yield "formula by articles, not days", dedup.Settings(), MORE_DAYS_THAN_ANY
    plain = {"formula_threshold": 0.05, "formula_coverage": 0.0, "min_shared": 0}
    yield "no formula, numbers or least wording", dedup.Settings.of("article", **plain), wording.FORMULA_DAYS
