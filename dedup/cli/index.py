"""`dedup index`: articles and their groups in a file that outlives the process."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.log import Log, print_text
from dedup.cli.options import (
    config_option,
    field_options,
    index_setting_options,
    log_options,
    open_index,
)
from dedup.errors import IndexFileError, InputError, SettingsError

if TYPE_CHECKING:
    from dedup.run.indexing import Index

_NUM_SHOWN = 20

_path_argument = click.argument("path", metavar="INDEX", type=click.Path(path_type=Path))
_output_option = click.option(
    "-o", "--out", "--output", "output", metavar="FILE", type=click.Path(path_type=Path),
    help="Write the lines here.  [default: standard output]",
)  # fmt: skip
_inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
_rejects_option = click.option(
    "--rejects", metavar="FILE", type=click.Path(path_type=Path),
    help="List records that cannot be used here.",
)  # fmt: skip
_strict_option = click.option("--strict/--no-strict", help="Stop at the first record that cannot be used.")


@click.group()
def index() -> None:
    """Say of articles whether they are new, or copies of which; keep them in the file INDEX.

    Exit codes are those of `dedup run`; 6 is an index that cannot be used or is damaged.
    """


@index.command()
@_path_argument
@_inputs_argument
@_output_option
@_rejects_option
@_strict_option
@index_setting_options
@log_options
@field_options
@config_option
@click.pass_context
def add(context: click.Context, /, path: Path, inputs: tuple[str, ...], **options: Any) -> None:
    """Add the articles of INPUT... in their order; print the verdict on each once it is stored.

    INDEX is made with the settings given here if it is not there, once there is an article for it. An id that
    is held with other content is updated.
    """
    log = _begin(context, options)
    log.outcome = f"what was printed is stored in {path}; run it again to add the rest"
    from dedup.cli.verdicts import judge_files

    with open_index(context, path, options) as opened:
        judge_files(opened, opened.add_batch, inputs, options, log)


@index.command()
@_path_argument
@_inputs_argument
@_output_option
@_rejects_option
@_strict_option
@log_options
@field_options
@config_option
@click.pass_context
def check(context: click.Context, /, path: Path, inputs: tuple[str, ...], **options: Any) -> None:
    """Print the verdict that each article of INPUT... would get, each for itself; nothing is stored."""
    log = _begin(context, options)
    from dedup.cli.verdicts import judge_files

    with _opened(path, read_only=True) as opened:
        judge_files(opened, opened.check_batch, inputs, options, log)


@index.command()
@_path_argument
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@log_options
@click.pass_context
def remove(context: click.Context, /, path: Path, ids: tuple[str, ...], **options: Any) -> None:
    """Remove articles; print of each whether it was there. Members of a canonical are matched anew."""
    _begin(context, options)
    with _opened(path) as opened:
        _write({"id": id_, "removed": opened.remove(id_)} for id_ in ids)


@index.command()
@_path_argument
@click.option("--before", required=True, metavar="DATE", help="Such as 2024-05-31.")
@log_options
@click.pass_context
def prune(context: click.Context, /, path: Path, before: str, **options: Any) -> None:
    """Remove the articles published before DATE; those without a date stay."""
    _begin(context, options)
    from dedup.run.index_arguments import checked_bound

    try:
        checked_bound(before)
    except InputError as error:
        raise SettingsError(f"--before is {before!r}; it is a date, such as 2024-05-31") from error
    with _opened(path) as opened:
        _write([{"removed": opened.prune(before)}])


@index.command()
@_path_argument
@_output_option
@log_options
@click.pass_context
def groups(context: click.Context, /, path: Path, output: Path | None, **options: Any) -> None:
    """Print each group of two or more as groups.jsonl of `dedup run` has it; on a terminal the largest."""
    log = _begin(context, options)
    from dedup.formats.results import group_record

    with _opened(path, read_only=True) as opened:
        if output is None and _is_for_people(log):
            _show_largest(opened)
        else:
            _write(map(group_record, opened.groups()), output, [path])


def _show_largest(opened: "Index") -> None:
    import heapq
    import itertools

    from rich.console import Console

    from dedup.cli.closing_table import groups_table

    numbers = itertools.count(1)
    found = ((group.size, -next(numbers), group.canonical_id) for group in opened.groups())
    largest = heapq.nlargest(_NUM_SHOWN, found)
    shown = []
    for size, _, canonical_id in largest:
        held = opened.get(canonical_id)
        shown.append((size, canonical_id, held.title if held else None))
    num_groups = next(numbers) - 1
    console = Console(highlight=False)
    with console.capture() as printed:
        console.print(groups_table(f"{num_groups:,} groups, the largest:", shown, console.width))
    print_text(printed.get().rstrip("\n"))


@index.command()
@_path_argument
@log_options
@click.pass_context
def stats(context: click.Context, /, path: Path, **options: Any) -> None:
    """Print counts, sizes in bytes and settings; a table on a terminal."""
    log = _begin(context, options)
    with _opened(path, read_only=True) as opened:
        found = opened.stats()
    if not _is_for_people(log):
        _write([found])
        return
    shown = {name: value for name, value in found.items() if name != "settings"}
    width = max(map(len, shown))
    for name, value in shown.items():
        text = f"{value:,}" if isinstance(value, int) else str(value)
        print_text(f"{name.replace('_', ' '):<{width}}  {text:>24}")


@index.command()
@_path_argument
@log_options
@click.pass_context
def verify(context: click.Context, /, path: Path, **options: Any) -> None:
    """Read the whole file; print what is wrong, one problem a line. The exit code is 6 if anything is."""
    log = _begin(context, options)
    with _opened(path, read_only=True) as opened:
        problems = opened.verify()
    _write({"problem": problem} for problem in problems)
    if problems:
        raise IndexFileError(f"{path}: is damaged: {len(problems)} problems; restore it from a backup")
    log.event("done", f"{path}: no problem was found", problems=0)


@index.command()
@_path_argument
@log_options
@click.pass_context
def learn(context: click.Context, /, path: Path, **options: Any) -> None:
    """Learn anew from all articles which wording is a formula; verdicts given before stay."""
    _begin(context, options)
    with _opened(path) as opened:
        _write([opened.learn()])


@index.command()
@_path_argument
@click.option(
    "--what", type=click.Choice(["articles", "groups", "links", "changes"]), default="articles",
    show_default=True, help="What to write.",
)  # fmt: skip
@click.option(
    "--since", type=click.IntRange(0), default=0, metavar="SEQ",
    help="With --what changes: only those behind this one.",
)  # fmt: skip
@_output_option
@log_options
@click.pass_context
def export(
    context: click.Context, /, path: Path, what: str, since: int, output: Path | None, **options: Any
) -> None:
    """Write articles without their texts, groups, links or changes as JSON lines."""
    _begin(context, options)
    if since and what != "changes":
        raise SettingsError(f"--since is {since} and --what is {what}; only --what changes goes with --since")
    with _opened(path, read_only=True) as opened:
        _write(_records(opened, what, since), output, [path])


def _records(opened: "Index", what: str, since: int) -> Iterator[dict[str, Any]]:
    from dataclasses import asdict

    from dedup.cli.export import article_record, change_with_time
    from dedup.formats.results import group_record

    if what == "articles":
        yield from map(article_record, opened.articles())
    elif what == "groups":
        yield from map(group_record, opened.groups())
    elif what == "links":
        yield from map(asdict, opened.links())
    else:
        yield from map(change_with_time, opened.changes_since(since))


@index.command()
@_path_argument
@log_options
@click.pass_context
def vacuum(context: click.Context, /, path: Path, **options: Any) -> None:
    """Write the file anew without the room that removed articles left; needs as much room beside it."""
    _begin(context, options)
    with _opened(path) as opened:
        before = path.stat().st_size
        opened.vacuum()
        _write([{"file_bytes_before": before, "file_bytes": path.stat().st_size}])


def _begin(context: click.Context, options: dict[str, Any]) -> Log:
    log = context.ensure_object(Log)
    log.is_running, log.quiet = True, options["quiet"]
    log.outcome = "what was printed is done"
    return log


@contextmanager
def _opened(path: Path, *, read_only: bool = False) -> Iterator["Index"]:
    from dedup.run.indexing import Index

    with Index.open(path, create=False, read_only=read_only) as opened:
        yield opened


def _is_for_people(log: Log) -> bool:
    return sys.stdout.isatty() and log.form == "text"


def _write(
    records: Iterable[dict[str, Any]], output: Path | None = None, others: Sequence[Path] = ()
) -> None:
    """Write records as lines until there are no more, or nobody reads them."""
    import itertools

    from dedup.cli.lines import open_lines

    rest = iter(records)
    with open_lines(output, others) as lines:
        while lines.is_wanted and (some := list(itertools.islice(rest, 100))):
            lines.write(some)
