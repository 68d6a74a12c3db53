"""The configuration file: the options' own names, values checked with their place, the command line first."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import dedup.cli.run  # noqa: F401 - the module behind the command
from dedup.cli import cli
from dedup.errors import SettingsError

run = cli.commands["run"]


def parse(*arguments: str) -> dict[str, Any]:
    """Return the option values that the command would run with."""
    with run.make_context("run", ["in.jsonl", *arguments]) as context:
        return context.params


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "c.toml"
    path.write_text('out = "o"\n')
    return path


def test_every_option_can_stand_in_the_file(config: Path) -> None:
    config.write_text("""
        out = "night"
        profile = "headline"
        threshold = 1
        keep = "longest"
        source-priority = ["واس", "Reuters"]
        window = 2.5
        cut_copies = "remove"
        workers = 3
        overwrite = true
        strict = true
        quiet = true
        log-format = "json"
        furniture = "keep"
        html = true
        id-field = "a"
        text-field = "b"
        title-field = "c"
        source-field = "d"
        date-field = "e"
        url-field = "f"
        date-format = "dmy"
        index = "news.dedup"
    """)
    options = {option.name for option in run.params} - {"inputs", "config"}
    params = parse("--config", str(config))
    assert options <= set(params)
    for option in run.params:
        if option.name in options:
            assert params[option.name or ""] != option.default, option.name
    assert (params["out"], params["threshold"], params["source_priority"]) == (
        Path("night"),
        1.0,
        ("واس", "Reuters"),
    )


def test_the_command_line_wins_lists_and_flags_included(config: Path) -> None:
    config.write_text(
        'out = "o"\nthreshold = 0.5\noverwrite = true\nsource-priority = ["a", "b"]\nkeep = "longest"\n'
    )
    arguments = [
        "--threshold",
        "0.6",
        "--no-overwrite",
        "--source-priority",
        "c",
        "-o",
        "p",
        "--keep",
        "earliest",
    ]
    for order in ([*arguments, "--config", str(config)], ["--config", str(config), *arguments]):
        params = parse(*order)
        assert (params["threshold"], params["overwrite"], params["source_priority"]) == (0.6, False, ("c",))
        assert (params["out"], params["keep"]) == (Path("p"), "earliest")


def test_byte_order_mark_and_windows_line_ends_do_not_matter(config: Path) -> None:
    config.write_bytes(b'\xef\xbb\xbfout = "o"\r\nworkers = 2\r\n')
    assert parse("--config", str(config))["workers"] == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('threshold = "high"', 'threshold is "high"; it is a number'),
        ("threshold = true", "threshold is true; it is a number"),
        ("workers = 2.0", "workers is 2.0; it is a whole number"),
        ("workers = 0", "workers is 0; 0 is not in the range 1<=x<=256"),
        ("overwrite = 1", "overwrite is 1; it is true or false"),
        ('strict = "yes"', 'strict is "yes"; it is true or false'),
        ('keep = "newest"', 'keep is "newest"; it is one of earliest, longest, first-seen'),
        ("keep = 3", "keep is 3; it is one of earliest, longest, first-seen"),
        ('log-format = "xml"', 'log-format is "xml"; it is one of text, json'),
        ('source-priority = "a"', 'source-priority is "a"; it is a list, such as ["a"]'),
        ('source-priority = ["a", 1]', "source-priority is 1; it is a string"),
        ('out = ["a"]', "out is ['a']; it is a string"),
        ("id-field = 2024-01-01", "id-field is 2024-01-01; it is a string"),
        (
            "[run]\nthreshold = 0.5",
            "there is no option 'run'; those of run are cut-copies, date-field, date-format, furniture",
        ),
        ('config = "x"', "there is no option 'config'"),
        ('inputs = ["x"]', "there is no option 'inputs'"),
        ('id-field = "a"\nid_field = "b"', "'id_field' is given twice"),
        ("threshold = ", "is not TOML"),
        ("keep = 'a'\nkeep = 'b'", "is not TOML"),
        ("title-field = '\udcff'", "is not TOML"),
    ],
)
def test_a_wrong_value_is_named_with_file_option_and_choices(config: Path, content: str, words: str) -> None:
    config.write_text(content, errors="surrogateescape")
    with pytest.raises(SettingsError) as caught:
        parse("--config", str(config), "-o", "o")
    assert str(caught.value).startswith(f"--config {config}")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("command", "own", "others"),
    [
        (
            "run x -o y",
            "those of dedup run are cut-copies, date-field,",
            "other commands have before, checkpoint",
        ),
        (
            "index add i x",
            "those of dedup index add are date-field,",
            "other commands have before, checkpoint",
        ),
        (
            "index check i x",
            "those of dedup index check are date-field, date-format, html, id-field,",
            "window,",
        ),
        (
            "spark x -o y",
            "those of dedup spark are checkpoint-dir, date-field,",
            "other commands have before, cut",
        ),
    ],
)
def test_a_wrong_name_is_told_with_the_options_of_the_command(
    dedup: Any, config: Path, command: str, own: str, others: str
) -> None:
    config.write_text("treshold = 0.5")
    done = dedup(*command.split(), "--config", config)
    assert done.returncode == 2
    assert f"{config}: there is no option 'treshold' (did you mean 'threshold'?); {own}" in done.stderr
    assert others in done.stderr


def test_a_format_of_dates_that_is_none_is_a_wrong_option(
    dedup: Any, one_article: Path, config: Path
) -> None:
    done = dedup("run", one_article, "--config", config, "--date-format", "dym")
    assert done.returncode == 2
    assert done.stderr.startswith("dedup: --date-format is 'dym': it does not tell year, month and day")


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"--config .* cannot be read: "):
        parse("--config", str(tmp_path / name), "-o", "o")


def test_out_is_required_where_neither_has_it(config: Path) -> None:
    config.write_text("workers = 2")
    with pytest.raises(click.MissingParameter):
        parse("--config", str(config))


def test_config_and_errors_in_a_run(dedup: Any, one_article: Path, config: Path, tmp_path: Path) -> None:
    config.write_text(f'out = "{tmp_path / "out"}"\nquiet = true\nkeep = "longest"\nwindow = 2\n')
    done = dedup("run", one_article, "--config", config)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    settings = json.loads((tmp_path / "out/summary.json").read_text())["settings"]
    assert (settings["keep"], settings["window_days"]) == ("longest", 2)
    config.write_text('keep = "newest"')
    done = dedup("run", one_article, "--config", config)
    assert done.returncode == 2
    assert done.stderr == (
        f'dedup: --config {config}: keep is "newest"; it is one of earliest, longest, first-seen\n'
    )
