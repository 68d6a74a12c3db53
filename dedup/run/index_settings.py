"""The settings of an index: written when it is made, compared when it is opened."""

import dataclasses
import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

from dedup.errors import IndexFileError, SettingsError
from dedup.settings import RULE_VERSION, Settings
from dedup.text.fold_table import load_fold_table

_MADE_BY = {"rule_version": "the rule of groups", "fold_table": "the fold table", "hashes": "the hashes"}

HASH_CONTRACT = "1"
"""Raised when the hash of a token or shingle changes for the same folded text (`text.hashing`)."""


def check_settings(settings: Any) -> None:
    """Raise `SettingsError` for what are no settings, or have a profile that no index can have."""
    if not isinstance(settings, Settings):
        raise SettingsError(
            f"settings is {settings!r}; it is dedup.Settings, such as dedup.Settings(window_days=7), or None"
        )
    if not settings.uses_words:
        raise SettingsError(
            f"profile is {settings.profile!r}; an index holds articles; a group of titles goes by all its "
            "titles, so give titles to dedup.find_groups or `dedup run`"
        )


def meta_of(settings: Settings) -> list[tuple[str, str]]:
    """Return the rows of `meta` for a new index."""
    text = json.dumps(dataclasses.asdict(settings), sort_keys=True)
    return [
        *_versions().items(),
        ("settings", text),
        ("settings_checksum", _checksum(text)),
        ("created_at", datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")),
    ]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _versions() -> dict[str, str]:
    return {
        "rule_version": str(RULE_VERSION),
        "fold_table": load_fold_table().digest,
        "hashes": HASH_CONTRACT,
    }


def settings_for(meta: dict[str, str], wanted: Settings | None, path: Path) -> Settings:
    """Return the settings of an index, which are `wanted` if that is given.

    Raises `SettingsError` that names each setting in which they differ, `IndexFileError` where this
    version of the program would hash or judge otherwise than the one that made the index.
    """
    for name, value in _versions().items():
        if meta.get(name) != value:
            raise IndexFileError(
                f"{path}: {_MADE_BY[name]} of the index is {meta.get(name)}, that of this program {value}; "
                "use the version of the program that made it, or build the index again"
            )
    # As they were written: a field that a later version adds has its default in an index made before.
    if "settings" not in meta or _checksum(meta["settings"]) != meta.get("settings_checksum"):
        raise IndexFileError(f"{path}: its settings do not have their checksum; it is damaged")
    try:
        values = json.loads(meta["settings"])
        values["source_priority"] = tuple(values["source_priority"])
        held = Settings(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise IndexFileError(
            f"{path}: its settings are none of this version ({error}); use the version of the program that "
            "made it, or build the index again"
        ) from error
    if wanted is None or wanted == held:
        return held
    differing = [
        f"{field.name} is {getattr(held, field.name)!r} there, {getattr(wanted, field.name)!r} asked for"
        for field in dataclasses.fields(Settings)
        if getattr(held, field.name) != getattr(wanted, field.name)
    ]
    raise SettingsError(
        f"{path}: was made with other settings: {'; '.join(differing)}; open it with its own (settings=None) "
        "or build another index"
    )
