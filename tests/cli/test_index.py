"""`dedup index`, and `dedup run --index`, as an operator meets them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

STORY = "the harbour office said on Monday that the new ferry will sail twice a day from June"
OTHER = "rain is expected in the mountains on Thursday and the roads to the pass may be closed"


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def write_records(path: Path, *records: dict[str, Any] | str) -> Path:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Two copies, another article, a record that is none."""
    return write_records(
        tmp_path / "day.jsonl",
        {"id": "a", "text": STORY, "title": "Ferry", "published_at": "2026-03-01", "url": "http://a"},
        {"id": "b", "text": STORY + ".", "title": "A ferry", "published_at": "2026-03-02"},
        {"id": 3, "text": OTHER, "source": "Gazette"},
        "{",
    )


@pytest.fixture
def news(dedup: Command, day: Path, tmp_path: Path) -> Path:
    path = tmp_path / "news.dedup"
    assert dedup("index", "add", path, day, "--quiet").returncode == 0
    return path


def test_add_prints_verdicts_and_tells_what_was_set_aside(dedup: Command, day: Path, tmp_path: Path) -> None:
    done = dedup("index", "add", tmp_path / "n", day, "--rejects", tmp_path / "r.jsonl")
    assert done.returncode == 0
    verdicts = lines_of(done.stdout)
    found = [(verdict["id"], verdict["relation"], verdict["canonical_id"]) for verdict in verdicts]
    assert found == [("a", "new", "a"), ("b", "exact", "a"), (3, "new", 3)]
    match = {"canonical_id": "a", "relation": "exact", "jaccard": 1.0, "coverage": 1.0}
    assert verdicts[1]["matches"] == [match]
    assert verdicts[1].keys() == {
        *("id", "relation", "canonical_id", "group_id", "matches", "reason", "full_buckets")
    }
    assert done.stderr.splitlines()[-1] == "3 articles: 2 new, 1 exact, 0 near, 0 part; 1 rejected"
    assert "records set aside: 1; the first is" in done.stderr
    (reject,) = lines_of((tmp_path / "r.jsonl").read_text())
    assert (reject["line"], reject["start"]) == (4, "{")


def test_json_log_tells_the_counts(dedup: Command, day: Path, tmp_path: Path) -> None:
    done = dedup("index", "add", tmp_path / "n", day, "--log-format", "json")
    event = lines_of(done.stderr)[-1]
    counts = {"articles": 3, "new": 2, "exact": 1, "near": 0, "part": 0, "rejected": 1}
    assert event == {"event": "done", **counts, "dates_not_understood": 0}


def test_added_again_it_gives_the_same_verdicts(
    dedup: Command, day: Path, news: Path, tmp_path: Path
) -> None:
    again = dedup("index", "add", news, day, "-o", tmp_path / "v.jsonl")
    assert (again.returncode, again.stdout) == (0, "")
    assert [verdict["relation"] for verdict in lines_of((tmp_path / "v.jsonl").read_text())] == [
        "new",
        "exact",
        "new",
    ]
    (stats,) = lines_of(dedup("index", "stats", news).stdout)
    assert (stats["articles"], stats["copies"], stats["groups"]) == (3, 1, 1)


def test_check_takes_each_article_for_itself_and_stores_nothing(dedup: Command, news: Path) -> None:
    records = [{"id": "x", "text": OTHER}, {"id": "y", "text": f"{STORY} again"}, {"id": "z", "text": "w v"}]
    records += [{"id": "z2", "text": "w v"}]
    before = news.read_bytes()
    done = dedup("index", "check", news, "-", input="\n".join(map(json.dumps, records)), timeout=60)
    found = [(verdict["id"], verdict["relation"]) for verdict in lines_of(done.stdout)]
    assert found == [("x", "exact"), ("y", "near"), ("z", "new"), ("z2", "new")]
    assert news.read_bytes() == before


def test_other_names_of_fields_reach_the_index(dedup: Command, tmp_path: Path) -> None:
    record = {"k": 1, "body": STORY, "head": "Ferry", "who": "G", "when": "2026-03-01", "link": "http://a"}
    path = write_records(tmp_path / "in.jsonl", record)
    names = {"id": "k", "text": "body", "title": "head", "source": "who", "date": "when", "url": "link"}
    options = [word for name, value in names.items() for word in (f"--{name}-field", value)]
    assert dedup("index", "add", tmp_path / "n", path, *options).returncode == 0
    (kept,) = lines_of(dedup("index", "export", tmp_path / "n").stdout)
    assert kept.pop("added_at").endswith("Z")
    assert kept == {
        **{"id": 1, "group_id": 1, "canonical_id": 1, "title": "Ferry", "source": "G", "url": "http://a"},
        **{"published_at": "2026-03-01T00:00:00Z", "words": 17},
    }


def test_groups_links_and_changes_are_exported(dedup: Command, news: Path) -> None:
    (group,) = lines_of(dedup("index", "groups", news).stdout)
    assert (group["group_id"], [member["id"] for member in group["members"]]) == ("a", ["a", "b"])
    assert lines_of(dedup("index", "export", news, "--what", "groups").stdout) == [group]
    assert lines_of(dedup("index", "export", news, "--what", "links").stdout) == []
    changes = lines_of(dedup("index", "export", news, "--what", "changes", "--since", "1").stdout)
    assert [(change["seq"], change["kind"], change["article_id"]) for change in changes] == [
        (2, "member-added", "b")
    ]


def test_since_is_refused_where_it_would_do_nothing(dedup: Command, news: Path) -> None:
    done = dedup("index", "export", news, "--what", "groups", "--since", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "only --what changes goes with --since" in done.stderr


def test_remove_and_prune_tell_what_went(dedup: Command, news: Path) -> None:
    gone = dedup("index", "remove", news, "3", "nobody")
    assert lines_of(gone.stdout) == [{"id": "3", "removed": True}, {"id": "nobody", "removed": False}]
    assert lines_of(dedup("index", "prune", news, "--before", "2026-03-02").stdout) == [{"removed": 1}]
    (kept,) = lines_of(dedup("index", "export", news).stdout)
    assert (kept["id"], kept["group_id"]) == ("b", "a")
    for before in ("yesterday", "2024053112"):
        wrong = dedup("index", "prune", news, "--before", before)
        told = f"dedup: --before is {before!r}; it is a date, such as 2024-05-31\n"
        assert (wrong.returncode, wrong.stderr) == (2, told)


def test_learn_and_vacuum_tell_what_they_did(dedup: Command, news: Path) -> None:
    assert lines_of(dedup("index", "learn", news).stdout) == [{"version": 1, "formulas": 0, "articles": 3}]
    (sizes,) = lines_of(dedup("index", "vacuum", news).stdout)
    assert sizes["file_bytes"] == news.stat().st_size
    assert sizes.keys() == {"file_bytes_before", "file_bytes"}


def test_verify_is_code_6_for_a_damaged_index_and_lists_the_damage(dedup: Command, news: Path) -> None:
    done = dedup("index", "verify", news)
    assert (done.returncode, done.stdout) == (0, "")
    assert "no problem was found" in done.stderr
    connection = apsw.Connection(str(news))
    connection.execute("UPDATE articles SET title = 'forged' WHERE id = 'a'")
    connection.close()
    done = dedup("index", "verify", news)
    assert done.returncode == 6
    (problem,) = lines_of(done.stdout)
    assert "does not have its checksum" in problem["problem"]
    assert done.stderr.endswith("is damaged: 1 problems; restore it from a backup\n")


@pytest.mark.parametrize("command", ["check", "stats", "vacuum"])
def test_an_index_that_is_not_there_is_code_6_and_not_made(
    dedup: Command, day: Path, tmp_path: Path, command: str
) -> None:
    more = [day] if command == "check" else []
    done = dedup("index", command, tmp_path / "none", *more)
    assert (done.returncode, done.stdout) == (6, "")
    assert "there is no such index" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["day.jsonl"]


def test_a_file_of_another_kind_is_code_6_and_stays(dedup: Command, day: Path) -> None:
    before = day.read_bytes()
    done = dedup("index", "add", day, day)
    assert (done.returncode, done.stdout) == (6, "")
    assert "is not an index" in done.stderr
    assert day.read_bytes() == before


def test_settings_are_those_of_the_index_unless_others_are_asked_for(
    dedup: Command, day: Path, tmp_path: Path
) -> None:
    news = tmp_path / "n"
    own = ["--threshold", "0.5", "--window", "7"]
    assert dedup("index", "add", news, day, *own).returncode == 0
    assert dedup("index", "add", news, day).returncode == 0
    assert dedup("index", "add", news, day, *own).returncode == 0
    assert dedup("run", day, "--index", news, "-o", tmp_path / "out").returncode == 0
    (tmp_path / "c.toml").write_text("window = 8\n")
    for arguments in (["index", "add", news, day], ["run", day, "--index", news, "-o", tmp_path / "2"]):
        done = dedup(*arguments, "--config", tmp_path / "c.toml")
        assert (done.returncode, done.stdout) == (2, "")
        assert "was made with --window 7.0, and 8.0 is asked for; leave the option out" in done.stderr
    assert not (tmp_path / "2").exists()


def test_one_configuration_serves_all_commands(dedup: Command, day: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(f'threshold = 0.5\noverwrite = true\nout = "{tmp_path}/out"\nurl-field = "link"\n')
    assert dedup("index", "add", tmp_path / "n", day, "--config", config).returncode == 0
    assert dedup("run", day, "--index", tmp_path / "n", "--config", config).returncode == 0
    assert dedup("index", "check", tmp_path / "n", day, "--config", config).returncode == 0
    config.write_text("overwite = true\n")
    done = dedup("index", "add", tmp_path / "n", day, "--config", config)
    assert (done.returncode, "there is no option 'overwite'" in done.stderr) == (2, True)


def test_strict_stores_nothing_around_the_first_bad_record(dedup: Command, day: Path, tmp_path: Path) -> None:
    done = dedup("index", "add", tmp_path / "n", day, "--strict")
    assert (done.returncode, done.stdout) == (3, "")
    assert "day.jsonl, line 4: " in done.stderr
    assert not (tmp_path / "n").exists()
    assert dedup("index", "add", tmp_path / "n", day).returncode == 0
    again = dedup("index", "add", tmp_path / "n", day, "--strict")
    assert (again.returncode, again.stdout) == (3, "")
    assert lines_of(dedup("index", "stats", tmp_path / "n").stdout)[0]["articles"] == 3


def test_input_that_cannot_be_used_leaves_no_index_with_its_options(
    dedup: Command, day: Path, tmp_path: Path
) -> None:
    wrong = (["--text-field", "body"], ["--text-field", "body", "--strict"])
    for options in wrong:
        done = dedup("index", "add", tmp_path / "n", day, "--threshold", "0.5", *options)
        assert (done.returncode, done.stdout) == (3, "")
        done = dedup("run", day, "--index", tmp_path / "n", "-o", tmp_path / "out", *options)
        assert done.returncode == 3
    assert dedup("index", "add", tmp_path / "n", tmp_path / "absent.jsonl").returncode == 3
    assert not (tmp_path / "n").exists()
    assert dedup("index", "add", tmp_path / "n", day).returncode == 0  # the threshold is not held against it


def test_an_index_in_no_folder_is_code_6_at_once(dedup: Command, day: Path, tmp_path: Path) -> None:
    path = tmp_path / "no" / "n"
    for arguments in (["index", "add", path, day], ["run", day, "--index", path, "-o", tmp_path / "out"]):
        done = dedup(*arguments)
        assert (done.returncode, done.stdout) == (6, "")
        assert done.stderr == f"dedup: {path}: there is no folder {path.parent}; make it first\n"
    assert [path.name for path in tmp_path.iterdir()] == ["day.jsonl"]


def test_help_does_not_offer_the_profile_that_no_index_has(dedup: Command, day: Path, tmp_path: Path) -> None:
    assert "headline" not in dedup("index", "add", "--help").stdout
    (tmp_path / "c.toml").write_text('profile = "headline"\n')
    for options in (["--profile", "headline"], ["--config", tmp_path / "c.toml"]):
        done = dedup("index", "add", tmp_path / "n", day, *options)
        assert (done.returncode, "an index holds articles" in done.stderr) == (2, True)
    assert not (tmp_path / "n").exists()
    assert dedup("index", "add", tmp_path / "n", day, "--profile", "article").returncode == 0


def test_records_of_which_none_can_be_used_are_code_3(dedup: Command, day: Path, tmp_path: Path) -> None:
    done = dedup("index", "add", tmp_path / "n", day, "--text-field", "body")
    assert done.returncode == 3
    assert "no usable article: 4 records were set aside" in done.stderr
    empty = dedup("index", "add", tmp_path / "n", "-", input="")
    assert (empty.returncode, empty.stdout) == (0, "")


@pytest.mark.parametrize("option", ["--out", "--output", "--rejects"])
def test_a_file_of_lines_never_replaces_index_or_input(
    dedup: Command, day: Path, news: Path, option: str
) -> None:
    for path in (day, news):
        before = path.read_bytes()
        done = dedup("index", "add", news, day, option, path)
        assert done.returncode == 4
        assert "choose another file" in done.stderr
        assert path.read_bytes() == before
    done = dedup("index", "add", day.with_name("none yet"), day, option, day.with_name("none yet"))
    assert (done.returncode, day.with_name("none yet").exists()) == (4, False)
    done = dedup("index", "add", news, day, option, "/nowhere/x")
    assert (done.returncode, "/nowhere/x cannot be written" in done.stderr) == (4, True)


def test_a_reader_that_goes_away_does_no_harm(dedup: Command, tmp_path: Path) -> None:
    records = [{"id": row, "text": f"{STORY} {row} {row * row}"} for row in range(5000)]
    path = write_records(tmp_path / "many.jsonl", *records)
    command = f'dedup() {{ $PYTHON -m dedup index "$@"; }}; news={tmp_path}/n; '

    def shell(line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command.replace("$PYTHON", sys.executable) + line],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.stdout

    assert shell(f"dedup add $news {path} --quiet | head -c 0; echo ${{PIPESTATUS[0]}}") == "0\n"
    assert lines_of(dedup("index", "stats", tmp_path / "n").stdout)[0]["articles"] == 5000
    for line in ("export $news", "export $news --what changes", f"check $news {path} --quiet"):
        assert shell(f"dedup {line} | head -c 0; echo ${{PIPESTATUS[0]}}") == "0\n"


def test_run_with_an_index_reports_groups_with_members_of_earlier_nights(
    dedup: Command, day: Path, news: Path, tmp_path: Path
) -> None:
    night = write_records(tmp_path / "night.jsonl", {"id": "n", "text": STORY, "published_at": "2026-03-03"})
    done = dedup("run", night, "--index", news, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert "1 articles, 1 of them new to the index\n" in done.stderr
    assert "1  articles\n1  groups of copies, the largest of 3\n" in done.stdout.replace("  1", "1")
    assert "   3  a          Ferry\n" in done.stdout
    assert (tmp_path / "out/unique.jsonl").read_text() == ""
    as_json = dedup("run", night, "--index", news, "-o", tmp_path / "2", "--log-format", "json")
    (summary,) = lines_of(as_json.stdout)
    assert (summary["event"], summary["index"]) == ("done", str(news))
    added = [event for event in lines_of(as_json.stderr) if event["event"] == "added"]
    assert added == [{"event": "added", "articles": 1, "added": 0}]


def test_run_with_what_is_no_index_is_code_6_and_writes_nothing(
    dedup: Command, day: Path, tmp_path: Path
) -> None:
    done = dedup("run", day, "--index", day, "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (6, "")
    assert "is not an index" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["day.jsonl"]
