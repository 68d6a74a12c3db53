"""The settings of a run: frozen, checked when made, and summed up in a fingerprint."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from dedup.arguments import described
from dedup.errors import SettingsError
from dedup.sketch.bands import Bands, choose_bands, fewest_bands

PROFILES: dict[str, dict[str, Any]] = {
    "article": {"threshold": 0.28, "short_threshold": 0.7},
    "headline": {"threshold": 0.45, "short_threshold": 0.7},
}
"""The defaults that a profile sets. `docs/quality.md` has the measurements behind the numbers."""

RULE_VERSION = 2
"""Raised when a constant outside the settings changes what is a copy: those of `match.evidence`,
`match.facts`, `match.headlines`, `match.judge`, `match.likely`, `match.numbering`, `match.passages`,
`match.samples`, `match.scan` and `match.wording`, the fold table, and the markers and numbers of page
furniture."""

KEEP_POLICIES = ("earliest", "longest", "first-seen")
FURNITURE_POLICIES = ("cut", "keep")

NGRAM_LENGTHS = (3, 2, 2, 3, 2, 3, 3, 3)
"""Length of a character shingle for each script class of its first character (see `text.fold_table`):
alphabetic, Han, kana, Southeast Asian, Hangul jamo, Indic; the last two are not in use.

Chosen by `python -m benchmarks ngrams`: 2 for Han and kana, where 3 brings one edit in twelve characters
below `short_threshold`; 3 for the others, where unrelated texts share far more of their pairs than of their
triples. Hangul is not measured yet."""

_MAX_SHINGLE_SIZE = 16
_CLOSE_COPY = 0.7
_LANE_RATIO = 4.1
"""An edit costs a text of n words at least one character shingle in 5.5 n / 4 and at most 3 word
shingles in n: a pair within x of each other by characters is within 4.1 x by words."""
_MAX_CHANGE_OVER = 20.0  # where word shingles would hardly ever take over

_SHARES = (
    "copy_length_ratio",
    "part_length_ratio",
    "part_coverage",
    "formula_share",
    "formula_coverage",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides which articles are copies of which. Every field has a default that carries over.

    Use `Settings.of("headline", threshold=0.6)` to start from a profile.

    - `profile`: "article" compares texts by shingles of `shingle_size` words, short texts by
      character shingles; "headline" compares titles by character shingles.
    - `threshold`: Jaccard similarity, above 0 to 1, at and above which a pair matches; by default the
      profile's.
    - `short_threshold`: the same for the character shingles of texts of up to `short_words` words; it
      rises from there to `max_short_words`.
    - `num_perm`, `seed`: permutations of a signature and what they are drawn from, as in datasketch.
    - `recall`: the probability with which bands find a pair that lies at the threshold; for groups, at a
      Jaccard similarity of 0.7, below which wording finds it.
    - `keep`: the policy that chooses canonicals; `source_priority`: names of sources, best first.
    - `window_days`: articles published further apart than this are not copies; None for no bound. An
      article without a date is near to all.
    - `furniture`: "cut" leaves page furniture (links to other articles, source lines, keywords, lines that
      recur across a source) out of what is compared, "keep" compares whole texts.
    - The fields from `copy_length_ratio` on are the rule of groups, see `match.judge`. They were chosen
      together on judged pairs (`docs/quality.md`) and are seldom worth a change.
    - `evidence`: for groups of titles, the nats that speak for one item, see `match.evidence`. A threshold
      below the profile's lowers it in proportion; one above asks for alike keys beside it.
    """

    profile: str = "article"
    threshold: float = None  # type: ignore[assignment] # the profile's, see __post_init__
    short_threshold: float = None  # type: ignore[assignment]
    shingle_size: int = 3
    short_words: int = 16
    num_perm: int = 128
    seed: int = 1
    recall: float = 0.99
    keep: str = "earliest"
    source_priority: tuple[str, ...] = ()
    window_days: float | None = None
    furniture: str = "cut"
    copy_length_ratio: float = 0.6
    part_length_ratio: float = 0.75
    part_coverage: float = 0.5
    formula_share: float = 0.6
    formula_threshold: float = 0.6
    formula_coverage: float = 0.8
    min_shared: int = 24
    evidence: float = 12.0

    @classmethod
    def of(cls, profile: str = "article", **changes: Any) -> Self:
        """Return the settings of a profile, with `changes` to single fields.

        >>> Settings.of("headline").uses_words
        False
        """
        _check_choice("profile", profile, tuple(PROFILES))
        names = {field.name for field in dataclasses.fields(cls)}
        for name in changes:
            if name not in names:
                raise SettingsError(
                    f"there is no setting {name!r}; the settings are {', '.join(sorted(names))}"
                )
        return cls(profile=profile, **changes)

    def __post_init__(self) -> None:
        _check_choice("profile", self.profile, tuple(PROFILES))
        _check_choice("keep", self.keep, KEEP_POLICIES)
        _check_choice("furniture", self.furniture, FURNITURE_POLICIES)
        for name, value in PROFILES[self.profile].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for name in ("threshold", "short_threshold", "formula_threshold"):
            _check_range(name, getattr(self, name), 0.05, 1.0, float)
        for name in _SHARES:
            _check_range(name, getattr(self, name), 0.0, 1.0, float)
        _check_range("recall", self.recall, 0.5, 0.999999, float)
        _check_range("evidence", self.evidence, 0.0, 1000.0, float)
        _check_range("min_shared", self.min_shared, 0, 1000, int)
        _check_range("shingle_size", self.shingle_size, 1, _MAX_SHINGLE_SIZE, int)
        _check_range("short_words", self.short_words, 0, 1000, int)
        _check_range("num_perm", self.num_perm, 1, 4096, int)
        _check_range("seed", self.seed, 0, (1 << 32) - 1, int)
        if self.window_days is not None:
            _check_range("window_days", self.window_days, 0, 36500, float)
        for field in dataclasses.fields(self):  # 1 and 1.0 are one setting
            value = getattr(self, field.name)
            if field.type in (float, float | None) and value is not None:
                object.__setattr__(self, field.name, float(value))
        if not isinstance(self.source_priority, tuple) or not all(
            isinstance(name, str) for name in self.source_priority
        ):
            raise SettingsError(f"source_priority is {self.source_priority!r}; it is a tuple of source names")
        _ = self.group_bands, self.character_bands

    @property
    def uses_words(self) -> bool:
        """Whether word shingles are compared; character shingles of short texts always are."""
        return self.profile == "article"

    @property
    def cuts_furniture(self) -> bool:
        """Whether page furniture is left out; titles have none."""
        return self.uses_words and self.furniture == "cut"

    @property
    def text_field(self) -> str:
        """The field of a record that is compared: "text" or "title"."""
        return "text" if self.uses_words else "title"

    @property
    def needed_evidence(self) -> float:
        """The evidence in nats that puts titles into one group."""
        return self.evidence * min(1.0, self.threshold / float(PROFILES["headline"]["threshold"]))

    @property
    def least_alike(self) -> float:
        """The weighted Jaccard similarity of keys that any two titles of a group have: 0 at the profile's
        threshold, 1 at the threshold 1."""
        usual = float(PROFILES["headline"]["threshold"])
        return max(0.0, (self.threshold - usual) / (1 - usual))

    @cached_property
    def word_bands(self) -> Bands:
        """The bands of word signatures that find every pair at the threshold, for `find_pairs`."""
        return choose_bands(self.threshold, self.num_perm, self.recall)

    @cached_property
    def group_bands(self) -> Bands:
        """The bands of word signatures for groups: they find close copies, however common their wording.

        Looser copies and parts are found by their wording (`match.wording`), at less cost than by the
        short bands that a low threshold asks for. As few bands as keep the recall: each is a row of an
        index.
        """
        threshold = max(self.threshold, _CLOSE_COPY)
        return fewest_bands(choose_bands(threshold, self.num_perm, self.recall), threshold, self.recall)

    @cached_property
    def character_bands(self) -> Bands:
        """The bands of signatures of character shingles."""
        return choose_bands(self.character_threshold(0), self.num_perm, self.recall)

    def character_threshold(self, num_words: int) -> float:
        """Return the Jaccard similarity of character shingles at which a pair matches.

        `num_words` is the length of the shorter text. Up to `short_words` the threshold is constant;
        beyond, the number of changed characters that it allows is, so that appending the same word to
        both texts keeps a match; only a word much shorter than the others, at the threshold, may lose it.
        A headline is short at any length.

        With x the share of shingles that each of two equally long texts has for itself,
        J = (1 - x) / (1 + x).
        """
        if not self.uses_words:
            return self.threshold
        unlike = (1 - self.short_threshold) / (1 + self.short_threshold)
        unlike *= min(1.0, self.short_words / max(1, num_words))
        return (1 - unlike) / (1 + unlike)

    @cached_property
    def max_short_words(self) -> int:
        """Length in words of the longest text whose character shingles are compared.

        Where the rising `character_threshold` asks for more than the word shingles do, they take over.
        A pair whose shorter text has `short_words` words must be in reach, whatever the longer one.
        """
        if not self.uses_words:
            return 1 << 40
        by_words = max(self.threshold, self.formula_threshold)  # what few shared word shingles are asked for
        change_over = _unlike_share(self.short_threshold) * _LANE_RATIO / _unlike_share(by_words)
        longest_partner = 1.5 / self.short_threshold
        return math.ceil(self.short_words * max(min(change_over, _MAX_CHANGE_OVER), longest_partner))

    def as_dict(self) -> dict[str, Any]:
        """Return the settings and what follows from them, ready for JSON."""
        derived = {
            "word_bands": dataclasses.asdict(self.group_bands) if self.uses_words else None,
            "character_bands": dataclasses.asdict(self.character_bands),
            "max_short_words": self.max_short_words if self.uses_words else None,
        }
        return {**dataclasses.asdict(self), **derived}

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that change with any setting and with the rule itself."""
        canonical = json.dumps({**dataclasses.asdict(self), "rule_version": RULE_VERSION}, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def checked_settings(settings: Settings | None) -> Settings:
    """Return the settings that a caller gives, the default for None; raises `SettingsError` for another."""
    if settings is None:
        return Settings()
    if not isinstance(settings, Settings):
        raise SettingsError(
            f"settings is {described(settings)}; it is a dedup.Settings, such as Settings.of('headline')"
        )
    return settings


def _unlike_share(jaccard: float) -> float:
    return max(1e-9, (1 - jaccard) / (1 + jaccard))


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise SettingsError(f"{name} is {value!r}; the choices are {', '.join(choices)}")


def _check_range(name: str, value: object, low: float, high: float, kind: type) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or (kind is int and not isinstance(value, int)) or not low <= value <= high:  # type: ignore[operator]
        noun = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{name} is {value!r}; it is {noun} from {low} to {high}")
