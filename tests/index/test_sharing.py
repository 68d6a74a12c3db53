"""One index used by several threads, several processes and both sides of a fork."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest

from dedup.run.indexing import Index

NUM_STORIES = 12
COPIES = 6


def articles() -> list[dict[str, Any]]:
    """Return light copies of a few stories, each copy within reach of all others of its story."""
    made = []
    for story in range(NUM_STORIES):
        words = random.Random(story).choices([f"w{k}" for k in range(3000)], k=150)
        for copy in range(COPIES):
            text = [f"c{copy}" if place == 20 * copy else word for place, word in enumerate(words)]
            made.append({"id": f"{story}-{copy}", "text": " ".join(text)})
    return made


def assert_complete(index: Index) -> None:
    """Check that each story is one group of all its copies."""
    groups = [sorted(member.id for member in group.members) for group in index.groups()]
    expected = [[f"{story}-{copy}" for copy in range(COPIES)] for story in range(NUM_STORIES)]
    assert sorted(groups) == sorted(expected)
    assert index.verify() == []


ADD = """
import json, sys, dedup
with dedup.Index.open(sys.argv[1]) as index:
    articles = json.load(sys.stdin)
    print("ready", flush=True)
    for verdict in index.add_many(articles, batch_size=int(sys.argv[2])):
        print(json.dumps(verdict.id), flush=True)
"""


def add_process(path: Path, batch_size: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ADD, str(path), str(batch_size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_four_processes_that_add_overlapping_articles_make_one_group_a_story(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    processes = [add_process(path, batch_size) for batch_size in (1, 1, 5, 40)]
    for number, process in enumerate(processes):
        mine = articles()
        random.Random(number).shuffle(mine)
        assert process.stdin is not None
        process.stdin.write(json.dumps(mine))
        process.stdin.close()
        process.stdin = None
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert len(out.split()) == 1 + NUM_STORIES * COPIES
    with Index.open(path) as index:
        assert_complete(index)


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    process = add_process(path, 3)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(articles()))
    process.stdin.close()
    process.stdin = None
    assert process.stdout.readline() == "ready\n"
    acknowledged = [json.loads(process.stdout.readline()) for _ in range(7)]
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    acknowledged += [json.loads(line) for line in out.splitlines() if line.endswith('"')]
    with Index.open(path) as index:
        assert index.verify() == []
        assert all(index.get(id_) is not None for id_ in acknowledged)
        list(index.add_many(articles()))
        assert_complete(index)


def test_threads_add_and_check_side_by_side(tmp_path: Path) -> None:
    with Index.open(tmp_path / "news.dedup") as index:

        def work(number: int) -> None:
            mine = articles()
            random.Random(number).shuffle(mine)
            for article in mine:
                index.check({**article, "id": "other"})
                index.add(article)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert_complete(index)


def test_readers_see_what_was_there_and_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        list(index.add_many(articles()))
        writer = apsw.Connection(str(path))
        writer.execute("BEGIN IMMEDIATE; DELETE FROM articles")
        reader = threading.Thread(target=lambda: assert_complete(index))
        reader.start()
        reader.join(timeout=60)
        assert not reader.is_alive()
        writer.execute("ROLLBACK")
        writer.close()


def test_iterating_while_adding_sees_one_state(tmp_path: Path) -> None:
    with Index.open(tmp_path / "news.dedup") as index:
        list(index.add_many(articles()[:30]))
        groups = index.groups()
        first = next(groups)
        list(index.add_many(articles()))
        then = [first, *groups]
        assert sum(group.size for group in then) == 30
        assert_complete(index)


def child_adds(index: Index, given: list[dict[str, Any]]) -> None:
    list(index.add_many(given, batch_size=4))


def test_both_sides_of_a_fork_go_on_with_connections_of_their_own(tmp_path: Path) -> None:
    with Index.open(tmp_path / "news.dedup") as index:
        everything = articles()
        list(index.add_many(everything[:20]))
        groups = index.groups()
        next(groups)  # a transaction is open across the fork
        child = multiprocessing.get_context("fork").Process(
            target=child_adds, args=(index, everything[10:60])
        )
        child.start()
        list(index.add_many(everything[30:], batch_size=4))
        child.join(timeout=120)
        assert child.exitcode == 0
        list(groups)
        assert_complete(index)


def test_a_child_that_drops_the_index_does_not_close_its_parents(tmp_path: Path) -> None:
    index = Index.open(tmp_path / "news.dedup")
    list(index.add_many(articles()[:20]))
    log = tmp_path / "news.dedup-wal"
    assert log.stat().st_size > 0
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            index.close()
            del index
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert status == 0
    assert log.stat().st_size > 0
    list(index.add_many(articles()))
    assert_complete(index)
    index.close()
    assert not log.exists()


def test_a_verdict_of_add_many_is_given_once_others_can_see_its_article(tmp_path: Path) -> None:
    taken = []

    def source() -> Any:
        for article in articles():
            taken.append(article["id"])
            yield article

    with Index.open(tmp_path / "news.dedup") as index, Index.open(tmp_path / "news.dedup") as other:
        for count, verdict in enumerate(index.add_many(source(), batch_size=10), 1):
            assert other.get(verdict.id) is not None
            assert len(taken) <= count + 10  # no more than a batch is held
        assert count == len(taken) == NUM_STORIES * COPIES


def test_opening_a_file_again_leaves_the_locks_that_the_process_has_on_it(tmp_path: Path) -> None:
    if not Path("/proc/locks").exists():
        pytest.skip("the system does not list locks")

    def num_locks() -> int:
        file = f":{path.stat().st_ino} "
        lines = Path("/proc/locks").read_text().splitlines()
        return sum(file in line and f" {os.getpid()} " in line for line in lines)

    path = tmp_path / "news.dedup"
    with Index.open(path) as index:
        index.add({"id": "a", "text": "one"})
        before = num_locks()
        assert before > 0
        with Index.open(path) as again:
            assert num_locks() >= before
            assert again.get("a") is not None
        assert num_locks() >= before
        under_way = index.articles()
        assert next(under_way).id == "a"
    with Index.open(path):  # the first one is closed, but for what is under way
        assert num_locks() > 0
        assert list(under_way) == []
