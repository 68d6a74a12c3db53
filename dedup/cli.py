"""The command `dedup`: arguments, progress on the terminal, exit codes.

Exit codes: 0 done; 1 a fault of this program; 2 wrong arguments or settings; 3 the input cannot be
used; 4 the output cannot be written; 130 interrupted.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from dedup import __version__
from dedup.errors import DedupError, InputError, OutputError, SettingsError

_EXIT_CODES: tuple[tuple[type[DedupError], int], ...] = (
    (SettingsError, 2),
    (InputError, 3),
    (OutputError, 4),
)
_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dedup")
def cli() -> None:
    """Find near-duplicate news articles and say which one of each group to keep."""


@cli.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, metavar="OUT", type=click.Path(path_type=Path), help="Folder to write."
)
@click.option("--profile", default="article", show_default=True, metavar="NAME",
              help="article: compare texts; headline: compare titles.")  # fmt: skip
@click.option(
    "--threshold", type=float, metavar="J", help="Jaccard similarity that makes a copy.  [article: 0.4]"
)
@click.option("--workers", type=click.IntRange(1, 256), metavar="N",
              help="Threads.  [default: one for each core]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace OUT once the new one is whole.")
@click.option("--id-field", default="id", show_default=True, metavar="NAME", help="Field with the id.")
@click.option("--text-field", default="text", show_default=True, metavar="NAME", help="Field with the text.")
@click.option(
    "--title-field", default="title", show_default=True, metavar="NAME", help="Field with the title."
)
@click.option(
    "--source-field", default="source", show_default=True, metavar="NAME", help="Field with the outlet."
)
@click.option("--date-field", default="published_at", show_default=True, metavar="NAME",
              help="Field with the time of publication.")  # fmt: skip
def run(inputs: tuple[Path, ...], out: Path, profile: str, threshold: float | None, workers: int | None,
        overwrite: bool, **field_names: str) -> None:  # fmt: skip
    """Group the articles of JSON Lines files into the folder OUT.

    OUT receives groups.jsonl, links.jsonl, articles.parquet, unique.jsonl, rejects.jsonl and summary.json.
    """
    from dedup.articles import Fields
    from dedup.formats.json_lines import JsonLinesFile
    from dedup.run import nightly
    from dedup.settings import Settings

    changes: dict[str, Any] = {} if threshold is None else {"threshold": threshold}
    settings = Settings.of(profile, **changes)
    fields = Fields(**{name.removesuffix("_field"): value for name, value in field_names.items()})
    files = [JsonLinesFile(path) for path in inputs]
    num_workers = workers or os.cpu_count() or 1
    result = nightly.run(files, out, settings, fields=fields, num_workers=num_workers, overwrite=overwrite)
    counts = result.summary["counts"]
    click.echo(
        f"{counts['articles']:,} articles, {counts['groups']:,} groups, {counts['copies']:,} copies, "
        f"{counts['rejected']:,} rejected in {result.summary['seconds']['total']:.1f} s -> {out}"
    )


def main() -> None:
    """Run the command; no traceback reaches the user but for a fault of this program."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("dedup: interrupted; nothing was written", err=True)
        sys.exit(_INTERRUPTED)
    except DedupError as error:
        click.echo(f"dedup: {error}", err=True)
        sys.exit(next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1))
