"""`dedup compare`: two articles, how alike they are, and where they differ."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dedup.cli.log import Log, json_text, legible, print_text
from dedup.cli.options import FURNITURE, PROFILES, log_options, settings_of
from dedup.errors import InputError

if TYPE_CHECKING:
    from dedup.articles import Comparison
    from dedup.report.difference import Difference, Row, Run


@click.command()
@click.argument("first", metavar="FILE")
@click.argument("second", metavar="FILE")
@click.option(
    "--profile", type=click.Choice(PROFILES), default="article", show_default=True,
    help="headline: take both for titles.",
)  # fmt: skip
@click.option("--threshold", type=float, metavar="J", help="Similarity that makes a copy, 0.05 to 1.")
@click.option(
    "--furniture", type=click.Choice(FURNITURE), default="cut", show_default=True,
    help="Whether links, source lines and the like are left out of what is compared.",
)  # fmt: skip
@log_options
@click.pass_context
def compare(
    context: click.Context,
    /,
    first: str,
    second: str,
    profile: str,
    threshold: float | None,
    furniture: str,
    quiet: bool,
    log_format: str,
) -> None:
    """Compare two articles, a text or HTML file each: the verdict, the scores, and where they differ.

    Below the scores, lines with - are of the first, with + of the second; [words] are in one of them only.
    Two articles alone do not tell which wording is a formula: dedup run may keep apart what is near here.
    The exit code is 0 whatever the verdict.
    """
    log = context.ensure_object(Log)
    log.is_running, log.quiet = True, quiet
    from dedup.cli.progress import announce_compiling
    from dedup.report.difference import difference
    from dedup.run.comparison import compare

    unused = {"keep": None, "source_priority": (), "window": None}
    settings = settings_of({"profile": profile, "threshold": threshold, "furniture": furniture, **unused})
    texts = [_text_of(name) for name in (first, second)]
    announce_compiling(log)
    compared = compare(texts[0], texts[1], settings)
    if log.form == "json":
        print_text(json_text({"event": "done", **dataclasses.asdict(compared)}))
        return
    found = difference(texts[0], texts[1], cuts_furniture=settings.cuts_furniture)
    print_text("\n".join([*_scores(compared), "", *_lines(found)]).rstrip())


def _text_of(name: str) -> str:
    """Return the one text of a file."""
    from dedup.articles import Fields
    from dedup.formats.inputs import open_inputs
    from dedup.formats.text_files import TextFiles

    (file, *others) = open_inputs([name]).files
    if others or not isinstance(file, TextFiles):
        raise InputError(f"{name} holds records; expected a text or HTML file, which is one article")
    file.check(Fields(), "text")
    texts: list[str] = []
    for chunk in file.chunks(Fields(), "text"):
        if chunk.rejects:
            raise InputError(f"{name} cannot be used: {chunk.rejects[0].reason}")
        texts += chunk.texts
    if len(texts) != 1:
        raise InputError(f"{name} holds {len(texts)} articles; expected one")
    return texts[0]


def _scores(compared: "Comparison") -> Iterator[str]:
    yield f"{compared.verdict}: {compared.reason}"
    yield (
        f"Jaccard {compared.jaccard:.3f} (estimated {compared.estimated_jaccard:.3f}), coverage of the first "
        f"{compared.coverage_a:.3f}, of the second {compared.coverage_b:.3f}, by {compared.shingles}"
    )


def _lines(found: "Difference") -> Iterator[str]:
    """Yield the difference; words of one text alone, or elsewhere in the other, are in brackets."""
    for row in found.rows:
        if row.is_same:
            yield f"  {_passage(row)}"
            continue
        yield from (f"{sign} {_marked(runs)}" for sign, runs in (("-", row.left), ("+", row.right)) if runs)
    for which, number in (("first", found.num_left_more), ("second", found.num_right_more)):
        if number:
            yield f"  ({number:,} more words of the {which} are not shown)"


def _passage(row: "Row") -> str:
    if row.edges is None:
        return legible("".join(run.text for run in row.left))
    begin, end = map(legible, row.edges)
    return f"{begin} … {end} ({row.num_words:,} words)"


def _marked(runs: "tuple[Run, ...]") -> str:
    shown = []
    for run in runs:
        text = legible(run.text)
        if run.kind == "left-out":
            text = f"(left out, {run.reason}: {text})"
        elif run.kind in ("alone", "moved"):
            text = f"[{text}]"
        shown.append(text)
    return " ".join(shown)
