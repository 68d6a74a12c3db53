"""The door for records in memory: lists of dicts, Arrow tables, pandas and polars frames become columns."""

import datetime
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arguments import described
from dedup.articles import MISSING_DATE, ArticleId, Fields
from dedup.errors import InputError, RecordError
from dedup.formats.dates import date_reader
from dedup.formats.parquet_values import is_string
from dedup.run.text_arrays import text_array
from dedup.settings import Settings


@dataclass(frozen=True)
class Columns:
    """n articles as columns: what the stages need, and no more.

    `published` int64[n], microseconds since 1970 UTC, MISSING_DATE for none; `sources` str or None.
    """

    ids: Sequence[ArticleId]
    texts: pa.LargeStringArray
    published: npt.NDArray[np.int64]
    sources: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.ids)


def source_ranks(sources: Sequence[str | None], settings: Settings) -> npt.NDArray[np.int64]:
    """Return the rank of each source in the priority list, int64[n]; a source not in it comes last."""
    rank = {name: position for position, name in enumerate(settings.source_priority)}
    last = len(rank)
    if not rank:
        return np.zeros(len(sources), dtype=np.int64)
    return np.array([rank.get(source, last) if source else last for source in sources], dtype=np.int64)


def columns_of(records: Any, settings: Settings, fields: Fields) -> Columns:
    """Return the columns of records in memory.

    `records` is a sequence or generator of dicts, a sequence of strings (their ids are 0, 1, ...), an
    Arrow table or record batch, or a frame that exports Arrow (pandas, polars). Raises `InputError` for
    another type or a missing column, `RecordError` for a record without usable id or text and for an
    id that comes twice.
    """
    text_field = getattr(fields, settings.text_field)
    table = as_table(records)
    if table is not None:
        columns = _from_table(table, fields, text_field)
    elif isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
        raise InputError(
            f"records is {described(records)}; expected a list of dicts, an Arrow table or a data frame"
        )
    else:
        columns = _from_dicts(records, fields, text_field)
    _check_ids(columns.ids)
    return columns


def as_table(records: Any) -> pa.Table | None:
    """Return records as an Arrow table if they are one or a frame that exports it, else None."""
    if isinstance(records, pa.Table):
        return records
    try:
        if hasattr(records, "__arrow_c_stream__") or isinstance(records, pa.RecordBatch):
            return pa.table(records)
        if type(records).__module__.partition(".")[0] == "pandas":
            return pa.Table.from_pandas(records, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, AttributeError) as error:
        raise InputError(
            f"the {type(records).__name__} cannot be read as a table: {error}; each column needs one type, "
            "and a column of texts alone is a list of strings"
        ) from error
    inner = getattr(getattr(records, "data", None), "table", None)  # Hugging Face datasets
    return inner if isinstance(inner, pa.Table) else None


def columns_of_articles(
    articles: Iterable[Mapping[str, Any]], settings: Settings, fields: Fields, first_row: int | None
) -> Columns:
    """Return the columns of dicts that are the records from number `first_row` on; an id may come twice.

    `first_row` is None for one that comes alone: messages then name it by its id only.
    """
    return _from_dicts(articles, fields, getattr(fields, settings.text_field), first_row)


def _from_dicts(
    records: Iterable[Any], fields: Fields, text_field: str, first_row: int | None = 0
) -> Columns:
    ids: list[ArticleId] = []
    texts: list[str] = []
    dates: list[int] = []
    sources: list[str | None] = []
    date = _Dates(fields)
    for row, given in enumerate(records, first_row or 0):
        record = {fields.id: row, text_field: given} if isinstance(given, str) else given
        if not isinstance(record, Mapping):
            raise RecordError(f"{described(record)}, not a dict", place=f"record {row}")
        place = _place(None if first_row is None else row, record.get(fields.id))
        for name in (fields.id, text_field):
            if record.get(name) is None:
                raise RecordError(_why_absent(name, record, fields), place=place)
        id_, text, source = record[fields.id], record[text_field], record.get(fields.source)
        if not isinstance(text, str):
            raise RecordError(f"{text_field!r} is {described(text)}, not a string", place=place)
        ids.append(checked_id(id_, place))
        texts.append(text)
        dates.append(date.read(record.get(fields.date), place))
        sources.append(source if isinstance(source, str) else None)
    date.warn()
    return Columns(ids, text_array(texts), np.array(dates, dtype=np.int64), sources)


def _place(row: int | None, id_: Any) -> str:
    if row is None:
        return "the article" if id_ is None else f"id {id_!r}"
    return f"record {row} (id {id_!r})"


def _why_absent(name: str, record: Mapping[str, Any], fields: Fields) -> str:
    if name in record:
        return f"{name!r} is null; its fields are {sorted(map(str, record))}"
    role = next(role for role, known in vars(fields).items() if known == name)
    return (
        f"no {name!r}; its fields are {sorted(map(str, record))}; one that has another name is named by "
        f"fields=dedup.Fields({role}=...)"
    )


def checked_id(id_: Any, place: str) -> ArticleId:
    """Return an id as a string or integer of Python; raise `RecordError` for what is no id, or empty."""
    if isinstance(id_, bool) or not isinstance(id_, (str, int, np.integer)):
        raise RecordError(f"the id is {described(id_)}, not a string or integer", place=place)
    if id_ == "":
        raise RecordError("the id is empty", place=place)
    if isinstance(id_, str) and any("\ud800" <= character <= "\udfff" for character in id_):
        raise RecordError("the id holds half of a surrogate pair, which no file can hold", place=place)
    return int(id_) if isinstance(id_, np.integer) else id_


class _Dates:
    """Reads dates; one warning tells of all that it did not understand."""

    def __init__(self, fields: Fields) -> None:
        self._name = fields.date
        self._read = date_reader(fields.date_format)
        self._first_bad = ""
        self._num_bad = 0

    def read(self, value: Any, place: str) -> int:
        """Return a time in microseconds since 1970 UTC, MISSING_DATE for none."""
        if value is None or _is_missing(value) or value == "":
            return MISSING_DATE
        if not isinstance(value, (str, int, float, datetime.date, np.generic)):
            raise RecordError(f"{self._name!r} is {described(value)}, not a date or a string", place=place)
        parsed = self._read(value)
        if parsed is None:
            self._first_bad = self._first_bad or f"{place}: {self._name!r} is {value!r}"
            self._num_bad += 1
            return MISSING_DATE
        return parsed

    def warn(self) -> None:
        """Warn, once, of dates that were not understood."""
        if self._num_bad:
            warnings.warn(
                f"{self._first_bad}, taken as missing ({self._num_bad} such dates); expected ISO 8601 such "
                "as 2024-05-31T18:30Z, or Fields(date_format='dmy') for 31/05/2024",
                stacklevel=2,
            )


def _is_missing(value: Any) -> bool:
    """Return whether a value is NaN, NaT or pandas' NA: none of them is plainly equal to itself."""
    try:
        return not bool(value == value)  # noqa: PLR0124
    except (TypeError, ValueError):
        return value is not None and not isinstance(value, (list, tuple, np.ndarray))


def _from_table(table: pa.Table, fields: Fields, text_field: str) -> Columns:
    for name in (fields.id, text_field):
        if table.column_names.count(name) != 1:
            wrong = "there are several columns" if name in table.column_names else "there is no column"
            raise InputError(f"{wrong} {name!r}; the columns are {table.column_names}")
    id_column, text_column = table.column(fields.id), table.column(text_field)
    if not (pa.types.is_integer(id_column.type) or is_string(id_column.type)):
        raise InputError(f"column {fields.id!r} holds {id_column.type}; ids are strings or integers")
    if not is_string(text_column.type):
        raise InputError(f"column {text_field!r} holds {text_column.type}, not strings")
    if is_string(id_column.type):
        id_column = id_column.cast(pa.large_string())  # a dictionary may hide nulls in its values
    text_column = text_column.cast(pa.large_string())
    for name, column in ((fields.id, id_column), (text_field, text_column)):
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise RecordError(f"{name!r} is null ({column.null_count} such rows)", place=f"row {row}")
    ids = id_column.to_pylist()
    if "" in ids:
        raise RecordError("the id is empty", place=f"row {ids.index('')}")
    text_column = text_column.combine_chunks()
    texts = text_column.chunk(0) if isinstance(text_column, pa.ChunkedArray) else text_column
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InputError(f"column {text_field!r} is not valid: {error}") from error
    return Columns(ids, texts, _table_dates(table, fields), _table_sources(table, fields.source))


def _table_dates(table: pa.Table, fields: Fields) -> npt.NDArray[np.int64]:
    name = fields.date
    if name not in table.column_names:
        return np.full(len(table), MISSING_DATE, dtype=np.int64)
    column = table.column(name)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        micros = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return np.asarray(micros.fill_null(int(MISSING_DATE)).to_numpy(), dtype=np.int64)
    date = _Dates(fields)
    dates = [date.read(value, f"row {row}") for row, value in enumerate(column.to_pylist())]
    date.warn()
    return np.array(dates, dtype=np.int64)


def _table_sources(table: pa.Table, name: str) -> Sequence[str | None]:
    if name not in table.column_names or not is_string(table.column(name).type):
        return [None] * len(table)
    return table.column(name).to_pylist()  # type: ignore[no-any-return]


def _check_ids(ids: Sequence[ArticleId]) -> None:
    seen: dict[str, int] = {}
    for row, id_ in enumerate(ids):
        earlier = seen.setdefault(str(id_), row)
        if earlier != row:
            raise RecordError(
                f"the id {id_!r} stands already in record {earlier}; ids must differ, as strings too",
                place=f"record {row}",
            )
