"""Backup and restore as docs/operations.md tells them, with an index that is in use meanwhile."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import apsw

import dedup
from dedup.errors import IndexFileError


def article(number: int) -> dict[str, str]:
    words = " ".join(f"word{number}x{k}" for k in range(40))
    return {"id": f"a{number}", "text": words}


def back_up(index: Path, copy: Path) -> None:
    subprocess.run([sys.executable, "-m", "apsw", str(index), f".backup {copy}"], check=True)


def test_backup_of_an_index_that_is_being_written_is_whole_and_goes_on_as_an_index(tmp_path: Path) -> None:
    path, copy = tmp_path / "news.dedup", tmp_path / "copy.dedup"
    stop = threading.Event()
    with dedup.Index.open(path) as index:
        for _ in index.add_many(article(number) for number in range(300)):
            pass

        def write() -> None:
            number = 300
            while not stop.is_set():
                index.add(article(number))
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            back_up(path, copy)
        finally:
            stop.set()
            writer.join()
    with dedup.Index.open(copy, create=False) as restored:
        assert restored.verify() == []
        held = restored.stats()["articles"]
        assert held >= 300
        assert restored.get(f"a{held - 1}") is not None  # the articles up to one moment, none missing
        assert restored.get(f"a{held}") is None
        assert restored.add(article(7)).relation == "new"  # held, and no copy of itself
        assert restored.add(article(7) | {"id": "again"}).canonical_id == "a7"
        assert (tmp_path / "copy.dedup-wal").exists()  # readers do not wait for writers


def test_log_left_beside_a_restored_index_is_refused_and_mended_by_moving_it_away(tmp_path: Path) -> None:
    path, copy = tmp_path / "news.dedup", tmp_path / "copy.dedup"
    with dedup.Index.open(path) as index:
        index.add(article(0))
    back_up(path, copy)
    script = (
        "import os, sys, dedup\n"
        "index = dedup.Index.open(sys.argv[1])\n"
        "for number in range(300):\n"
        "    words = ' '.join(f'word{number}y{k}' for k in range(40))\n"
        "    index.add({'id': f'b{number}', 'text': words})\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    log = tmp_path / "news.dedup-wal"
    assert log.stat().st_size > 0
    path.unlink()
    shutil.copy(copy, path)
    try:
        with dedup.Index.open(path, create=False) as broken:
            problems = broken.verify()
    except IndexFileError as error:
        problems = [str(error)]
    assert problems
    for name in ("news.dedup", "news.dedup-wal", "news.dedup-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(copy, path)
    with dedup.Index.open(path, create=False) as restored:
        assert restored.verify() == []
        assert restored.stats()["articles"] == 1


def test_a_copy_without_a_log_gets_one_when_it_is_opened_for_writing(tmp_path: Path) -> None:
    with dedup.Index.open(tmp_path / "news.dedup") as index:
        index.add({"id": 1, "text": "the harbour office said on Monday that the ferry sails"})
    connection = apsw.Connection(str(tmp_path / "news.dedup"))
    connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.dedup"),))
    connection.close()
    with dedup.Index.open(tmp_path / "copy.dedup") as index:
        mode = apsw.Connection(str(tmp_path / "copy.dedup")).pragma("journal_mode")
        assert (mode, len(index.verify()), index.get(1) is not None) == ("wal", 0, True)
