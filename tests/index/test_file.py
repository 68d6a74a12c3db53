"""The file of an index: what is refused and why, and what damage leads to."""

import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from dedup.errors import IndexBusyError, IndexFileError, SettingsError
from dedup.index import store
from dedup.index.file import check_place, network_kind
from dedup.index.schema import APPLICATION_ID, SCHEMA_VERSION
from dedup.run.indexing import Index
from dedup.settings import Settings

ARTICLES = [{"id": k, "text": " ".join(f"w{k * 200 + j}" for j in range(120))} for k in range(300)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the file of an index that was closed."""
    file = tmp_path / "news.dedup"
    with Index.open(file) as index:
        list(index.add_many(ARTICLES))
    assert not file.with_name("news.dedup-wal").exists()
    return file


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_a_missing_index_is_made_only_where_that_is_asked_for(tmp_path: Path) -> None:
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(IndexFileError, match="there is no such index"):
            Index.open(tmp_path / "none.dedup", **options)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IndexFileError, match="there is no folder"):
        Index.open(tmp_path / "none" / "a.dedup")


def test_an_empty_file_becomes_an_index(tmp_path: Path) -> None:
    (tmp_path / "a.dedup").touch()
    with pytest.raises(IndexFileError, match="is empty"):
        Index.open(tmp_path / "a.dedup", create=False)
    with Index.open(tmp_path / "a.dedup") as index:
        assert index.stats()["articles"] == 0


def test_the_header_names_the_program_and_the_version(path: Path) -> None:
    header = path.read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID
    assert int.from_bytes(header[60:64], "big") == SCHEMA_VERSION


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database\n" * 100)
    before = file.read_bytes()
    with pytest.raises(IndexFileError, match="is not an index, nor any SQLite file"):
        Index.open(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("application_id", [0, 77])
def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, application_id: int) -> None:
    file = tmp_path / "other.db"
    other = apsw.Connection(str(file))
    other.execute(f"CREATE TABLE t(a); PRAGMA application_id = {application_id}")
    other.close()
    before = file.read_bytes()
    with pytest.raises(IndexFileError, match="SQLite file of another program"):
        Index.open(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("change", "words"), [(1, "a newer version"), (-1, "another version")])
def test_another_version_of_the_format_is_refused(path: Path, change: int, words: str) -> None:
    other = apsw.Connection(str(path))
    other.execute(f"PRAGMA user_version = {SCHEMA_VERSION + change}")
    other.close()
    with pytest.raises(IndexFileError, match=words):
        Index.open(path)


def test_other_settings_are_named_with_both_values(path: Path) -> None:
    wanted = Settings(threshold=0.5, source_priority=("a",))
    with pytest.raises(SettingsError) as caught:
        Index.open(path, wanted)
    assert "threshold is 0.28 there, 0.5 asked for" in str(caught.value)
    assert "source_priority is () there, ('a',) asked for" in str(caught.value)
    assert "num_perm" not in str(caught.value)
    with Index.open(path) as index:
        assert index.settings == Settings()


@pytest.mark.parametrize("name", ["rule_version", "fold_table", "hashes"])
def test_an_index_of_another_rule_or_fold_table_is_refused(path: Path, name: str) -> None:
    other = apsw.Connection(str(path))
    other.execute("UPDATE meta SET value = 'another' WHERE name = ?", (name,))
    other.close()
    with pytest.raises(IndexFileError, match="of the index is another"):
        Index.open(path)


@pytest.mark.parametrize("length", [1, 60, 4096, 20_000])
def test_a_truncated_file_is_refused(path: Path, length: int) -> None:
    os.truncate(path, length)
    with pytest.raises(IndexFileError, match=r"truncated|damaged"):
        Index.open(path)


def test_damage_to_any_byte_of_the_header_gives_an_error_or_changes_nothing(path: Path) -> None:
    whole = path.read_bytes()
    refused = 0
    for offset in range(100):
        path.write_bytes(whole)
        overwrite(path, offset, bytes([whole[offset] ^ 0xFF]))
        try:
            with Index.open(path, read_only=True) as index:
                problems = index.verify()
                verdict = index.check({**ARTICLES[3], "id": "x"})
                assert problems or verdict.canonical_id == 3
        except IndexFileError:
            refused += 1
    assert refused > 20


def test_damage_to_a_page_is_found_by_verify_and_never_answered_from(path: Path) -> None:
    whole = path.read_bytes()
    found = 0
    for page in range(1, len(whole) // 4096):
        path.write_bytes(whole)
        overwrite(path, page * 4096 + 2000, b"\x5a\xa5" * 40)
        try:
            with Index.open(path, read_only=True) as index:
                found += bool(index.verify())
                for k in (3, 150, 299):
                    verdict = index.check({**ARTICLES[k], "id": "x"})
                    assert verdict.canonical_id in {k, "x"}  # postings may be lost, not made up
                    held = index.get(k)
                    assert held is None or (held.id, held.num_words) == (k, 120)
        except IndexFileError:
            found += 1
    assert found > 0.6 * (len(whole) // 4096 - 1)  # the rest fell into room that is free


def test_a_flipped_bit_in_a_sketch_is_an_error_when_it_is_read(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("UPDATE sketches SET tokens = zeroblob(480) WHERE no = 4")
    other.execute("UPDATE articles SET title = 'false' WHERE no = 9")
    other.close()
    with Index.open(path) as index:
        with pytest.raises(IndexFileError, match="sketch of article number 4 is damaged"):
            index.check({**ARTICLES[3], "id": "x"})
        with pytest.raises(IndexFileError, match="article number 9"):
            index.get(8)
        problems = index.verify()
        assert any("sketch of article number 4" in problem for problem in problems)
        assert any("article number 9" in problem for problem in problems)


BROKEN = {
    "has no sketch": "DELETE FROM sketches WHERE no = 5",
    "which no article has": "INSERT INTO sketches VALUES(9999, 0, x'', NULL)",
    "has a canonical that is none": "UPDATE articles SET canonical = 9999 WHERE no = 5",
    "posting rows are there of number 9999": "INSERT INTO postings VALUES(1, x'0f27000000000000')",
    "posting rows are there twice": "INSERT INTO postings SELECT * FROM recent_postings LIMIT 1",
    "posting row of key 1 is damaged": "INSERT INTO postings VALUES(1, x'0f2700')",
    "posting row of key 2 is damaged": "INSERT INTO postings VALUES(2, 'text')",
    "a relation is there of number 9999": "INSERT INTO relations VALUES(9999, 1, 3, 1, 1, 1, 0)",
    "a relation leads to number 9999": "INSERT INTO relations VALUES(1, 9999, 3, 1, 1, 1, 0)",
    "group g has a canonical": "INSERT INTO groups VALUES('g', 0, 9999, 0)",
    "and no row of groups": "UPDATE articles SET canonical = 6 WHERE no = 5",
    "has several groups": "INSERT INTO groups VALUES('g', 0, 6, 0), ('h', 0, 6, 0)",
    "formulas of version 1": "INSERT INTO formulas VALUES(1, x'00', 0, 0, 0)",
}


@pytest.mark.parametrize("words", BROKEN)
def test_verify_names_each_broken_bond(path: Path, words: str) -> None:
    with Index.open(path) as index:
        assert index.verify() == []
    other = apsw.Connection(str(path))
    other.execute(BROKEN[words])
    other.close()
    with Index.open(path) as index:
        assert any(words in problem for problem in index.verify())


def test_a_read_only_index_answers_and_refuses_to_write(path: Path) -> None:
    with Index.open(path, read_only=True) as index:
        assert index.check({**ARTICLES[3], "id": "x"}).relation == "exact"
        for write in (
            lambda: index.add({"id": "x", "text": "x"}),
            lambda: index.remove(3),
            index.vacuum,
            index.learn,
        ):
            with pytest.raises(IndexFileError, match="read_only=True"):
                write()


AS_NOBODY = """
import os, sys, tempfile, dedup
with tempfile.TemporaryDirectory() as folder, dedup.Index.open(folder + "/warm.dedup") as index:
    index.add({"id": "x", "text": "x y z"})  # loads what cannot be read afterwards
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
"""


def as_nobody(script: str, *arguments: str) -> str:
    """Return what a script prints that runs without the rights of the superuser."""
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY + script, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


OPEN_READ_ONLY = """
with dedup.Index.open(sys.argv[1], read_only=True) as index:
    print(index.stats()["articles"])
"""

OPEN_TO_WRITE = """
try:
    with dedup.Index.open(sys.argv[1]) as index:
        index.add({"id": "x", "text": "x y z"})
except dedup.IndexFileError as error:
    print(error)
"""


@pytest.fixture
def visible(path: Path) -> Path:
    """Return an index in a folder that everybody may enter."""
    folder = path.parent
    while folder != folder.parent:
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o755)
        folder = folder.parent
    return path


def test_a_folder_without_the_right_to_write_can_be_read(visible: Path) -> None:
    visible.chmod(0o444)
    visible.parent.chmod(0o555)
    try:
        assert as_nobody(OPEN_READ_ONLY, str(visible)) == "300\n"
        assert "cannot be" in as_nobody(OPEN_TO_WRITE, str(visible))
    finally:
        visible.parent.chmod(0o755)


def test_a_file_that_is_removed_or_replaced_under_a_running_index_is_an_error(path: Path) -> None:
    with Index.open(path) as index:
        path.rename(path.with_name("moved"))
        for use in (
            lambda: index.add({"id": "x", "text": "x"}),
            lambda: index.check({"id": "x", "text": "x"}),
        ):
            with pytest.raises(IndexFileError, match="was removed or replaced"):
                use()
        path.write_bytes(b"")
        with pytest.raises(IndexFileError, match="was removed or replaced"):
            index.get(3)


def test_a_full_disk_is_an_error_and_stores_nothing(path: Path) -> None:
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
index = dedup.Index.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
acknowledged = 0
try:
    articles = ({"id": f"n{k}", "text": f"w{k} " * 300} for k in range(5000))
    for verdict in index.add_many(articles, batch_size=50):
        acknowledged += 1
except dedup.IndexFileError as error:
    print(acknowledged, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, dedup\n{script}", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    acknowledged, _, message = done.stdout.partition(" ")
    assert "nothing" in message
    with Index.open(path) as index:
        assert index.stats()["articles"] == 300 + int(acknowledged)
        assert index.verify() == []


def test_another_writer_is_waited_for_and_then_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_MILLISECONDS", 50)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with Index.open(path) as index:
        assert index.check({**ARTICLES[3], "id": "x"}).relation == "exact"  # readers do not wait
        with pytest.raises(IndexBusyError, match="another process writes"):
            index.add({"id": "x", "text": "x"})
        other.execute("ROLLBACK")
        assert index.add({"id": "x", "text": "x"}).relation == "new"
    other.close()


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /srv/news\\040files rw - nfs4 host:/news rw
31 30 8:2 / /srv/news\\040files/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /home/me/far rw - fuse.sshfs me@host: rw
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/a.dedup", None),
        ("/srv/news files/a.dedup", "nfs4"),
        ("/srv/news files/local/a.dedup", None),
        ("/srv/news files2/a.dedup", None),
        ("/home/me/far/deep/a.dedup", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_told_by_their_mount(name: str, kind: str | None) -> None:
    assert network_kind(Path(name), MOUNTS) == kind


def test_an_index_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"30 22 0:40 / {tmp_path.resolve()} rw - cifs //host/news rw\n")
    monkeypatch.setattr("dedup.index.file._MOUNTS", mounts)
    with pytest.raises(IndexFileError, match=r"network file system \(cifs\)"):
        check_place(tmp_path / "a.dedup")


def test_a_closed_index_says_so(path: Path) -> None:
    index = Index.open(path)
    index.close()
    index.close()
    with pytest.raises(IndexFileError, match="was closed"):
        index.get(3)


def test_a_link_to_an_index_is_the_index(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.dedup"
    link.symlink_to(path)
    with Index.open(link) as index:
        index.add({"id": "x", "text": "x"})
        assert path.with_name("news.dedup-wal").exists()
        assert index.stats()["log_bytes"] > 0
    with Index.open(path) as index:
        assert index.get("x") is not None
