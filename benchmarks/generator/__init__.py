"""A stream of generated articles, copies among them, with the truth: see `benchmarks/README.md`."""

from benchmarks.generator.pool import Pool, open_pool
from benchmarks.generator.stream import (
    Batch,
    Recipe,
    generate,
    iterate_records,
    write_corpus,
)

__all__ = ["Batch", "Pool", "Recipe", "generate", "iterate_records", "open_pool", "write_corpus"]
