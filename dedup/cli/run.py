"""`dedup run`: the nightly command."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.config import load_config
from dedup.cli.log import FORMS, Log, discard_output, json_text, write_line
from dedup.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from dedup.articles import Fields
    from dedup.run.nightly import RunResult
    from dedup.settings import Settings

_NAMES: dict[str, Any] = {"show_default": True, "metavar": "NAME"}
PROFILES = ("article", "headline")  # these three as in `dedup.settings`, a test holds it: help stays quick
POLICIES = ("earliest", "longest", "first-seen")
FURNITURE = ("cut", "keep")
_OPTION_OF = {"window_days": "--window"}
"""Options that have another name than their setting."""

_EPILOG = """
\b
Exit codes:
  0    done: OUT is whole
  1    a fault of this program
  2    wrong arguments or settings
  3    the input cannot be used
  4    the output cannot be written
  5    not enough memory
  129  its terminal has gone (SIGHUP)
  130  interrupted (SIGINT, Ctrl-C)
  143  terminated (SIGTERM)
Whatever is not 0 leaves OUT as it was, unless it says that OUT is whole.
"""


def _set_form(context: click.Context, parameter: click.Parameter, value: str) -> str:
    context.ensure_object(Log).form = value
    return value


@click.command(epilog=_EPILOG)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--out", required=True, metavar="OUT", type=click.Path(path_type=Path), help="Folder to write."
)
@click.option(
    "--profile", type=click.Choice(PROFILES), default="article", show_default=True,
    help="article: compare texts; headline: compare titles.",
)  # fmt: skip
@click.option(
    "--threshold", type=float, metavar="J",
    help="Similarity that makes a copy, 0.05 to 1.  [default: the profile's]",
)  # fmt: skip
@click.option(
    "--keep", type=click.Choice(POLICIES), default="earliest", show_default=True,
    help="Which article of a group is kept.",
)  # fmt: skip
@click.option(
    "--source-priority", multiple=True, metavar="SOURCE",
    help="Outlet to prefer among articles of the same time; repeat it, best first.",
)  # fmt: skip
@click.option("--window", type=float, metavar="DAYS", help="Articles further apart are not copies.")
@click.option(
    "--cut-copies", type=click.Choice(["keep", "remove"]), default="keep", show_default=True,
    help="Whether parts of longer articles stay in unique.jsonl.",
)  # fmt: skip
@click.option(
    "--furniture", type=click.Choice(FURNITURE), default="cut", show_default=True,
    help="Whether links, source lines and the like are left out of what is compared.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), metavar="N", help="Threads.  [default: one for each core]"
)
@click.option("--overwrite/--no-overwrite", help="Replace OUT once the new one is whole.")
@click.option("--strict/--no-strict", help="Stop at the first record that cannot be used.")
@click.option("--quiet/--no-quiet", help="Print nothing but errors.")
@click.option(
    "--log-format", type=click.Choice(FORMS), default="text", show_default=True, is_eager=True,
    callback=_set_form, help="Form of progress, errors and summary.",
)  # fmt: skip
@click.option("--html/--no-html", help="The text of records is HTML; needs the extra html.")
@click.option("--id-field", default="id", help="Field with the id.", **_NAMES)
@click.option("--text-field", default="text", help="Field with the text.", **_NAMES)
@click.option("--title-field", default="title", help="Field with the title.", **_NAMES)
@click.option("--source-field", default="source", help="Field with the outlet.", **_NAMES)
@click.option("--date-field", default="published_at", help="Field with the time of publication.", **_NAMES)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", is_eager=True, expose_value=False,
    callback=load_config, help="TOML file with option values; the command line wins.",
)  # fmt: skip
@click.pass_context
def run(context: click.Context, /, inputs: tuple[str, ...], out: Path, **options: Any) -> None:
    """Group the articles of INPUT... into the folder OUT.

    OUT receives groups.jsonl, links.jsonl, articles.parquet, unique.jsonl, rejects.jsonl and summary.json.
    """
    from dedup.articles import Fields

    log = context.ensure_object(Log)
    log.is_running, log.quiet = True, options["quiet"]
    fields = Fields(**{name: options[f"{name}_field"] for name in ("id", "text", "title", "source", "date")})
    result = _run(inputs, out, settings_of(options), fields, options, log)
    log.outcome = f"{out} is whole"
    if not log.quiet:
        _print(result, out, fields, log)


def _run(
    inputs: Sequence[str],
    out: Path,
    settings: "Settings",
    fields: "Fields",
    options: dict[str, Any],
    log: Log,
) -> "RunResult":
    from dedup.cli.progress import show_progress
    from dedup.formats.inputs import html_fields, open_inputs
    from dedup.formats.output import check_output, folder_beside
    from dedup.run import nightly

    check_output(out, inputs, overwrite=options["overwrite"])  # before standard input is read
    found = open_inputs(inputs, spool_folder=folder_beside(out))
    with show_progress(sum(file.size_bytes for file in found.files), log) as progress:
        return nightly.run(
            html_fields(found.files) if options["html"] else found.files,
            out,
            settings,
            fields=fields,
            num_workers=options["workers"] or os.cpu_count() or 1,
            overwrite=options["overwrite"],
            strict=options["strict"],
            cut_copies=options["cut_copies"],
            skipped=found.skipped,
            progress=progress,
            warn=log.warning,
        )


def settings_of(options: dict[str, Any]) -> "Settings":
    """Return the settings that the options of a command ask for."""
    from dedup.settings import Settings

    changes = {
        "keep": options["keep"],
        "source_priority": tuple(options["source_priority"]),
        "window_days": options["window"],
        "threshold": options["threshold"],
        "furniture": options["furniture"],
    }
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return Settings.of(options["profile"], **given)
    except SettingsError as error:
        raise SettingsError(_in_options_words(str(error), given)) from error


def _in_options_words(message: str, given: dict[str, Any]) -> str:
    """Return a message about a setting with the name of the option that gave it."""
    name = re.match(r"\w+", message)
    if name is None or name[0] not in given:
        return message
    option = _OPTION_OF.get(name[0], f"--{name[0].replace('_', '-')}")
    return option + message[name.end() :]


def _print(result: "RunResult", out: Path, fields: "Fields", log: Log) -> None:
    """Print the report, or the summary as JSON, on standard output."""
    if log.form == "json":
        text = json_text({"event": "done", "out": str(out), **result.summary})
    else:
        from dedup.cli.report import report_text

        text = report_text(result, out, fields.title)
    try:
        write_line(sys.stdout, text)
    except BrokenPipeError:  # its reader wants no more
        discard_output()
    except OSError as error:
        discard_output()
        raise OutputError(
            f"standard output cannot be written: {error.strerror}; the run is done and {out} is whole"
        ) from error
