"""Groups and links as an index holds them, in the form in which a batch gives them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import apsw
import numpy as np

from dedup.articles import Change, Further, Group, HeldArticle, Link, Member
from dedup.errors import IndexFileError
from dedup.formats.dates import moment_of
from dedup.index import nights, reads
from dedup.match.verify import BY_CHARACTERS, BY_WORDS, PART, WHOLE
from dedup.run.deciding import Int64s
from dedup.run.verdicts import scores


def number_of(connection: apsw.Connection, key: str) -> int | None:
    """Return the number of the article with an id, as a string, None where there is none."""
    held = reads.find_ids(connection, [key]).get(key)
    return None if held is None else held[0]


def canonical_of(connection: apsw.Connection, key: str) -> int | None:
    """Return the number of the canonical of the article with an id, None where there is none."""
    no = number_of(connection, key)
    if no is None:
        return None
    (place,) = reads.read_places(connection, np.array([no], dtype=np.int64))
    return place.canonical


def group_at(connection: apsw.Connection, canonical: int) -> Group:
    """Return the group of a canonical, which may be alone in it."""
    nos = np.array(reads.members_of(connection, canonical), dtype=np.int64)
    facts = reads.read_facts(connection, nos)
    places = reads.read_places(connection, nos)
    if any(place.canonical != canonical for place in places):
        raise IndexFileError(
            f"the members of canonical number {canonical} are listed wrongly, so the index is damaged; "
            "restore a backup"
        )
    further = [
        [
            found
            for found in reads.read_relations(connection, int(no))
            if found.kind in (BY_WORDS, BY_CHARACTERS)
        ]
        for no in nos
    ]
    others = {found.other_no for matches in further for found in matches} | {canonical}
    names = reads.read_names(connection, np.array(sorted(others), dtype=np.int64))
    name = names[canonical]
    members = [Member(name.article_id, 1.0, 1.0, "canonical")]
    for one, place, matches in zip(facts, places, further, strict=True):
        also = [Further(names[found.other_no].article_id, scores(found)[0]) for found in matches]
        members.append(
            Member(
                one.article_id,
                *scores(place),
                "exact" if place.exact else "near",
                tuple(sorted(also, key=lambda match: str(match.canonical_id))),
            )
        )
    return Group(name.group_id, name.article_id, tuple(members))


def held_articles(connection: apsw.Connection, nos: Int64s) -> list[HeldArticle]:
    """Return what is kept of articles, in the order of `nos`."""
    facts = reads.read_facts(connection, nos)
    canonicals = [place.canonical for place in reads.read_places(connection, nos)]
    names = reads.read_names(connection, np.unique(np.array(canonicals, dtype=np.int64)))
    return [
        HeldArticle(
            id=one.article_id,
            title=one.title,
            source=one.source,
            url=one.url,
            published_at=None if one.published is None else moment_of(one.published),
            num_words=one.num_tokens,
            added_at=moment_of(one.added_at),
            canonical_id=names[canonical].article_id,
            group_id=names[canonical].group_id,
        )
        for one, canonical in zip(facts, canonicals, strict=True)
    ]


def change_of(row: Sequence[Any]) -> Change:
    """Return a change from its row."""
    seq, at, *rest = row
    return Change(seq, moment_of(at), *rest)


class NumberedLink(NamedTuple):
    """A cut copy by the numbers of the two articles, and whether the part's whole is a canonical."""

    part: int
    whole: int
    is_of_canonical: bool
    coverage: float
    jaccard: float


def links_of(connection: apsw.Connection) -> list[Link]:
    """Return the cut copies, at most one from a group to another, as `run.groups.Groups.links` does."""
    return named_links(connection, best_links(reads.all_relations(connection, (PART, WHOLE))))


def links_of_group(connection: apsw.Connection, canonical: int) -> list[Link]:
    """Return those of `links_of` that lead from or to the group of a canonical."""
    one = np.array([canonical], dtype=np.int64)
    return named_links(connection, best_links(nights.relations_of_groups(connection, one, (PART, WHOLE))))


def best_links(relations: Sequence[tuple[int, ...]]) -> list[NumberedLink]:
    """Return the cut copies among relations, at most one from a group to another.

    A relation is: number and canonical of both articles, kind and sizes.
    """
    best: dict[tuple[int, int], tuple[bool, float, float, int, int]] = {}
    for no, canonical, other_no, other_canonical, kind, shared, own, other in relations:
        if canonical == other_canonical:
            continue
        part, whole = (no, other_no) if kind == PART else (other_no, no)
        key = (canonical, other_canonical) if kind == PART else (other_canonical, canonical)
        jaccard = shared / (own + other - shared)
        found = (canonical == no, shared / min(own, other), jaccard, part, whole)
        best[key] = max(best.get(key, found), found)
    return [
        NumberedLink(part, whole, whole == whole_canonical, round(coverage, 4), round(jaccard, 4))
        for (_, whole_canonical), (_, coverage, jaccard, part, whole) in sorted(best.items())
    ]


def named_links(connection: apsw.Connection, links: Sequence[NumberedLink]) -> list[Link]:
    """Return links with the ids of their articles."""
    named = sorted({no for link in links for no in (link.part, link.whole)})
    facts = reads.read_facts(connection, np.array(named, dtype=np.int64))
    id_of = {one.no: one.article_id for one in facts}
    return [Link(id_of[link.part], id_of[link.whole], link.coverage, link.jaccard) for link in links]
