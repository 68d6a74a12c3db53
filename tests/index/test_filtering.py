"""Look-ups that ask a filter first find what look-ups of all keys find, whatever happened to the file."""

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup import Index
from dedup.index import filtering, key_filter, posting_tables, recent_keys
from dedup.index.filtering import Filtering, FilteringConnection
from dedup.index.posting_state import read_state
from dedup.index.posting_tables import (
    MERGE_START,
    MergePoint,
    delete_postings,
    find_postings,
    insert_postings,
    merge_postings,
)
from dedup.index.rows import Postings
from dedup.index.schema import TABLES
from dedup.run import index_upkeep

ALL_KEYS = np.concatenate([np.arange(300), (1 << 40) + np.arange(300)]).astype(np.int64)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make parts, merges and the wait for the log small enough that all that can happen does."""
    monkeypatch.setattr(key_filter, "MAX_KEYS", 20)
    monkeypatch.setattr(posting_tables, "MERGED_ROWS", 25)
    monkeypatch.setattr(filtering, "_WORTH_READING", 1 << 40)
    monkeypatch.setattr(recent_keys, "_LEAST_KEYS", 50)
    monkeypatch.setattr(recent_keys, "_KNOWN_STAMPS", 3)


def connect(path: Path, shared: Filtering | None = None) -> FilteringConnection:
    connection = FilteringConnection(str(path))
    connection.filtering = shared or Filtering()
    return connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path / "postings.db")


def made(path: Path) -> Path:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(TABLES)
    connection.close()
    return path


def postings(keys: np.ndarray, no: int) -> Postings:
    numbers = np.full(len(keys), no, dtype=np.int64)
    return Postings(keys, numbers, np.where(keys < 1 << 32, 1, 0))


def put(connection: apsw.Connection, keys: np.ndarray, no: int) -> None:
    with connection:
        insert_postings(connection, postings(keys, no))


def merge(connection: apsw.Connection) -> None:
    at: MergePoint | None = MERGE_START
    while at is not None:
        with connection:
            at = merge_postings(connection, at)


def found(connection: apsw.Connection, keys: np.ndarray = ALL_KEYS) -> list[tuple[int, ...]]:
    rows = find_postings(connection, keys)
    return sorted(zip(*(column.tolist() for column in rows), strict=True))


def found_plainly(connection: apsw.Connection) -> list[tuple[int, ...]]:
    """Return what all look-ups find, in the transaction of a connection but without its filter."""
    rows = [
        posting_tables._find(connection, query, ALL_KEYS)
        for query in (posting_tables._FIND_RECENT, posting_tables._FIND_LARGE)
    ]
    return sorted(row for part in rows for row in zip(*(column.tolist() for column in part), strict=True))


def admitted(connection: FilteringConnection) -> tuple[int, int]:
    recent, large = connection.filtering.admitted(connection, ALL_KEYS)
    return len(recent), len(large)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["insert", "insert", "insert", "merge", "merge some", "delete", "roll back", "snapshot", "vacuum"]
        ),
        st.integers(0, 2),
        st.sets(st.integers(0, len(ALL_KEYS) - 1), min_size=1, max_size=40),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_filtered_look_ups_find_what_plain_ones_do_in_each_snapshot(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, set[int]]]
) -> None:
    path = made(tmp_path_factory.mktemp("steps") / "postings.db")
    shared = Filtering()  # two connections of one process, one of another
    writers = [connect(path, shared), connect(path, shared), connect(path)]
    merging: list[MergePoint] = [MERGE_START] * 3
    snapshots: list[FilteringConnection] = []
    for number, (step, at, chosen) in enumerate(steps):
        writer, keys = writers[at], ALL_KEYS[sorted(chosen)]
        if step == "insert":
            put(writer, keys, number)
        elif step == "merge":
            merge(writer)
        elif step == "merge some":
            with writer:
                merging[at] = merge_postings(writer, merging[at]) or MERGE_START
        elif step == "delete":
            with writer:
                rows = posting_tables._find(writer, posting_tables._FIND_RECENT, keys)
                delete_postings(writer, rows.keys[::2], rows.nos[::2])
                rows = posting_tables._find(writer, posting_tables._FIND_LARGE, keys)
                delete_postings(writer, rows.keys[::2], rows.nos[::2])
        elif step == "roll back":
            writer.execute("BEGIN IMMEDIATE")
            insert_postings(writer, postings(keys, number))
            merge_postings(writer)
            assert found(writer) == found_plainly(writer)
            writer.execute("ROLLBACK")
        elif step == "vacuum":
            with writer:
                filtering.write_anew(writer)
        else:
            snapshots.append(connect(path, shared if at else None))
            snapshots[-1].execute("BEGIN")
            found_plainly(snapshots[-1])
        for connection in (*writers, *snapshots):
            assert found(connection) == found_plainly(connection)
    problems = [*key_filter.find_problems(writers[0], 7), *recent_keys.find_problems(writers[0], 7)]
    assert not problems


def test_absent_keys_are_not_looked_up(path: Path) -> None:
    connection = connect(path)
    put(connection, ALL_KEYS[:100], 1)
    merge(connection)
    put(connection, ALL_KEYS[100:150], 2)
    recent, large = admitted(connection)
    assert 50 <= recent < 80
    assert 100 <= large < 130


def test_the_log_is_read_once_enough_was_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = connect(path)
    put(writer, ALL_KEYS[:100], 1)
    monkeypatch.setattr(filtering, "_WORTH_READING", 0.05)
    connection = connect(path)
    assert [admitted(connection)[0] < len(ALL_KEYS) for _ in range(5)] == [False] * 3 + [True] * 2
    put(writer, ALL_KEYS[100:120], 2)
    assert 120 <= admitted(connection)[0] < 150  # what others write from then on is read at once


def test_a_merge_leaves_in_the_log_what_came_after_it_began(path: Path) -> None:
    one, other = connect(path), connect(path)
    put(one, ALL_KEYS[:100], 1)
    with one:
        at = merge_postings(one)
    assert at is not None
    put(other, ALL_KEYS[:10], 2)  # the merge has passed these
    while at is not None:
        with one:
            at = merge_postings(one, at)
    state = read_state(one)
    assert state is not None
    assert state.log_keys == 10
    assert found(connect(path)) == found_plainly(one)
    assert admitted(connect(path))[0] < 20


def test_a_snapshot_of_before_the_log_was_cut_is_not_asked_by_what_is_left_of_it(path: Path) -> None:
    one, shared = connect(path), Filtering()
    put(one, ALL_KEYS[:100], 1)
    with one:
        at = merge_postings(one)
    snapshot = connect(path, shared)
    snapshot.execute("BEGIN")
    before = found_plainly(snapshot)
    put(one, ALL_KEYS[100:110], 2)
    while at is not None:
        with one:
            at = merge_postings(one, at)
    assert admitted(connect(path, shared))[0] < 20
    assert found(snapshot) == found_plainly(snapshot) == before


def test_of_two_merges_at_once_the_later_end_cuts_nothing_that_is_still_needed(path: Path) -> None:
    one, other = connect(path), connect(path)
    put(one, ALL_KEYS[:30], 1)
    with one:
        at = merge_postings(one)
    merge(other)
    put(other, ALL_KEYS[:30], 2)  # its row of the log has the number of the one that was there
    with one:
        assert at is not None
        assert merge_postings(one, at) is None
    assert found(connect(path)) == found_plainly(one)


DAMAGE = {
    "a part is gone": "DELETE FROM posting_filters WHERE first_key ="
    " (SELECT max(first_key) FROM posting_filters)",
    "all parts are gone": "DELETE FROM posting_filters",
    "bits are zero": "UPDATE posting_filters SET bits = zeroblob(length(bits))",
    "bits are cut": "UPDATE posting_filters SET bits = substr(bits, 1, 100)",
    "bits are text": "UPDATE posting_filters SET bits = 'text'",
    "parts have other ends": "UPDATE posting_filters SET end_key = end_key + 5",
    "parts have no ends": "UPDATE posting_filters SET end_key = 'text'",
    "parts are of other keys": "UPDATE posting_filters SET first_key = first_key + 3",
    "parts have other stamps": "UPDATE posting_filters SET stamp = stamp + 1",
    "parts are of another time": "UPDATE posting_filters SET bits ="
    " (SELECT bits FROM posting_filters ORDER BY first_key LIMIT 1)",
    "the first row of the log is gone": "DELETE FROM recent_keys WHERE seq ="
    " (SELECT min(seq) FROM recent_keys)",
    "a row of the log is gone": "DELETE FROM recent_keys WHERE seq = (SELECT min(seq) + 1 FROM recent_keys)",
    "the last row of the log is gone": "DELETE FROM recent_keys WHERE seq ="
    " (SELECT max(seq) FROM recent_keys)",
    "all rows of the log are gone": "DELETE FROM recent_keys",
    "keys of the log are others": "UPDATE recent_keys SET keys = zeroblob(length(keys))",
    "keys of the log are text": "UPDATE recent_keys SET keys = 'text'",
    "rows of the log are cut": "UPDATE recent_keys SET keys = substr(keys, 1, 9)",
    "the state is gone": "DELETE FROM posting_state",
    "the state is text": "UPDATE posting_state SET log_end = 'text'",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_hides_nothing_is_reported_and_made_anew(damage: str, path: Path) -> None:
    writer = connect(path)
    put(writer, ALL_KEYS[:100], 1)
    put(writer, ALL_KEYS[300:350], 2)
    merge(writer)
    for no, begin in enumerate((80, 200, 360)):
        put(writer, ALL_KEYS[begin : begin + 40], 3 + no)
    writer.execute(DAMAGE[damage])
    assert writer.changes() > 0
    connection = connect(path)
    assert found(connection) == found_plainly(connection)
    problems = [*key_filter.find_problems(connection, 50), *recent_keys.find_problems(connection, 50)]
    assert problems
    put(writer, ALL_KEYS[250:270], 9)  # the damage is no obstacle to what comes
    merge(writer)
    assert found(connect(path)) == found_plainly(writer) == found(connection)
    with writer:
        filtering.write_anew(writer)
    assert not [*key_filter.find_problems(writer, 50), *recent_keys.find_problems(writer, 50)]
    assert found(connect(path)) == found_plainly(writer) == found(connection)
    assert sum(admitted(connect(path))) < len(ALL_KEYS)


def test_threads_that_share_a_filter_miss_nothing(path: Path) -> None:
    shared, failed = Filtering(), list[str]()
    done = threading.Event()

    def read() -> None:
        connection = connect(path, shared)
        connection.set_busy_timeout(10_000)
        while not done.is_set():
            with connection:
                if found(connection) != found_plainly(connection):
                    failed.append("a row was missed")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    writer = connect(path, shared)
    writer.set_busy_timeout(10_000)
    rng = np.random.default_rng(1)
    for no in range(60):
        put(writer, np.sort(rng.choice(ALL_KEYS, 20, replace=False)), no)
        if no % 7 == 6:
            merge(writer)
    done.set()
    for reader in readers:
        reader.join()
    assert not failed


def articles(begin: int, end: int) -> Iterator[dict[str, str]]:
    for k in range(begin, end):
        yield {"id": f"a{k}", "text": " ".join(f"word{k}x{j}" for j in range(60))}


def _add_in_another_process(path: Path, begin: int, end: int) -> None:
    with Index.open(path) as index:
        index.add_all(articles(begin, end))
        index.merge()


def test_an_index_sees_what_another_process_added_and_merged(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        index.add_all(articles(0, 10))
        assert [index.check({**one, "id": "x"}).canonical_id for one in articles(0, 10)] == [
            f"a{k}" for k in range(10)
        ]
        for begin in (10, 20):
            process = multiprocessing.get_context("spawn").Process(
                target=_add_in_another_process, args=(path, begin, begin + 10)
            )
            process.start()
            process.join()
            assert process.exitcode == 0
            for k, one in enumerate(articles(begin, begin + 10), begin):
                verdict = index.check({"id": "x", "text": one["text"] + " more"})
                assert (verdict.relation, verdict.canonical_id) == ("near", f"a{k}")
        assert index.verify() == []


def test_vacuum_makes_the_filter_as_small_as_what_is_left(tmp_path: Path) -> None:
    with Index.open(tmp_path / "news.dedup") as index:
        index.add_all(articles(0, 30))
        index.merge()
        for k in range(29):
            index.remove(f"a{k}")

        def num_keys() -> int:
            with index.store.reading() as connection:
                return sum(part.num_keys for part, _ in key_filter.read_parts(connection, 0, 1 << 62))

        before = num_keys()
        index.vacuum()
        assert 0 < num_keys() < before / 10
        assert index.verify() == []
        assert index.check({"id": "x", "text": next(articles(29, 30))["text"]}).canonical_id == "a29"


def test_a_merge_step_whose_commit_fails_is_taken_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_upkeep, "MAX_RECENT_ROWS", 10)
    monkeypatch.setattr(index_upkeep, "_MOST_ROWS", 1)
    writer = connect(path)
    put(writer, ALL_KEYS, 1)
    store, merging = _OneConnection(writer), index_upkeep.Merging()
    for step in range(100):
        fails = step % 3 == 1
        writer.set_commit_hook((lambda: True) if fails else None)
        with pytest.raises(apsw.ConstraintError) if fails else contextlib.nullcontext():
            merging.merge_if_due(store, 1)  # type: ignore[arg-type]
        reader = connect(path)
        assert found(reader) == found_plainly(reader)
        if posting_tables.count_recent(writer) == 0:
            break
    assert step > 3


class _OneConnection:
    """As much of a store as merging needs."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        with self._connection:
            yield self._connection

    reading = writing
