"""The files of an output folder."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.articles import Group, Member
from dedup.formats.records import RecordFile, Reject


def write_groups(path: Path, groups: Iterable[Group]) -> None:
    """Write a line for each group of two or more, in canonical order, the canonical first."""
    with path.open("wb") as out:
        for group in groups:
            record = {
                "group_id": group.group_id,
                "canonical_id": group.canonical_id,
                "size": group.size,
                "members": [_member_record(member) for member in group.members],
            }
            out.write(msgspec.json.encode(record) + b"\n")


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


def write_unique(
    path: Path, files: Sequence[RecordFile], lines: Sequence[Sequence[int]], keep: npt.NDArray[np.bool_]
) -> None:
    """Write the records to keep, byte for byte as they came and in the order they came.

    `lines` has the line numbers of each file's articles; `keep` bool[n] says of each whether to keep it.
    """
    start = 0
    with path.open("wb") as out:
        for file, numbers in zip(files, lines, strict=True):
            kept = keep[start : start + len(numbers)]
            file.copy_records([number for number, keep_it in zip(numbers, kept, strict=True) if keep_it], out)
            start += len(numbers)


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write a line for each record that was set aside: file, line, reason, start of the raw record."""
    with path.open("wb") as out:
        for reject in rejects:
            record = {
                "file": reject.file,
                "line": reject.line,
                "reason": reject.reason,
                "start": reject.start,
            }
            out.write(msgspec.json.encode(record) + b"\n")


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write the figures of a run as JSON that a person can read."""
    path.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def read_lines(path: Path, numbers: set[int]) -> dict[int, dict[str, Any]]:
    """Return the records on the lines with these numbers, from 1, of a JSON Lines file."""
    found = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number in numbers:
                found[number] = msgspec.json.decode(line, type=dict[str, Any])
            if len(found) == len(numbers):
                break
    return found
