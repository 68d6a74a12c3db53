"""A scikit-learn clusterer over texts, for pipelines, cross-validation and scikit-learn's metrics."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin

from dedup.run.batch import find_groups
from dedup.settings import Settings


class NearDuplicateClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Cluster texts into groups of near-duplicates; a text alone is a cluster of its own.

    Parameters are those of `Settings`; None takes the profile's default. After `fit`, `labels_` is
    int64[n], clusters numbered from 0 by their first member, and `canonical_rows_` int64[n] the row of
    each text's canonical.

    >>> story = "The mayor opened the new bridge over the river on Sunday morning"
    >>> NearDuplicateClusterer().fit_predict([story, "It rained.", story.upper()]).tolist()
    [0, 1, 0]
    """

    def __init__(
        self,
        profile: str = "article",
        threshold: float | None = None,
        shingle_size: int | None = None,
        num_perm: int | None = None,
    ) -> None:
        self.profile = profile
        self.threshold = threshold
        self.shingle_size = shingle_size
        self.num_perm = num_perm

    def fit(self, X: Sequence[str], y: Any = None) -> Self:  # noqa: N803 - scikit-learn's names
        """Group the texts `X`; `y` is ignored. Raises `SettingsError` for a parameter that cannot work."""
        given = {name: value for name, value in self.get_params().items() if value is not None}
        settings = Settings.of(given.pop("profile"), **given)
        texts = X.tolist() if isinstance(X, np.ndarray) else list(X)
        name = settings.text_field
        groups = find_groups([{"id": row, name: text} for row, text in enumerate(texts)], settings)
        self.canonical_rows_: npt.NDArray[np.int64] = groups.canonical_rows
        _, first_rows, inverse = np.unique(self.canonical_rows_, return_index=True, return_inverse=True)
        self.labels_: npt.NDArray[np.int64] = np.argsort(np.argsort(first_rows))[inverse].astype(np.int64)
        return self
