"""Groups and links as an index holds them, in the form in which a batch gives them."""

import apsw
import numpy as np

from dedup.articles import Further, Group, HeldArticle, Link, Member
from dedup.errors import IndexFileError
from dedup.index import reads
from dedup.match.verify import BY_CHARACTERS, BY_WORDS, PART, WHOLE
from dedup.run.verdicts import scores


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


def held_article(connection: apsw.Connection, no: int) -> HeldArticle:
    """Return what is kept of an article."""
    number = np.array([no], dtype=np.int64)
    (facts,) = reads.read_facts(connection, number)
    (place,) = reads.read_places(connection, number)
    canonical = reads.read_names(connection, np.array([place.canonical], dtype=np.int64))[place.canonical]
    return HeldArticle(
        id=facts.article_id,
        title=facts.title,
        source=facts.source,
        url=facts.url,
        published=facts.published,
        num_words=facts.num_tokens,
        added_at=facts.added_at,
        canonical_id=canonical.article_id,
        group_id=canonical.group_id,
    )


def links_of(connection: apsw.Connection) -> list[Link]:
    """Return the cut copies, at most one from a group to another, as `run.groups.Groups.links` does."""
    best: dict[tuple[int, int], tuple[bool, float, float, int, int]] = {}
    for no, canonical, other_no, other_canonical, kind, shared, own, other in reads.all_relations(
        connection, (PART, WHOLE)
    ):
        if canonical == other_canonical:
            continue
        part, whole = (no, other_no) if kind == PART else (other_no, no)
        key = (canonical, other_canonical) if kind == PART else (other_canonical, canonical)
        jaccard = shared / (own + other - shared)
        found = (canonical == no, shared / min(own, other), jaccard, part, whole)
        best[key] = max(best.get(key, found), found)
    named = sorted({no for *_, part, whole in best.values() for no in (part, whole)})
    facts = reads.read_facts(connection, np.array(named, dtype=np.int64))
    id_of = {one.no: one.article_id for one in facts}
    return [
        Link(id_of[part], id_of[whole], round(coverage, 4), round(jaccard, 4))
        for _, (_, coverage, jaccard, part, whole) in sorted(best.items())
    ]
