"""Settings: ranges, choices, profiles, fingerprints, and what follows from them."""

import dataclasses
import itertools
import json
import math
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import DedupError, Settings, SettingsError
from dedup.run.batch import rule_of
from dedup.settings import KEEP_POLICIES, NGRAM_LENGTHS, PROFILES

BAD = [
    *[("profile", value) for value in ("", "Article", "news", None, 3)],
    *[("keep", value) for value in ("", "latest", None)],
    *[("threshold", value) for value in (0, 0.049, 1.0001, -1, "0.5", True)],
    *[("short_threshold", value) for value in (0, 0.049, 1.0001, "0.5")],
    *[(name, math.nan) for name in ("threshold", "short_threshold", "recall")],
    *[("recall", value) for value in (0.49, 1, 1.5, math.inf, "high")],
    *[("shingle_size", value) for value in (0, 17, -1, 3.0, "3", True, None)],
    *[("short_words", value) for value in (-1, 1001, 2.5, None)],
    *[("num_perm", value) for value in (0, 4097, 128.0, False)],
    *[("seed", value) for value in (-1, 1 << 32, 1.0, "1")],
    *[("source_priority", value) for value in (["a"], "abc", (1,), (None,), None)],
    *[("window_days", value) for value in (-1, math.nan, math.inf, "3", True)],
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name}={value!r}" for name, value in BAD])
def test_value_out_of_range_is_refused_by_name_with_the_value_and_what_is_expected(
    name: str, value: object
) -> None:
    changes: Any = {name: value}
    with pytest.raises(SettingsError) as caught:
        Settings(**changes)
    message = str(caught.value)
    assert message.startswith(f"{name} is {value!r}; ")
    assert any(word in message for word in ("from", "choices are", "tuple"))
    assert isinstance(caught.value, DedupError)
    assert isinstance(caught.value, ValueError)


GOOD = [
    *[("threshold", value) for value in (1, 1.0, 0.2)],
    *[("short_threshold", value) for value in (0.3, 1)],
    *[("recall", value) for value in (0.5, 0.999999)],
    *[("shingle_size", value) for value in (1, 16)],
    *[("short_words", value) for value in (0, 1000)],
    *[("num_perm", value) for value in (16, 4096)],
    *[("seed", value) for value in (0, (1 << 32) - 1)],
    *[("keep", value) for value in KEEP_POLICIES],
    *[("furniture", value) for value in ("cut", "keep")],
    *[("source_priority", value) for value in ((), ("واس", "okaz"))],
    *[("window_days", value) for value in (None, 0, 0.5, 36500)],
]


@pytest.mark.parametrize(("name", "value"), GOOD, ids=[f"{name}={value!r}" for name, value in GOOD])
def test_value_at_the_edge_of_its_range_is_taken(name: str, value: object) -> None:
    changes: Any = {name: value, **({"recall": 0.5} if name == "num_perm" else {})}
    assert getattr(Settings(**changes), name) == value


CHECKED = [field.name for field in dataclasses.fields(Settings)]


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("value", ["0.3x", math.nan, -1, (1 << 70), [0.5], True])
def test_no_setting_takes_what_cannot_be_meant(name: str, value: object) -> None:
    changes: Any = {name: value}
    with pytest.raises(SettingsError, match=f"{name} is "):
        Settings(**changes)


def test_bands_that_cannot_be_are_refused() -> None:
    pairs = Settings(threshold=0.05, num_perm=8)
    with pytest.raises(SettingsError, match="raise num_perm"):
        _ = pairs.word_bands
    with pytest.raises(SettingsError, match="raise num_perm"):
        Settings(short_threshold=0.05, num_perm=8, threshold=0.9)


def test_unknown_setting_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no setting 'treshold'; the settings are .*threshold"):
        Settings.of("article", treshold=0.5)
    with pytest.raises(SettingsError, match=r"profile is 'news'; the choices are article, headline"):
        Settings.of("news")


@pytest.mark.parametrize("profile", PROFILES)
def test_profile_sets_its_defaults_and_changes_win(profile: str) -> None:
    chosen = Settings.of(profile)
    assert chosen.profile == profile
    for name, value in PROFILES[profile].items():
        assert getattr(chosen, name) == value
    assert Settings.of(profile, threshold=0.77).threshold == 0.77
    assert chosen.text_field == ("text" if profile == "article" else "title")


def test_default_settings_are_the_article_profile() -> None:
    assert Settings() == Settings.of() == Settings.of("article")
    assert Settings().uses_words
    assert not Settings.of("headline").uses_words


def test_settings_are_frozen_hashable_and_survive_a_process_border() -> None:
    chosen = Settings(threshold=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        chosen.threshold = 0.6  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        chosen.new = 1  # type: ignore[attr-defined]
    assert hash(chosen) == hash(Settings(threshold=0.5))
    assert pickle.loads(pickle.dumps(chosen)) == chosen


OTHER_VALUES = {
    "profile": "headline",
    "keep": "longest",
    "source_priority": ("a",),
    "window_days": 3.0,
    "furniture": "keep",
}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_fingerprint_changes_with_every_setting(name: str) -> None:
    default = Settings()
    value = OTHER_VALUES.get(name)
    if value is None:
        now = getattr(default, name)
        value = now + 1 if isinstance(now, int) else now * 0.99
    changed = dataclasses.replace(default, **{name: value})
    assert changed.fingerprint() != default.fingerprint()
    assert len(changed.fingerprint()) == 16
    assert int(changed.fingerprint(), 16) >= 0


def test_fingerprint_depends_on_the_order_of_sources() -> None:
    prints = {Settings(source_priority=p).fingerprint() for p in ((), ("a", "b"), ("b", "a"), ("a,b",))}
    assert len(prints) == 4


def test_equal_settings_have_equal_fingerprints() -> None:
    assert Settings(threshold=1) == Settings(threshold=1.0)
    assert Settings(threshold=1).fingerprint() == Settings(threshold=1.0).fingerprint()
    assert Settings.of("headline").fingerprint() == Settings.of("headline").fingerprint()


def test_fingerprint_is_the_same_in_another_process() -> None:
    script = "import dedup; print(dedup.Settings(source_priority=('واس',)).fingerprint())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == Settings(source_priority=("واس",)).fingerprint()


@pytest.mark.parametrize("profile", PROFILES)
def test_settings_as_a_dict_are_ready_for_json(profile: str) -> None:
    listed = Settings.of(profile).as_dict()
    assert json.loads(json.dumps(listed))["profile"] == profile
    assert {"character_bands", "word_bands", "max_short_words", "threshold", "seed"} <= set(listed)


def test_character_threshold_is_constant_for_short_texts_then_rises_to_no_more_than_one() -> None:
    chosen = Settings()
    thresholds = [chosen.character_threshold(n) for n in range(200)]
    assert all(value == pytest.approx(0.7) for value in thresholds[: chosen.short_words + 1])
    assert all(a < b for a, b in itertools.pairwise(thresholds[16:]))
    assert thresholds[-1] < 1


@given(st.floats(0.3, 1), st.floats(0.1, 1), st.integers(0, 60), st.integers(0, 3000))
def test_character_threshold_never_falls_with_length_and_stays_in_range(
    threshold: float, short_threshold: float, short_words: int, num_words: int
) -> None:
    chosen = Settings(
        threshold=threshold,
        short_threshold=short_threshold,
        short_words=short_words,
        num_perm=512,
        recall=0.5,
    )
    here, longer = chosen.character_threshold(num_words), chosen.character_threshold(num_words + 1)
    assert short_threshold - 1e-9 <= here <= longer + 1e-12
    assert longer <= 1
    assert chosen.character_bands.find_probability(here) >= chosen.recall - 1e-9


@pytest.mark.parametrize("num_words", [0, 1, 5, 1000])
def test_headline_is_short_at_any_length(num_words: int) -> None:
    chosen = Settings.of("headline", threshold=0.6)
    assert chosen.character_threshold(num_words) == 0.6
    assert chosen.max_short_words > 1_000_000_000


EDGES: list[dict[str, Any]] = [
    *({}, {"threshold": 1.0}, {"threshold": 0.9999}, {"threshold": 1.0, "short_threshold": 1.0}),
    *({"short_words": 0}, {"short_words": 1000}, {"short_threshold": 1.0}),
]


@pytest.mark.parametrize("changes", EDGES)
def test_lengths_of_the_short_lane_fit_in_a_table(changes: dict[str, Any]) -> None:
    chosen = Settings(**changes)
    assert 0 <= chosen.max_short_words <= 1_000_000  # checked first: the table has an entry a length
    assert len(rule_of(chosen).character_thresholds) == chosen.max_short_words + 1


def test_every_script_class_has_a_shingle_length() -> None:
    assert len(NGRAM_LENGTHS) == 8
    assert all(length >= 1 for length in NGRAM_LENGTHS)
