"""Generated articles: the same in every run, valid records, copies as the truth says. No times."""

import json
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.background import nearest, random_pairs, shingle_sets, similar_pairs
from benchmarks.generator import Recipe, generate, iterate_records, kernels, open_pool, write_corpus
from benchmarks.generator.heaps import Growth, novelty_by_size
from benchmarks.generator.pool import make_pool


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    lacking = []
    pool = open_pool(lacking, tmp_path_factory.mktemp("no-data"))
    assert "examples" in lacking[0]
    return pool


def test_articles_are_records_with_rising_dates_and_their_own_ids(pool):
    records = list(iterate_records(pool, Recipe(count=500)))
    assert [record["id"] for record in records] == [f"g{number:09}" for number in range(500)]
    dates = [record["published_at"] for record in records]
    assert dates == sorted(dates)
    assert all(record["text"] and record["source"] for record in records)


def test_a_recipe_gives_the_same_bytes_and_another_seed_others(pool):
    first, again, other = (
        b"".join(batch.lines for batch in generate(pool, Recipe(count=300, seed=seed))) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_later_part_is_made_without_the_earlier(pool):
    recipe = Recipe(count=300)
    whole = b"".join(batch.lines for batch in generate(pool, recipe))
    part = b"".join(batch.lines for batch in generate(pool, recipe, first=200))
    assert whole.endswith(part)


def test_copies_are_of_originals_that_came_before(pool):
    (batch,) = generate(pool, Recipe(count=4000))
    numbers = np.arange(4000)
    is_original = batch.kinds == kernels.ORIGINAL
    assert np.array_equal(batch.bases[is_original], numbers[is_original])
    assert np.all(batch.bases[~is_original] < numbers[~is_original])
    assert np.all(batch.kinds[batch.bases] == kernels.ORIGINAL)
    assert np.mean(~is_original) == pytest.approx(0.2, abs=0.03)
    assert np.all(batch.edits[~is_original] != 0)


def test_a_copy_shares_most_of_its_words_with_its_original(pool):
    recipe = Recipe(count=2000, formula_share=0.0)
    (batch,) = generate(pool, recipe)
    words = [set(json.loads(line)["text"].split()) for line in batch.lines.splitlines()]
    copies = np.flatnonzero((batch.kinds == kernels.COPY) & (batch.edits < 1 << kernels.SPELLING))
    shares = [len(words[row] & words[batch.bases[row]]) / len(words[batch.bases[row]]) for row in copies]
    assert np.median(shares) > 0.95


def test_file_and_truth_agree_with_the_stream(pool, tmp_path):
    recipe = Recipe(count=1000)
    counts = write_corpus(pool, recipe, tmp_path / "a.jsonl.zst", tmp_path / "truth.jsonl")
    with pa.input_stream(str(tmp_path / "a.jsonl.zst"), compression="zstd") as file:
        assert file.read() == b"".join(batch.lines for batch in generate(pool, recipe))
    truth = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert counts["articles"] == 1000
    assert len(truth) == counts["copies"] + counts["cut_copies"]
    assert {said["kind"] for said in truth} == {"copy", "cut_copy"}


def test_quotes_and_backslashes_of_the_pool_stay_valid_json():
    pool = make_pool([{"text": 'he said "no \\ yes" and left. Then \t all "went" home.'}] * 3, "quotes")
    record = next(islice(iterate_records(pool, Recipe(count=20, copy_share=0.5)), 5, None))
    assert '"' in record["text"]


def test_long_words_do_not_enter_the_pool():
    pool = make_pool([{"text": "short words and " + "x" * 500}], "long")
    assert int(np.diff(pool.tables.words.offsets).max()) <= kernels.MAX_WORD_BYTES


def test_novelty_is_a_chance(pool):
    novelty = novelty_by_size(pool)
    assert np.all((novelty >= 0) & (novelty < 1))


def test_new_share_is_the_derivative_of_the_growth():
    growth = Growth([10, 20, 40], [10, 18, 33], np.array([0.0, 0.9, 0.1]))
    assert growth.new_share(1000.0) == pytest.approx(0.9 * np.exp(0.9 * np.log(1000) + 0.1) / 1000)


TEXTS = ["a b c d e f", "a b c d e g", "x y z", "a b", "x y z w"]


def test_similar_pairs_are_those_of_the_definition():
    pairs, values = similar_pairs(shingle_sets(TEXTS), 0.4)
    assert pairs.tolist() == [[0, 1], [2, 4]]
    assert values.tolist() == [3 / 5, 1 / 2]


def test_nearest_leaves_the_own_family_out():
    sets = shingle_sets(TEXTS)
    assert nearest(sets, np.arange(5)).tolist() == [0.6, 0.6, 0.5, 0.0, 0.5]
    assert nearest(sets, np.array([0, 0, 1, 2, 3])).tolist() == [0.0, 0.0, 0.5, 0.0, 0.5]


def test_random_pairs_are_of_two_articles():
    assert set(random_pairs(shingle_sets(["a b c", "a b c"]), 50)) == {1.0}
