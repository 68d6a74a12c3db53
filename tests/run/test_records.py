"""Records at the door: every form gives the same columns, and what cannot be used is refused by name."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dedup import DedupError, Fields, InputError, RecordError, Settings, find_groups, find_pairs
from dedup.articles import MISSING_DATE
from dedup.run.records import Columns, columns_of, source_ranks

DEFAULT = Settings()
HEADLINE = Settings.of("headline")
FIELDS = Fields()
STORY = "The harbour office said on Monday that the new ferry will sail twice a day from June"
DAY = 86_400_000_000

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "text": STORY, "source": "spa", "published_at": "1970-01-03"},
    {"id": "b", "text": STORY + "!", "source": None, "published_at": "1970-01-02"},
    {"id": "c", "text": "غزة", "source": "", "published_at": None},
    {"id": "d", "text": "", "source": "okaz", "published_at": "1970-01-01T03:00+03:00"},
]
COLUMNS: dict[str, list[Any]] = {name: [record[name] for record in RECORDS] for name in RECORDS[0]}


def generator() -> Iterator[dict[str, Any]]:
    yield from RECORDS


def columns(records: Any, settings: Settings = DEFAULT, fields: Fields = FIELDS) -> Columns:
    return columns_of(records, settings, fields)


def arrow_table(text_type: pa.DataType, id_type: pa.DataType | None = None) -> pa.Table:
    return pa.table(
        {
            **COLUMNS,
            "id": pa.array(COLUMNS["id"], id_type or pa.string()),
            "text": pa.array(COLUMNS["text"], text_type),
        }
    )


TABLE = arrow_table(pa.string())
FORMS: dict[str, Callable[[], Any]] = {
    "list of dicts": lambda: RECORDS,
    "tuple of dicts": lambda: tuple(RECORDS),
    "generator": generator,
    "string": lambda: TABLE,
    "large_string": lambda: arrow_table(pa.large_string(), pa.large_string()),
    "string_view": lambda: arrow_table(pa.string_view(), pa.string_view()),
    "dictionary": lambda: arrow_table(
        pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int8(), pa.string())
    ),
    "chunked": lambda: pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 2), TABLE.slice(3)]),
    "sliced": lambda: pa.concat_tables([TABLE, TABLE]).slice(2, 4).take(pa.array([2, 3, 0, 1])),
    "offset slice": lambda: pa.concat_tables([TABLE.slice(3), TABLE]).combine_chunks().slice(1),
    "record batch": lambda: TABLE.to_batches()[0],
    "reader": TABLE.to_reader,
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "pandas of objects": lambda: pd.DataFrame(COLUMNS, dtype=object),
    "pandas with an index": lambda: pd.DataFrame(COLUMNS, index=[9, 7, 7, 1]),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "polars in chunks": lambda: pl.concat(
        [pl.DataFrame(RECORDS[:2]), pl.DataFrame(RECORDS[2:])], rechunk=False
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_columns(form: str) -> None:
    got = columns(FORMS[form]())
    assert len(got) == 4
    assert list(got.ids) == COLUMNS["id"]
    assert got.texts.type == pa.large_string()
    assert got.texts.to_pylist() == COLUMNS["text"]
    assert got.published.tolist() == [2 * DAY, DAY, MISSING_DATE, 0]
    assert [source or None for source in got.sources] == ["spa", None, None, "okaz"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_groups(form: str) -> None:
    (group,) = find_groups(FORMS[form]())
    assert [(member.id, member.relation) for member in group.members] == [("b", "canonical"), ("a", "exact")]


@pytest.mark.parametrize(
    "texts", [[STORY, STORY], (STORY, STORY), np.array([STORY, STORY])], ids=["list", "tuple", "numpy"]
)
def test_strings_have_their_position_for_an_id(texts: Any) -> None:
    assert list(columns(texts).ids) == [0, 1]
    assert list(columns(texts, HEADLINE).ids) == [0, 1]
    assert [(pair.a_id, pair.b_id) for pair in find_pairs(texts)] == [(0, 1)]


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series([STORY, STORY]),
        pl.Series([STORY, STORY]),
        pa.array([STORY, STORY]),
        pa.chunked_array([[STORY], [STORY]]),
    ],
    ids=["pandas", "polars", "arrow", "chunked"],
)
def test_column_of_strings_is_taken_or_refused_in_words(texts: Any) -> None:
    try:
        got = columns(texts)
    except DedupError:
        with pytest.raises(InputError, match=r"expected|not a dict|one type"):
            columns(texts)
    else:
        assert list(got.ids) == [0, 1]


def test_names_of_fields_can_be_chosen_and_all_else_is_ignored() -> None:
    fields = Fields(id="key", text="body", title="head", source="outlet", date="when")
    record = {"key": 7, "body": "x y", "head": "h", "outlet": "spa", "when": "1970-01-02", "id": 1, "text": 5}
    for records in ([record], pa.table({name: [value] for name, value in record.items()})):
        got = columns(records, DEFAULT, fields)
        assert (list(got.ids), got.texts.to_pylist(), list(got.sources)) == ([7], ["x y"], ["spa"])
        assert got.published.tolist() == [DAY]
        assert columns(records, HEADLINE, fields).texts.to_pylist() == ["h"]


def test_ids_are_kept_as_they_are_given() -> None:
    records = [{"id": id_, "text": STORY} for id_ in (10, "9", np.int64(8), " ", "x" * 1000, -(1 << 70))]
    assert list(columns(records).ids) == [10, "9", 8, " ", "x" * 1000, -(1 << 70)]
    (group,) = find_groups(records)
    assert group.canonical_id == " "
    assert {type(member.id) for member in group.members} == {int, str}
    assert find_groups(records).to_table().column("id").to_pylist()[:3] == ["10", "9", "8"]
    numbers = find_groups(pa.table({"id": pa.array([2, 1], pa.uint16()), "text": [STORY, STORY]}))
    assert numbers.to_table().column("group_id").to_pylist() == [1, 1]


def test_id_with_a_surrogate_is_kept_or_refused_in_words() -> None:
    records = [{"id": "\ud800", "text": STORY}, {"id": "b", "text": STORY}]
    try:
        (group,) = find_groups(records)
    except RecordError:
        with pytest.raises(RecordError, match="record 0"):
            find_groups(records)
    else:
        assert {member.id for member in group.members} == {"\ud800", "b"}


UTC3 = datetime.timezone(datetime.timedelta(hours=3))
DATES = [
    ("1970-01-02", DAY),
    ("1970-01-02T00:00:00Z", DAY),
    ("1970-01-02T03:00:00+03:00", DAY),
    (" 1970-01-02 00:00:00.000001 ", DAY + 1),
    ("Fri, 02 Jan 1970 03:00:00 +0300", DAY),
    ("1969-12-31", -DAY),
    (datetime.date(1970, 1, 2), DAY),
    (datetime.datetime(1970, 1, 2), DAY),
    (datetime.datetime(1970, 1, 2, 3, tzinfo=UTC3), DAY),
    (pd.Timestamp("1970-01-02T03:00:00+03:00"), DAY),
    (pd.Timestamp("1970-01-02"), DAY),
    (datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), -62135596800_000_000),
    (None, MISSING_DATE),
    ("", MISSING_DATE),
    (pd.NaT, MISSING_DATE),
    (float("nan"), MISSING_DATE),
    (pd.NA, MISSING_DATE),
]


@pytest.mark.parametrize(("date", "expected"), DATES, ids=[repr(case[0]) for case in DATES])
def test_date_of_a_record(date: Any, expected: int) -> None:
    assert columns([{"id": 1, "text": "x", "published_at": date}]).published.tolist() == [expected]


def test_record_without_a_date_comes_last() -> None:
    assert columns([{"id": 1, "text": "x"}]).published.tolist() == [MISSING_DATE]
    assert columns(pa.table({"id": [1], "text": ["x"]})).published.tolist() == [MISSING_DATE]


ZONED = [datetime.datetime(1970, 1, 2, tzinfo=datetime.UTC), None]
DATE_COLUMNS = {
    "string": pa.array(["1970-01-02", None]),
    "dictionary": pa.array(["1970-01-02", None]).dictionary_encode(),
    "date32": pa.array([datetime.date(1970, 1, 2), None], pa.date32()),
    "date64": pa.array([datetime.date(1970, 1, 2), None], pa.date64()),
    "timestamp s": pa.array([86_400, None], pa.timestamp("s")),
    "timestamp ms": pa.array([DAY // 1000, None], pa.timestamp("ms")),
    "timestamp us": pa.array([DAY, None], pa.timestamp("us")),
    "timestamp ns": pa.array([DAY * 1000, None], pa.timestamp("ns")),
    "timestamp ns that is not whole": pa.array([DAY * 1000 + 1, None], pa.timestamp("ns")),
    "zoned": pa.array(ZONED, pa.timestamp("us", "Asia/Riyadh")),
    "zoned ns": pa.array(ZONED, pa.timestamp("ns", "America/New_York")),
}


@pytest.mark.parametrize("kind", DATE_COLUMNS)
def test_column_of_dates(kind: str) -> None:
    table = pa.table({"id": [1, 2], "text": ["x", "y"], "published_at": DATE_COLUMNS[kind]})
    assert columns(table).published.tolist() == [DAY, MISSING_DATE]


def test_column_of_nulls_and_empty_strings_has_no_dates() -> None:
    for dates in (pa.nulls(2), pa.array(["", None])):
        table = pa.table({"id": [1, 2], "text": ["x", "y"], "published_at": dates})
        assert columns(table).published.tolist() == [MISSING_DATE] * 2


def test_dates_of_frames() -> None:
    moments = pd.to_datetime(["1970-01-02T03:00+03:00", None], utc=True)
    frame = pd.DataFrame({"id": [1, 2], "text": ["x", "y"], "published_at": moments})
    assert columns(frame).published.tolist() == [DAY, MISSING_DATE]
    polars = pl.DataFrame(
        {"id": [1, 2], "text": ["x", "y"], "published_at": [datetime.date(1970, 1, 2), None]}
    )
    assert columns(polars).published.tolist() == [DAY, MISSING_DATE]


NO_DATES = ["yesterday", "2024-13-01", "Tue, 24 Nov 99999999999999999999 06:00:00 +0000", "x" * 10_000]


@pytest.mark.parametrize("date", NO_DATES, ids=[date[:20] for date in NO_DATES])
@pytest.mark.parametrize("in_table", [False, True])
def test_text_that_is_no_date_counts_as_missing_and_says_so(date: str, in_table: bool) -> None:
    records: Any = [
        {"id": 1, "text": "x", "published_at": "2024-05-01"},
        {"id": 2, "text": "y", "published_at": date},
    ]
    if in_table:
        records = pa.Table.from_pylist(records)
    with pytest.warns(UserWarning, match=r"(record|row) 1.*'published_at'.*ISO 8601"):
        assert columns(records).published[1] == MISSING_DATE


def test_surrogates_in_a_text_do_not_stop_the_batch() -> None:
    records = [{"id": 1, "text": f"{STORY}\ud800"}, {"id": 2, "text": STORY}]
    (group,) = find_groups(records)
    assert group.members[1].relation == "exact"


BAD: list[tuple[str, Any, type[DedupError], tuple[str, ...]]] = [
    ("string", STORY, InputError, ("str", "dicts")),
    ("bytes", b"abc", InputError, ("bytes", "dicts")),
    ("one dict", {"id": 1}, InputError, ("dict", "dicts")),
    ("none", None, InputError, ("None", "expected")),
    ("number", 3, InputError, ("int", "expected")),
    ("numbers", [1], RecordError, ("record 0", "int", "dict")),
    ("null among dicts", [{"id": 1, "text": "x"}, None], RecordError, ("record 1", "None", "dict")),
    ("no id", [{"text": "x"}], RecordError, ("record 0", "'id'", "text")),
    ("no text", [{"id": 5, "body": "x"}], RecordError, ("record 0", "id 5", "'text'", "body")),
    ("null text", [{"id": 5, "text": None}], RecordError, ("record 0", "id 5", "'text'")),
    ("empty id", [{"id": "", "text": "x"}], RecordError, ("record 0", "the id is empty")),
    ("empty id in a table", pa.table({"id": ["a", ""], "text": ["x", "y"]}), RecordError, ("row 1", "empty")),
    ("null id", [{"id": None, "text": "x"}], RecordError, ("record 0", "'id'")),
    ("float id", [{"id": 1.0, "text": "x"}], RecordError, ("record 0", "float", "string or integer")),
    ("bool id", [{"id": True, "text": "x"}], RecordError, ("record 0", "bool", "string or integer")),
    ("bytes text", [{"id": 1, "text": b"x"}], RecordError, ("record 0", "bytes", "string")),
    ("number text", [{"id": 1, "text": 7}], RecordError, ("record 0", "'text'", "int", "string")),
    ("nan text", [{"id": 1, "text": float("nan")}], RecordError, ("record 0", "float", "string")),
    (
        "repeated id",
        [{"id": 1, "text": "x"}, {"id": 1, "text": "y"}],
        RecordError,
        ("record 1", "id 1", "record 0"),
    ),
    (
        "ids equal as strings",
        [{"id": 1, "text": "x"}, {"id": "1", "text": "y"}],
        RecordError,
        ("record 1", "'1'", "record 0"),
    ),
    (
        "date of another type",
        [{"id": 1, "text": "x", "published_at": [1]}],
        RecordError,
        ("record 0", "'published_at'", "list"),
    ),
    ("table without text", pa.table({"id": [1], "body": ["x"]}), InputError, ("'text'", "body")),
    ("table without id", pa.table({"text": ["x"]}), InputError, ("'id'", "text")),
    (
        "float ids in a table",
        pa.table({"id": [1.5], "text": ["x"]}),
        InputError,
        ("'id'", "double", "strings or integers"),
    ),
    (
        "binary texts",
        pa.table({"id": [1], "text": pa.array([b"x"])}),
        InputError,
        ("'text'", "binary", "strings"),
    ),
    (
        "null in a column",
        pa.table({"id": [1, 2], "text": ["x", None]}),
        RecordError,
        ("row 1", "'text'", "1 such"),
    ),
    ("null ids", pa.table({"id": ["a", None], "text": ["x", "y"]}), RecordError, ("row 1", "'id'")),
    (
        "repeated ids in a table",
        pa.table({"id": [3, 3], "text": ["x", "y"]}),
        RecordError,
        ("record 1", "3", "record 0"),
    ),
    (
        "null in a dictionary",
        pa.table({"id": [1, 2], "text": pa.DictionaryArray.from_arrays([0, 1], ["x", None])}),
        RecordError,
        ("row 1", "'text'"),
    ),
    (
        "null id in a dictionary",
        pa.table({"id": pa.DictionaryArray.from_arrays([0, 1], ["x", None]), "text": ["x", "y"]}),
        RecordError,
        ("row 1", "'id'"),
    ),
    (
        "two columns of a name",
        pa.Table.from_arrays([pa.array([1]), pa.array(["x"]), pa.array(["y"])], ["id", "text", "text"]),
        InputError,
        ("'text'",),
    ),
    ("ids of two types in a frame", pd.DataFrame({"id": [1, "a"], "text": ["x", "y"]}), InputError, ("id",)),
    ("empty frame", pd.DataFrame(), InputError, ("'id'",)),
    ("list column", pa.table({"id": [1], "text": [["x"]]}), InputError, ("'text'", "list", "strings")),
]


@pytest.mark.parametrize(
    ("records", "error", "parts"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_records_that_cannot_be_used_are_refused_with_place_value_and_expectation(
    records: Any, error: type[DedupError], parts: tuple[str, ...]
) -> None:
    with pytest.raises(error) as caught:
        find_groups(records)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    assert isinstance(caught.value, InputError)


def test_ill_formed_utf8_in_a_column_is_refused() -> None:
    texts = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, 2], dtype=np.int32)), pa.py_buffer(b"\xe3\x81")
    )
    with pytest.raises(InputError, match="'text' is not valid"):
        find_groups(pa.table({"id": [1], "text": texts}))


@pytest.mark.parametrize("num_threads", [0, -1])
def test_number_of_threads_that_cannot_be_is_refused_in_words(num_threads: int) -> None:
    for function in (find_groups, find_pairs):
        with pytest.raises(DedupError, match="num_threads"):
            function([STORY, STORY], num_threads=num_threads)


def test_rank_of_a_source_is_its_place_in_the_list_and_others_share_the_last() -> None:
    chosen = Settings(source_priority=("spa", "okaz"))
    assert source_ranks(["okaz", "spa", None, "", "else"], chosen).tolist() == [1, 0, 2, 2, 2]
    assert source_ranks(["okaz", None], DEFAULT).tolist() == [0, 0]
    assert source_ranks([], chosen).tolist() == []


def test_null_is_told_from_a_field_that_is_missing() -> None:
    with pytest.raises(RecordError, match="'text' is null; its fields are"):
        columns([{"id": 1, "text": None}])
    with pytest.raises(RecordError, match="no 'text'; its fields are"):
        columns([{"id": 1}])


def test_dates_are_read_by_their_format_in_every_form() -> None:
    records = {"id": [1, 2], "text": [STORY, STORY], "published_at": ["03/01/1970", "1970-01-02"]}
    fields = Fields(date_format="dmy")
    for form in (pa.table(records), pd.DataFrame(records), pd.DataFrame(records).to_dict("records")):
        assert columns(form, fields=fields).published.tolist() == [2 * DAY, DAY]


def test_dates_that_are_not_understood_are_one_warning() -> None:
    records = [{"id": k, "text": STORY, "published_at": f"{k + 13}/01/1970"} for k in range(5)]
    for form in (records, pa.Table.from_pylist(records)):
        with pytest.warns(UserWarning, match=r"0.*'13/01/1970', taken as missing \(5 such") as told:
            assert columns(form).published.tolist() == [MISSING_DATE] * 5
        assert len(told) == 1
