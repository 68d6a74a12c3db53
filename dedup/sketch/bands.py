"""Bands of a signature: how many, how long, and what they find.

Two signatures meet when all rows of at least one band are equal. For two sets of Jaccard similarity J
that has probability 1 - (1 - J**r)**b, the S-curve of Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", section 3.4.2.
"""

from dataclasses import dataclass

from dedup.errors import SettingsError


@dataclass(frozen=True)
class Bands:
    """`num_bands` bands of `rows_per_band` values each."""

    num_bands: int
    rows_per_band: int

    def find_probability(self, jaccard: float) -> float:
        """Return the probability, 0 to 1, that a pair of this Jaccard similarity meets.

        >>> round(Bands(42, 3).find_probability(0.5), 4)
        0.9963
        """
        return float(1 - (1 - jaccard**self.rows_per_band) ** self.num_bands)


def choose_bands(threshold: float, num_perm: int, recall: float) -> Bands:
    """Return the longest bands that find a pair at the threshold with probability `recall` or more.

    Longer bands bring fewer candidates, so the longest that keep the recall are the cheapest.

    >>> choose_bands(0.5, num_perm=128, recall=0.995)
    Bands(num_bands=42, rows_per_band=3)
    >>> choose_bands(0.8, num_perm=128, recall=0.995)
    Bands(num_bands=21, rows_per_band=6)
    """
    for rows_per_band in range(num_perm, 0, -1):
        bands = Bands(num_perm // rows_per_band, rows_per_band)
        if bands.find_probability(threshold) >= recall:
            return bands
    raise SettingsError(
        f"no bands of num_perm = {num_perm} find a pair at threshold {threshold} with recall {recall}; "
        "raise num_perm or the threshold, or lower the recall"
    )


def fewest_bands(bands: Bands, threshold: float, recall: float) -> Bands:
    """Return as few of these bands as find a pair at the threshold with probability `recall` or more.

    >>> fewest_bands(Bands(32, 4), 0.7, recall=0.99)
    Bands(num_bands=17, rows_per_band=4)
    """
    for num_bands in range(1, bands.num_bands):
        fewer = Bands(num_bands, bands.rows_per_band)
        if fewer.find_probability(threshold) >= recall:
            return fewer
    return bands
