"""Distributions as bars of an inline SVG: the geometry, which the template draws."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_WIDTH = 420.0
_HEIGHT = 120.0
_GAP_SHARE = 0.18  # of what a bar has
_LEAST_HEIGHT = 1.5  # of a bar that counts something


@dataclass(frozen=True)
class Bar:
    """A bar: its label, what it counts, where it stands, and what is written below it, at `tick_x`."""

    label: str
    count: int
    x: float
    y: float
    width: float
    height: float
    tick: str
    tick_x: float

    @property
    def short_count(self) -> str:
        """The count in four characters at most, as there is room for over a bar."""
        for unit, size in (("M", 1_000_000), ("k", 1_000)):
            if self.count >= 0.9995 * size:
                number = self.count / size
                return f"{number:.1f}{unit}" if number < 9.95 else f"{number:.0f}{unit}"
        return str(self.count)

    @property
    def middle(self) -> float:
        """The middle of the bar."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Plot:
    """Bars side by side; `line_x` is where a decision line stands, None for none."""

    bars: Sequence[Bar]
    width: float
    height: float
    line_x: float | None = None

    @property
    def total(self) -> int:
        """What all bars count."""
        return sum(bar.count for bar in self.bars)


def plot_counts(labels: Sequence[str], counts: Sequence[int]) -> Plot:
    """Return a bar for each label; the highest count fills the height.

    >>> [bar.height for bar in plot_counts(["2", "3"], [10, 5]).bars]
    [120.0, 60.0]
    """
    most = max(counts, default=0)
    step = _WIDTH / max(1, len(counts))
    gap = _GAP_SHARE * step
    bars = []
    for place, (label, count) in enumerate(zip(labels, counts, strict=True)):
        height = max(_LEAST_HEIGHT, _HEIGHT * count / most) if count else 0.0
        x = place * step + gap / 2
        bars.append(Bar(label, count, x, _HEIGHT - height, step - gap, height, label, x + (step - gap) / 2))
    return Plot(bars, _WIDTH, _HEIGHT)


def plot_shares(counts: Sequence[int], line: float | None) -> Plot:
    """Return bars of equal shares of 0 to 1, given how many fall into each, and a line at a share.

    Every second bound is written below.

    >>> plot = plot_shares([4, 6], 0.5)
    >>> [bar.label for bar in plot.bars], plot.line_x == plot.width / 2
    (['0 to 0.5', '0.5 to 1'], True)
    """
    bounds = [f"{place / len(counts):g}" for place in range(len(counts) + 1)]
    plot = plot_counts([f"{low} to {high}" for low, high in itertools.pairwise(bounds)], counts)
    bars = [
        replace(bar, tick="" if place % 2 else bounds[place], tick_x=place * _WIDTH / len(counts))
        for place, bar in enumerate(plot.bars)
    ]
    return Plot(bars, plot.width, plot.height, None if line is None else line * _WIDTH)


def bin_of(share: float, num_bins: int) -> int:
    """Return the bar into which a share of 0 to 1 falls; 1 falls into the last.

    >>> [bin_of(share, 20) for share in (0, 0.28, 0.3, 0.999, 1)]
    [0, 5, 6, 19, 19]
    """
    return min(num_bins - 1, max(0, int(share * num_bins + 1e-9)))


_SIZE_BOUNDS = (2, 3, 4, 5, 6, 11, 21, 51, 101, 1001)


def plot_sizes(sizes: Iterable[tuple[int, int]]) -> Plot:
    """Return bars of group sizes, given pairs of a size and how many groups have it.

    >>> [(bar.label, bar.count) for bar in plot_sizes([(2, 7), (8, 1), (6, 1)]).bars]
    [('2', 7), ('3', 0), ('4', 0), ('5', 0), ('6–10', 2)]
    """
    counts = [0] * len(_SIZE_BOUNDS)
    for size, count in sizes:
        counts[sum(bound <= size for bound in _SIZE_BOUNDS) - 1] += count
    while len(counts) > 2 and not counts[-1]:
        counts.pop()
    return plot_counts([_size_label(place) for place in range(len(counts))], counts)


def _size_label(place: int) -> str:
    low = _SIZE_BOUNDS[place]
    if place + 1 == len(_SIZE_BOUNDS):
        return f"{low:,}+"
    high = _SIZE_BOUNDS[place + 1] - 1
    return f"{low}" if low == high else f"{low}–{high:,}"
