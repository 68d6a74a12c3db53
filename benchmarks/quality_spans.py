"""The judged pairs where the input is a single night, or a week at the end of months.

How widely a wording is spread is counted in days (`match.wording`). A night has no days to count; over
months an ordinary phrase is found on six days by chance. Both are measured here.
"""

import zlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import dedup
from benchmarks.quality_scores import Related, relations, same_group, score_articles
from dedup.match import wording

BEFORE_THE_WEEK = date(2015, 7, 20)
MONTHS_IN_DAYS = (60, 365, 1460)
ANY_DISTANCE = 10**6

Record = dict[str, Any]


def single_nights(
    records: list[Record], pairs: list[Record], fields: dedup.Fields, week: dedup.Groups
) -> dict[str, Any]:
    """Return the scores of pairs within one day: each day alone, beside the same pairs in the whole week."""
    day_of = {record["id"]: str(record["date"])[:10] for record in records}
    within = [pair for pair in pairs if day_of[pair["a"]] == day_of[pair["b"]]]
    days = sorted(set(day_of.values()))
    by_day = [[record for record in records if day_of[record["id"]] == day] for day in days]
    nights = [dedup.find_groups(part, fields=fields) for part in by_day]
    return {
        "pairs_within_a_day": len(within),
        "articles_a_day": [len(part) for part in by_day],
        "each day alone": score_articles(within, *_together(nights)),
        "the whole week": score_articles(within, *relations(week)),
    }


def _together(nights: list[dedup.Groups]) -> tuple[Related, Related]:
    """Return whether two ids are in one group of one night, and whether they are or a link joins these."""
    canonical_of: dict[Any, Any] = {}
    links: set[frozenset[Any]] = set()
    for groups in nights:
        of_night = dict(zip(groups.ids, (groups.ids[row] for row in groups.canonical_rows), strict=True))
        canonical_of |= of_night
        links |= {frozenset((of_night[x.part_id], of_night[x.whole_id])) for x in groups.links}
    same = same_group(canonical_of)
    return same, lambda a, b: same(a, b) or frozenset((canonical_of[a], canonical_of[b])) in links


def months(
    records: list[Record], pairs: list[Record], older: list[Record], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the scores of the week behind `older` articles, spread evenly by their ids over many days."""
    fields = dedup.Fields(text="body", date="date")
    scores = {}
    for days in MONTHS_IN_DAYS:
        say(f"quality: the week behind {days} days")
        behind = [record | {"date": _some_day(record["id"], days)} for record in older]
        for name, span in (("within a week", wording.FORMULA_SPAN), ("at any distance", ANY_DISTANCE)):
            with patch.object(wording, "FORMULA_SPAN", span):
                groups = dedup.find_groups([*records, *behind], fields=fields)
            scores[f"{days} days before, formula's days {name}"] = score_articles(pairs, *relations(groups))
    return {"older_articles": len(older), "scores": scores}


def _some_day(article_id: str, days: int) -> str:
    return str(BEFORE_THE_WEEK - timedelta(zlib.crc32(article_id.encode()) % days))
