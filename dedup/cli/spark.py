"""`dedup spark`: groups of more articles than one machine holds."""

import sys
from pathlib import Path
from typing import Any

import click

from dedup.cli.config import load_config
from dedup.cli.log import Log, json_text, write_line
from dedup.cli.options import FURNITURE, PROFILES, settings_of

_NAMES: dict[str, Any] = {"show_default": True, "metavar": "NAME"}


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--out", required=True, metavar="OUT", help="Folder to write, with any scheme Spark knows."
)
@click.option(
    "--master", metavar="URL",
    help="Where to run, such as local[4] or spark://host:7077.  [default: Spark's configuration]",
)  # fmt: skip
@click.option(
    "--checkpoint-dir", metavar="DIR", help="Shared folder for results between, so that machines may fail."
)
@click.option(
    "--profile", type=click.Choice(PROFILES), default="article", show_default=True,
    help="article: compare texts; headline is refused, titles are compared by dedup run.",
)  # fmt: skip
@click.option(
    "--threshold", type=float, metavar="J",
    help="Similarity that makes a copy, 0.05 to 1.  [default: the profile's]",
)  # fmt: skip
@click.option(
    "--keep", type=click.Choice(["earliest", "longest"]), default="earliest", show_default=True,
    help="Which article of a group is kept.",
)  # fmt: skip
@click.option(
    "--source-priority", multiple=True, metavar="SOURCE",
    help="Outlet to prefer among articles of the same time; repeat it, best first.",
)  # fmt: skip
@click.option("--window", type=float, metavar="DAYS", help="Articles further apart are not copies.")
@click.option(
    "--furniture", type=click.Choice(FURNITURE), default="cut", show_default=True,
    help="Whether links, source lines and the like are left out of what is compared.",
)  # fmt: skip
@click.option("--overwrite/--no-overwrite", help="Replace what an earlier run wrote into OUT.")
@click.option("--id-field", default="id", help="Field with the id.", **_NAMES)
@click.option("--text-field", default="text", help="Field with the text.", **_NAMES)
@click.option("--title-field", default="title", help="Field with the title.", **_NAMES)
@click.option("--source-field", default="source", help="Field with the outlet.", **_NAMES)
@click.option("--date-field", default="published_at", help="Field with the time of publication.", **_NAMES)
@click.option(
    "--config", metavar="FILE", type=click.Path(path_type=Path), is_eager=True, expose_value=False,
    callback=load_config, help="TOML file with option values; the command line wins.",
)  # fmt: skip
@click.pass_context
def spark(context: click.Context, /, inputs: tuple[str, ...], out: str, **options: Any) -> None:
    """Group the articles of INPUT..., Parquet or JSON Lines, into the folder OUT on a Spark cluster.

    The groups are those of `dedup run`. OUT receives articles, links, further_matches and rejects as Parquet,
    and the summary. Needs the extra `spark` and Java; see docs/spark.md.
    """
    from dedup.articles import Fields
    from dedup.spark.session import open_session

    log = context.ensure_object(Log)
    log.is_running = True
    settings = settings_of(options)
    fields = Fields(**{name: options[f"{name}_field"] for name in ("id", "text", "title", "source", "date")})
    session = open_session(options["master"], options["checkpoint_dir"])
    from dedup.spark.files import run

    summary = run(session, inputs, out, settings, fields=fields, overwrite=options["overwrite"])
    log.outcome = f"{out} is whole"
    write_line(sys.stdout, json_text({"event": "done", "out": out, **summary["counts"]}))
