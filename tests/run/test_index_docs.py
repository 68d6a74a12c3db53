"""The code of the documentation of the index runs as it stands, and its tables and views are there."""

import re
from pathlib import Path

import apsw
import pytest

from dedup.articles import ChangeKind
from dedup.index.schema import TABLE_NAMES
from dedup.run.indexing import Index

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "index.md"


def code_of(path: Path) -> list[str]:
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "Index.open" in block]


@pytest.mark.parametrize("path", [ROOT / "README.md", PAGE], ids=lambda path: path.name)
def test_the_code_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = code_of(path)
    exec(compile(code, str(path), "exec"), {})
    assert "new" in capsys.readouterr().out


def test_the_page_names_every_table_view_method_and_kind_of_change(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    with Index.open(tmp_path / "news.dedup") as index:
        index.add({"id": 1, "text": "one two three four five six seven", "published_at": "2026-01-01"})
        index.add({"id": 2, "text": "one two three four five six seven"})
    connection = apsw.Connection(str(tmp_path / "news.dedup"))
    views = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    methods = [
        name for name in vars(Index) if not name.startswith("_") and name not in {"path", "set_formulas"}
    ]
    for name in (*TABLE_NAMES, *views, *methods):
        assert f"`{name}" in page or f".{name}(" in page, name
    for kind in ChangeKind.__args__:  # type: ignore[attr-defined]
        assert f"| `{kind}` |" in page
    columns = re.search(r"`article_list` \((.*?)\)", page, re.DOTALL)
    assert columns is not None
    cursor = connection.execute("SELECT * FROM article_list")
    assert [name for name, _ in cursor.getdescription()] == re.split(r",\s+", columns[1])
    assert [(row[0], row[1], row[3], row[10]) for row in cursor] == [
        ("1", "1", "canonical", "2026-01-01 00:00:00"),
        ("2", "1", "exact", None),
    ]
    assert connection.execute("SELECT group_id, size FROM group_list").fetchall() == [("1", 2)]
    for view in views:
        connection.execute(f"SELECT * FROM {view}").fetchall()
    connection.close()
