"""`dedup spark`: groups of more articles than one machine holds."""

from typing import Any

import click

from dedup.cli.log import Log, json_text, print_text
from dedup.cli.options import (
    config_option,
    fields_of,
    log_options,
    setting_options,
    settings_of,
    table_field_options,
)


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
@setting_options
@click.option("--overwrite/--no-overwrite", help="Replace what an earlier run wrote into OUT.")
@log_options
@table_field_options
@config_option
@click.pass_context
def spark(context: click.Context, /, inputs: tuple[str, ...], out: str, **options: Any) -> None:
    """Group the articles of INPUT..., Parquet or JSON Lines, into the folder OUT on a Spark cluster.

    The groups are those of `dedup run`; the profile headline and --keep first-seen are refused. OUT receives
    articles, links, further_matches and rejects as Parquet, and the summary. Needs the extra `spark` and
    Java; see docs/spark.md.
    """
    from dedup.spark.session import open_session

    log = context.ensure_object(Log)
    log.is_running, log.quiet = True, options["quiet"]
    settings, fields = settings_of(options), fields_of(options)
    session = open_session(options["master"], options["checkpoint_dir"])
    from dedup.spark.files import run

    summary = run(session, inputs, out, settings, fields=fields, overwrite=options["overwrite"])
    log.outcome = f"{out} is whole"
    if not log.quiet:
        done = json_text({"event": "done", "out": out, **summary["counts"]})
        print_text(done, done=log.outcome)
