"""The short table at the end of a run."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dedup.formats.results import read_lines
from dedup.run.groups import Groups

_NUM_LARGEST = 5
_TITLE_WIDTH = 60
_ID_WIDTH = 40
_PLAIN_WIDTH = 110  # columns where standard output is no terminal


def print_report(groups: Groups, summary: dict[str, Any], out: Path, title_field: str) -> None:
    """Print counts, the largest groups with their titles, and the seconds by stage."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    parts: list[RenderableType] = [_counts(summary["counts"])]
    if len(groups):
        parts.append(_largest(groups, out, title_field))
    stages = ", ".join(
        f"{name.replace('_', ' ')} {seconds:.1f}" for name, seconds in summary["seconds"].items()
    )
    parts.append(Text(f"Seconds: {stages} ({summary['articles_per_second']:,.0f} articles/s)"))
    parts.append(Text(f"Written: {out}"))
    console.print(Group(*parts))


def _counts(counts: dict[str, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    lines = [
        (counts["articles"], "articles"),
        (counts["groups"], f"groups of copies, the largest of {counts['largest_group']:,}"),
        (counts["copies"], f"copies; {counts['unique']:,} articles to keep"),
        (counts["links"], "parts of longer articles"),
    ]
    if counts["empty"]:
        lines.append((counts["empty"], "without a word, kept"))
    if counts["repeated_records"]:
        lines.append((counts["repeated_records"], "records repeated with the same id, kept once"))
    if counts["dates_not_understood"]:
        lines.append((counts["dates_not_understood"], "dates not understood, taken as missing"))
    lines.append((counts["rejected"], "rejected" + (": see rejects.jsonl" if counts["rejected"] else "")))
    for number, label in lines:
        table.add_row(f"{number:,}", label)
    return table


def _largest(groups: Groups, out: Path, title_field: str) -> Table:
    largest = sorted(groups, key=lambda group: -group.size)[:_NUM_LARGEST]
    row_of = {id_: row for row, id_ in enumerate(groups.ids)}
    kept_before = groups.is_canonical.cumsum()
    line_of = {group.canonical_id: int(kept_before[row_of[group.canonical_id]]) for group in largest}
    records = read_lines(out / "unique.jsonl", set(line_of.values()))
    table = Table(box=None, pad_edge=False, title="Largest groups", title_justify="left")
    table.add_column("size", justify="right", no_wrap=True, min_width=4)
    longest_id = max(len(str(group.canonical_id)) for group in largest)
    table.add_column("canonical", no_wrap=True, min_width=min(longest_id, _ID_WIDTH), max_width=_ID_WIDTH)
    table.add_column("title", no_wrap=True, max_width=_TITLE_WIDTH, overflow="ellipsis")
    for group in largest:
        title = records[line_of[group.canonical_id]].get(title_field)
        table.add_row(
            str(group.size), Text(str(group.canonical_id)), Text(title if isinstance(title, str) else "")
        )
    return table
