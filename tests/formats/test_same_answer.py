"""The same records give the same groups, whatever the format, line ends, packing and order of reading."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.errors import InputError
from dedup.formats.inputs import open_inputs
from dedup.run.nightly import run
from dedup.settings import Settings

FIELDS = ("id", "text", "source", "published_at", "title")
BODY = "the ministry said on {day} that the bridge over the river would open again after {n} months of work"


def _records() -> list[dict[str, Any]]:
    records = []
    for story in range(8):
        base = BODY.format(day=f"day{story} week{story * 7}", n=story) + f" and cost {story} million " * 3
        for copy in range(story % 4):
            date = f"2015-07-{21 - copy:02d} 10:20:30 +0300" if copy else ""
            text = base + f'\nsays, "outlet {copy}"' if copy else base
            records.append(
                {
                    "id": f"a{story}-{copy}",
                    "text": text,
                    "source": f"outlet {copy}",
                    "published_at": date,
                    "title": f"عنوان {story}",
                }
            )
    records.append({"id": "empty", "text": "", "source": "", "published_at": "soon", "title": ""})
    return records


RECORDS = _records()


def _lines(end: str = "\n", *, ascii_only: bool = False) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=ascii_only) + end for record in RECORDS).encode()


def _delimited(delimiter: str, end: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(RECORDS)
    return out.getvalue().encode()


def _parquet(**options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(RECORDS), sink, **options)
    return sink.getvalue().to_pybytes()


MARK = b"\xef\xbb\xbf"
FILES: dict[str, Callable[[], bytes]] = {
    "plain.jsonl": _lines,
    "windows.jsonl": lambda: MARK + _lines("\r\n"),
    "escaped.ndjson": lambda: _lines(ascii_only=True),
    "packed.jsonl.gz": lambda: gzip.compress(_lines()),
    "array.json": lambda: json.dumps(RECORDS, indent=2).encode(),
    "unix.csv": lambda: _delimited(",", "\n"),
    "windows.csv": lambda: MARK + _delimited(",", "\r\n"),
    "tabs.tsv": lambda: _delimited("\t", "\n"),
    "plain.parquet": _parquet,
    "small.parquet": lambda: _parquet(row_group_size=3, use_dictionary=False),
}


def _run(folder: Path, name: str) -> Path:
    (folder / name).write_bytes(FILES[name]())
    run(open_inputs([str(folder / name)]).files, folder / "out", Settings.of("article"))
    return folder / "out"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("expected"), "plain.jsonl")


@pytest.mark.parametrize("name", FILES)
def test_groups_do_not_depend_on_the_format(name: str, expected: Path, tmp_path: Path) -> None:
    out = _run(tmp_path, name)
    groups = (out / "groups.jsonl").read_bytes()
    assert groups.count(b"\n") >= 3
    assert groups == (expected / "groups.jsonl").read_bytes()
    assert pq.read_table(out / "articles.parquet").equals(pq.read_table(expected / "articles.parquet"))
    unique = [json.loads(line) for line in (out / "unique.jsonl").read_bytes().splitlines()]
    assert [record["id"] for record in unique] == [
        json.loads(line)["id"] for line in (expected / "unique.jsonl").read_bytes().splitlines()
    ]
    line_ends = str.maketrans({"\r": None})
    by_id = {record["id"]: record for record in RECORDS}
    for record in unique:
        assert record["text"].translate(line_ends) == by_id[record["id"]]["text"]
        assert record["title"] == by_id[record["id"]]["title"]
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["counts"]["dates_not_understood"] == 1
    assert summary["counts"]["rejected"] == 0


def test_all_formats_together_are_repeated_records(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content())
    run(open_inputs([str(tmp_path)]).files, tmp_path / "out", Settings.of("article"))
    summary = json.loads((tmp_path / "out/summary.json").read_bytes())
    assert summary["counts"]["articles"] == len(RECORDS)
    assert summary["counts"]["repeated_records"] == len(RECORDS) * (len(FILES) - 1)


def test_empty_file_is_fine_beside_one_with_articles(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.csv", "a.json", "a.parquet", "a.tsv.gz"):
        (tmp_path / name).touch()
    files = open_inputs([str(tmp_path)]).files
    with pytest.raises(InputError, match="no article in"):
        run(files, tmp_path / "out", Settings.of("article"))
    assert not (tmp_path / "out").exists()
    (tmp_path / "b.jsonl").write_bytes(_lines())
    result = run(open_inputs([str(tmp_path)]).files, tmp_path / "out", Settings.of("article"))
    assert result.summary["counts"]["articles"] == len(RECORDS)


def test_input_that_cannot_be_used_is_told_before_any_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"bad\n" + _lines())
    (tmp_path / "b.csv").write_bytes(b"key,text\n1,x\n")
    seen: list[str] = []
    with pytest.raises(InputError, match=r"b\.csv has no column 'id'"):
        run(
            open_inputs([str(tmp_path)]).files,
            tmp_path / "out",
            Settings.of("article"),
            progress=lambda stage, articles, num_bytes: seen.append(stage),
        )
    assert "read" not in seen


def test_integer_ids_beyond_64_bits_go_through(tmp_path: Path) -> None:
    text = BODY.format(day="day", n=1)
    lines = [json.dumps({"id": id_, "text": text}) for id_ in (10**30, 10**30 + 1, 7)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    run(open_inputs([str(tmp_path / "a.jsonl")]).files, tmp_path / "out", Settings.of("article"))
    [group] = [json.loads(line) for line in (tmp_path / "out/groups.jsonl").read_bytes().splitlines()]
    assert {member["id"] for member in group["members"]} == {10**30, 10**30 + 1, 7}


def test_rejects_of_all_formats_are_written(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.jsonl").write_bytes(_lines() + b'{"id":"a2-0","text":"other"}\n{"id":"x\xff')
    (bad / "b.csv").write_bytes(b"id,text\nb1\n")
    (bad / "c.jsonl.gz").write_bytes(gzip.compress(b'{"id":"c","text":"c"}\n' * 2)[:-5])
    (bad / "d.txt").write_bytes(b"\xff")
    run(open_inputs([str(bad)]).files, tmp_path / "out", Settings.of("article"))
    rejects = [json.loads(line) for line in (tmp_path / "out/rejects.jsonl").read_bytes().splitlines()]
    places = {(Path(reject["file"]).name, reject["line"]) for reject in rejects}
    n = len(RECORDS)
    assert places == {("a.jsonl", n + 1), ("a.jsonl", n + 2), ("b.csv", 2), ("c.jsonl.gz", 3), ("d.txt", 1)}
    [repeated] = [reject for reject in rejects if reject["line"] == n + 1]
    assert repeated["start"] == '{"id":"a2-0","text":"other"}'
    assert "stands already in" in repeated["reason"]
