"""What Spark runs on partitions: record batches in, record batches out, the stages' kernels between.

Each function returns a function for `DataFrame.mapInArrow`, and each `*_SCHEMA` says what that yields.
Unsigned numbers travel as signed ones of the same bits, which is what Spark has.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark import Broadcast

from dedup.articles import MISSING_DATE, Fields
from dedup.match.partitions import (
    find_formulas,
    judge_pairs,
    meet_in_bands,
    meet_in_wording,
    needed_in_wording,
    settle_pairs,
)
from dedup.match.samples import sampled_rows
from dedup.match.verify import BY_CHARACTERS, BY_WORDS, NO_MATCH, Features, Rule
from dedup.match.wording import NO_DAY, days_of
from dedup.run.records import columns_of, source_ranks
from dedup.run.recurring import cut_lines
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.stages import features_of, lanes_of, rule_of
from dedup.settings import Settings

Task = Callable[[Iterator[Any]], Iterator[Any]]

COPY_KINDS = (BY_WORDS, BY_CHARACTERS)

MEETING, FULL_BUCKETS = 0, 1
"""Kinds of rows of `MEETINGS_SCHEMA`: articles a and b meet in `number` buckets, where wording asks for
`needed` of them in all partitions together; there are `number` full buckets."""

SKETCH_SCHEMA = (
    "id_text string, published long, day long, source_rank long, num_tokens long, tokens binary, "
    "digest binary, characters binary, band_keys array<long>, sampled array<int>, "
    "num_cut long, cut_share double, lacks_text boolean, has_bad_date boolean"
)
MEETINGS_SCHEMA = "kind int, a long, b long, number long, needed double"
FORMULAS_SCHEMA = "hash long"
RELATIONS_SCHEMA = "later long, earlier long, kind int, shared long, own long, other long"
MEMBERS_SCHEMA = "position long"

_DIGEST_BYTES = 16
_MAX_TEXT_BYTES = 64 << 20  # of one piece that is sketched: its token hashes fit a binary column
_LANE = np.uint64(0x9E3779B97F4A7C15)


def sketch_task(settings: Settings, fields: Fields, learned: "Broadcast[npt.NDArray[np.uint64]]") -> Task:
    """Return the task from records to sketches without the lines `learned`; it yields `sketch_schema`."""
    text_field = getattr(fields, settings.text_field)

    def sketch(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for piece in pieces(batch, text_field):
                yield _sketched(piece, settings, fields, learned.value)

    return sketch


def sketch_schema(id_type: str) -> str:
    """Return the schema of `sketch_task`."""
    return f"id {id_type}, {SKETCH_SCHEMA}"


def pieces(batch: Any, text_field: str) -> Iterator[Any]:
    """Yield a batch in pieces of a bounded size, a larger text alone."""
    if batch.num_rows <= 1 or batch.column(text_field).nbytes <= _MAX_TEXT_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from pieces(batch.slice(0, half), text_field)
    yield from pieces(batch.slice(half), text_field)


def _sketched(batch: Any, settings: Settings, fields: Fields, learned: npt.NDArray[np.uint64]) -> Any:
    n = batch.num_rows
    text_field = getattr(fields, settings.text_field)
    ids, texts = batch.column(fields.id), batch.column(text_field)
    table = {fields.id: pa.array(np.arange(n)), text_field: pc.fill_null(texts, "")}
    table |= {name: batch.column(name) for name in (fields.date, fields.source) if name in batch.schema.names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dates that are not understood: they are counted
        columns = columns_of(pa.table(table), settings, fields)
    sketches = cut_lines(sketch_texts(columns.texts, settings), columns.sources, settings, learned)
    features, rule = features_of(sketches, columns.published), rule_of(settings)
    days = days_of(columns.published)
    tokens = _bytes_of(sketches.tokens, sketches.token_offsets)
    return pa.RecordBatch.from_pydict(
        {
            "id": ids,
            "id_text": pc.cast(ids, pa.string()),
            "published": columns.published,
            "day": pa.array(days, mask=days == NO_DAY),
            "source_rank": source_ranks(columns.sources, settings),
            "num_tokens": sketches.num_tokens,
            "tokens": tokens,
            "digest": [hashlib.blake2b(t.as_buffer(), digest_size=_DIGEST_BYTES).digest() for t in tokens],
            "characters": _character_bytes(sketches),
            "band_keys": _band_keys(sketches, settings),
            "sampled": _sampled(features, rule),
            "num_cut": sketches.num_cut,
            "cut_share": np.round(sketches.cut_shares, 4),
            "lacks_text": pc.is_null(texts),
            "has_bad_date": _has_bad_date(table.get(fields.date), columns.published),
        }
    )


def _has_bad_date(dates: Any, published: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    if dates is None:
        return np.zeros(len(published), dtype=np.bool_)
    given = pc.is_valid(dates)
    if pa.types.is_string(dates.type) or pa.types.is_large_string(dates.type):
        given = pc.and_(given, pc.not_equal(pc.fill_null(dates, ""), ""))
    return np.asarray(given.to_numpy(zero_copy_only=False) & (published == MISSING_DATE), dtype=np.bool_)


def _bytes_of(values: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]) -> Any:
    """Return rows of hashes in compressed form as a binary column."""
    ends = (offsets * values.itemsize).astype(np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def _character_bytes(sketches: Sketches) -> Any:
    lengths = np.zeros(len(sketches), dtype=np.int64)
    lengths[sketches.character_rows] = np.diff(sketches.character_offsets)
    return _bytes_of(sketches.character_hashes, np.concatenate([[0], np.cumsum(lengths)]))


def _lists(rows: npt.NDArray[np.int64], values: npt.NDArray[Any], num_rows: int) -> Any:
    """Return the values of each row as a list column, each row's in the order given."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, values[np.argsort(rows, kind="stable")])


def _band_keys(sketches: Sketches, settings: Settings) -> Any:
    rows = [np.empty(0, dtype=np.int64)]
    keys = [np.empty(0, dtype=np.uint64)]
    for number, lane in enumerate(lanes_of(sketches, settings, settings.group_bands)):
        for band in range(lane.num_bands):
            rows.append(lane.rows)
            keys.append(lane.keys_of(band) ^ np.uint64(number) * _LANE)
    return _lists(np.concatenate(rows), np.concatenate(keys).view(np.int64), len(sketches))


def _sampled(features: Features, rule: Rule) -> Any:
    hashes, rows = sampled_rows(features, rule)
    return _lists(rows, hashes.view(np.int32), len(features.dates))


def band_task(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield who meets in bands, from the entries `position`, `key` of a partition that has each key whole."""
    columns = _columns(batches, "position", "key")
    if columns:
        yield _meeting_rows(*meet_in_bands(*columns))


def wording_task(sample_ratio: float) -> Task:
    """Return the task that yields who meets in wording.

    A partition has the entries `position`, `hash`, `rank`, `num_sampled` of each hash whole.
    """

    def meet(batches: Iterator[Any]) -> Iterator[Any]:
        columns = _columns(batches, "position", "hash", "rank", "num_sampled")
        if not columns:
            return
        positions, hashes, ranks, num_sampled = columns
        meetings = meet_in_wording(positions, hashes.view(np.uint32), ranks)
        articles, entries = np.unique(positions, return_index=True)
        earlier, later = (
            num_sampled[entries[np.searchsorted(articles, side)]]
            for side in (meetings.earlier, meetings.later)
        )
        yield _meeting_rows(*meetings, needed_in_wording(earlier, later, sample_ratio))

    return meet


def formula_task(bounds: tuple[int, int]) -> Task:
    """Return the task that yields the formulas.

    A partition has the entries `hash`, `day` of each hash whole.
    """

    def find(batches: Iterator[Any]) -> Iterator[Any]:
        columns = _columns(batches, "hash", "day")
        if columns:
            found = find_formulas(columns[0].view(np.uint32), columns[1], bounds)
            yield pa.RecordBatch.from_pydict({"hash": found.astype(np.int64)})

    return find


def _columns(batches: Iterator[Any], *names: str) -> list[npt.NDArray[Any]]:
    """Return columns of all batches of a partition, none of an empty one; a day that is null is NO_DAY."""
    table = (
        pa.Table.from_batches(found) if (found := [batch for batch in batches if batch.num_rows]) else None
    )
    if table is None:
        return []
    if "day" in names:
        days = pc.fill_null(table.column("day"), int(NO_DAY))
        table = table.set_column(table.schema.get_field_index("day"), "day", days)
    return [table.column(name).to_numpy() for name in names]


def _meeting_rows(
    earlier: npt.NDArray[np.int64],
    later: npt.NDArray[np.int64],
    num_shared: npt.NDArray[np.int64],
    num_full: int,
    needed: npt.NDArray[np.float64] | None = None,
) -> Any:
    none = np.zeros(1, dtype=np.int64)
    full = _meeting_row_batch(FULL_BUCKETS, none, none, none + num_full)
    met = _meeting_row_batch(MEETING, earlier, later, num_shared, needed)
    return pa.Table.from_batches([met, full]).combine_chunks().to_batches()[0]


def _meeting_row_batch(
    kind: int,
    a: npt.NDArray[np.int64],
    b: npt.NDArray[np.int64],
    number: npt.NDArray[np.int64] | None = None,
    needed: npt.NDArray[np.float64] | None = None,
) -> Any:
    zeros = np.zeros(len(a), dtype=np.int64)
    return pa.RecordBatch.from_pydict(
        {
            "kind": np.full(len(a), kind, dtype=np.int32),
            "a": a,
            "b": b,
            "number": zeros if number is None else number,
            "needed": zeros.astype(np.float64) if needed is None else needed,
        }
    )


def judge_task(rule: Rule, formulas: "Broadcast[npt.NDArray[np.uint32]]") -> Task:
    """Return the task that judges pairs, from rows that have both articles' features side by side."""

    def judge(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            if batch.num_rows:
                yield _judged(batch, rule, formulas.value)

    return judge


def _judged(batch: Any, rule: Rule, formulas: npt.NDArray[np.uint32]) -> Any:
    later, earlier = batch.column("later"), batch.column("earlier")
    both = pa.concat_arrays([later, earlier]).to_numpy()
    _, rows, numbers = np.unique(both, return_index=True, return_inverse=True)

    def of_articles(name: str) -> Any:
        sides = [batch.column(f"{side}_{name}") for side in ("later", "earlier")]
        return pa.concat_arrays(sides).take(pa.array(rows))

    tokens, token_offsets = _hashes_of(of_articles("tokens"))
    characters, character_offsets = _hashes_of(of_articles("characters"))
    features = Features(
        of_articles("published").to_numpy(),
        tokens,
        token_offsets[:-1],
        token_offsets[1:],
        characters,
        character_offsets[:-1],
        character_offsets[1:],
    )
    found = judge_pairs(features, rule, numbers[: len(later)], numbers[len(later) :], formulas)
    related = found[:, 0] != NO_MATCH
    kept = found[related]
    return pa.RecordBatch.from_pydict(
        {
            "later": later.to_numpy()[related],
            "earlier": earlier.to_numpy()[related],
            "kind": kept[:, 0].astype(np.int32),
            "shared": kept[:, 1].copy(),
            "own": kept[:, 2].copy(),
            "other": kept[:, 3].copy(),
        }
    )


def _hashes_of(column: Any) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the hashes of a binary column and the offsets of its rows, int64[n + 1]."""
    _, offset_buffer, data_buffer = column.buffers()
    ends = np.frombuffer(offset_buffer, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    values = np.frombuffer(data_buffer or b"", dtype=np.uint8)[ends[0] : ends[-1]]
    return values.copy().view(np.uint32), (ends.astype(np.int64) - int(ends[0])) // 4


def settle_task(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield the members, from all pairs `earlier`, `later` that match."""
    columns = _columns(batches, "earlier", "later")
    if columns:
        yield pa.RecordBatch.from_pydict({"position": settle_pairs(*columns)})
