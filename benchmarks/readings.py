"""What readers found in three corpora: precision of drawn groups and links, and what is related today.

The draws, with their verdicts, are in `judgements/`; the texts are not part of the project.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dedup
from benchmarks.quality import DATA, read_lines
from benchmarks.quality_scores import relations

REPEATS = 1
JUDGEMENTS = Path(__file__).parent / "judgements"
DRAWS = {
    "saudi_2015-07": ("saudi_2015-07", dedup.Fields(text="body", date="date")),
    "khaleej": ("khaleej", dedup.Fields(text="body")),
    "khaleej_rule_2": ("khaleej", dedup.Fields(text="body")),
    "ant_jawhara": ("ant_jawhara", dedup.Fields(text="body", date="date")),
}
"""The corpus of each draw. Half of the dates of the last are in a form that is not read."""

RIGHT = ("copy", "cut_copy")
_Z = 1.959964  # of a 95 % interval


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the counts of each draw; see `benchmarks/README.md`."""
    del arguments, repeats
    corpora: dict[str, dedup.Groups] = {}
    draws = {}
    for draw, (corpus, fields) in DRAWS.items():
        path = DATA / f"{corpus}.jsonl.xz"
        if corpus not in corpora:
            if not path.exists():
                lacking.append(f"the articles of {draw}, {path}")
                continue
            say(f"readings: {corpus}")
            corpora[corpus] = dedup.find_groups(list(read_lines(path)), fields=fields)
        draws[draw] = count_draw(draw, corpora[corpus])
    return {"checks": {}, "settings": dedup.Settings().as_dict(), "draws": draws}


def count_draw(draw: str, groups: dedup.Groups) -> dict[str, Any]:
    """Return what was right when it was drawn, and which judged pairs `groups` relate."""
    grouped, related = relations(groups)
    drawn = list(read_lines(JUDGEMENTS / f"groups_{draw}.jsonl"))
    links = list(read_lines(JUDGEMENTS / f"links_{draw}.jsonl"))
    members = [(group["canonical_id"], member) for group in drawn for member in group["members"]]
    return {
        "groups_of_copies_and_cut_copies": share(
            sum(group["verdict"] != "wrong" for group in drawn), len(drawn)
        ),
        "links_right": share(sum(link["verdict"] in RIGHT for link in links), len(links)),
        "members": _counted((m["verdict"], grouped(canonical, m["id"])) for canonical, m in members),
        "links": _counted((x["verdict"], related(x["part_id"], x["whole_id"])) for x in links),
        "wrong_by_note": dict(
            Counter(group["note"] for group in drawn if group["verdict"] == "wrong").most_common()
        ),
    }


def share(right: int, count: int) -> dict[str, Any]:
    """Return a share with its Wilson interval (95 %).

    >>> share(45, 50)
    {'right': 45, 'of': 50, 'share': 0.9, 'low': 0.786, 'high': 0.957}
    """
    p = right / count
    middle = (p + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z * (p * (1 - p) / count + _Z**2 / (4 * count**2)) ** 0.5 / (1 + _Z**2 / count)
    low, high = round(middle - half, 3), round(middle + half, 3)
    return {"right": right, "of": count, "share": round(p, 3), "low": low, "high": high}


def _counted(verdicts: Any) -> dict[str, str]:
    """Return "related today of judged" for each verdict."""
    judged: Counter[str] = Counter()
    today: Counter[str] = Counter()
    for verdict, is_related in verdicts:
        judged[verdict] += 1
        today[verdict] += is_related
    return {verdict: f"{today[verdict]} of {count}" for verdict, count in judged.most_common()}
