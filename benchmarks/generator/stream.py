"""Generated articles as a stream: batches of JSON Lines with their truth, or a file of them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.generator import kernels
from benchmarks.generator.heaps import novelty_by_size
from benchmarks.generator.pool import Pool, Words

BATCH = 8192
_KEYS = (
    '{"id": "g',
    '", "title": "',
    '", "text": "',
    '", "source": "',
    '", "published_at": "',
    "\\n\\n",
    '"}\n',
)


@dataclass(frozen=True)
class Recipe:
    """How articles are made. `count` sets the pace of dates and how far back a copy reaches.

    - `copy_share`, `cut_share`: articles that are copies, and cut copies, of earlier ones;
    - `days_back`: a copy follows its original within so many days; `wire_share` of the copies are of every
      `wire_step`th article, so that some originals have many copies;
    - `run_on`: chance that the next sentence comes from the same article as the last;
    - `splice_share`: chance that the second half of a sentence is that of another one;
    - `formula_share` of the originals are of formulas, `formula_rate` for each article: a real article each,
      with `formula_low` to `formula_high` of its words replaced.
    """

    count: int
    seed: int = 1
    copy_share: float = 0.15
    cut_share: float = 0.05
    days_back: float = 1.0
    wire_share: float = 0.5
    wire_step: int = 24
    run_on: float = 0.1
    splice_share: float = 0.8
    formula_share: float = 0.2
    formula_rate: float = 0.15
    formula_low: float = 0.12
    formula_high: float = 0.4


class Batch(NamedTuple):
    """Articles numbered from `first` on: their lines, and what each is.

    `lines` bytes; `ends` int64[n] the end of each line; `bases` int64[n] the number of the original;
    `kinds` int8[n]: 0 original, 1 copy, 2 cut copy; `edits` int32[n], bits in the order of `kernels.EDITS`.
    """

    first: int
    lines: bytes
    ends: npt.NDArray[np.int64]
    bases: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int8]
    edits: npt.NDArray[np.int32]


class _KernelRecipe(NamedTuple):
    copy_share: float
    cut_share: float
    reach: int
    wire_share: float
    wire_step: int
    run_on: float
    splice_share: float
    formula_share: float
    num_formulas: int
    formula_low: float
    formula_high: float
    novelty: npt.NDArray[np.float64]
    edit_chances: npt.NDArray[np.float64]


def generate(pool: Pool, recipe: Recipe, first: int = 0) -> Iterator[Batch]:
    """Yield batches of the articles numbered `first` to `recipe.count`; the same for the same recipe.

    An article depends on seed, number and `count` only, so that parts can be made apart.
    """
    keys = _encode(_KEYS)
    own = _kernel_recipe(pool, recipe)
    out = np.empty(64 << 20, dtype=np.uint8)
    while first < recipe.count:
        size = min(BATCH, recipe.count - first)
        ends, bases = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        kinds, edits = np.zeros(size, dtype=np.int8), np.zeros(size, dtype=np.int32)
        dates = _dates(pool, first, size, recipe.count)
        done = kernels.write_articles(
            first, np.uint64(recipe.seed), pool.tables, own, dates, keys, out, ends, bases, kinds, edits
        )
        if done == 0:
            out = np.empty(2 * len(out), dtype=np.uint8)
            continue
        lines = out[: ends[done - 1]].tobytes()
        yield Batch(first, lines, ends[:done], bases[:done], kinds[:done], edits[:done])
        first += done


def iterate_records(pool: Pool, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Yield the articles as dicts: `id`, `title`, `text`, `source`, `published_at`."""
    for batch in generate(pool, recipe):
        yield from map(json.loads, batch.lines.splitlines())


def write_corpus(
    pool: Pool, recipe: Recipe, path: Path, truth: Path, say: Callable[[str], None] = lambda line: None
) -> dict[str, int]:
    """Write the articles to `path` (JSON Lines, packed if it ends in .zst), what copies what to `truth`.

    `truth` is JSON Lines: `id`, `of` (the original), `kind` (copy or cut_copy), `edits`. Returns counts.
    """
    counts = {"articles": 0, "bytes": 0, "copies": 0, "cut_copies": 0}
    codec = "zstd" if path.suffix == ".zst" else None
    with pa.output_stream(str(path), compression=codec) as file, truth.open("w", encoding="utf-8") as said:
        for batch in generate(pool, recipe):
            file.write(batch.lines)
            said.writelines(_truth_lines(batch))
            counts["articles"] += len(batch.ends)
            counts["bytes"] += len(batch.lines)
            counts["copies"] += int(np.count_nonzero(batch.kinds == kernels.COPY))
            counts["cut_copies"] += int(np.count_nonzero(batch.kinds == kernels.CUT_COPY))
            if counts["articles"] % (64 * BATCH) < BATCH:
                say(f"generated {counts['articles']:,} articles of {recipe.count:,}")
    return counts


def article_id(number: int) -> str:
    """Return the id of an article by its number."""
    return f"g{number:09}"


def _truth_lines(batch: Batch) -> Iterator[str]:
    names = {kernels.COPY: "copy", kernels.CUT_COPY: "cut_copy"}
    for row in np.flatnonzero(batch.kinds):
        edits = [name for bit, name in enumerate(kernels.EDITS) if batch.edits[row] >> bit & 1]
        said = {
            "id": article_id(batch.first + int(row)),
            "of": article_id(int(batch.bases[row])),
            "kind": names[int(batch.kinds[row])],
            "edits": edits,
        }
        yield json.dumps(said) + "\n"


def _kernel_recipe(pool: Pool, recipe: Recipe) -> _KernelRecipe:
    days = max(1e-9, (int(pool.dates[-1]) - int(pool.dates[0])) / 86_400)
    return _KernelRecipe(
        recipe.copy_share,
        recipe.cut_share,
        max(1, int(recipe.count * min(1.0, recipe.days_back / days))),
        recipe.wire_share,
        recipe.wire_step,
        recipe.run_on,
        recipe.splice_share,
        recipe.formula_share,
        max(1, int(recipe.count * recipe.formula_rate)),
        recipe.formula_low,
        recipe.formula_high,
        novelty_by_size(pool),
        kernels.EDIT_CHANCES,
    )


def _dates(pool: Pool, first: int, size: int, count: int) -> npt.NDArray[np.uint8]:
    """Return rising dates, uint8[size, 19], whose hours and days are as full as the real ones."""
    at = (np.arange(first, first + size) + 0.5) / count * (len(pool.dates) - 1)
    seconds = np.interp(at, np.arange(len(pool.dates)), pool.dates).astype("datetime64[s]")
    text = np.datetime_as_string(seconds, unit="s").astype("S19")
    return text.view(np.uint8).reshape(size, 19)


def _encode(strings: tuple[str, ...]) -> Words:
    encoded = [string.encode() for string in strings]
    offsets = np.cumsum([0] + [len(each) for each in encoded]).astype(np.int64)
    return Words(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)
