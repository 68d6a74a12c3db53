"""`dedup run`: the nightly command."""

import json
import os
from pathlib import Path
from typing import Any

import click

from dedup.cli.config import load_config

_NAMES: dict[str, Any] = {"show_default": True, "metavar": "NAME"}


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--out", required=True, metavar="OUT", type=click.Path(path_type=Path), help="Folder to write."
)
@click.option(
    "--profile", default="article", metavar="NAME", show_default=True,
    help="article: compare texts; headline: compare titles.",
)  # fmt: skip
@click.option(
    "--threshold", type=float, metavar="J", help="Similarity that makes a copy.  [default: the profile's]"
)
@click.option(
    "--keep", default="earliest", metavar="POLICY", show_default=True,
    help="Which article of a group is kept: earliest, longest or first-seen.",
)  # fmt: skip
@click.option(
    "--source-priority", multiple=True, metavar="SOURCE",
    help="Outlet to prefer among articles of the same time; repeat it, best first.",
)  # fmt: skip
@click.option("--window", type=float, metavar="DAYS", help="Articles further apart are not copies.")
@click.option(
    "--workers", type=click.IntRange(1, 256), metavar="N", help="Threads.  [default: one for each core]"
)
@click.option("--overwrite", is_flag=True, help="Replace OUT once the new one is whole.")
@click.option("--strict", is_flag=True, help="Stop at the first record that cannot be used.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Form of progress and summary.",
)  # fmt: skip
@click.option("--id-field", default="id", help="Field with the id.", **_NAMES)
@click.option("--text-field", default="text", help="Field with the text.", **_NAMES)
@click.option("--title-field", default="title", help="Field with the title.", **_NAMES)
@click.option("--source-field", default="source", help="Field with the outlet.", **_NAMES)
@click.option("--date-field", default="published_at", help="Field with the time of publication.", **_NAMES)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", is_eager=True, expose_value=False,
    callback=load_config, help="TOML file with option values; the command line wins.",
)  # fmt: skip
def run(inputs: tuple[str, ...], out: Path, **options: Any) -> None:
    """Group the articles of INPUT... into the folder OUT.

    OUT receives groups.jsonl, links.jsonl, articles.parquet, unique.jsonl, rejects.jsonl and summary.json.
    """
    from dedup.articles import Fields
    from dedup.cli.progress import show_progress
    from dedup.formats.json_lines import JsonLinesFile
    from dedup.run import nightly

    fields = Fields(**{name: options[f"{name}_field"] for name in ("id", "text", "title", "source", "date")})
    settings = _settings(options)
    files = [JsonLinesFile(Path(name)) for name in inputs]
    with show_progress(None, quiet=options["quiet"], log_format=options["log_format"]) as progress:
        result = nightly.run(
            files,
            out,
            settings,
            fields=fields,
            num_workers=options["workers"] or os.cpu_count() or 1,
            overwrite=options["overwrite"],
            strict=options["strict"],
            progress=progress,
        )
    if options["log_format"] == "json" and not options["quiet"]:
        click.echo(json.dumps({"event": "done", "out": str(out), **result.summary}, ensure_ascii=False))
    elif not options["quiet"]:
        from dedup.cli.report import print_report

        print_report(result.groups, result.summary, out, fields.title)


def _settings(options: dict[str, Any]) -> Any:
    from dedup.settings import Settings

    changes = {
        "keep": options["keep"],
        "source_priority": tuple(options["source_priority"]),
        "window_days": options["window"],
        "threshold": options["threshold"],
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return Settings.of(options["profile"], **given)
