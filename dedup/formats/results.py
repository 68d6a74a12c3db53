"""The files of an output folder. All functions raise `OutputError` where a file cannot be written."""

import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import compress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.articles import Change, Group, Link, Member
from dedup.errors import InputError, OutputError
from dedup.formats.records import RecordFile, Reject

_BUFFER_BYTES = 1 << 20


class _OutFile(io.FileIO):
    """A file whose failed writes are `OutputError`s, so that they are told from failed reads."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _not_written(Path(os.fsdecode(self.name)), error) from error


@contextmanager
def create_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new file to write bytes into."""
    try:
        raw = _OutFile(path, "wb")
    except OSError as error:
        raise _not_written(path, error) from error
    with io.BufferedWriter(raw, _BUFFER_BYTES) as out:
        yield out


def _not_written(path: Path, error: OSError) -> OutputError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OutputError(f"{path.name} cannot be written: {reason}")


def write_groups(path: Path, groups: Iterable[Group]) -> None:
    """Write a line for each group of two or more, in canonical order, the canonical first."""
    with create_file(path) as out:
        for group in groups:
            out.write(msgspec.json.encode(group_record(group)) + b"\n")


def group_record(group: Group) -> dict[str, Any]:
    """Return a group as it is written."""
    return {
        "group_id": group.group_id,
        "canonical_id": group.canonical_id,
        "size": group.size,
        "members": [_member_record(member) for member in group.members],
    }


def _member_record(member: Member) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": member.id,
        "jaccard": member.jaccard,
        "coverage": member.coverage,
        "relation": member.relation,
    }
    if member.also_matches:
        record["also_matches"] = [
            {"canonical_id": further.canonical_id, "jaccard": further.jaccard}
            for further in member.also_matches
        ]
    return record


def write_links(path: Path, links: Iterable[Link]) -> None:
    """Write a line for each cut copy: the part, the longer article that covers it, and how much."""
    with create_file(path) as out:
        for link in links:
            out.write(msgspec.json.encode(asdict(link)) + b"\n")


def write_changes(path: Path, changes: Iterable[Change]) -> None:
    """Write a line for each change of groups, in order; without its time, which is in the index."""
    with create_file(path) as out:
        for change in changes:
            out.write(msgspec.json.encode(change_record(change)) + b"\n")


def change_record(change: Change) -> dict[str, Any]:
    """Return a change as it is written; names that it has no value for are left out."""
    record = {
        "seq": change.seq,
        "kind": change.kind,
        "group_id": change.group_id,
        "article_id": change.article_id,
        "canonical_id": change.canonical_id,
        "from_group_id": change.from_group_id,
    }
    return {name: value for name, value in record.items() if value is not None}


def write_articles(path: Path, table: pa.Table) -> None:
    """Write the rows of all articles as Parquet."""
    with create_file(path) as out:
        pq.write_table(table, out, compression="zstd")


def write_unique(
    path: Path, files: Sequence[RecordFile], lines: Sequence[Sequence[int]], keep: npt.NDArray[np.bool_]
) -> None:
    """Write the records to keep, byte for byte as they came and in the order they came.

    `lines` has the line numbers of each file's articles; `keep` bool[n] says of each whether to keep it.
    Raises `InputError` where a file cannot be read again.
    """
    start = 0
    with create_file(path) as out:
        for file, numbers in zip(files, lines, strict=True):
            kept = keep[start : start + len(numbers)]
            start += len(numbers)
            try:
                file.copy_records(list(compress(numbers, kept.tolist())), out)
            except OutputError:
                raise
            except OSError as error:
                raise InputError(f"{file.name} cannot be read again: {error.strerror or error}") from error


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write a line for each record that was set aside: file, line, reason, start of the raw record."""
    with create_file(path) as out:
        for reject in rejects:
            out.write(msgspec.json.encode(reject_record(reject)) + b"\n")


def reject_record(reject: Reject) -> dict[str, Any]:
    """Return a record that was set aside as it is written."""
    return {
        "file": _printable(reject.file),
        "line": reject.line,
        "reason": reject.reason,
        "start": reject.start,
    }


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write the figures of a run as JSON that a person can read."""
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    with create_file(path) as out:
        out.write(text.encode("utf-8", "replace"))


def _printable(name: str) -> str:
    """Return the name of a file with U+FFFD for bytes that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def read_lines(path: Path, numbers: set[int]) -> dict[int, dict[str, Any]]:
    """Return the records on the lines with these numbers, from 1, of a JSON Lines file.

    One that the strict decoder refuses, for a lone surrogate or a number out of range, is left out.
    """
    found, num_left = {}, len(numbers)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if num_left == 0:
                break
            if number in numbers:
                num_left -= 1
                with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    found[number] = msgspec.json.decode(line, type=dict[str, Any])
    return found
