"""Keep a search engine free of copies: search_news.py ingest FILE.jsonl, then search_news.py search WORDS.

Each article is asked of the index `news.dedup` before it is indexed. A new one becomes a document of the
search engine (tantivy) in the folder `news.search`; a copy is noted in the document of its canonical. So a
search shows each story once, with its copies. Running it again changes nothing, and after a crash it writes
what is missing. Ids are strings here.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import tantivy

import dedup

Article = dict[str, Any]

BATCH_SIZE = 1000
WRITER_BYTES = 50_000_000

_CLITICS = re.compile(r"(?<!\S)(?:و?(?:[بكف]?ال|لل))(?=\S{3})")
"""Article, prepositions and "and" that are written with the Arabic word that follows them."""


@dataclass
class Story:
    """A document: an article, the copies of it, and the longer ones that it is a part of."""

    article: Article
    copies: list[dict[str, Any]] = field(default_factory=list)
    part_of: list[str] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        """The ids of the article and its copies."""
        return {self.article["id"], *(copy["article"]["id"] for copy in self.copies)}


def words_of(text: str) -> str:
    """Return the words by which a text is found, the same for all spellings that `dedup` folds.

    >>> words_of("افتُتح بالمينـاءِ رصيف")
    'افتتح ميناء رصيف'
    """
    return _CLITICS.sub("", " ".join(dedup.tokens(dedup.normalize(text))))


class SearchIndex:
    """The stories in a tantivy index in a folder."""

    def __init__(self, folder: Path) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("member", tokenizer_name="raw")  # ids of the article and of its copies
        builder.add_text_field("title", tokenizer_name="whitespace")
        builder.add_text_field("text", tokenizer_name="whitespace")
        builder.add_bytes_field("story", stored=True)
        folder.mkdir(exist_ok=True)
        self._index = tantivy.Index(builder.build(), path=str(folder))

    def search(self, words: str, limit: int = 10) -> list[Story]:
        """Return the stories that have all the words in a headline or in the text, the best first."""
        query = self._index.parse_query(
            words_of(words), ["title", "text"], field_boosts={"title": 2.0}, conjunction_by_default=True
        )
        searcher = self._index.searcher()
        return [_story_at(searcher, address) for _, address in searcher.search(query, limit).hits]

    def stories_of(self, ids: Iterable[str]) -> list[Story]:
        """Return the stories in which any of these articles stands."""
        query = tantivy.Query.term_set_query(self._index.schema, "member", list(ids))
        searcher = self._index.searcher()
        found = searcher.search(query, limit=max(1, searcher.num_docs)).hits
        return [_story_at(searcher, address) for _, address in found]

    def replace(self, old: Iterable[Story], new: Iterable[Story]) -> None:
        """Write stories in place of old ones, in one commit."""
        writer = self._index.writer(WRITER_BYTES, 1)
        for story in old:
            writer.delete_documents_by_term("member", story.article["id"])
        for story in new:
            writer.add_document(_document(story))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()


def _document(story: Story) -> tantivy.Document:
    document = tantivy.Document()
    for id_ in sorted(story.ids):
        document.add_text("member", id_)
    for article in (story.article, *(copy["article"] for copy in story.copies)):
        document.add_text("title", words_of(article.get("title") or ""))
    document.add_text("text", words_of(story.article.get("text") or ""))
    document.add_bytes("story", json.dumps(asdict(story), ensure_ascii=False).encode())
    return document


def _story_at(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Story:
    return Story(**json.loads(bytes(searcher.doc(address).get_first("story"))))


def ingest(articles: Iterable[Article], index: dedup.Index, search: SearchIndex) -> dict[str, int]:
    """Add articles to both indexes; return how many were new, copies and parts, and the stories written."""
    counts = dict.fromkeys(("new", "exact", "near", "part", "written"), 0)
    stream = iter(articles)
    while batch := list(islice(stream, BATCH_SIZE)):
        touched = {article["id"] for article in batch}
        for verdict in index.add_many(batch):
            counts[verdict.relation] += 1
            touched.add(verdict.canonical_id)
            touched |= {match.canonical_id for match in verdict.matches if match.relation == "whole"}
        counts["written"] += follow(index, search, touched, {article["id"]: article for article in batch})
    return counts


def follow(index: dedup.Index, search: SearchIndex, touched: set[str], records: dict[str, Article]) -> int:
    """Write the stories of the touched articles as the index has them now; return how many were written.

    What the stories were and what they are to be is compared, so that nothing is written twice and what a
    crash left out is made good. `records` are the articles at hand; others are taken from their stories.
    An article that the index has pruned stays in the search until its story is touched.
    """
    ids, groups, old = _reach(index, search, touched)
    records = {article["id"]: article for story in old for article in _articles(story)} | records
    wholes: dict[str, list[str]] = {}
    for link in index.links():
        if link.part_id in ids:
            wholes.setdefault(_canonical(index, link.part_id), []).append(_canonical(index, link.whole_id))
    before = {story.article["id"]: story for story in old}
    after = {
        group.canonical_id: _story(index, group, records, sorted(wholes.get(group.canonical_id, [])))
        for group in groups
    }
    stale = [story for id_, story in before.items() if after.get(id_) != story]
    fresh = [story for id_, story in after.items() if before.get(id_) != story]
    if stale or fresh:
        search.replace(stale, fresh)
    return len(fresh)


def _reach(
    index: dedup.Index, search: SearchIndex, touched: set[str]
) -> tuple[set[str], list[dedup.Group], list[Story]]:
    """Return the touched articles with all that share story or group with them, the groups, the stories."""
    reached, ids = set[str](), touched
    while ids != reached:
        reached = ids
        stories = search.stories_of(ids)
        groups = {
            group.canonical_id: group for group in map(index.group_of, sorted(ids)) if group is not None
        }
        ids = ids.union(
            *(story.ids for story in stories),
            *((member.id for member in group.members) for group in groups.values()),
        )
    return ids, list(groups.values()), stories


def _canonical(index: dedup.Index, id_: str) -> str:
    return index.group_of(id_).canonical_id


def _story(index: dedup.Index, group: dedup.Group, records: dict[str, Article], wholes: list[str]) -> Story:
    def record(id_: str) -> Article:
        if id_ not in records:  # added to the index without this script: it holds no texts
            held = index.get(id_)
            return {"id": id_, "title": held.title, "source": held.source, "url": held.url}
        return records[id_]

    copies = [
        {"article": record(member.id), "relation": member.relation, "jaccard": member.jaccard}
        for member in group.members[1:]
    ]
    return Story(record(group.canonical_id), copies, wholes)


def _articles(story: Story) -> Iterator[Article]:
    yield story.article
    yield from (copy["article"] for copy in story.copies)


def read_articles(path: Path) -> Iterator[Article]:
    """Yield the articles of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def show(story: Story) -> str:
    """Return a story in a few lines: headline, then its copies, and what it is a part of."""
    lines = [f"{story.article['id']}  {story.article.get('title') or ''}"]
    lines += [f"    part of {whole}" for whole in story.part_of]
    for copy in story.copies:
        source = copy["article"].get("source") or copy["article"]["id"]
        lines.append(f"    {copy['relation']} copy, {copy['jaccard']:.2f}: {source}")
    return "\n".join(lines)


def main(command: str, argument: str) -> None:
    """Run one of the two commands; both indexes lie in the current folder."""
    search = SearchIndex(Path("news.search"))
    if command == "search":
        for story in search.search(argument):
            print(show(story))
        return
    with dedup.Index.open("news.dedup") as index:
        print(json.dumps(ingest(read_articles(Path(argument)), index, search)))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in {"ingest", "search"}:
        sys.exit(__doc__)
    main(*sys.argv[1:])
