"""Grouping on Spark: what comes in, what is refused, and what the command writes."""

import datetime
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import dedup.spark
from dedup import Settings
from dedup.cli import cli
from dedup.errors import DependencyError, InputError, OutputError, SettingsError
from dedup.spark.session import require_java
from tests.spark.test_same_groups import same_answers

pytestmark = pytest.mark.filterwarnings("ignore")

EXAMPLES = Path(__file__).parents[2] / "examples"
STORY = "The harbour office said on Monday that the new ferry will sail twice a day from June"


def test_no_rows_have_no_groups(spark: Any) -> None:
    frames = dedup.spark.find_groups(spark.createDataFrame([], "id long, text string"))
    assert (frames.articles.collect(), frames.links.collect(), frames.counts["articles"]) == ([], [], 0)


def test_timestamps_and_dates_give_the_order_whatever_the_time_zone_of_the_session(spark: Any) -> None:
    utc = datetime.UTC
    rows = [
        (1, STORY, datetime.datetime(2024, 5, 2, 0, 30, tzinfo=utc)),
        (2, STORY + ".", datetime.datetime(2024, 5, 1, 23, 30, tzinfo=utc)),
        (3, STORY + "!", None),
    ]
    frame = spark.createDataFrame(rows, "id long, text string, published_at timestamp")
    found = {row.id: row.canonical_id for row in dedup.spark.find_groups(frame).articles.collect()}
    assert found == {1: 2, 2: 2, 3: 2}


@pytest.mark.parametrize(
    ("rows", "schema", "message"),
    [
        ([(1, "a")], "id long, body string", r"there is no column 'text'; the columns are \['id', 'body'\]"),
        (
            [(1.5, "a")],
            "id double, text string",
            "column 'id' holds double; ids are strings or whole numbers",
        ),
        ([(1, 2)], "id long, text long", "column 'text' holds bigint, not strings"),
        ([(1, "a"), (None, "b")], "id long, text string", "'id' is null in 1 of 2 rows"),
        ([(1, "a"), (2, None), (3, None)], "id long, text string", "'text' is null in 2 of 3 rows"),
        ([("x", "a"), ("x", "b"), ("y", "b")], "id string, text string", "the id 'x' stands in 2 rows"),
    ],
)
def test_frame_that_cannot_be_used_is_refused(spark: Any, rows: Any, schema: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dedup.spark.find_groups(spark.createDataFrame(rows, schema))


def test_order_of_rows_is_no_policy(spark: Any) -> None:
    with pytest.raises(SettingsError, match=r"keep is 'first-seen', but the rows .* have no order"):
        dedup.spark.find_groups(
            spark.createDataFrame([], "id long, text string"), Settings(keep="first-seen")
        )


def test_titles_are_refused_before_anything_is_read(spark: Any, tmp_path: Path) -> None:
    message = "the profile is 'headline', but Spark groups articles only"
    with pytest.raises(SettingsError, match=message):
        dedup.spark.find_groups(spark.createDataFrame([], "id long, title string"), Settings.of("headline"))
    arguments = ["spark", str(tmp_path / "none.jsonl"), "-o", str(tmp_path), "--profile", "headline"]
    with pytest.raises(SettingsError, match=message):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_full_bucket_is_counted_and_its_copies_still_find_their_canonical(spark: Any) -> None:
    """More copies of one story than a bucket compares, each with a word of its own."""
    words = [f"word{k}" for k in range(80)]
    rows = [(number, " ".join([*words, f"own{number}"])) for number in range(100)]
    frames = dedup.spark.find_groups(spark.createDataFrame(rows, "id long, text string"))
    assert frames.counts["full_buckets"] > 0
    assert frames.counts["copies"] == 99
    assert {row.canonical_id for row in frames.articles.collect()} == {0}


def test_command_groups_the_examples_as_one_machine_does(spark: Any, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out"
    lines = (EXAMPLES / "articles.jsonl").read_text("utf-8")
    source.write_text(lines + '{"id": "no-text"}\nnot json\n', "utf-8")
    (out / "links").mkdir(parents=True)
    (out / "links" / "part-0.parquet").write_text("of an earlier run")
    arguments = ["spark", str(source), "-o", str(out)]
    with pytest.raises(OutputError, match="exists already and is not empty"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    done = CliRunner().invoke(cli, [*arguments, "--overwrite"], catch_exceptions=False)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["articles"], told["rejected"]) == (79, 2)
    names = ("articles", "links", "further_matches", "rejects")
    written = {name: spark.read.parquet(str(out / name)) for name in names}
    groups = dedup.find_groups([json.loads(line) for line in lines.splitlines()])
    same_answers(groups, SimpleNamespace(counts=told, **written))
    reasons = {row.reason for row in written["rejects"].collect()}
    assert reasons == {"no text", "no id, or no JSON"}
    summary = json.loads(spark.read.text(str(out / "summary")).first().value)
    assert summary["counts"]["groups"] == told["groups"]


def test_command_names_inputs_that_cannot_be_read(spark: Any, tmp_path: Path) -> None:
    for inputs, message in (
        (["a.parquet", "b.jsonl"], "Parquet and JSON Lines in one run"),
        ([str(tmp_path / "none.jsonl")], "none.jsonl cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            CliRunner().invoke(cli, ["spark", *inputs, "-o", str(tmp_path / "out")], catch_exceptions=False)


def test_missing_pyspark_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(DependencyError, match=r"pip install '\.\[spark\]'"):
        dedup.spark.find_groups(None)  # type: ignore[arg-type]


def test_missing_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(DependencyError, match="Spark needs Java 17 or newer"):
        require_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(DependencyError, match=r"JAVA_HOME is .* no bin/java in it"):
        require_java()
