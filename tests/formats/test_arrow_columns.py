"""Arrow arrays made from buffers are what `pyarrow.array` makes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.formats.arrow_columns import booleans, named, numbers, strings

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(st.floats(allow_nan=False), st.booleans())))
def test_numbers_are_null_where_they_are_missing(values: list[tuple[float, bool]]) -> None:
    given_numbers = np.array([number for number, _ in values], dtype=np.float64)
    missing = np.array([is_missing for _, is_missing in values], dtype=np.bool_)
    array = numbers(given_numbers, missing)
    array.validate(full=True)
    assert array.equals(pa.array(given_numbers, mask=missing))
    assert numbers(given_numbers).equals(pa.array(given_numbers))


def test_numbers_of_every_second_place_are_copied() -> None:
    assert numbers(np.arange(6)[::2]).to_pylist() == [0, 2, 4]


@given(st.lists(st.booleans()))
def test_booleans_are_those_of_pyarrow(values: list[bool]) -> None:
    array = booleans(np.array(values, dtype=np.bool_))
    array.validate(full=True)
    assert array.equals(pa.array(values, pa.bool_()))


@given(st.lists(TEXT))
def test_strings_are_those_of_pyarrow(values: list[str]) -> None:
    array = strings(values)
    array.validate(full=True)
    assert array.equals(pa.array(values, pa.large_string()))


@given(st.lists(TEXT, min_size=1, max_size=5), st.data())
def test_codes_stand_for_their_names(names: list[str], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(names) - 1)))
    array = named(np.array(codes, dtype=np.int8), names)
    array.validate(full=True)
    assert array.equals(pa.array([names[code] for code in codes], pa.string()))


def test_a_run_loads_neither_pandas_nor_the_functions_of_pyarrow(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    articles = tmp_path / "articles.jsonl"
    articles.write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}\n')
    script = """
import sys
from pathlib import Path
from dedup.formats.inputs import open_inputs
from dedup.run.nightly import run
from dedup.settings import Settings
run(open_inputs([sys.argv[1]]).files, Path(sys.argv[2]), Settings())
print({"pandas", "pyarrow.compute"} & set(sys.modules))
"""
    command = [sys.executable, "-c", script, str(articles), str(tmp_path / "out")]
    answer = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"
