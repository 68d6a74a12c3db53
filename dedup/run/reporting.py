"""The report of a run: its output and its input in, one page of HTML out."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from dedup.articles import MISSING_DATE, ArticleId, Fields, Link, Member
from dedup.errors import InputError, SettingsError
from dedup.formats.byte_source import display_name
from dedup.formats.inputs import html_fields, open_inputs
from dedup.formats.json_lines import JsonLinesFile
from dedup.formats.output_file import check_output_file, output_file
from dedup.formats.records import EXTRAS, Chunk, RecordFile
from dedup.formats.run_output import RunOutput
from dedup.report.difference import difference
from dedup.report.moments import delay_in_words
from dedup.report.page import is_report, report_page
from dedup.report.plots import plot_shares, plot_sizes
from dedup.report.reasons import copy_reason, part_reason
from dedup.report.shown import Report, ShownArticle, ShownGroup, ShownLink, ShownMatch
from dedup.run.contents import kept_string
from dedup.run.intake import Progress
from dedup.run.report_choice import ChosenGroup, choose, wanted_ids

CLOSE = 0.1
"""Copies whose Jaccard is less than this above the threshold are counted as near the line."""

_MAX_CHARACTERS = 100_000
"""Of a longer text the beginning is held."""

_IN_WORDS = {
    "doubtful": "those with the lowest Jaccard first",
    "largest": "the largest first",
    "sample": "chosen by chance, the same every time",
}


class Reported(NamedTuple):
    """What a report shows and what it leaves out."""

    num_groups: int
    num_shown_groups: int
    num_links: int
    num_shown_links: int
    num_without_text: int
    num_bytes: int


def open_texts(output: RunOutput, inputs: Sequence[str], *, html: bool) -> tuple[list[RecordFile], list[str]]:
    """Return the files with the texts of a run, and what the reader of a report should know of them.

    `inputs` are those of the run again; for none, those that its summary names. The records that the run kept
    come last: they are read for what the inputs lack. Raises `InputError` as `open_inputs` does.
    """
    named: list[str] = [] if inputs else [str(name) for name in output.summary["inputs"]]
    there = [name for name in named if os.path.isfile(name)]
    gone = [name for name in named if name not in there]
    changed = [name for name in there if os.path.getmtime(name) > output.written]
    notes = []
    if gone:
        notes.append(
            f"inputs that cannot be found by the names in summary.json: {len(gone)}, the first is {gone[0]}; "
            "name the inputs again, as for the run, to have their texts"
        )
    if changed:
        notes.append(
            f"inputs that were changed after the run: {len(changed)}, the first is {changed[0]}; texts may "
            "be others than those that were compared"
        )
    found = open_inputs([*inputs, *there]).files if inputs or there else []
    kept = JsonLinesFile(output.folder / "unique.jsonl")
    files = [*found, kept]
    return html_fields(files) if html else files, notes


def write_report(
    output: RunOutput,
    files: Sequence[RecordFile],
    target: Path,
    *,
    order: str = "doubtful",
    num_groups: int = 50,
    num_members: int = 20,
    num_links: int = 20,
    overwrite: bool = False,
    notes: Sequence[str] = (),
    progress: Progress = lambda stage, articles, num_bytes: None,
    warn: Callable[[str], None] = lambda message: None,
) -> Reported:
    """Write the report of a run into the file `target`, which appears when it is whole.

    `files` have the texts, the first that has an id counts; page and `warn` tell the `notes` on them. No more
    texts are held than are shown. Raises `SettingsError` for an unknown order, `InputError` where output or
    input cannot be read, `OutputError` where `target` cannot be written.
    """
    check_output_file(target, is_report, overwrite=overwrite)
    settings = output.summary["settings"]
    close_line = settings["threshold"] + CLOSE
    progress("read", 0, 0)
    contents = choose(
        output, order, num_groups=num_groups, num_members=num_members, num_links=num_links,
        close_line=close_line,
    )  # fmt: skip
    wanted = wanted_ids(contents)
    articles = _read_articles(output, files, wanted, progress)
    num_lacking = sum(id_ not in articles for id_ in wanted)
    notes = [*notes]
    if num_lacking:
        notes.append(
            f"articles whose texts are in none of the records that were read: {num_lacking} of {len(wanted)} "
            "that are shown"
        )
    for note in notes:
        warn(note)
    progress("write", len(articles), 0)
    view = _View(articles, output.cut_shares(wanted), settings)
    report = Report(
        name=display_name(output.folder.resolve().name),
        written=int(output.written) * 1_000_000,
        summary=output.summary,
        order=_IN_WORDS[order],
        order_of_links=_IN_WORDS[order] if order == "sample" else "those with the lowest coverage first",
        num_groups=contents.num_groups,
        num_links=contents.num_links,
        num_shown_groups=len(contents.groups),
        num_shown_links=len(contents.links),
        num_close=contents.num_close,
        close_line=close_line,
        sizes=plot_sizes(contents.sizes.items()),
        scores=plot_shares(contents.jaccards, settings["threshold"] if view.is_of_articles else None),
        coverages=plot_shares(contents.coverages, settings["part_coverage"]),
        rejects=contents.rejects,
        num_other_rejects=contents.num_other_rejects,
        notes=notes,
        groups=view.groups(contents.groups),
        links=view.links(contents.links),
    )
    with output_file(target, is_report, overwrite=overwrite) as out:
        for piece in report_page(report):
            out.write(piece.encode())
        num_bytes = out.tell()
    return Reported(
        contents.num_groups, len(contents.groups), contents.num_links, len(contents.links), num_lacking,
        num_bytes,
    )  # fmt: skip


def _read_articles(
    output: RunOutput, files: Sequence[RecordFile], wanted: set[str], progress: Progress
) -> dict[str, ShownArticle]:
    """Return the articles with these ids, those in the first file that has them."""
    fields = _fields_of(output)
    text_field = "title" if output.summary["settings"]["profile"] == "headline" else "text"
    found: dict[str, ShownArticle] = {}
    done_bytes = num_read = 0
    for file in files:
        if len(found) == len(wanted):
            break
        file.check(fields, getattr(fields, text_field))
        for chunk in file.chunks(fields, getattr(fields, text_field), EXTRAS):
            for row, id_ in enumerate(chunk.ids):
                if str(id_) in wanted and str(id_) not in found:
                    found[str(id_)] = _article(chunk, row)
            num_read += len(chunk.ids)
            progress("read", num_read, done_bytes + file.bytes_read)
            if len(found) == len(wanted):
                break
        done_bytes += file.size_bytes
    return found


def _fields_of(output: RunOutput) -> Fields:
    try:
        return Fields.of(output.summary["fields"])
    except SettingsError as error:
        raise InputError(f"{output.name}/summary.json: {error}") from error


def _article(chunk: Chunk, row: int) -> ShownArticle:
    text, published = chunk.texts[row], chunk.dates[row]
    return ShownArticle(
        id=chunk.ids[row],
        text=text[:_MAX_CHARACTERS],
        title=kept_string(chunk.titles[row]),
        source=chunk.sources[row],
        url=kept_string(chunk.urls[row]),
        published=None if published == MISSING_DATE else published,
        num_more=max(0, len(text) - _MAX_CHARACTERS),
    )


class _View:
    """Groups and links with their articles, made as the page takes them."""

    def __init__(
        self, articles: dict[str, ShownArticle], cut_shares: dict[str, float], settings: dict[str, Any]
    ) -> None:
        self.is_of_articles = settings["profile"] != "headline"
        self._articles = articles
        self._cut_shares = cut_shares
        self._settings = settings
        self._cuts_furniture = self.is_of_articles and settings["furniture"] == "cut"

    def groups(self, chosen: Iterable[ChosenGroup]) -> Iterator[ShownGroup]:
        """Yield the groups, their members beside the canonical."""
        for number, (group, size) in enumerate(chosen, 1):
            canonical = self._article(group.canonical_id)
            members = [self._member(member, canonical) for member in group.members[1:]]
            yield ShownGroup(number, size, canonical, members)

    def links(self, links: Iterable[Link]) -> Iterator[ShownLink]:
        """Yield the links, each part beside its whole."""
        for number, link in enumerate(links, 1):
            whole, part = self._article(link.whole_id), self._article(link.part_id)
            yield ShownLink(number, whole, self._match(part, whole, "part", link, part_reason(link)))

    def _member(self, member: Member, canonical: ShownArticle) -> ShownMatch:
        article, reason = self._article(member.id), copy_reason(member, self._settings)
        further = [(match.canonical_id, match.jaccard) for match in member.also_matches]
        return self._match(article, canonical, member.relation, member, reason, further)

    def _match(
        self,
        article: ShownArticle,
        other: ShownArticle,
        relation: str,
        scores: Member | Link,
        reason: str,
        also_matches: Sequence[tuple[ArticleId, float]] = (),
    ) -> ShownMatch:
        return ShownMatch(
            article,
            relation,
            scores.jaccard,
            scores.coverage,
            reason,
            delay=delay_in_words(other.published, article.published),
            also_matches=also_matches,
            difference=None
            if article.text is None or other.text is None
            else difference(other.text, article.text, cuts_furniture=self._cuts_furniture),
        )

    def _article(self, id_: ArticleId) -> ShownArticle:
        article = self._articles.get(str(id_)) or ShownArticle(id_)
        return replace(article, id=id_, cut_share=self._cut_shares.get(str(id_)))
