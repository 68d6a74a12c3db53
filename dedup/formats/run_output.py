"""The output folder of `dedup run`, read again: summary, groups, links, rejects, shares that were cut."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedup.articles import Group, Link
from dedup.errors import InputError
from dedup.formats.byte_source import display_name
from dedup.formats.output import SUMMARY

_Line = TypeVar("_Line")


_NEEDED = (
    *(f"counts.{name}" for name in ("articles", "groups", "copies", "unique", "largest_group", "empty")),
    *(f"counts.{name}" for name in ("links", "rejected", "repeated_records", "dates_not_understood")),
    *(f"counts.{name}" for name in ("much_cut", "full_buckets")),
    *(f"settings.{name}" for name in ("profile", "threshold", "shingle_size", "furniture", "part_coverage")),
    *("settings.formula_threshold", "settings.short_threshold"),
    *("fields", "inputs", "warnings", "cut_copies", "versions"),
)
"""What readers of a summary take from it."""


def _has(summary: Any, key: str) -> bool:
    for name in key.split("."):
        if not isinstance(summary, dict) or name not in summary:
            return False
        summary = summary[name]
    return True


class _Reject(msgspec.Struct):
    """A line of rejects.jsonl."""

    file: str
    line: int
    reason: str
    start: str


class RunOutput:
    """A folder that `dedup run` wrote. Methods read its files line by line, anew at each call.

    All raise `InputError` where a file is missing or holds something else than a run writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = display_name(folder)
        path = folder / SUMMARY
        try:
            summary = json.loads(path.read_bytes())
            self.written = path.stat().st_mtime
        except FileNotFoundError as error:
            raise InputError(
                f"{self.name} has no {SUMMARY}; expected the folder that dedup run wrote"
            ) from error
        except OSError as error:
            raise InputError(f"{self.name}/{SUMMARY} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"{self.name}/{SUMMARY} is not JSON: {error}") from error
        lacking = [key for key in _NEEDED if not _has(summary, key)]
        if lacking:
            raise InputError(
                f"{self.name}/{SUMMARY} has no {lacking[0]!r}; expected the folder that dedup run wrote, of "
                "this version"
            )
        self.summary: dict[str, Any] = summary

    def groups(self) -> Iterator[Group]:
        """Yield the groups of two or more, in canonical order."""
        return self._lines("groups.jsonl", Group)

    def links(self) -> Iterator[Link]:
        """Yield the cut copies."""
        return self._lines("links.jsonl", Link)

    def rejects(self) -> Iterator[_Reject]:
        """Yield the records that were set aside: file, line, reason, start."""
        return self._lines("rejects.jsonl", _Reject)

    def cut_shares(self, ids: set[str]) -> dict[str, float]:
        """Return the share of its words that was cut as page furniture, for each of these ids that it has."""
        found: dict[str, float] = {}
        path = self.folder / "articles.parquet"
        wanted = pa.array(sorted(ids), pa.string())
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["id", "cut_share"]):
                    names = batch.column("id").cast(pa.string())
                    rows = pc.is_in(names, value_set=wanted)
                    shares = batch.column("cut_share").filter(rows)
                    found.update(zip(names.filter(rows).to_pylist(), shares.to_pylist(), strict=True))
        except (OSError, pa.ArrowException, KeyError) as error:
            raise InputError(f"{self.name}/{path.name} cannot be read: {error}") from error
        return found

    def _lines(self, name: str, kind: type[_Line]) -> Iterator[_Line]:
        decoder = msgspec.json.Decoder(kind)
        place = f"{self.name}/{name}"
        try:
            with (self.folder / name).open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    try:
                        yield decoder.decode(line)
                    except (msgspec.DecodeError, UnicodeDecodeError) as error:
                        raise InputError(
                            f"{place}, line {number}: not what dedup run writes: {error}"
                        ) from error
        except OSError as error:
            raise InputError(f"{place} cannot be read: {error.strerror}") from error
