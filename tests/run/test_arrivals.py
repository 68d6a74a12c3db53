"""Articles that arrive in parts, each part matched against the canonicals held, against one batch."""

import random
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.match.buckets import find_buckets
from dedup.match.grouping import Lane, group_articles
from dedup.match.samples import MAX_MEETING, MAX_WAITING, SAMPLED_SHARE
from dedup.run.arrivals import likely_candidates, match_arrivals, posting_keys
from dedup.run.sketches import Sketches
from dedup.run.sketching import sketch_texts
from dedup.run.stages import features_of, few_buckets, lanes_of, rule_of
from dedup.run.text_arrays import text_array
from dedup.run.token_sketches import sketch_tokens
from dedup.settings import Settings
from dedup.sketch.bands import Bands
from dedup.sketch.reference import band_key
from dedup.text.hashing import hash_word_shingle
from dedup.text.reference import tokens
from tests.run.stories import WORDS, story_texts

NO_FORMULAS = np.empty(0, dtype=np.uint32)


def rows_of(sketches: Sketches, rows: list[int], settings: Settings) -> Sketches:
    """Return the sketches of some rows, made again from what an index keeps."""
    short = {row: k for k, row in enumerate(sketches.character_rows.tolist())}
    tokens = [sketches.tokens[slice(*sketches.token_offsets[row : row + 2])] for row in rows]
    kept = [position for position, row in enumerate(rows) if row in short]
    hashes = [
        sketches.character_hashes[slice(*sketches.character_offsets[short[row] : short[row] + 2])]
        for row in rows
        if row in short
    ]
    empty = np.empty(0, dtype=np.uint32)
    return sketch_tokens(
        np.concatenate([empty, *tokens]),
        np.cumsum([0, *map(len, tokens)]),
        np.array(kept, dtype=np.int64),
        np.concatenate([empty, *hashes]),
        np.cumsum([0, *map(len, hashes)]),
        settings,
    )


def canonicals_in_parts(texts: list[str], sizes: list[int], settings: Settings) -> list[int]:
    """Return each text's canonical where parts of these sizes arrive one after the other."""
    canonical_of: list[int] = []
    waiting: dict[int, list[int]] = defaultdict(list)
    first_of: dict[str, int] = {}
    everything = sketch_texts(text_array(texts), settings)
    sampled = posting_keys(everything, settings).num_sampled
    start = 0
    for size in sizes:
        rows = list(range(start, min(start + size, len(texts))))
        start += size
        # Exact repeats of what is held go where that one went; an index looks them up beforehand.
        fresh = [row for row in rows if texts[row] not in first_of or not texts[row]]
        arrived = rows_of(everything, fresh, settings)
        posted = posting_keys(arrived, settings)
        found = [(at, number) for at, key in enumerate(posted.keys.tolist()) for number in waiting[key]]
        found_at, numbers = np.array(found, dtype=np.int64).reshape(-1, 2).T
        held = likely_candidates(posted, found_at, numbers, sampled[numbers], rule_of(settings)).tolist()
        scan = match_arrivals(
            arrived,
            np.arange(len(fresh)),
            rows_of(everything, held, settings),
            np.arange(len(held)),
            settings,
            NO_FORMULAS,
        )
        places = held + fresh
        went = {place: places[int(scan.canonicals[at])] for at, place in enumerate(places)}
        for at, key in enumerate(posted.keys.tolist()):
            row = fresh[posted.rows[at]]
            if went[row] == row and posted.waits[at]:
                waiting[key].append(row)
        for row in rows:
            first = first_of.setdefault(texts[row], row) if texts[row] else row
            canonical_of.append(went[row] if row in went else canonical_of[first])
    return canonical_of


def canonicals_at_once(texts: list[str], settings: Settings) -> list[int]:
    sketches = sketch_texts(text_array(texts), settings)
    scan = group_articles(
        np.arange(len(texts)),
        sketches.fingerprints,
        features_of(sketches, np.arange(len(texts))),
        rule_of(settings),
        lanes_of(sketches, settings, settings.group_bands),
        sketches.signatures,
        formulas=NO_FORMULAS,
    )
    return scan.canonicals.tolist()


@examples(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 12), min_size=40, max_size=40))
@pytest.mark.parametrize("profile", ["article", "headline"])
def test_arrival_in_parts_gives_what_one_batch_gives(profile: str, seed: int, sizes: list[int]) -> None:
    settings, texts = Settings.of(profile), story_texts(seed)
    assert canonicals_in_parts(texts, sizes, settings) == canonicals_at_once(texts, settings)


def test_one_by_one_gives_what_one_batch_gives() -> None:
    texts = story_texts(7)
    expected = canonicals_at_once(texts, Settings())
    assert canonicals_in_parts(texts, [1] * len(texts), Settings()) == expected
    assert len(set(expected)) < len(texts) - 4


def test_sketches_made_again_from_tokens_are_the_same() -> None:
    texts = story_texts(3)
    made = sketch_texts(text_array(texts), Settings())
    again = rows_of(made, list(range(len(texts))), Settings())
    for name, array in vars(made).items():
        np.testing.assert_array_equal(getattr(again, name), array, err_msg=name)


def test_keys_are_distinct_within_an_article_and_bounded() -> None:
    texts = [" ".join(random.Random(k).choices(WORDS, k=3000)) for k in range(3)]
    settings = Settings()
    posted = posting_keys(sketch_texts(text_array(texts), settings), settings)
    for row in range(3):
        mine = posted.rows == row
        assert len(np.unique(posted.keys[mine])) == np.count_nonzero(mine)
        assert np.count_nonzero(mine & posted.by_wording) == MAX_MEETING
        assert np.count_nonzero(mine & posted.by_wording & posted.waits) == MAX_WAITING
        assert np.count_nonzero(mine & ~posted.by_wording) == settings.group_bands.num_bands
    assert (posted.keys[posted.by_wording] < 1 << 32).all()
    assert (posted.keys[~posted.by_wording] >= 1 << 40).all()


def plain_bands(signature: list[int], bands: Bands, before: int) -> list[int]:
    return [
        (before + band + 1) << 40 | band_key(signature, band, bands.rows_per_band) >> 24
        for band in range(bands.num_bands)
    ]


def plain_keys(text: str, sketches: Sketches, row: int, settings: Settings) -> tuple[list[int], list[int]]:
    """Return the keys of bands and the sampled shingles of an article, all of them, in plain Python."""
    words, size = tokens(text), settings.shingle_size
    banded: list[int] = []
    sampled: list[int] = []
    if settings.uses_words and len(words) >= size:
        banded = plain_bands(sketches.signatures[row].tolist(), settings.group_bands, 0)
        shingles = {" ".join(words[start : start + size]) for start in range(len(words) - size + 1)}
        hashes = {hash_word_shingle(shingle.encode()) for shingle in shingles}
        sampled = sorted(h for h in hashes if h % SAMPLED_SHARE == 0)
    if row in sketches.character_rows:
        short = sketches.character_rows.tolist().index(row)
        before = settings.group_bands.num_bands if settings.uses_words else 0
        signature = sketches.character_signatures[short].tolist()
        banded += plain_bands(signature, settings.character_bands, before)
    return banded, sampled


@pytest.mark.parametrize("profile", ["article", "headline"])
def test_keys_are_those_of_the_plain_definition(profile: str) -> None:
    settings = Settings.of(profile)
    texts = ["", "a", "b c", *story_texts(11), " ".join(WORDS * 60), "d e f " * 40]
    sketches = sketch_texts(text_array(texts), settings)
    posted = posting_keys(sketches, settings)
    assert posted.rows.tolist() == sorted(posted.rows.tolist())
    for row, text in enumerate(texts):
        banded, sampled = plain_keys(text, sketches, row, settings)
        mine = posted.rows == row
        met = sampled[:MAX_MEETING]
        assert posted.keys[mine].tolist() == met + banded
        assert sorted(met + banded) == met + banded
        assert posted.by_wording[mine].tolist() == [True] * len(met) + [False] * len(banded)
        assert posted.waits[mine].tolist() == [
            k < MAX_WAITING or k >= len(met) for k in range(len(met + banded))
        ]
        assert posted.num_sampled[row] == len(sampled)


@pytest.mark.parametrize("profile", ["article", "headline"])
def test_few_articles_share_the_buckets_that_many_do(profile: str) -> None:
    settings, generator = Settings.of(profile), np.random.default_rng(5)
    for seed in range(20):
        sketches = sketch_texts(text_array(["", *story_texts(seed)[:25], "a", "b c"]), settings)
        taking_part = generator.random(len(sketches)) < 0.9
        few = few_buckets(sketches, settings, settings.group_bands, taking_part)
        lanes = []
        for lane in lanes_of(sketches, settings, settings.group_bands):
            chosen = np.flatnonzero(taking_part[lane.rows])
            lanes.append((lane.rows[chosen], lane.num_bands, chosen_keys(lane, chosen)))
        many = find_buckets(len(sketches), lanes)
        np.testing.assert_array_equal(few.offsets, many.offsets)
        assert few.num_buckets == many.num_buckets
        # The numbers may differ; who shares which may not, nor their order within an article.
        owners = np.repeat(np.arange(len(sketches)), np.diff(many.offsets))
        assert shared_by(few.buckets, owners) == shared_by(many.buckets, owners)


def chosen_keys(lane: Lane, chosen: npt.NDArray[np.int64]) -> Callable[[int], npt.NDArray[np.uint64]]:
    return lambda band: lane.keys_of(band)[chosen]


def shared_by(buckets: npt.NDArray[np.int64], owners: npt.NDArray[np.int64]) -> list[list[int]]:
    return [owners[buckets == bucket].tolist() for bucket in buckets.tolist()]
