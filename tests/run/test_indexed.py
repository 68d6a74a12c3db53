"""The nightly run with an index: the groups of a run without, what nights touch, and runs that die."""

import fcntl
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dedup.errors import IndexBusyError, IndexFileError
from dedup.formats import output, results
from dedup.formats.json_lines import JsonLinesFile
from dedup.index import nights
from dedup.run import indexed, nightly
from dedup.run.indexing import Index
from dedup.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples/articles.jsonl"
BYTES = ("groups.jsonl", "links.jsonl", "unique.jsonl", "rejects.jsonl", "articles.parquet", "changes.jsonl")
TIMES = ("seconds", "articles_per_second", "peak_memory_bytes", "index", "inputs")
WORDS = [f"word{number}" for number in range(300)]
Record = dict[str, Any]


def story(seed: int, length: int = 60) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def article(id_: str | int, text: str, day: int = 1, **others: Any) -> Record:
    return {"id": id_, "text": text, "published_at": f"2026-03-{day:02}", "title": f"title {id_}", **others}


def corpus() -> list[Record]:
    """Return stories with copies, cut copies and repeats over ten days, and a daily report, in no order."""
    rng = random.Random(5)
    records: list[Record] = [article("empty", ""), article(7, "one brief line"), *daily_reports()]
    for number in range(40):
        text = story(number, rng.randrange(20, 200))
        for copy in range(rng.choice([1, 1, 2, 4])):
            words = text.split()[: rng.choice([300, 300, 300, 15])]
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            records.append(article(f"s{number}-{copy}", " ".join(words), rng.randrange(1, 11)))
    rng.shuffle(records)
    return records


def daily_reports() -> list[Record]:
    """Return reports whose common wording is a formula."""
    report = story(999, 40)
    return [
        article(f"m{day}-{copy}", f"{report} {story(1000 * day + copy, 12)}", day)
        for day in range(1, 9)
        for copy in range(2)
    ]


class Nights:
    """Runs into one index; each returns its folder."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.index = Index.open(folder / "news.dedup", settings)

    def run(self, records: Sequence[Record | str], name: str = "out", **options: Any) -> Path:
        path = self.folder / "night.jsonl"
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        out = self.folder / name
        indexed.run([JsonLinesFile(path)], out, self.index, overwrite=True, **options)
        assert self.index.verify() == []
        return out


@pytest.fixture
def new_nights(tmp_path: Path) -> Callable[..., Nights]:
    made: list[Nights] = []

    def make(settings: Settings | None = None) -> Nights:
        made.append(Nights(tmp_path / f"nights-{len(made)}", settings))
        return made[-1]

    return make


def answer_of(out: Path, names: Sequence[str] = BYTES) -> dict[str, Any]:
    """Return all that a run writes but for times and the paths of its files."""
    answer: dict[str, Any] = {name: (out / name).read_bytes() for name in names}
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    answer["summary"] = {name: value for name, value in summary.items() if name not in TIMES}
    return answer


def lines_of(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def members_in(out: Path) -> dict[str | int, list[str | int]]:
    groups = lines_of(out / "groups.jsonl")
    return {group["group_id"]: [member["id"] for member in group["members"]] for group in groups}


def changes_in(out: Path) -> list[tuple[Any, ...]]:
    names = ("kind", "group_id", "article_id", "canonical_id", "from_group_id")
    return [tuple(change.get(name) for name in names) for change in lines_of(out / "changes.jsonl")]


@pytest.mark.parametrize("batch", [7, 4096])
@pytest.mark.parametrize("cut_copies", ["keep", "remove"])
@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(keep="longest"), Settings(window_days=2.0)],
    ids=["article", "longest", "window"],
)
def test_a_first_run_writes_what_a_run_without_an_index_does(
    settings: Settings,
    cut_copies: str,
    batch: int,
    tmp_path: Path,
    new_nights: Callable[..., Nights],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexed, "BATCH_ARTICLES", batch)
    records: list[Record | str] = [*corpus(), *EXAMPLES.read_text("utf-8").splitlines(), "no JSON"]
    own = new_nights(settings)
    out = own.run(records, cut_copies=cut_copies)
    plain = tmp_path / "plain"
    nightly.run([JsonLinesFile(own.folder / "night.jsonl")], plain, settings, cut_copies=cut_copies)
    same = ("groups.jsonl", "links.jsonl", "unique.jsonl", "rejects.jsonl")
    assert [(out / name).read_bytes() for name in same] == [(plain / name).read_bytes() for name in same]
    assert len(members_in(out)) > 5
    assert pq.read_table(out / "articles.parquet").equals(pq.read_table(plain / "articles.parquet"))
    counts, plain_counts = (answer_of(folder, ())["summary"]["counts"] for folder in (out, plain))
    for name in counts.keys() - {"full_buckets"}:
        assert counts[name] == plain_counts[name], name


def test_formulas_of_a_first_run_are_learned_from_its_articles(new_nights: Callable[..., Nights]) -> None:
    own = new_nights()
    own.run(daily_reports())
    assert len(own.index.formulas()) > 0
    assert own.index.stats()["formula_version"] == 1


def test_the_same_night_again_adds_nothing_and_writes_the_same(new_nights: Callable[..., Nights]) -> None:
    own = new_nights()
    expected = answer_of(own.run(corpus()))
    held = own.index.stats()
    shuffled = corpus()
    random.Random(1).shuffle(shuffled)
    assert answer_of(own.run(corpus())) == expected
    again = answer_of(own.run(shuffled))
    for name in ("groups.jsonl", "links.jsonl", "changes.jsonl", "summary"):
        assert again[name] == expected[name]
    counts = ("articles", "changes", "posting_rows", "recent_posting_rows", "formula_version")
    assert [own.index.stats()[name] for name in counts] == [held[name] for name in counts]


def test_sketches_on_disk_change_nothing(new_nights: Callable[..., Nights], tmp_path: Path) -> None:
    own, on_disk, scratch = new_nights(), new_nights(), tmp_path / "scratch"
    scratch.mkdir()
    records = corpus()
    for night in (records[:50], records[40:]):
        plain = own.run(night)
        out = on_disk.run(night, memory_bytes=1, scratch=scratch)
        assert [(out / name).read_bytes() for name in BYTES] == [
            (plain / name).read_bytes() for name in BYTES
        ]
        assert answer_of(out)["summary"]["sketch_bytes_on_disk"] > 0
        assert list(scratch.iterdir()) == []


def test_a_later_night_tells_of_the_groups_it_touches_and_of_no_other(
    new_nights: Callable[..., Nights],
) -> None:
    own = new_nights()
    first = [article("a", story(1)), article("b", story(2)), article("b2", story(2)), article("c", story(3))]
    own.run(first)
    out = own.run([article("a2", story(1), 2), article("d", story(4), 2), article("d2", story(4), 2)])
    assert members_in(out) == {"a": ["a", "a2"], "d": ["d", "d2"]}
    assert [record["id"] for record in lines_of(out / "unique.jsonl")] == ["d"]
    assert changes_in(out) == [
        ("group-created", "a", None, "a", None),
        ("member-added", "a", "a2", "a", None),
        ("group-created", "d", None, "d", None),
        ("member-added", "d", "d2", "d", None),
    ]
    rows = pq.read_table(out / "articles.parquet").to_pylist()
    assert [(row["id"], row["canonical_id"], row["relation"]) for row in rows] == [
        ("a2", "a", "exact"),
        ("d", "d", "canonical"),
        ("d2", "d", "exact"),
    ]


@pytest.mark.parametrize(("cut_copies", "kept"), [("keep", ["part"]), ("remove", [])])
def test_a_part_of_an_article_of_an_earlier_night_is_linked(
    cut_copies: str, kept: list[str], new_nights: Callable[..., Nights]
) -> None:
    own = new_nights()
    whole = story(1, 300)
    own.run([article("whole", whole), article("other", story(2))])
    out = own.run([article("part", " ".join(whole.split()[:60]), 2)], cut_copies=cut_copies)
    (link,) = lines_of(out / "links.jsonl")
    assert (link["part_id"], link["whole_id"], link["coverage"]) == ("part", "whole", 1.0)
    assert [record["id"] for record in lines_of(out / "unique.jsonl")] == kept


def test_what_happens_between_two_nights_is_told_by_the_later_one(new_nights: Callable[..., Nights]) -> None:
    own = new_nights()
    own.run([article("a", story(1)), article("a2", story(1), 2), article("a3", story(1), 3)])
    own.index.remove("a")
    own.index.add(article("x", story(8)))
    own.index.add(article("x2", story(8)))
    out = own.run([article("n", story(9), 4)])
    assert members_in(out) == {"a": ["a2", "a3"], "x": ["x", "x2"]}
    assert changes_in(out) == [
        ("article-removed", "a", "a", "a", None),
        ("canonical-reelected", "a", "a", "a2", None),
        ("group-created", "x", None, "x", None),
        ("member-added", "x", "x2", "x", None),
    ]


def test_an_article_with_new_content_leaves_its_group(new_nights: Callable[..., Nights]) -> None:
    own = new_nights()
    own.run([article("a", story(1)), article("a2", story(1), 2), article("a3", story(1), 3)])
    out = own.run([article("a2", story(7), 4)])
    assert [change[:3] for change in changes_in(out)] == [("article-removed", "a", "a2")]
    assert members_in(out) == {"a": ["a", "a3"]}
    assert own.index.check(article("q", story(7))).canonical_id == "a2"


def test_a_night_whose_articles_went_begins_anew(new_nights: Callable[..., Nights]) -> None:
    own = new_nights()
    records = [article("a", story(1)), article("a2", story(1), 2)]
    first = changes_in(own.run(records))
    own.index.remove("a2")
    out = own.run(records)
    assert members_in(out) == {"a": ["a", "a2"]}
    kinds = [change[0] for change in changes_in(out)]
    assert kinds[0] == "article-removed"
    assert kinds[-1] == "member-added"
    assert len(first) == 2


class Killed(BaseException):
    """The process ends here."""


def die_at(place: str, patch: pytest.MonkeyPatch) -> None:
    """Have the run end at a place, the second time for a place that comes often."""
    owner, name = {
        "begun": (nights, "begin_night"),
        "formulas": (Index, "set_formulas"),
        "batch": (Index, "add_batch"),
        "ended": (nights, "end_night"),
        "groups": (results, "write_groups"),
        "rename": (output, "_put_in_place"),
        "written": (nights, "set_written"),
    }[place.removesuffix(" before")]
    original = getattr(owner, name)
    calls = []

    def killing(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if place.endswith(" before"):
            raise Killed
        found = original(*args, **options)
        if name != "add_batch" or len(calls) == 2:
            raise Killed
        return found

    patch.setattr(owner, name, killing)


@pytest.mark.parametrize(
    "place",
    [
        *("begun before", "formulas before", "formulas", "batch before", "batch", "ended before"),
        *("groups", "rename before", "rename", "written before"),
    ],
)
def test_a_run_that_died_goes_on_and_ends_as_one_that_did_not(
    place: str, new_nights: Callable[..., Nights], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "BATCH_ARTICLES", 16)
    later = [article("z", story(3, 90), 12), article("z2", story(5000), 12)]
    whole, broken = new_nights(), new_nights()
    expected = [answer_of(whole.run(corpus())), answer_of(whole.run(later))]
    with monkeypatch.context() as patch:
        die_at(place, patch)
        with pytest.raises(Killed):
            broken.run(corpus())
    answers = [answer_of(broken.run(corpus())), answer_of(broken.run(later))]
    assert answers == expected
    assert list(broken.index.groups()) == list(whole.index.groups())


def test_changes_of_a_night_that_was_never_written_are_told_by_the_next(
    new_nights: Callable[..., Nights], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = new_nights()
    with monkeypatch.context() as patch:
        die_at("rename before", patch)
        with pytest.raises(Killed):
            own.run([article("a", story(1)), article("a2", story(1))])
    out = own.run([article("b", story(2))])
    assert members_in(out) == {"a": ["a", "a2"]}
    assert [change[0] for change in changes_in(out)] == ["group-created", "member-added"]


def test_a_second_run_at_once_is_refused(new_nights: Callable[..., Nights]) -> None:
    own = new_nights()
    own.run([article("a", story(1))])
    lock = os.open(own.folder / "news.dedup-run", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(IndexBusyError, match="another nightly run uses this index"):
        own.run([article("b", story(2))])
    os.close(lock)
    own.run([article("b", story(2))])


def test_articles_that_another_process_removed_meanwhile_are_missed(
    new_nights: Callable[..., Nights], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = new_nights()
    end_night = nights.end_night

    def end(connection: Any, key: bytes) -> None:
        end_night(connection, key)
        connection.execute("DELETE FROM articles WHERE id = 'a'")

    monkeypatch.setattr(nights, "end_night", end)
    with pytest.raises(IndexFileError, match="1 articles of this run, the first with the id 'a'"):
        own.run([article("a", story(1)), article("b", story(2))])
    assert not (own.folder / "out").exists()
