"""Ids as they are admitted, against a dict of them and a list."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.articles import ArticleId
from dedup.errors import InputError
from dedup.run import ids as module
from dedup.run.ids import ArticleIds, id_arrays, id_strings

some_ids = st.one_of(
    st.integers(-30, 30),
    st.integers(),
    st.integers(0, 30).map(str),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12),
)


def admitted(chunks: Sequence[Sequence[ArticleId]]) -> tuple[ArticleIds, list[int], list[bool]]:
    ids = ArticleIds()
    found = [ids.admit(chunk) for chunk in chunks]
    rows = [row for each in found for row in each.rows.tolist()]
    return ids, rows, [new for each in found for new in each.is_new.tolist()]


@given(st.lists(st.lists(some_ids, max_size=30), max_size=6))
def test_ids_equal_the_plain_twin(chunks: list[list[ArticleId]]) -> None:
    row_of: dict[str, int] = {}
    plain: list[ArticleId] = []
    expected = []
    for id_ in (id_ for chunk in chunks for id_ in chunk):
        row = row_of.setdefault(str(id_), len(plain))
        expected.append((row, row == len(plain)))
        if row == len(plain):
            plain.append(id_)
    ids, rows, is_new = admitted(chunks)
    assert list(zip(rows, is_new, strict=True)) == expected
    ids.close()
    assert list(ids) == plain
    assert [type(id_) for id_ in ids] == [type(id_) for id_ in plain]
    assert [ids[row] for row in range(len(ids))] == plain
    assert (ids[:3], ids[::-2], ids[-1:]) == (plain[:3], plain[::-2], plain[-1:])
    assert id_strings(ids).to_pylist() == [str(id_) for id_ in plain]
    assert id_arrays(ids)[0].equals(id_arrays(plain)[0])


def test_many_ids_stay_apart_as_the_table_grows() -> None:
    """About five pairs of so many agree in the half of their hashes that the table keeps."""
    given_ids = [f"g{number:09}" for number in range(200_000)]
    chunks = [given_ids[start : start + 1999] for start in range(0, len(given_ids), 1999)]
    ids, rows, is_new = admitted([*chunks, *chunks])
    assert rows == [*range(200_000), *range(200_000)]
    assert is_new == [True] * 200_000 + [False] * 200_000
    assert list(ids) == given_ids


def test_what_is_no_row_raises() -> None:
    ids, _, _ = admitted([["a", 1]])
    assert (ids[0], ids[-1]) == ("a", 1)
    for row in (2, -3):
        with pytest.raises(IndexError):
            ids[row]


def test_more_ids_than_the_table_can_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IDS", 3)
    ids, _, _ = admitted([["a", "b"]])
    with pytest.raises(InputError, match="more than 3 articles"):
        ids.admit(["c", "d"])
