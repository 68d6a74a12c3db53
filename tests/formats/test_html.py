"""HTML pages as files and in a field of records."""

import io
import json
from pathlib import Path

import pytest

from dedup.articles import MISSING_DATE, Fields
from dedup.errors import InputError
from dedup.formats import html
from dedup.formats.inputs import html_fields, open_inputs

PARAGRAPHS = [
    "أعلنت إدارة الميناء يوم الاثنين أن العبارة الجديدة ستبحر مرتين كل يوم من يونيو إلى نهاية سبتمبر القادم.",
    "وقال رئيس البلدية للصحفيين بعد الاجتماع إن المجلس سيراجع الأرقام في الخريف ثم يقرر ما يلزم من خطوات.",
]
PAGE = f"""<!doctype html><html lang="ar"><head><meta charset="CHARSET"><title>العبارة</title>
<meta property="og:title" content="العبارة الجديدة"><meta property="og:site_name" content="الميناء">
<meta property="article:published_time" content="2024-05-31T10:00:00Z">
<link rel="canonical" href="https://example.org/ferry"></head>
<body><nav><a href="/">الرئيسية</a> <a href="/sea">البحر</a></nav>
<article><h1>العبارة الجديدة</h1>{"".join(f"<p>{text}</p>" for text in PARAGRAPHS)}</article>
<footer><p>جميع الحقوق محفوظة</p></footer></body></html>"""
DAY = 1717113600000000  # 2024-05-31

pytest.importorskip("trafilatura")


@pytest.mark.parametrize(("suffix", "encoding"), [(".html", "utf-8"), (".htm", "windows-1256")])
def test_a_folder_of_pages_gives_articles_with_their_metadata(
    tmp_path: Path, suffix: str, encoding: str
) -> None:
    (tmp_path / f"ferry{suffix}").write_bytes(PAGE.replace("CHARSET", encoding).encode(encoding))
    (file,) = open_inputs([str(tmp_path)]).files
    file.check(Fields(), "text")
    (chunk,) = file.chunks(Fields(), "text")
    assert chunk.ids == ["ferry"]
    assert all(paragraph in chunk.texts[0] for paragraph in PARAGRAPHS)
    assert "الرئيسية" not in chunk.texts[0]
    assert chunk.dates == [DAY]
    assert chunk.sources == ["الميناء"]
    out = io.BytesIO()
    file.copy_records([1], out)
    record = json.loads(out.getvalue())
    assert record["text"] == chunk.texts[0]
    assert (record["id"], record["title"], record["url"]) == (
        "ferry",
        "العبارة الجديدة",
        "https://example.org/ferry",
    )


def test_titles_of_pages_can_be_compared(tmp_path: Path) -> None:
    (tmp_path / "ferry.html").write_text(PAGE, "utf-8")
    (file,) = open_inputs([str(tmp_path)]).files
    file.check(Fields(), "title")
    (chunk,) = file.chunks(Fields(), "title")
    assert chunk.texts == ["العبارة الجديدة"]


def test_a_page_without_an_article_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "empty.html").write_text("<html><body></body></html>", "utf-8")
    (file,) = open_inputs([str(tmp_path)]).files
    (chunk,) = file.chunks(Fields(), "text")
    assert [reject.reason for reject in chunk.rejects] == [html.NO_ARTICLE]
    assert chunk.ids == []


def test_html_in_a_field_is_read_and_the_records_stay(tmp_path: Path) -> None:
    dated = {"id": 1, "text": PAGE, "published_at": "2020-01-01", "source": "own"}
    lines = [json.dumps(record) for record in (dated, {"id": 2, "text": PAGE}, {"id": 3, "text": ""})]
    (tmp_path / "pages.jsonl").write_text("\n".join(lines), "utf-8")
    (file,) = html_fields(open_inputs([str(tmp_path)]).files)
    file.check(Fields(), "text")
    (chunk,) = file.chunks(Fields(), "text")
    assert chunk.ids == [1, 2]
    assert chunk.texts[0] == chunk.texts[1]
    assert "<p>" not in chunk.texts[0]
    assert chunk.dates[0] not in (DAY, MISSING_DATE)
    assert chunk.dates[1] == DAY
    assert chunk.sources == ["own", "الميناء"]
    assert [(reject.line, reject.reason) for reject in chunk.rejects] == [(3, html.NO_ARTICLE)]
    out = io.BytesIO()
    file.copy_records([1], out)
    assert out.getvalue().decode().rstrip("\n") == lines[0]


def test_without_the_extra_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "ferry.html").write_text(PAGE, "utf-8")
    (file,) = open_inputs([str(tmp_path)]).files
    with pytest.raises(InputError, match=r"pip install '\.\[html\]'"):
        file.check(Fields(), "text")
    with pytest.raises(InputError, match="trafilatura"):
        html_fields([file])[0].check(Fields(), "text")
