"""What articles leave behind when they go from an index, and how groups are named and renamed.

A group's id is the id of its founding canonical. When that one goes, the members are matched anew; the
largest part of them that finds together keeps the id.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import apsw
import numpy as np

from dedup.articles import MISSING_DATE, ArticleId
from dedup.index import reads
from dedup.index.rows import ChangeRow, Facts, Name, Place
from dedup.match.order import canonical_order
from dedup.run.deciding import NOBODY, Arrivals, Int64s, read_arrivals
from dedup.run.ids import id_strings
from dedup.run.records import source_ranks
from dedup.settings import Settings


@dataclass(frozen=True)
class LostGroup:
    """A group whose canonical goes; `orphans` are the numbers of the members that stay, rising."""

    name: Name
    orphans: list[int]
    is_registered: bool


@dataclass(frozen=True)
class Departure:
    """Articles that go: their facts and the names of their canonicals, and those left without one.

    `orphans` are in canonical order; `orphan_ids` in the order of `orphans`.
    """

    facts: list[Facts]
    names: list[Name]
    canonicals: Int64s
    lost: list[LostGroup]
    orphans: Arrivals | None
    orphan_ids: list[ArticleId]

    @property
    def gone(self) -> Int64s:
        """The numbers that arrivals cannot be matched with: those that go and the orphans."""
        nos = np.array([facts.no for facts in self.facts], dtype=np.int64)
        return nos if self.orphans is None else np.concatenate([nos, self.orphans.nos])


NO_DEPARTURE = Departure([], [], NOBODY, [], None, [])


def departure_of(connection: apsw.Connection, nos: Sequence[int], settings: Settings) -> Departure:
    """Return what it means that the held articles of these numbers go; nothing is written."""
    if not nos:
        return NO_DEPARTURE
    going = np.array(nos, dtype=np.int64)
    facts = reads.read_facts(connection, going)
    places = reads.read_places(connection, going)
    canonical_of = [place.canonical for place in places]
    names = reads.read_names(connection, np.unique(np.array(canonical_of, dtype=np.int64)))
    canonicals = np.array([place.no for place in places if place.canonical == place.no], dtype=np.int64)
    known = reads.registered(connection, canonicals)
    absent = set(nos)
    lost = [
        LostGroup(
            names[no],
            [member for member in reads.members_of(connection, no) if member not in absent],
            no in known,
        )
        for no in canonicals.tolist()
    ]
    orphans, ids = _orphans(connection, sorted(no for group in lost for no in group.orphans), settings)
    return Departure(facts, [names[no] for no in canonical_of], canonicals, lost, orphans, ids)


def _orphans(
    connection: apsw.Connection, nos: list[int], settings: Settings
) -> tuple[Arrivals | None, list[ArticleId]]:
    if not nos:
        return None, []
    facts = reads.read_facts(connection, np.array(nos, dtype=np.int64))
    dates = [MISSING_DATE if one.published is None else one.published for one in facts]
    order = canonical_order(
        ids=id_strings([one.article_id for one in facts]),
        published=np.array(dates, dtype=np.int64),
        source_ranks=source_ranks([one.source for one in facts], settings),
        num_tokens=np.array([one.num_tokens for one in facts], dtype=np.int64),
        keep=settings.keep,
    )
    in_order = np.array(nos, dtype=np.int64)[order]
    return read_arrivals(connection, in_order, settings), [facts[row].article_id for row in order.tolist()]


@dataclass
class Naming:
    """The groups after articles went and came: names of the canonicals, by number, and what to write.

    `group_rows` has the canonical of each group that is new, passes on or is gone (None).
    """

    names: dict[int, Name]
    group_rows: dict[ArticleId, int | None] = field(default_factory=dict)
    changes: list[ChangeRow] = field(default_factory=list)


def name_groups(
    connection: apsw.Connection,
    departure: Departure,
    places: Sequence[Place],
    ids: Sequence[ArticleId],
    others: Sequence[int] = (),
) -> Naming:
    """Return how groups are named once the arrivals, the orphans first, stand where `places` say.

    `ids` are those of the arrivals; `others` numbers of further canonicals to be named.
    """
    id_of = {place.no: id_ for place, id_ in zip(places, ids, strict=True)}
    wanted = {place.canonical for place in places} | set(others)
    held = np.array(sorted(wanted - id_of.keys()), dtype=np.int64)
    naming = Naming(reads.read_names(connection, held))
    num_orphans = len(departure.orphan_ids)
    for facts, name in zip(departure.facts, departure.names, strict=True):
        naming.changes.append(ChangeRow("article-removed", name.group_id, facts.article_id, name.article_id))
    heirs = _pass_on(departure, places[:num_orphans], id_of, naming)
    founders = [place.no for place in places if place.canonical == place.no and place.no not in heirs]
    used = reads.used_group_ids(connection, [str(id_of[no]) for no in founders])
    for no in founders:
        group_id = id_of[no]
        if str(group_id) in used:
            group_id = _free_id(connection, group_id, naming)
            naming.group_rows[group_id] = no
        naming.names[no] = Name(id_of[no], group_id)
    known = reads.registered(connection, held) | {no for no in naming.group_rows.values() if no is not None}
    lost_of = {no: group for group in departure.lost for no in group.orphans}
    for row, place in enumerate(places):
        _report(place, ids[row], lost_of.get(place.no) if row < num_orphans else None, known, naming)
    return naming


def _pass_on(
    departure: Departure, orphans: Sequence[Place], id_of: dict[int, ArticleId], naming: Naming
) -> set[int]:
    """Give the id of each lost group to its largest part; return the numbers of their canonicals."""
    heirs = set()
    for group in departure.lost:
        mine = set(group.orphans)
        went = [place for place in orphans if place.no in mine]
        sizes = Counter(place.canonical for place in went)
        parts = [place.no for place in went if place.canonical == place.no]
        if parts:
            heir = max(parts, key=lambda no: sizes[no])  # the first of the largest, in canonical order
            heirs.add(heir)
            naming.names[heir] = Name(id_of[heir], group.name.group_id)
            naming.group_rows[group.name.group_id] = heir
            naming.changes.append(
                ChangeRow("canonical-reelected", group.name.group_id, group.name.article_id, id_of[heir])
            )
        elif group.is_registered:
            naming.group_rows[group.name.group_id] = None
            naming.changes.append(
                ChangeRow("group-removed", group.name.group_id, None, group.name.article_id)
            )
    return heirs


def _report(place: Place, id_: ArticleId, lost: LostGroup | None, known: set[int], naming: Naming) -> None:
    """Note the changes that come of where one arrival stands; `lost` is the group that an orphan had."""
    name = naming.names[place.canonical]
    is_canonical = place.canonical == place.no
    old_id = None if lost is None else lost.name.group_id
    if old_id == name.group_id:
        return
    if is_canonical and lost is not None:
        naming.changes.append(ChangeRow("group-split", name.group_id, None, id_, old_id))
        naming.group_rows[name.group_id] = place.no
        known.add(place.no)
        return
    if is_canonical and name.group_id == id_:  # alone until a member comes
        return
    if place.canonical not in known or (is_canonical and name.group_id != id_):
        naming.changes.append(ChangeRow("group-created", name.group_id, None, name.article_id))
        naming.group_rows[name.group_id] = place.canonical
        known.add(place.canonical)
    if not is_canonical:
        kind = "member-added" if lost is None else "member-moved"
        naming.changes.append(ChangeRow(kind, name.group_id, id_, name.article_id, old_id))


def _free_id(connection: apsw.Connection, id_: ArticleId, naming: Naming) -> str:
    """Return the id with a number behind it that no group ever had and no article has."""
    number = 2
    while True:
        free = f"{id_}~{number}"
        taken = reads.used_group_ids(connection, [free]) or reads.find_ids(connection, [free])
        if not taken and free not in naming.group_rows:
            return free
        number += 1
