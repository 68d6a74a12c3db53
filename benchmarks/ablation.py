"""What each number of the rule is worth: the judged pairs, scored with one setting changed at a time."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import numpy as np

import dedup
from benchmarks.quality import ARTICLES, DATA, HEADLINES, read_lines
from benchmarks.quality_scores import relations, score, score_articles
from dedup.match import headlines, wording
from dedup.run import arrivals, batch
from dedup.run.arrivals import posting_keys
from dedup.run.batch import group_sketches
from dedup.run.records import Columns, columns_of
from dedup.run.recurring import cut_lines
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.sketch.bands import Bands
from dedup.text.markers import pack_markers

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
LANES = (
    (10**6, 10**6, 32),
    (48, 96, 17),
    (32, 64, 17),
    (32, 64, 8),
    (32, 32, 17),
    (24, 48, 17),
    (16, 32, 17),
)
"""Sampled shingles in which an article waits and meets others, and bands of four rows."""

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
    sketches = _sketch(columns, dedup.Settings())
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
    for name, cut in _furniture(columns):
        say(f"ablation: {name}")
        settings = dedup.Settings()
        groups = group_sketches(columns.ids, columns.published, columns.sources, cut, settings)
        variants[name] = {
            "groups": len(groups),
            "links": len(groups.links),
            "articles_cut": int((groups.num_cut > 0).sum()),
            **score_articles(pairs, *relations(groups)),
        }
    lanes = {}
    for waiting, meeting, num_bands in LANES:
        name = f"waits in {waiting}, meets in {meeting} sampled shingles, {num_bands} bands"
        say(f"ablation: {name}")
        settings = dedup.Settings()
        vars(settings)["group_bands"] = Bands(num_bands, settings.group_bands.rows_per_band)
        with patch.object(wording, "MAX_WAITING", waiting), patch.object(wording, "MAX_MEETING", meeting):
            groups = group_sketches(columns.ids, columns.published, columns.sources, sketches, settings)
            with patch.object(arrivals, "MAX_WAITING", waiting):
                posted = posting_keys(sketches, settings)
        lanes[name] = {
            "groups": len(groups),
            "links": len(groups.links),
            "candidate_pairs": groups.scan.num_candidates,
            "waiting_rows_an_article": round(float(posted.waits.sum()) / len(sketches), 1),
            "looked_up_an_article": round(len(posted.keys) / len(sketches), 1),
            **score_articles(pairs, *relations(groups)),
        }
    return {
        "checks": {},
        "default": dedup.Settings().as_dict(),
        "variants": variants,
        "lanes": lanes,
        "headline_variants": _headline_variants(say),
    }


def _sketch(columns: Columns, settings: dedup.Settings) -> Sketches:
    return cut_lines(sketch_texts(columns.texts, settings), columns.sources, settings)


def _furniture(columns: Columns) -> Iterator[tuple[str, Sketches]]:
    """Yield the sketches with page furniture left in, and cut in one of the two ways."""
    settings, none = dedup.Settings(), np.empty(0, dtype=np.uint64)
    yield "furniture kept", _sketch(columns, dedup.Settings(furniture="keep"))
    marked = sketch_texts(columns.texts, settings)
    yield "furniture by markers alone", cut_lines(marked, columns.sources, settings, none)
    with patch("dedup.run.sketching.load_markers", lambda: pack_markers({})):
        unmarked = sketch_texts(columns.texts, settings)
    yield "furniture by recurring lines alone", cut_lines(unmarked, columns.sources, settings)


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
