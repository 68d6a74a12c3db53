"""`dedup report`: a run as a page to read before its copies are dropped."""

from pathlib import Path
from typing import Any

import click

from dedup.cli.log import Log, json_text, print_text
from dedup.cli.options import config_option, log_options

ORDERS = ("doubtful", "largest", "sample")  # these as in `dedup.run.report_choice`, a test holds it


@click.command()
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, metavar="[INPUT...]")
@click.option(
    "-o", "--out", "--output", "output", required=True, metavar="FILE", type=click.Path(path_type=Path),
    help="Page to write, such as report.html.",
)  # fmt: skip
@click.option(
    "--order", type=click.Choice(ORDERS), default="doubtful", show_default=True,
    help="doubtful: lowest Jaccard first; largest: largest groups first; sample: some by chance.",
)  # fmt: skip
@click.option(
    "--groups", type=click.IntRange(min=0), default=50, show_default=True, metavar="N", help="Groups to show."
)
@click.option(
    "--members", type=click.IntRange(min=1), default=20, show_default=True, metavar="N",
    help="Members of a group to show, those with the lowest Jaccard.",
)  # fmt: skip
@click.option(
    "--links", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
    help="Parts of longer articles to show.",
)  # fmt: skip
@click.option("--html/--no-html", help="The text of records is HTML, as for the run.")
@click.option(
    "--overwrite/--no-overwrite", help="Replace FILE, if it is a report, once the new one is whole."
)
@log_options
@config_option
@click.pass_context
def report(
    context: click.Context, /, folder: Path, inputs: tuple[str, ...], output: Path, **options: Any
) -> None:
    """Write a page about the run whose output is the folder OUT: its figures, and groups text by text.

    The texts are read from INPUT..., by default from the inputs that the run names. FILE needs nothing else:
    it can be mailed, and opened without a network. Exit codes are those of `dedup run`.
    """
    log = context.ensure_object(Log)
    log.is_running, log.quiet = True, options["quiet"]
    from dedup.cli.progress import announce_compiling, show_progress
    from dedup.formats.output_file import check_output_file
    from dedup.formats.run_output import RunOutput
    from dedup.report.page import is_report
    from dedup.run.reporting import open_texts, write_report

    check_output_file(output, is_report, overwrite=options["overwrite"])
    run = RunOutput(folder)
    files, notes = open_texts(run, inputs, html=options["html"])
    announce_compiling(log)
    with show_progress(sum(file.size_bytes for file in files[:-1]), log) as progress:
        reported = write_report(
            run, files, output,
            order=options["order"], num_groups=options["groups"], num_members=options["members"],
            num_links=options["links"], overwrite=options["overwrite"], notes=notes,
            progress=progress, warn=log.warning,
        )  # fmt: skip
    log.outcome = f"{output} is whole"
    if log.quiet:
        return
    if log.form == "json":
        text = json_text({"event": "done", "out": str(output), **reported._asdict()})
    else:
        text = (
            f"Written: {output} ({reported.num_bytes / 1e6:.1f} MB), with {reported.num_shown_groups:,} of "
            f"{reported.num_groups:,} groups and {reported.num_shown_links:,} of {reported.num_links:,} parts"
        )
    print_text(text, done=log.outcome)
