"""The short table at the end of a run."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dedup.articles import ArticleId
from dedup.cli.log import legible
from dedup.formats.results import read_lines

if TYPE_CHECKING:
    from dedup.run.nightly import RunResult

_NUM_LARGEST = 5
_TITLE_WIDTH = 60
_ID_WIDTH = 40
_PLAIN_WIDTH = 110  # columns where standard output is no terminal
_NARROW_COLUMNS = 70
_NARROW_ID_WIDTH = 12
_MIN_TITLE_WIDTH = 8
_GAP = 2
_STAGES = {"read_and_sketch": "reading", "group": "grouping", "write": "writing", "total": "in all"}


Largest = list[tuple[int, ArticleId, str | None]]
"""Groups as their size, the id and the title of the canonical."""


def report_text(summary: dict[str, Any], largest: Largest, out: Path) -> str:
    """Return counts, the largest groups with their titles, the seconds by stage and where it all is."""
    is_terminal = sys.stdout.isatty()
    console = Console(
        file=io.StringIO(),  # rich's own way with a closed pipe would end the process
        highlight=False,
        force_terminal=is_terminal,
        width=None if is_terminal else _PLAIN_WIDTH,
    )
    parts: list[RenderableType] = [_counts(summary["counts"])]
    if largest:
        parts += [Text(), groups_table("Largest groups", largest, console.width)]
    seconds = ", ".join(
        f"{_STAGES.get(name, name)} {seconds:.1f}" for name, seconds in summary["seconds"].items()
    )
    rate = f"{summary['articles_per_second']:,.0f} articles/s"
    parts += [
        Text(),
        Text(f"Seconds: {seconds} ({rate}); peak memory {summary['peak_memory_bytes'] / 1e6:,.0f} MB"),
        Text(f"Written: {legible(str(out))}"),
    ]
    console.print(Group(*parts))
    lines = console.file.getvalue().rstrip("\n").split("\n")  # type: ignore[attr-defined]
    return "\n".join(line if is_terminal else line.rstrip() for line in lines)


def _counts(counts: dict[str, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold", no_wrap=True)
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


def largest_groups(result: "RunResult", out: Path, title_field: str) -> Largest:
    """Return the largest groups of a run, their titles read from its unique records."""
    groups = result.groups
    largest = sorted(groups, key=lambda group: -group.size)[:_NUM_LARGEST]
    wanted = {group.canonical_id for group in largest}
    row_of = {id_: row for row, id_ in enumerate(groups.ids) if id_ in wanted}
    lines = result.kept.cumsum()
    line_of = {id_: int(lines[row]) for id_, row in row_of.items() if result.kept[row]}
    records = read_lines(out / "unique.jsonl", set(line_of.values()))
    found: Largest = []
    for group in largest:
        title = records.get(line_of.get(group.canonical_id, 0), {}).get(title_field)
        found.append((group.size, group.canonical_id, title if isinstance(title, str) else None))
    return found


def groups_table(heading: str, groups: Largest, width: int) -> Group:
    """Return a table of groups for a terminal of so many columns."""
    rows = [(f"{size:,}", legible(str(id_)), legible(title or "")) for size, id_, title in groups]
    size_width = max(len("size"), *(len(size) for size, _, _ in rows))
    longest_id = max(len("canonical"), *(cell_len(id_) for _, id_, _ in rows))
    id_width = min(longest_id, _ID_WIDTH if width >= _NARROW_COLUMNS else _NARROW_ID_WIDTH)
    title_width = max(_MIN_TITLE_WIDTH, min(_TITLE_WIDTH, width - size_width - id_width - 2 * _GAP))
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column("size", justify="right", width=size_width)
    table.add_column("canonical", width=id_width)
    table.add_column("title")
    for size, id_, shown in rows:
        table.add_row(size, _cut(id_, id_width), _cut(shown, title_width))
    return Group(Text(heading, style="bold"), table)


def _cut(text: str, width: int) -> Text:
    cut = Text(text)
    cut.truncate(width, overflow="ellipsis")
    return cut
