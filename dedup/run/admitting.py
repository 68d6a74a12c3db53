"""Admission to an index: plan what a few articles and those they replace bring about, then write it."""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw
import numpy as np
import numpy.typing as npt

from dedup.articles import Verdict
from dedup.index import reads, writes
from dedup.index.posting_tables import delete_postings, insert_postings
from dedup.index.rows import ChangeRow, Relation
from dedup.run.arrivals import posting_keys
from dedup.run.deciding import Arrivals, Decision, decide, read_arrivals, sketch_row
from dedup.run.index_batches import Batch
from dedup.run.regrouping import Departure, Naming, departure_of, name_groups
from dedup.run.sketches import Sketches
from dedup.run.verdicts import verdict_of
from dedup.settings import Settings

Formulas = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Plan:
    """What is to be written: who goes, what becomes of orphans and arrivals, names and changes.

    `rows` are those of the batch that arrive, numbered `nos`; `verdicts` are on them. The decision is on
    the orphans of the departure and then on these.
    """

    departure: Departure
    decision: Decision
    naming: Naming
    rows: Sequence[int]
    nos: list[int]
    verdicts: list[Verdict]


def admit(
    connection: apsw.Connection, batch: Batch, settings: Settings, formulas: Formulas, at: int
) -> list[Verdict]:
    """Return the verdicts on a batch, written at the time `at`, in microseconds.

    The articles go in together; only one that replaces another begins a part of its own, so that each
    sees the groups as they are when its turn comes.
    """
    admission = _Admission(connection, batch, settings, formulas, at)
    for row in range(len(batch)):
        admission.take(row)
    admission.write_part()
    return [admission.verdicts[row] for row in range(len(batch))]


def remove(
    connection: apsw.Connection, nos: Sequence[int], settings: Settings, formulas: Formulas, at: int
) -> None:
    """Remove the held articles of these numbers; those that lose their canonical are matched anew."""
    if nos:
        write_plan(connection, None, plan_removal(connection, nos, settings, formulas), settings, at)


def foresee(connection: apsw.Connection, batch: Batch, settings: Settings, formulas: Formulas) -> Verdict:
    """Return the verdict that `admit` would give on the one article of a batch; nothing is written."""
    found = reads.find_ids(connection, batch.keys).get(batch.keys[0])
    if found is None:
        return plan_admission(connection, batch, [0], [], settings, formulas).verdicts[0]
    no, content = found
    if content == batch.contents[0] or _keeps_wording(connection, batch, 0, no):
        return _stored_verdicts(connection, [no])[0]
    return plan_admission(connection, batch, [0], [no], settings, formulas).verdicts[0]


class _Admission:
    """A batch on its way in: rows that wait to go in together, and those whose article is held already."""

    def __init__(
        self, connection: apsw.Connection, batch: Batch, settings: Settings, formulas: Formulas, at: int
    ) -> None:
        self._connection = connection
        self._batch = batch
        self._settings = settings
        self._formulas = formulas
        self._at = at
        self._held = reads.find_ids(connection, batch.keys)
        self._waiting: dict[str, int] = {}  # rows by id
        self._replaced: list[int] = []
        self._same: list[int] = []
        self.verdicts: dict[int, Verdict] = {}

    def take(self, row: int) -> None:
        """Have a row wait, or its article updated."""
        key, content = self._batch.keys[row], self._batch.contents[row]
        known = self._held[key][1] if key in self._held else None
        if key in self._waiting:
            known = self._batch.contents[self._waiting[key]]
        if known is None:
            self._waiting[key] = row
        elif known == content:
            self._same.append(row)
        else:
            self.write_part()
            no, _ = self._held[key]
            if _keeps_wording(self._connection, self._batch, row, no):
                self.verdicts[row] = _write_new_facts(self._connection, self._batch, row, no, self._at)
                self._held[key] = no, content
            else:
                self._replaced.append(no)
                self._waiting[key] = row

    def write_part(self) -> None:
        """Write the rows that wait, and then look up those that are held."""
        rows, batch = list(self._waiting.values()), self._batch
        if rows:
            plan = plan_admission(
                self._connection, batch, rows, self._replaced, self._settings, self._formulas
            )
            write_plan(self._connection, batch, plan, self._settings, self._at)
            self.verdicts.update(zip(rows, plan.verdicts, strict=True))
            for row, no in zip(rows, plan.nos, strict=True):
                self._held[batch.keys[row]] = no, batch.contents[row]
        nos = [self._held[batch.keys[row]][0] for row in self._same]
        self.verdicts.update(zip(self._same, _stored_verdicts(self._connection, nos), strict=True))
        self._waiting, self._replaced, self._same = {}, [], []


def plan_admission(
    connection: apsw.Connection,
    batch: Batch,
    rows: Sequence[int],
    replaced: Sequence[int],
    settings: Settings,
    formulas: Formulas,
) -> Plan:
    """Return what becomes of rows of a batch, where the held articles of the numbers `replaced` go first."""
    departure = departure_of(connection, replaced, settings)
    arrivals = batch.arrivals(rows, reads.next_number(connection))
    everybody = _join(departure.orphans, arrivals)
    decision = decide(connection, everybody, settings, formulas, gone=departure.gone)
    ids = [*departure.orphan_ids, *(batch.article_id(row) for row in rows)]
    others = [relation.other_no for relation in decision.relations]
    naming = name_groups(connection, departure, decision.places, ids, others)
    relations: dict[int, list[Relation]] = {}
    for relation in decision.relations:
        relations.setdefault(relation.no, []).append(relation)
    num_tokens = arrivals.sketches.num_tokens.tolist()
    places = decision.places[len(departure.orphan_ids) :]
    verdicts = [
        verdict_of(batch.article_id(row), length, place, relations.get(place.no, ()), naming.names)
        for row, length, place in zip(rows, num_tokens, places, strict=True)
    ]
    return Plan(departure, decision, naming, rows, arrivals.nos.tolist(), verdicts)


def plan_removal(
    connection: apsw.Connection, nos: Sequence[int], settings: Settings, formulas: Formulas
) -> Plan:
    """Return what becomes of groups when the held articles of these numbers go."""
    departure = departure_of(connection, nos, settings)
    decision = Decision([], [])
    if departure.orphans is not None:
        decision = decide(connection, departure.orphans, settings, formulas, gone=departure.gone)
    naming = name_groups(connection, departure, decision.places, departure.orphan_ids)
    return Plan(departure, decision, naming, [], [], [])


def _join(orphans: Arrivals | None, arrivals: Arrivals) -> Arrivals:
    if orphans is None:
        return arrivals
    return Arrivals(
        np.concatenate([orphans.nos, arrivals.nos]),
        Sketches.concatenate([orphans.sketches, arrivals.sketches]),
        np.concatenate([orphans.published, arrivals.published]),
    )


def write_plan(
    connection: apsw.Connection, batch: Batch | None, plan: Plan, settings: Settings, at: int
) -> None:
    """Write all that a plan brings about, within the transaction in which it was made."""
    _write_departure(connection, plan.departure, settings)
    num_orphans = len(plan.departure.orphan_ids)
    places = plan.decision.places
    if num_orphans:
        writes.forget_relations(connection, [place.no for place in places[:num_orphans]])
        writes.update_places(connection, places[:num_orphans])
    if batch is not None:
        short = batch.short_rows()
        pairs = list(zip(plan.rows, plan.nos, strict=True))
        facts = (batch.facts(row, no, at) for row, no in pairs)
        writes.insert_articles(connection, facts, places[num_orphans:])
        writes.insert_sketches(
            connection, (sketch_row(no, batch.sketches, row, short.get(row)) for row, no in pairs)
        )
    writes.insert_relations(connection, plan.decision.relations)
    insert_postings(connection, plan.decision.postings)
    for group_id, canonical in plan.naming.group_rows.items():
        writes.put_group(connection, group_id, canonical)
    writes.insert_changes(connection, at, plan.naming.changes)


def _write_departure(connection: apsw.Connection, departure: Departure, settings: Settings) -> None:
    if not departure.facts:
        return
    if len(departure.canonicals):
        leaving = read_arrivals(connection, departure.canonicals, settings)
        posted = posting_keys(leaving.sketches, settings)
        waiting = posted.waits
        delete_postings(connection, posted.keys[waiting], departure.canonicals[posted.rows[waiting]])
    writes.delete_articles(connection, [facts.no for facts in departure.facts])


def _keeps_wording(connection: apsw.Connection, batch: Batch, row: int, no: int) -> bool:
    """Return whether an article differs from the held one, number `no`, in nothing that matching reads."""
    number = np.array([no], dtype=np.int64)
    (facts,) = reads.read_facts(connection, number)
    new = batch.facts(row, no, facts.added_at)
    if (new.published, new.source, new.fingerprint) != (facts.published, facts.source, facts.fingerprint):
        return False
    ((held,), _) = reads.read_sketches(connection, number)
    return held == sketch_row(no, batch.sketches, row, batch.short_rows().get(row))


def _write_new_facts(connection: apsw.Connection, batch: Batch, row: int, no: int, at: int) -> Verdict:
    """Write title, URL and content hash of an article that keeps its wording; return its verdict."""
    (facts,) = reads.read_facts(connection, np.array([no], dtype=np.int64))
    new = batch.facts(row, no, facts.added_at)
    writes.update_facts(connection, new)
    (verdict,) = _stored_verdicts(connection, [no])
    change = ChangeRow("article-updated", verdict.group_id, verdict.id, verdict.canonical_id)
    writes.insert_changes(connection, at, [change])
    return verdict


def _stored_verdicts(connection: apsw.Connection, nos: Sequence[int]) -> list[Verdict]:
    """Return the verdicts on held articles as things stand, in the order of `nos`."""
    if not nos:
        return []
    numbers = np.array(nos, dtype=np.int64)
    facts = reads.read_facts(connection, numbers)
    places = reads.read_places(connection, numbers)
    relations = [reads.read_relations(connection, no) for no in nos]
    named = {place.canonical for place in places}
    named |= {relation.other_no for found in relations for relation in found}
    names = reads.read_names(connection, np.array(sorted(named), dtype=np.int64))
    return [
        verdict_of(one.article_id, one.num_tokens, place, found, names)
        for one, place, found in zip(facts, places, relations, strict=True)
    ]
