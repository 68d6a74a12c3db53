"""What a disk and its administrator do: full, read-only, removed, replaced. Nothing acknowledged is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.environment import ROOT
from benchmarks.kill_cases import articles_of, state_of
from dedup import Index
from dedup.errors import DedupError, IndexFileError

FULL_DISK = """
import sys
from pathlib import Path
from dedup import Index
from dedup.errors import IndexFileError
from benchmarks.kill_cases import articles_of

folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(600_000))
articles = articles_of(1, 2000)
durable = []
with Index.open(folder / "news.dedup") as index:
    try:
        if sys.argv[2] == "add":
            for article in articles:
                index.add(article)
                durable.append(article)
        else:
            for article, verdict in zip(articles, index.add_many(iter(articles), batch_size=50)):
                durable.append(article)
    except IndexFileError as error:
        print(error)
    else:
        raise SystemExit("the disk did not fill up")
    assert 0 < len(durable) < len(articles)
    for article in durable:
        assert index.check(article).id == article["id"]
        assert index.get(article["id"]) is not None
    assert index.stats()["articles"] == len(durable), "something is stored that was not acknowledged"
    assert index.verify() == []
    try:
        index.add(articles[len(durable)])
    except IndexFileError:
        pass
    {make_room}
    index.add(articles[len(durable)])
with Index.open(folder / "news.dedup") as index:
    assert index.stats()["articles"] == len(durable) + 1
    assert index.verify() == []
print("fine")
"""


def run_python(code: str, *arguments: str | Path, before: tuple[str, ...] = ()) -> str:
    """Return what a process of its own prints."""
    done = subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def allowed(*command: str) -> bool:
    """Return whether a command that needs a permission of its own works here."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("how", ["add", "add_many"])
def test_a_full_disk_stores_what_was_acknowledged_and_nothing_else(how: str, tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
    own_mounts = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(tmp_path))
    if not allowed(*own_mounts, "true"):
        pytest.skip("no file system may be mounted here")
    code = FULL_DISK.replace("{make_room}", "ballast.unlink()")
    said = run_python(code, tmp_path, how, before=own_mounts)
    assert "the disk is full; nothing of this step was stored" in said
    assert said.endswith("fine\n")


@pytest.mark.parametrize("how", ["add", "add_many"])
def test_a_file_that_may_not_grow_stores_what_was_acknowledged_and_nothing_else(
    how: str, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    assert resource
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, -1))"
    lift = "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))"
    said = run_python(limit + FULL_DISK.replace("{make_room}", lift), tmp_path, how)
    assert "nothing" in said
    assert "stored" in said
    assert said.endswith("fine\n")


READ_ONLY = """
import os, sys
from pathlib import Path
from dedup import Index
from dedup.errors import IndexFileError
from benchmarks.kill_cases import articles_of, state_of

path = Path(sys.argv[1])
articles = articles_of(1, 30)
try:
    with Index.open(path) as index:
        index.add(articles[20])
except IndexFileError as error:
    print("refused:", error)
with Index.open(path, read_only=True) as index:
    assert len(list(index.groups())) == int(sys.argv[2])
    assert index.stats()["articles"] == 20
    assert index.check(articles[0]).id == articles[0]["id"]
    assert index.verify() == []
    try:
        index.add(articles[20])
    except IndexFileError as error:
        print("refused:", error)
"""


@pytest.fixture
def as_somebody() -> tuple[str, ...]:
    """A command that runs another without the right to write where nobody may; root has it."""
    if os.geteuid() != 0:
        return ()
    command = ("unshare", "--user")
    if not allowed(*command, "true"):
        pytest.skip("root cannot give up its rights here")
    return command


@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_what_may_not_be_written_can_be_read_and_writing_says_why(
    what: str, tmp_path: Path, as_somebody: tuple[str, ...]
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    path = folder / "news.dedup"
    with Index.open(path) as index:
        list(index.add_many(articles_of(1, 30)[:20]))
        num_groups = len(list(index.groups()))
    before = path.read_bytes()
    if what != "folder":
        path.chmod(0o444)
    if what != "file":
        folder.chmod(0o555)
    try:
        said = run_python(READ_ONLY, path, str(num_groups), before=as_somebody)
    finally:
        folder.chmod(0o755)
    assert said.count("refused:") == 2
    assert "read_only=True" in said.splitlines()[1]
    assert path.read_bytes() == before


def test_an_index_in_no_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match=r"there is no folder .*; make it first"):
        Index.open(tmp_path / "none" / "news.dedup")


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for each in path.parent.iterdir():
        each.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replace(path: Path) -> None:
    with Index.open(path.with_name("other")) as other:
        other.add({"id": "other", "text": "another index"})
    path.with_name("other").replace(path)


@pytest.mark.parametrize("change", [remove, remove_all, move_away, replace])
def test_a_file_that_goes_under_a_running_process_is_noticed(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    articles = articles_of(1, 30)
    with Index.open(tmp_path / "news.dedup") as index:
        list(index.add_many(articles[:20]))
        change(index.path)
        for use in (
            lambda: index.add(articles[20]),
            lambda: list(index.add_many(articles[20:])),
            lambda: index.check(articles[0]),
            lambda: index.get(articles[0]["id"]),
            lambda: list(index.groups()),
            lambda: index.remove(articles[0]["id"]),
            index.verify,
        ):
            with pytest.raises(IndexFileError, match="removed or replaced while it was open"):
                use()


def test_a_log_that_goes_under_a_running_process_is_noticed(tmp_path: Path) -> None:
    articles = articles_of(1, 30)
    with Index.open(tmp_path / "news.dedup") as index:
        list(index.add_many(articles[:20]))
        (tmp_path / "news.dedup-wal").unlink()
        for use in (lambda: index.add(articles[20]), lambda: index.check(articles[0])):
            with pytest.raises(IndexFileError, match="removed or replaced while it was open"):
                use()


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DedupError, match=r"cannot be read: Is a directory"):
        Index.open(tmp_path)


def test_a_copy_of_the_file_and_its_log_is_a_backup(tmp_path: Path) -> None:
    with Index.open(tmp_path / "news.dedup") as index:
        list(index.add_many(articles_of(1, 60)))
        shutil.copytree(tmp_path, tmp_path.with_name("backup"))
        with Index.open(tmp_path.with_name("backup") / "news.dedup") as backup:
            assert state_of(backup) == state_of(index)
            assert backup.verify() == []
