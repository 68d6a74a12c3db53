"""Several processes and threads on one file: one writer at a time, readers never wait, one right answer."""

import multiprocessing
import os
import random
import signal
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest

from benchmarks.kill_cases import articles_of, state_of
from dedup import Index, Settings, Verdict
from dedup.errors import DedupError, IndexBusyError, IndexFileError
from dedup.index import store

Article = dict[str, Any]
SECONDS = 240
"""More than anything here takes, so that a deadlock fails a test rather than stops it."""

spawn = multiprocessing.get_context("spawn")


def write_all(path: Path, articles: list[Article], batch_size: int, barrier: Any, answers: Any) -> None:
    """Add the articles, one by one or in batches, and send the verdicts; what a process of the test does."""
    with Index.open(path) as index:
        barrier.wait(SECONDS)
        if batch_size == 1:
            verdicts = [index.add(article) for article in articles]
        else:
            verdicts = list(index.add_many(articles, batch_size=batch_size))
    answers.put(verdicts)


def ids_in_order(path: Path) -> list[str]:
    """Return the ids of the articles in the order in which they came."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    ids = [id_ for (id_,) in connection.execute("SELECT id FROM articles ORDER BY no")]
    connection.close()
    return ids


def test_four_writers_at_once_leave_what_one_would_have_left(tmp_path: Path) -> None:
    articles = articles_of(5, 160)
    path = tmp_path / "news.dedup"
    barrier, answers = spawn.Barrier(4), spawn.Queue()
    processes = []
    for number, batch_size in enumerate((1, 1, 7, 20)):
        own = random.Random(number).sample(articles, k=110)
        processes.append(spawn.Process(target=write_all, args=(path, own, batch_size, barrier, answers)))
    for process in processes:
        process.start()
    verdicts: list[list[Verdict]] = [answers.get(timeout=SECONDS) for _ in processes]
    for process in processes:
        process.join(SECONDS)
        assert process.exitcode == 0
    order = ids_in_order(path)
    by_id = {str(article["id"]): article for article in articles}
    assert set(order) == {str(verdict.id) for given in verdicts for verdict in given}
    with Index.open(path) as index, Index.open(tmp_path / "single.dedup") as single:
        for id_ in order:
            single.add(by_id[id_])
        assert index.verify() == []
        assert state_of(index) == state_of(single)
        assert any(group.size > 2 for group in index.groups())
        for given in verdicts:  # nothing was removed, so that each verdict still stands
            for verdict in given:
                held = index.get(verdict.id)
                assert held is not None
                assert (held.canonical_id, held.group_id) == (verdict.canonical_id, verdict.group_id)


def test_readers_go_on_while_a_writer_holds_the_file(tmp_path: Path) -> None:
    articles = articles_of(5, 40)
    path = tmp_path / "news.dedup"
    with Index.open(path) as index, Index.open(path) as other:
        list(index.add_many(articles[:30]))
        expected = state_of(index)
        checked = [index.check(article) for article in articles]
        writer = apsw.Connection(str(path))
        writer.execute("BEGIN EXCLUSIVE; DELETE FROM articles")
        for reader in (index, other):
            assert [reader.check(article) for article in articles] == checked
            assert state_of(reader) == expected
            assert reader.verify() == []
        with Index.open(path, read_only=True) as reader:
            assert state_of(reader) == expected
        writer.execute("ROLLBACK")
        writer.close()


def test_a_writer_that_waits_too_long_says_so_and_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_MILLISECONDS", 50)
    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        writer = apsw.Connection(str(path))
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexBusyError, match="another process writes"):
            index.add({"id": 1, "text": "a story"})
        writer.execute("ROLLBACK")
        writer.close()
        assert index.get(1) is None
        assert index.add({"id": 1, "text": "a story"}).relation == "new"


def test_an_interrupt_ends_the_wait_for_another_writer(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        index.add({"id": 0, "text": "another"})  # loads what it needs, so that the next one only waits
        writer = apsw.Connection(str(path))
        writer.execute("BEGIN IMMEDIATE")
        interrupt = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        waited_on = threading.Event()
        late = threading.Timer(store.BUSY_MILLISECONDS / 2000, waited_on.set)
        interrupt.start()
        late.start()
        with pytest.raises(KeyboardInterrupt):
            index.add({"id": 1, "text": "a story"})
        interrupt.join()
        late.cancel()
        assert not waited_on.is_set()
        writer.execute("ROLLBACK")
        writer.close()
        assert index.get(1) is None
        assert index.add({"id": 1, "text": "a story"}).relation == "new"


def test_a_writer_goes_on_once_the_other_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        writer = apsw.Connection(str(path))
        writer.execute("BEGIN IMMEDIATE")
        verdicts: list[Verdict] = []
        adding = threading.Thread(target=lambda: verdicts.append(index.add({"id": 1, "text": "a story"})))
        adding.start()
        adding.join(0.7)  # so long that it asks less often
        assert adding.is_alive()
        assert index.get(1) is None
        writer.execute("ROLLBACK")
        writer.close()
        adding.join(SECONDS)
        assert [verdict.relation for verdict in verdicts] == ["new"]


def in_threads(work: list[Callable[[], None]]) -> None:
    """Do all at once; raise what one of them raised."""
    errors: list[BaseException] = []

    def guarded(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_eight_threads_check_while_one_adds(tmp_path: Path) -> None:
    articles = articles_of(6, 120)
    with Index.open(tmp_path / "news.dedup") as index:
        list(index.add_many(articles[:40]))
        stop = threading.Event()
        seen: list[int] = []

        def check(first: int) -> None:
            before = None
            while not stop.is_set():
                for article in articles[first::8]:
                    verdict = index.check({**article, "id": f"other {article['id']}"})
                    assert verdict.id == f"other {article['id']}"
                before = sum(group.size for group in index.groups())
                seen.append(before)

        def add() -> None:
            try:
                for article in articles[40:]:
                    checked = index.check(article)
                    assert index.add(article) == checked
            finally:
                stop.set()

        in_threads([add, *(lambda first=first: check(first) for first in range(8))])
        assert seen
        assert index.verify() == []
        with Index.open(tmp_path / "single.dedup") as single:
            list(single.add_many(articles))
            assert state_of(index) == state_of(single)


def test_threads_that_add_at_once_leave_what_one_would_have_left(tmp_path: Path) -> None:
    articles = articles_of(7, 90)
    path = tmp_path / "news.dedup"
    with Index.open(path) as index, Index.open(tmp_path / "single.dedup") as single:
        in_threads(
            [lambda first=first: [index.add(article) for article in articles[first::3]] for first in range(3)]
        )
        by_id = {str(article["id"]): article for article in articles}
        for id_ in ids_in_order(path):
            single.add(by_id[id_])
        assert state_of(index) == state_of(single)


def test_two_indexes_on_one_file_in_one_process_see_each_other(tmp_path: Path) -> None:
    articles = articles_of(8, 60)
    path = tmp_path / "news.dedup"
    with Index.open(path) as one, Index.open(path) as two, Index.open(tmp_path / "single.dedup") as single:
        for number, article in enumerate(articles):
            writer, reader = (one, two) if number % 2 else (two, one)
            verdict = writer.add(article)
            assert reader.check(article) == verdict == single.add(article)
        one.learn()
        assert one.stats()["formula_version"] == two.stats()["formula_version"] == 1
        assert state_of(one) == state_of(two)
    with Index.open(path) as again:
        assert again.verify() == []


def test_one_that_closes_leaves_the_other_open(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    one, two = Index.open(path), Index.open(path)
    one.add({"id": 1, "text": "a story"})
    one.close()
    assert two.add({"id": 2, "text": "a story"}).canonical_id == 1
    two.close()


def test_a_fork_while_the_index_is_open_goes_on_on_both_sides(tmp_path: Path) -> None:
    articles = articles_of(9, 60)
    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        list(index.add_many(articles[:20]))
        groups = index.groups()
        next(groups)  # a read transaction is open across the fork
        child = _fork(lambda: [index.add(article) for article in articles[20:40]] and index.close())
        for article in articles[40:]:
            index.add(article)
        list(groups)
        assert os.waitpid(child, 0)[1] == 0
        assert index.verify() == []
        assert index.stats()["articles"] == 60
        with Index.open(tmp_path / "single.dedup") as single:
            by_id = {str(article["id"]): article for article in articles}
            list(single.add_many([by_id[id_] for id_ in ids_in_order(path)]))
            assert state_of(single)["groups"] == state_of(index)["groups"]


def _fork(work: Callable[[], Any]) -> int:
    """Return the process id of a child that does the work and exits with 0 if it could."""
    with warnings.catch_warnings():  # of Python 3.12 on, where other threads are there; so are a user's
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def test_a_fork_while_another_thread_writes_does_not_hang(tmp_path: Path) -> None:
    articles = articles_of(10, 60)
    path = tmp_path / "news.dedup"
    with Index.open(path) as index, index._store.writing():
        in_threads([lambda: _wait_for_reader(index, articles)])
    with Index.open(path) as index:
        assert index.verify() == []


def test_a_thread_waits_for_another_no_longer_than_for_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_MILLISECONDS", 50)
    with Index.open(tmp_path / "news.dedup") as index, ThreadPoolExecutor(1) as pool:
        with index.store.writing():
            adding = pool.submit(index.add, {"id": 1, "text": "a story"})
            with pytest.raises(IndexBusyError, match="another thread of this process writes to it"):
                adding.result()
        assert index.add({"id": 1, "text": "a story"}).is_new


def _wait_for_reader(index: Index, articles: list[Article]) -> None:
    child = _fork(lambda: index.check(articles[0]))
    assert os.waitpid(child, 0)[1] == 0


def test_an_index_of_other_settings_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    with Index.open(path, Settings(window_days=3.0)) as index:
        index.add({"id": 1, "text": "a story"})
        with pytest.raises(DedupError, match=r"window_days is 3.0 there, None asked for"):
            Index.open(path, Settings())
        with Index.open(path) as same:
            assert same.settings.window_days == 3.0
        assert index.stats()["articles"] == 1


def test_after_close_everything_says_so_and_closing_again_is_fine(tmp_path: Path) -> None:
    index = Index.open(tmp_path / "news.dedup")
    index.add({"id": 1, "text": "a story"})
    groups, changes, adding = index.groups(), index.changes_since(), index.add_many([{"id": 2, "text": "x"}])
    index.close()
    index.close()
    for use in (
        lambda: index.add({"id": 2, "text": "x"}),
        lambda: index.check({"id": 2, "text": "x"}),
        lambda: index.get(1),
        lambda: list(groups),
        lambda: list(changes),
        lambda: list(adding),
        index.stats,
        index.verify,
        index.merge,
        index.vacuum,
        index.links,
        lambda: index.remove(1),
        lambda: index.prune(before="2030-01-01"),
    ):
        with pytest.raises(IndexFileError, match="was closed"):
            use()
    with Index.open(tmp_path / "news.dedup") as again:
        assert again.stats()["articles"] == 1


def test_closing_while_groups_are_read_ends_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    index = Index.open(path)
    list(index.add_many(articles_of(11, 60)))
    groups = index.groups()
    next(groups)
    index.close()
    with pytest.raises(IndexFileError, match="was closed"):
        index.check({"id": 1, "text": "x"})
    groups.close()
    with Index.open(path) as again:
        assert again.verify() == []
