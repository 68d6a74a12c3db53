"""`dedup run`: the nightly command."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.log import Log, json_text, print_text
from dedup.cli.options import (
    config_option,
    field_options,
    fields_of,
    log_options,
    memory_size,
    open_index,
    setting_options,
    settings_of,
)

if TYPE_CHECKING:
    from dedup.cli.closing_table import Largest
    from dedup.formats.records import RecordFile

    _Told = tuple[dict[str, Any], Largest]

_EPILOG = """
\b
Exit codes:
  0    done: OUT is whole
  1    a fault of this program
  2    wrong arguments or settings
  3    the input cannot be used
  4    the output cannot be written
  5    not enough memory
  6    the index cannot be used
  129  its terminal has gone (SIGHUP)
  130  interrupted (SIGINT, Ctrl-C)
  143  terminated (SIGTERM)
Whatever is not 0 leaves OUT as it was, unless it says that OUT is whole.
"""


@click.command(epilog=_EPILOG)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--out", required=True, metavar="OUT", type=click.Path(path_type=Path), help="Folder to write."
)
@click.option(
    "--index", metavar="INDEX", type=click.Path(path_type=Path),
    help="Match with the articles of earlier nights in this index, and add these.",
)  # fmt: skip
@setting_options
@click.option(
    "--cut-copies", type=click.Choice(["keep", "remove"]), default="keep", show_default=True,
    help="Whether parts of longer articles stay in unique.jsonl.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), metavar="N", help="Threads.  [default: one for each core]"
)
@click.option(
    "--memory", metavar="SIZE", callback=memory_size,
    help="Memory to take, such as 8G; what does not fit is kept on disk.  [default: what there is]",
)  # fmt: skip
@click.option(
    "--scratch", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder for what does not fit in memory.  [default: the one around OUT]",
)  # fmt: skip
@click.option("--overwrite/--no-overwrite", help="Replace OUT once the new one is whole.")
@click.option("--strict/--no-strict", help="Stop at the first record that cannot be used.")
@log_options
@field_options
@config_option
@click.pass_context
def run(context: click.Context, /, inputs: tuple[str, ...], out: Path, **options: Any) -> None:
    """Group the articles of INPUT... into the folder OUT.

    OUT receives groups.jsonl, links.jsonl, articles.parquet, unique.jsonl, rejects.jsonl and summary.json.
    With --index its groups are those that these articles touch; changes.jsonl says what became of them.
    """
    log = context.ensure_object(Log)
    log.is_running, log.quiet = True, options["quiet"]
    if options["index"] is None:
        summary, largest = _run(inputs, out, options, log)
    else:
        summary, largest = _run_with_index(context, inputs, out, options, log)
    if not log.quiet:
        _print(summary, largest, out, log)


def _run(inputs: Sequence[str], out: Path, options: dict[str, Any], log: Log) -> "_Told":
    settings, fields = settings_of(options), fields_of(options)
    with _prepared(inputs, out, options, log) as (files, arguments):
        from dedup.run import nightly

        result = nightly.run(files, out, settings, fields=fields, **arguments)
        log.outcome = f"{out} is whole"
    if log.quiet or log.form == "json":
        return result.summary, []
    from dedup.cli.closing_table import largest_groups

    return result.summary, largest_groups(result, out, fields.title)


def _run_with_index(
    context: click.Context, inputs: Sequence[str], out: Path, options: dict[str, Any], log: Log
) -> "_Told":
    from dedup.run import indexed

    with (
        _prepared(inputs, out, options, log) as (files, arguments),
        open_index(context, options["index"], options) as index,
    ):
        log.outcome = f"{out} was not written; {options['index']} keeps what was added, run again to go on"
        result = indexed.run(files, out, index, fields=fields_of(options), **arguments)
        log.outcome = f"{out} is whole"
    num_articles = result.summary["counts"]["articles"]
    log.event(
        "added",
        f"{num_articles:,} articles, {result.num_added:,} of them new to the index",
        articles=num_articles,
        added=result.num_added,
    )
    return result.summary, result.largest


@contextmanager
def _prepared(
    inputs: Sequence[str], out: Path, options: dict[str, Any], log: Log
) -> Iterator[tuple[list["RecordFile"], dict[str, Any]]]:
    """Give the files to read and the arguments that a run takes with an index as without."""
    from dedup.cli.progress import announce_compiling, show_progress
    from dedup.formats.inputs import html_fields, open_inputs
    from dedup.formats.output import check_output, folder_beside

    check_output(out, inputs, overwrite=options["overwrite"])  # before standard input is read
    scratch = options["scratch"] or folder_beside(out)
    found = open_inputs(inputs, spool_folder=scratch)
    announce_compiling(log)
    with show_progress(sum(file.size_bytes for file in found.files), log) as progress:
        yield (
            html_fields(found.files) if options["html"] else found.files,
            {
                "num_workers": options["workers"] or os.cpu_count() or 1,
                "overwrite": options["overwrite"],
                "strict": options["strict"],
                "cut_copies": options["cut_copies"],
                "memory_bytes": options["memory"],
                "scratch": scratch,
                "skipped": found.skipped,
                "progress": progress,
                "warn": log.warning,
            },
        )


def _print(summary: dict[str, Any], largest: "Largest", out: Path, log: Log) -> None:
    """Print the report, or the summary as JSON, on standard output."""
    if log.form == "json":
        text = json_text({"event": "done", "out": str(out), **summary})
    else:
        from dedup.cli.closing_table import report_text

        text = report_text(summary, largest, out)
    print_text(text, done=f"the run is done and {out} is whole")
