"""The material of generated articles: the sentences of real ones, as tables of words.

Real articles are those of the development data, which may not be redistributed: a pool is made in
memory and never written. Without them the project's examples serve, which are few, and say so.
"""

import json
import lzma
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.environment import ROOT

DATA = ROOT.parent / "shared" / "data"
EXAMPLES = ROOT / "examples" / "articles.jsonl"
ARTICLE_FILES = ("saudi_2015-07.jsonl.xz", "ant_jawhara.jsonl.xz", "khaleej.jsonl.xz")
DATED_FILE = ARTICLE_FILES[0]
"""One week of several outlets: its dates and sources are those of generated articles."""
PAIR_FILE = "tgcontest_pairs_ru_en.jsonl.xz"

_SENTENCE_END = re.compile(r"(?<=[.!?؟])(?![\d.!?؟])\s*|\n+")
_RESPELLINGS = str.maketrans("أإآىة", "اااي" + "ه")
"""Spelling as many outlets do it: hamza off, final ya and ta marbuta without dots; our folds know it."""

MAX_CHARACTERS = 16
"""Of a word, four bytes each at most (or two, escaped): longer ones, mostly addresses, are left out."""

DATELINES = (
    "الرياض - وكالة مدار للأنباء:",
    "القاهرة (رويترز) -",
    "دبي - الشرق برس",
    "متابعة:",
    "عمّان - خاص -",
    "بيروت (أ ف ب) -",
)
SOURCE_LINES = (
    "المصدر: وكالات",
    "المصدر : وكالة مدار للأنباء",
    "نقلا عن الشرق برس",
    "اقرأ أيضا المزيد من الأخبار على موقعنا",
)
"""What copies carry in front and at the end; invented, but for two agencies' names."""


class Words(NamedTuple):
    """Bytes of n strings, as they stand in JSON: string k is data[offsets[k] : offsets[k + 1]]."""

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]


class Tables(NamedTuple):
    """What the kernels read. Rows in compressed form have n + 1 offsets.

    - `words` and `respelled`: two spellings of each word;
    - `stream` int32: the words of all sentences, one sentence after the other, at `sentence_offsets`;
    - `article_offsets` int64: the sentences of each real article;
    - `furniture` int32 at `furniture_offsets`: datelines, then source lines, as words;
    - `source_names`: names of sources, and `source_picks` int32: one for each article that has one.
    """

    words: Words
    respelled: Words
    stream: npt.NDArray[np.int32]
    sentence_offsets: npt.NDArray[np.int64]
    article_offsets: npt.NDArray[np.int64]
    furniture: npt.NDArray[np.int32]
    furniture_offsets: npt.NDArray[np.int64]
    num_datelines: int
    source_names: Words
    source_picks: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Pool:
    """The tables, where they come from, and how many real articles there are.

    `dates` are the real publication times, int64, in seconds since 1970, rising. `novelty` is filled at the
    first use, see `heaps.novelty_by_size`.
    """

    tables: Tables
    name: str
    num_articles: int
    num_words: int
    dates: npt.NDArray[np.int64]
    novelty: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def describe(self) -> dict:
        """Return counts, ready for JSON; no text."""
        return {
            "name": self.name,
            "num_articles": self.num_articles,
            "num_sentences": len(self.tables.sentence_offsets) - 1,
            "num_words": self.num_words,
            "num_distinct_words": len(self.tables.words.offsets) - 1,
        }


def open_pool(lacking: list[str], data: Path = DATA, limit: int | None = None) -> Pool:
    """Return the pool of all articles in `data`, or of the examples, which `lacking` then says."""
    if (data / ARTICLE_FILES[0]).exists():
        records: Iterable[dict] = read_articles(data)
        name = "development data"
    else:
        lacking.append(f"{data} is not there; articles are recombined from the few of examples/ instead")
        records = _read_lines(EXAMPLES)
        name = EXAMPLES.name
    return make_pool(_limited(records, limit), name)


def read_articles(data: Path = DATA) -> Iterator[dict]:
    """Yield the articles of all files, with `text` and, where there is one, `source`."""
    for file in ARTICLE_FILES:
        for record in _read_lines(data / file):
            yield {
                "text": record["body"],
                "source": record.get("source"),
                "published_at": record.get("date") if file == DATED_FILE else None,
            }
    if (data / PAIR_FILE).exists():
        for pair in _read_lines(data / PAIR_FILE):
            for side in ("a", "b"):
                yield {"text": pair[side]["body"], "source": None}


def make_pool(records: Iterable[dict], name: str) -> Pool:
    """Return the pool of records with `text`, and, where they have dates, `source` and `published_at`."""
    number_of: dict[str, int] = {}
    stream, sentence_offsets, article_offsets = array("i"), array("q", [0]), array("q", [0])
    sources: dict[str, int] = {}
    picks, dates = array("i"), array("q")
    for record in records:
        for sentence in _SENTENCE_END.split(record["text"]):
            words = [word for word in sentence.split() if len(word) <= MAX_CHARACTERS]
            if words:
                stream.extend([number_of.setdefault(word, len(number_of)) for word in words])
                sentence_offsets.append(len(stream))
        if len(sentence_offsets) - 1 > article_offsets[-1]:
            article_offsets.append(len(sentence_offsets) - 1)
        if record.get("published_at"):
            dates.append(int(datetime.fromisoformat(record["published_at"]).timestamp()))
            picks.append(sources.setdefault(record.get("source") or "source", len(sources)))
    num_words = len(stream)
    furniture, furniture_offsets = array("i"), array("q", [0])
    for line in (*DATELINES, *SOURCE_LINES):
        furniture.extend([number_of.setdefault(word, len(number_of)) for word in line.split()])
        furniture_offsets.append(len(furniture))
    tables = Tables(
        words=_words(list(number_of)),
        respelled=_words([word.translate(_RESPELLINGS) for word in number_of]),
        stream=np.array(stream, dtype=np.int32),
        sentence_offsets=np.array(sentence_offsets, dtype=np.int64),
        article_offsets=np.array(article_offsets, dtype=np.int64),
        furniture=np.array(furniture, dtype=np.int32),
        furniture_offsets=np.array(furniture_offsets, dtype=np.int64),
        num_datelines=len(DATELINES),
        source_names=_words(list(sources) or ["source"]),
        source_picks=np.array(picks if len(picks) else [0], dtype=np.int32),
    )
    rising = np.sort(np.array(dates if len(dates) else [0, 86_400], dtype=np.int64))
    return Pool(tables, name, len(article_offsets) - 1, num_words, rising)


def _words(strings: Sequence[str]) -> Words:
    encoded = [json.dumps(string, ensure_ascii=False)[1:-1].encode("utf-8", "replace") for string in strings]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(each) for each in encoded], out=offsets[1:])
    return Words(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)


def _read_lines(path: Path) -> Iterator[dict]:
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _limited(records: Iterable[dict], limit: int | None) -> Iterator[dict]:
    for count, record in enumerate(records):
        if limit is not None and count >= limit:
            return
        yield record
