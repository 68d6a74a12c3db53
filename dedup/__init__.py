"""Near-duplicate article detection: canonical groups of news articles, Arabic first, any language.

Importing this package opens nothing and compiles nothing; each name is loaded at its first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.articles import (
        Added,
        Change,
        Comparison,
        Fields,
        Group,
        HeldArticle,
        Link,
        Match,
        Member,
        Pair,
        Verdict,
    )
    from dedup.errors import (
        DedupError,
        IndexBusyError,
        IndexFileError,
        InputError,
        OutputError,
        RecordError,
        SettingsError,
    )
    from dedup.run.batch import Pairs, find_groups, find_pairs
    from dedup.run.comparison import compare
    from dedup.run.groups import Groups
    from dedup.run.indexing import Index
    from dedup.run.sketching import sign_texts
    from dedup.settings import Settings
    from dedup.sketch.signatures import estimate_jaccard, from_datasketch, sign_shingle_hashes, to_datasketch
    from dedup.text.cutting import CutLine, CutText, cut_furniture
    from dedup.text.hashing import hash_character_shingle, hash_word_shingle
    from dedup.text.normalize import character_shingles, normalize, tokens, word_shingles

__version__ = "0.1.0"

_HOMES = {
    "dedup.articles": (
        "Added",
        "Change",
        "Comparison",
        "Fields",
        "Group",
        "HeldArticle",
        "Link",
        "Match",
        "Member",
        "Pair",
        "Verdict",
    ),
    "dedup.errors": (
        "DedupError",
        "IndexBusyError",
        "IndexFileError",
        "InputError",
        "OutputError",
        "RecordError",
        "SettingsError",
    ),
    "dedup.run.batch": ("Pairs", "find_groups", "find_pairs"),
    "dedup.run.comparison": ("compare",),
    "dedup.run.groups": ("Groups",),
    "dedup.run.indexing": ("Index",),
    "dedup.run.sketching": ("sign_texts",),
    "dedup.settings": ("Settings",),
    "dedup.sketch.signatures": (
        "estimate_jaccard",
        "from_datasketch",
        "sign_shingle_hashes",
        "to_datasketch",
    ),
    "dedup.text.cutting": ("CutLine", "CutText", "cut_furniture"),
    "dedup.text.hashing": ("hash_character_shingle", "hash_word_shingle"),
    "dedup.text.normalize": ("character_shingles", "normalize", "tokens", "word_shingles"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dedup' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
