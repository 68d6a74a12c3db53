"""The nightly run: the same answer for the same records, nothing lost, and what is in its files."""

import json
import random
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.articles import Fields
from dedup.errors import InputError, RecordError
from dedup.formats import records
from dedup.formats.json_lines import JsonLinesFile
from dedup.match import grouping
from dedup.run import batch, intake, memory, nightly
from dedup.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples/articles.jsonl"
Run = Callable[..., Path]


def run(folder: Path, *files: Sequence[str | dict[str, Any]] | bytes, **options: Any) -> Path:
    """Run over files of lines or records, or of bytes, and return the output folder."""
    paths = []
    for number, lines in enumerate(files):
        path = folder / f"in-{number}.jsonl"
        path.write_bytes(lines if isinstance(lines, bytes) else encoded(lines))
        paths.append(JsonLinesFile(path))
    out = folder / "out"
    chosen = options.pop("settings", Settings())
    nightly.run(paths, out, chosen, overwrite=True, **options)
    return out


def encoded(lines: Sequence[str | dict[str, Any]]) -> bytes:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return "".join(f"{text}\n" for text in texts).encode()


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def summary_of(out: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text("utf-8"))
    return summary


def answer_of(out: Path) -> tuple[bytes, bytes, list[str]]:
    """Return what must not depend on the order of the input."""
    rows = sorted(
        json.dumps(row, sort_keys=True) for row in pq.read_table(out / "articles.parquet").to_pylist()
    )
    unique = sorted((out / "unique.jsonl").read_text("utf-8").splitlines())
    return (out / "groups.jsonl").read_bytes(), (out / "links.jsonl").read_bytes(), [*rows, *unique]


def corpus(num_stories: int = 60, seed: int = 7) -> list[str]:
    """Lines of generated stories: copies, cuts, texts with few words or none, without date, int ids."""
    chosen = random.Random(seed)
    words = [
        f"{stem}{ending}" for stem in ("وزير", "port", "قمح", "rain", "ship") for ending in "abcdefghابتثجحخد"
    ]
    lines = []
    for story in range(num_stories):
        body = chosen.choices(words, k=chosen.choice([0, 1, 5, 14, 30, 90, 400]))
        for copy in range(chosen.choice([1, 1, 2, 5])):
            text = body[:]
            for _ in range(chosen.randrange(3)):
                text.insert(chosen.randrange(len(text) + 1), chosen.choice(words))
            text = text[: len(text) // 2] if chosen.random() < 0.15 else text
            record = {
                "id": story * 100 + copy if story % 3 else f"{story}-{copy}",
                "text": " ".join(text),
                "title": f"story {story}",
                "published_at": f"2024-05-{chosen.randrange(1, 29):02}" if chosen.random() < 0.8 else None,
            }
            lines.append(json.dumps(record, ensure_ascii=False))
    return lines


CORPORA = {"examples": EXAMPLES.read_text("utf-8").splitlines(), "generated": corpus()}


@pytest.mark.parametrize("name", CORPORA)
def test_answer_ignores_the_order_of_lines_the_cut_into_files_workers_and_chunks(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = CORPORA[name]
    expected = answer_of(run(tmp_path_factory.mktemp("all"), lines))
    assert len(expected[0].splitlines()) > 10

    @settings(max_examples=12)
    @given(
        order=st.permutations(range(len(lines))),
        cut=st.integers(0, len(lines)),
        workers=st.sampled_from([1, 2, 5]),
        chunk=st.sampled_from([1, 7, 2048]),
    )
    def check(order: list[int], cut: int, workers: int, chunk: int) -> None:
        shuffled = [lines[row] for row in order]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(records, "CHUNK_RECORDS", chunk)
            out = run(tmp_path_factory.mktemp("other"), shuffled[:cut], shuffled[cut:], num_workers=workers)
        assert answer_of(out) == expected

    check()


def test_chunks_wait_for_the_bound_on_bytes_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK_RECORDS", 1)
    expected = answer_of(run(tmp_path, CORPORA["examples"]))
    monkeypatch.setattr(intake, "PENDING_BYTES", 1)
    assert answer_of(run(tmp_path, CORPORA["examples"], num_workers=5)) == expected


STORY = "The harbour office said on Monday that the new ferry will sail twice a day from June to Galway"


def test_unique_records_are_byte_for_byte_those_that_came_in_their_order(tmp_path: Path) -> None:
    lines = [
        b'{"id": 7,  "text": "' + STORY.encode() + b'" , "more": {"x": [1.50, null]}}',
        b'{"text": "' + STORY.encode() + b'", "id": "b", "published_at": "2020-01-01"}',
        '{"id": "c", "text": "مطر"}'.encode(),
    ]
    out = run(tmp_path, b"\r\n".join(lines))
    assert (out / "unique.jsonl").read_bytes().replace(b"\r", b"") == lines[1] + b"\n" + lines[2] + b"\n"


def test_id_that_comes_again_with_the_same_text_is_kept_once_and_counted(tmp_path: Path) -> None:
    again = [{"id": 1, "text": STORY}, {"id": "1", "text": STORY.upper() + "!"}]
    out = run(tmp_path, again, [{"id": 1, "text": STORY}, {"id": 2, "text": "rain"}])
    counts = summary_of(out)["counts"]
    assert (counts["articles"], counts["repeated_records"], counts["rejected"]) == (2, 2, 0)
    assert [record["id"] for record in lines_of(out / "unique.jsonl")] == [1, 2]


def test_id_that_comes_again_with_another_text_is_set_aside_and_both_places_are_named(tmp_path: Path) -> None:
    out = run(
        tmp_path, [{"id": 1, "text": STORY}, {"id": 2, "text": "x"}], ["", {"id": "1", "text": "other"}]
    )
    reject = lines_of(out / "rejects.jsonl")
    assert reject == [
        {
            "file": str(tmp_path / "in-1.jsonl"),
            "line": 2,
            "reason": f"the id 1 stands already in {tmp_path / 'in-0.jsonl'}, line 1, with another text",
            "start": '{"id": "1", "text": "other"}',
        }
    ]
    summary = summary_of(out)
    assert summary["counts"]["articles"] == 2
    assert "records set aside: 1, see" in summary["warnings"][0]


def test_ids_are_kept_as_they_are_given(tmp_path: Path) -> None:
    numbers = run(tmp_path, [{"id": 5, "text": STORY}, {"id": 12, "text": STORY}])
    assert lines_of(numbers / "groups.jsonl")[0]["canonical_id"] == 12  # "12" comes before "5"
    assert pq.read_table(numbers / "articles.parquet")["id"].to_pylist() == [5, 12]
    mixed = run(tmp_path, [{"id": 5, "text": STORY}, {"id": "5a", "text": STORY}])
    assert [member["id"] for member in lines_of(mixed / "groups.jsonl")[0]["members"]] == [5, "5a"]
    assert pq.read_table(mixed / "articles.parquet")["id"].to_pylist() == ["5", "5a"]


@pytest.mark.parametrize(
    "bad", ["{", '{"id": 1}', json.dumps({"id": 9, "text": "other"})], ids=["no JSON", "no text", "same id"]
)
def test_strict_stops_at_the_first_record_that_cannot_be_used(tmp_path: Path, bad: str) -> None:
    with pytest.raises(RecordError, match=r"in-0\.jsonl, line 2: "):
        run(tmp_path, [{"id": 9, "text": STORY}, bad, "["], strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in-0.jsonl"]


def test_without_strict_the_rest_goes_on(tmp_path: Path) -> None:
    out = run(tmp_path, ["{", {"id": 1, "text": STORY}, '{"id": 2}', {"id": 3, "text": STORY}])
    assert summary_of(out)["counts"]["rejected"] == 2
    assert [reject["line"] for reject in lines_of(out / "rejects.jsonl")] == [1, 3]
    assert len(lines_of(out / "groups.jsonl")) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([b""], r"no article in .*in-0\.jsonl: the input is empty"),
        ([b"\n\n", b""], r"in-0\.jsonl, .*in-1\.jsonl: the input is empty"),
        (
            [b'{"id": 1}\n[]\n'],
            r"2 records were set aside, the first in .*, line 1: .*are the field names right",
        ),
    ],
    ids=["0 bytes", "blank lines", "all rejected"],
)
def test_input_without_an_article_is_an_error_that_says_why(
    tmp_path: Path, files: list[bytes], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run(tmp_path, *files)
    assert not (tmp_path / "out").exists()


def test_an_empty_file_among_others_is_no_matter(tmp_path: Path) -> None:
    out = run(tmp_path, b"", [{"id": 1, "text": STORY}], b"")
    assert summary_of(out)["counts"]["articles"] == 1
    assert [Path(name).name for name in summary_of(out)["inputs"]] == [f"in-{n}.jsonl" for n in range(3)]


def test_texts_without_a_word_match_nothing_and_are_kept(tmp_path: Path) -> None:
    out = run(tmp_path, [{"id": n, "text": text} for n, text in enumerate(["", " ", "،؛", ""])])
    counts = summary_of(out)["counts"]
    assert (counts["articles"], counts["empty"], counts["groups"], counts["unique"]) == (4, 4, 0, 4)
    assert (out / "groups.jsonl").read_bytes() == b""
    assert pq.read_table(out / "articles.parquet")["relation"].to_pylist() == ["empty"] * 4


def test_one_article_is_unique(tmp_path: Path) -> None:
    out = run(tmp_path, [{"id": 1, "text": STORY}])
    assert pq.read_table(out / "articles.parquet").to_pylist()[0]["relation"] == "unique"


def test_ten_thousand_identical_articles_are_one_group(tmp_path: Path) -> None:
    out = run(tmp_path, [{"id": f"{n:05}", "text": STORY} for n in range(10_000)], num_workers=2)
    counts = summary_of(out)["counts"]
    assert (counts["groups"], counts["largest_group"], counts["unique"]) == (1, 10_000, 1)
    assert lines_of(out / "unique.jsonl")[0]["id"] == "00000"


def test_cut_copies_are_reported_and_stay_unless_they_are_to_be_removed(tmp_path: Path) -> None:
    kept = run(tmp_path, CORPORA["examples"])
    parts = {link["part_id"] for link in lines_of(kept / "links.jsonl")}
    assert parts
    kept_ids = {record["id"] for record in lines_of(kept / "unique.jsonl")}
    assert parts <= kept_ids
    removed = run(tmp_path, CORPORA["examples"], cut_copies="remove")
    assert {link["part_id"] for link in lines_of(removed / "links.jsonl")} == parts
    assert {record["id"] for record in lines_of(removed / "unique.jsonl")} == kept_ids - parts
    assert summary_of(removed)["counts"]["unique"] == len(kept_ids - parts)


@pytest.mark.parametrize("profile", ["article", "headline"])
@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("early", [True, False])
def test_answer_is_the_same_with_sketches_on_disk(
    name: str, profile: str, early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Settings.of(profile)
    expected = answer_of(run(tmp_path, CORPORA[name], settings=chosen))
    assert summary_of(tmp_path / "out")["sketch_bytes_on_disk"] == 0
    monkeypatch.setattr(records, "CHUNK_RECORDS", 7)
    monkeypatch.setattr(memory, "FIXED_BYTES", 0)
    monkeypatch.setattr(memory, "BYTES_PER_INPUT_BYTE", 1.0 if early else 0.0)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    out = run(tmp_path, CORPORA[name], settings=chosen, memory_bytes=10_000, scratch=scratch)
    assert answer_of(out) == expected
    summary = summary_of(out)
    assert summary["sketch_bytes_on_disk"] > 10_000
    assert f"on disk in {scratch}" in summary["warnings"][0]
    assert summary["warnings"][0].startswith("this run needs " + ("about" if early else "more than"))
    assert list(scratch.iterdir()) == []


def test_signatures_are_gone_when_the_scan_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[Any]] = []
    alive: list[bool] = []
    meet, scan = batch.meet_in_bands, grouping.scan_canonicals

    def watched_meet(*arguments: Any) -> Any:
        held.append(weakref.ref(arguments[5]))
        return meet(*arguments)

    def watched_scan(*arguments: Any) -> Any:
        alive.append(held[0]() is not None)
        return scan(*arguments)

    monkeypatch.setattr(batch, "meet_in_bands", watched_meet)
    monkeypatch.setattr(grouping, "scan_canonicals", watched_scan)
    run(tmp_path, CORPORA["examples"])
    assert alive == [False]


def test_shortage_of_memory_is_told_before_reading_and_kept_in_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1 << 20)
    heard: list[str] = []
    out = run(
        tmp_path,
        [{"id": 1, "text": STORY, "published_at": "tomorrow"}],
        warn=heard.append,
        progress=lambda stage, articles, num_bytes: heard.append(stage),
    )
    assert "it may be killed. To make it fit" in heard[0]
    assert heard[1:] == ["read", "read", heard[3], "group", "write"]
    assert "dates not understood and taken as missing: 1" in heard[3]
    assert summary_of(out)["warnings"] == [heard[0], heard[3]]


def test_what_was_passed_over_is_listed_and_an_unread_kind_is_a_warning(tmp_path: Path) -> None:
    skipped = [("in/.x", "hidden"), ("in/a.xml", "of a kind that is not read")]
    records = [{"id": 1, "text": STORY, "published_at": "2015"}]
    summary = summary_of(run(tmp_path, records, skipped=skipped))
    assert summary["skipped"] == [{"path": path, "reason": reason} for path, reason in skipped]
    assert summary["warnings"] == [
        "files in the folders of a kind that is not read: 1, the first is in/a.xml"
    ]


def test_a_file_that_cannot_be_read_to_its_end_is_an_input_error(tmp_path: Path) -> None:
    class Broken(JsonLinesFile):
        def chunks(self, *args: Any) -> Any:
            yield from super().chunks(*args)
            raise OSError(5, "Input/output error")

    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1, "text": STORY}))
    with pytest.raises(InputError, match=r"in\.jsonl cannot be read: Input/output error"):
        nightly.run([Broken(tmp_path / "in.jsonl")], tmp_path / "out", Settings())
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_file_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "day-\udcff.jsonl"
    try:
        path.write_text("{\n" + json.dumps({"id": 1, "text": STORY}))
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    nightly.run([JsonLinesFile(path)], tmp_path / "out", Settings())
    assert lines_of(tmp_path / "out/rejects.jsonl")[0]["file"].endswith("day-\ufffd.jsonl")


def test_much_that_is_cut_is_reported(tmp_path: Path) -> None:
    links = "\n".join(
        ["Related articles", *(f"  • Headline {n} of the harbour and its ferries" for n in range(9))]
    )
    texts = {"page": f"The ferry sails at noon.\n{links}", "plain": "Rain."}
    records = [{"id": id_, "text": text, "published_at": 2015} for id_, text in texts.items()]
    out = run(tmp_path, records)
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert (summary["counts"]["furniture_cut"], summary["counts"]["much_cut"]) == (1, 1)
    (warning,) = summary["warnings"]
    assert "more than 50% was cut as page furniture: 1," in warning
    assert "of 'page'" in warning
    assert pq.read_table(out / "articles.parquet")["cut_share"].to_pylist()[1] == 0.0
    assert (out / "unique.jsonl").read_bytes() == encoded(records)


def test_dates_that_are_not_understood_are_shown_with_the_format_that_fits(tmp_path: Path) -> None:
    records = [{"id": 1, "text": STORY, "published_at": "17/05/2015"}, {"id": 2, "text": STORY}]
    (warning,) = summary_of(run(tmp_path, records))["warnings"]
    assert "missing: 1, the first is '17/05/2015'; try --date-format dmy" in warning
    summary = summary_of(run(tmp_path, records, fields=Fields(date_format="dmy")))
    assert (summary["warnings"], summary["counts"]["dates_not_understood"]) == ([], 0)
    assert summary["fields"]["date_format"] == "dmy"


def test_next_to_no_dates_are_a_warning_that_names_the_field(tmp_path: Path) -> None:
    records = [{"id": k, "text": STORY, "published_at": "2015" if k < 2 else None} for k in range(20)]
    assert summary_of(run(tmp_path, records))["warnings"] == []
    (warning,) = summary_of(run(tmp_path, records[1:]))["warnings"]
    assert "articles with a date in the field 'published_at': 1 of 19." in warning
    assert "--date-field names their field" in warning


@pytest.mark.parametrize(
    ("content", "question"),
    [
        (b"\xff\xfe\x00binary", "does the file hold what its suffix says?"),
        (b'{"id": 1}', "are the field names right?"),
        (b'{"id": 1, "text": null}', "expected a string"),
    ],
)
def test_where_nothing_is_usable_the_question_follows_from_the_reason(
    tmp_path: Path, content: bytes, question: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        nightly.run([JsonLinesFile(path)], tmp_path / "out", Settings())
    assert question in str(caught.value)
    assert str(caught.value).count("?") == question.count("?")
