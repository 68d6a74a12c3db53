"""What a killed process was at: series of steps on an index, made of invented words from a seed.

A step is a tuple: what to do, and with what. Each step can be done again after it was cut short.
"""

import random
from collections.abc import Iterator
from typing import Any

import dedup
from benchmarks.kill_nights import nights_of, run_night

Article = dict[str, Any]
Step = tuple[str, Any]

KINDS = ("add", "add_many", "update", "prune", "night")
BATCH_SIZE = 16
NUM_STORIES = 12
_WORDS = [f"word{number}" for number in range(600)]


def articles_of(seed: int, count: int) -> list[Article]:
    """Return dated articles of a few stories, many of them copies, some cut, some empty or short."""
    rng = random.Random(seed)
    stories = [rng.choices(_WORDS, k=rng.choice([8, 60, 200, 300])) for _ in range(NUM_STORIES)]
    return [
        {
            "id": number if number % 7 == 0 else f"a{number}",
            "title": "version 1",
            "text": _copy(rng, rng.choice(stories)),
            "published_at": f"2026-01-{1 + number * 28 // count:02}T{number % 24:02}:00:00",
        }
        for number in range(count)
    ]


def _copy(rng: random.Random, story: list[str]) -> str:
    words = list(story)
    for _ in range(rng.choice([0, 1, 1, 5, 40])):
        words[rng.randrange(len(words))] = rng.choice(_WORDS)
    return " ".join(rng.choice([words, words, words, words[: len(words) // 2], words[:3], []]))


def steps_of(kind: str, seed: int, count: int) -> list[Step]:
    """Return the steps of a life of an index: articles come in, and then what `kind` names."""
    rng = random.Random(f"{kind} {seed}")
    articles = articles_of(seed, count)
    if kind == "add":
        return [("add", article) for article in articles]
    if kind == "night":
        texts = [article["text"] for article in articles_of(seed + 1, count)]
        return [("night", night) for night in nights_of(articles, texts, rng)]
    batches = [("add_many", articles[start : start + BATCH_SIZE]) for start in range(0, count, BATCH_SIZE)]
    if kind == "update":
        texts = [article["text"] for article in articles_of(seed + 1, count // 2)]
        updates = [
            ("update", {**rng.choice(articles), "title": f"version {2 + number}", "text": text})
            for number, text in enumerate(texts)
        ]
        return [*batches, *updates]
    if kind == "prune":
        dates = [f"2026-01-{day:02}" for day in (6, 13, 21, 27)]
        return [*batches, *(("prune", date) for date in dates), *batches[: len(batches) // 2]]
    return [*batches]


def do_step(index: dedup.Index, step: Step) -> Iterator[str]:
    """Do a step; yield the id of each article once it is durable."""
    name, subject = step
    if name == "prune":
        index.prune(before=subject)
    elif name == "night":
        run_night(index, subject)
        yield from (str(article["id"]) for article in subject.articles)
    elif name == "add_many":
        yield from (str(verdict.id) for verdict in index.add_many(subject, batch_size=BATCH_SIZE))
    else:
        yield str(getattr(index, name)(subject).id)


def _articles_in(step: Step) -> list[Article]:
    name, subject = step
    if name == "night":
        return list(subject.articles)
    return list(subject) if name == "add_many" else [subject]


class Promised:
    """What an index must hold by the steps that are done: id to the title of the version it has.

    `open` are the ids of the step that was under way: each may hold what it held, or what it would.
    """

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        self.open: dict[str, set[str | None]] = {}
        self._dates: dict[str, str] = {}

    def done(self, step: Step) -> None:
        """Take in a step that is done."""
        name, subject = step
        if name == "prune":
            for id_ in self._pruned(subject):
                del self.titles[id_]
            return
        for article in _articles_in(step):
            self.acknowledged(article)

    def acknowledged(self, article: Article) -> None:
        """Take in an article that is durable."""
        self.titles[str(article["id"])] = article["title"]
        self._dates[str(article["id"])] = article["published_at"]

    def under_way(self, step: Step, num_acknowledged: int) -> None:
        """Take in a step that was cut short after so many of its articles were acknowledged."""
        name, subject = step
        if name == "prune":
            self.open = {id_: {self.titles.pop(id_), None} for id_ in self._pruned(subject)}
            return
        articles = _articles_in(step)
        for article in articles[:num_acknowledged]:
            self.acknowledged(article)
        for article in articles[num_acknowledged:]:
            id_ = str(article["id"])
            self.open[id_] = {self.titles.pop(id_, None), article["title"]}

    def _pruned(self, before: str) -> list[str]:
        return [id_ for id_ in self.titles if self._dates[id_] < before]

    def broken(self, index: dedup.Index) -> list[str]:
        """Return in words which promises the index does not keep."""
        problems = list(index.verify())
        for id_, allowed in [*((id_, {title}) for id_, title in self.titles.items()), *self.open.items()]:
            held = index.get(id_)
            title = None if held is None else held.title
            if title not in allowed:
                problems.append(f"article {id_} is {title}, promised {allowed}")
        num_held = index.stats()["articles"]
        least = len(self.titles) + sum(None not in allowed for allowed in self.open.values())
        if not least <= num_held <= len(self.titles) + len(self.open):
            problems.append(f"{num_held} articles are held, {least} promised")
        return problems


def state_of(index: dedup.Index) -> dict[str, Any]:
    """Return all that an index answers, but for times."""
    return {
        "groups": list(index.groups()),
        "links": index.links(),
        "changes": [
            (c.seq, c.kind, c.group_id, c.article_id, c.canonical_id, c.from_group_id)
            for c in index.changes_since()
        ],
        "stats": {name: value for name, value in index.stats().items() if name in _COUNTS},
    }


_COUNTS = ("articles", "copies", "groups", "links", "changes", "formula_version")
