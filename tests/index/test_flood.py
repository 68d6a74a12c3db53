"""Articles made to share buckets: one check reads a bounded number of rows, and full buckets are told."""

from pathlib import Path

import pytest

from benchmarks.flood_cases import Vocabulary
from benchmarks.index_flood import FLOODS, flood, rows_bound
from dedup import Index, Settings


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.mark.parametrize("name", FLOODS)
def test_rows_of_a_check_stay_under_the_bound_and_do_not_grow_with_the_flood(
    name: str, tmp_path: Path
) -> None:
    found = [flood(tmp_path / str(size), FLOODS[name](Vocabulary()), size, 20, quiet) for size in (600, 2400)]
    for each in found:
        assert each["rows_read_by_a_check"]["max"] <= rows_bound(Settings())
        assert each["canonicals"] > 0.4 * each["articles"]
        assert each["full_buckets_told"]["max"] > 0
    most = [each["rows_read_by_a_check"]["max"] for each in found]
    assert most[1] < 2 * most[0] + 50
    steps = [each["sqlite_steps_of_a_check"]["max"] for each in found]
    assert steps[1] < 2 * steps[0] + 1000


def test_what_is_held_in_full_buckets_is_still_found_by_its_own_words(tmp_path: Path) -> None:
    texts = FLOODS["one boilerplate of 30% of the words"](Vocabulary())
    kept = [next(texts) for _ in range(500)]
    with Index.open(tmp_path / "news.dedup") as index:
        list(index.add_many({"id": number, "text": text} for number, text in enumerate(kept)))
        for number in (0, 100, 499):
            words = kept[number].split()
            words[-1] = "another"
            verdict = index.check({"id": "copy", "text": " ".join(words)})
            assert verdict.canonical_id == number
            assert number == 0 or verdict.full_buckets > 0
