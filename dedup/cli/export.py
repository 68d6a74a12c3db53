"""Rows of an index as they are exported: times as text."""

import datetime
from typing import Any

from dedup.articles import Change, HeldArticle
from dedup.formats.results import change_record


def article_record(article: HeldArticle) -> dict[str, Any]:
    """Return what is kept of an article as it is written."""
    return {
        "id": article.id,
        "group_id": article.group_id,
        "canonical_id": article.canonical_id,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": None if article.published_at is None else _time(article.published_at),
        "words": article.num_words,
        "added_at": _time(article.added_at),
    }


def change_with_time(change: Change) -> dict[str, Any]:
    """Return a change as it is written, and when it was made."""
    return {**change_record(change), "at": _time(change.at)}


def _time(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
