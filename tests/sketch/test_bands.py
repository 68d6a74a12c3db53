"""Bands: the S-curve, and the choice of the longest bands that keep the recall."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import SettingsError
from dedup.sketch.bands import Bands, choose_bands
from dedup.sketch.kernels import band_keys
from dedup.sketch.signatures import sign_shingle_hashes


@pytest.mark.parametrize(
    ("bands", "jaccard", "probability"),
    [
        (Bands(1, 1), 0.3, 0.3),
        (Bands(20, 5), 0.8, 0.9996),  # Mining of Massive Datasets, figure 3.8: b = 20, r = 5
        (Bands(20, 5), 0.5, 0.470),
        (Bands(20, 5), 0.2, 0.006),
        (Bands(42, 3), 0.0, 0.0),
        (Bands(42, 3), 1.0, 1.0),
    ],
)
def test_find_probability_is_the_s_curve(bands: Bands, jaccard: float, probability: float) -> None:
    assert math.isclose(bands.find_probability(jaccard), probability, abs_tol=6e-4)


@given(st.integers(1, 64), st.integers(1, 16), st.floats(0, 1), st.floats(0, 1))
def test_find_probability_rises_with_likeness(num_bands: int, rows: int, a: float, b: float) -> None:
    bands = Bands(num_bands, rows)
    low, high = sorted((a, b))
    assert 0 <= bands.find_probability(low) <= bands.find_probability(high) + 1e-12 <= 1 + 1e-12


@given(st.floats(0.05, 1), st.integers(1, 512), st.floats(0.5, 0.999999))
def test_chosen_bands_are_the_longest_that_keep_the_recall(
    threshold: float, num_perm: int, recall: float
) -> None:
    try:
        bands = choose_bands(threshold, num_perm, recall)
    except SettingsError:
        assert Bands(num_perm, 1).find_probability(threshold) < recall
        return
    assert bands.num_bands * bands.rows_per_band <= num_perm
    assert bands.find_probability(threshold) >= recall
    for rows in range(bands.rows_per_band + 1, num_perm + 1):
        assert Bands(num_perm // rows, rows).find_probability(threshold) < recall


def test_bands_that_cannot_be_are_refused_with_numbers_and_a_way_out() -> None:
    with pytest.raises(SettingsError, match=r"num_perm = 4 .*threshold 0\.1 .*recall 0\.99; raise num_perm"):
        choose_bands(0.1, 4, 0.99)


def test_pairs_meet_as_often_as_the_curve_says() -> None:
    """400 random pairs of Jaccard 0.5: the share that meets stays within 4.5 standard errors."""
    bands, num_pairs, size, shared = Bands(12, 3), 400, 90, 60
    generator = np.random.default_rng(3)
    values = [generator.choice(1 << 32, 2 * size - shared, replace=False) for _ in range(num_pairs)]
    sets = [part for value in values for part in (value[:size], value[size - shared :])]
    hashes = np.concatenate(sets).astype(np.uint32)
    offsets = np.arange(2 * num_pairs + 1, dtype=np.int64) * size
    signatures = sign_shingle_hashes(hashes, offsets, num_perm=36)
    met = np.zeros(num_pairs, dtype=np.bool_)
    for band in range(bands.num_bands):
        keys = np.empty(2 * num_pairs, dtype=np.uint64)
        band_keys(signatures, band, bands.rows_per_band, keys)
        met |= keys[0::2] == keys[1::2]
    expected = bands.find_probability(0.5)
    assert abs(met.mean() - expected) <= 4.5 * math.sqrt(expected * (1 - expected) / num_pairs)
