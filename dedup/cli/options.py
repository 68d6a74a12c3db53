"""The options that several commands share, under one name each, and the settings that they ask for."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from dedup.cli.config import load_config
from dedup.cli.log import FORMS, Log
from dedup.errors import SettingsError

if TYPE_CHECKING:
    from dedup.articles import Fields
    from dedup.run.indexing import Index
    from dedup.settings import Settings

PROFILES = ("article", "headline")  # these as in `dedup.settings`, a test holds it: help stays quick
FURNITURE = ("cut", "keep")
POLICIES = ("earliest", "longest", "first-seen")
FIELDS = ("id", "text", "title", "source", "date", "url")
_OPTION_OF = {"window_days": "--window"}
"""Options that have another name than their setting."""

_NAMES: dict[str, Any] = {"show_default": True, "metavar": "NAME"}
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _set_form(context: click.Context, parameter: click.Parameter, value: str) -> str:
    context.ensure_object(Log).form = value
    return value


def memory_size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return the bytes that a size such as 800M, 8G or 8GiB stands for; units are powers of 1024."""
    if value is None:
        return None
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(?:i?B)?)?", value.strip(), re.IGNORECASE)
    if parts is None:
        raise click.BadParameter(f"{value!r} is no size; expected a number and K, M, G or T, such as 8G")
    return int(float(parts[1]) * 1024 ** (" KMGT".index((parts[2] or " ").upper())))


_SETTINGS = [
    click.option(
        "--profile", type=click.Choice(PROFILES), default="article", show_default=True,
        help="article: compare texts; headline: compare titles.",
    ),
    click.option(
        "--threshold", type=float, metavar="J",
        help="Similarity that makes a copy, 0.05 to 1.  [default: the profile's]",
    ),
    click.option(
        "--keep", type=click.Choice(POLICIES), default="earliest", show_default=True,
        help="Which article of a group is kept.",
    ),
    click.option(
        "--source-priority", multiple=True, metavar="SOURCE",
        help="Outlet to prefer among articles of the same time; repeat it, best first.",
    ),
    click.option("--window", type=float, metavar="DAYS", help="Articles further apart are not copies."),
    click.option(
        "--furniture", type=click.Choice(FURNITURE), default="cut", show_default=True,
        help="Whether links, source lines and the like are left out of what is compared.",
    ),
]  # fmt: skip
# An index holds articles only. The option is read still: a file with options for all commands may have it.
_INDEX_SETTINGS = [
    click.option("--profile", type=click.Choice(PROFILES), default="article", hidden=True),
    *_SETTINGS[1:],
]
_HTML = click.option("--html/--no-html", help="The text of records is HTML; needs the extra html.")
_TABLE_FIELDS = [
    click.option("--id-field", default="id", help="Field with the id.", **_NAMES),
    click.option("--text-field", default="text", help="Field with the text.", **_NAMES),
    click.option("--title-field", default="title", help="Field with the title.", **_NAMES),
    click.option("--source-field", default="source", help="Field with the outlet.", **_NAMES),
    click.option(
        "--date-field", default="published_at", help="Field with the time of publication.", **_NAMES
    ),
    click.option(
        "--date-format", metavar="FORMAT",
        help="How dates are written that are no ISO 8601: dmy, mdy, or as in '%d %B %Y'.",
    ),
]  # fmt: skip
_URL = click.option("--url-field", default="url", help="Field with the address, for an index.", **_NAMES)
_LOG = [
    click.option("--quiet/--no-quiet", help="Print nothing but errors and what was asked for."),
    click.option(
        "--log-format", type=click.Choice(FORMS), default="text", show_default=True, is_eager=True,
        callback=_set_form, help="Form of progress, errors and summary.",
    ),
]  # fmt: skip
_CONFIG = [
    click.option(
        "--config", type=click.Path(path_type=Path), metavar="FILE", is_eager=True, expose_value=False,
        callback=load_config, help="TOML file with option values; the command line wins.",
    ),
]  # fmt: skip


def _all_of(options: list[Callable[[Any], Any]]) -> Callable[[_Command], _Command]:
    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


setting_options = _all_of(_SETTINGS)
index_setting_options = _all_of(_INDEX_SETTINGS)
field_options = _all_of([_HTML, *_TABLE_FIELDS, _URL])
table_field_options = _all_of(_TABLE_FIELDS)
"""The fields of a table, without those of HTML and of an index."""
log_options = _all_of(_LOG)
config_option = _all_of(_CONFIG)


def fields_of(options: dict[str, Any]) -> "Fields":
    """Return the names of fields that the options of a command give."""
    from dedup.articles import Fields
    from dedup.formats.dates import date_reader

    try:
        date_reader(options["date_format"])
    except SettingsError as error:
        raise SettingsError(_in_options_words(str(error), options)) from error
    names = {name: options[f"{name}_field"] for name in FIELDS if f"{name}_field" in options}
    return Fields(**names, date_format=options["date_format"])


def settings_of(options: dict[str, Any]) -> "Settings":
    """Return the settings that the options of a command ask for."""
    from dedup.settings import Settings

    given = _changes(options)
    try:
        return Settings.of(options["profile"], **given)
    except SettingsError as error:
        raise SettingsError(_in_options_words(str(error), given)) from error


def _changes(options: dict[str, Any]) -> dict[str, Any]:
    changes = {
        "keep": options["keep"],
        "furniture": options["furniture"],
        "source_priority": tuple(options["source_priority"]),
        "window_days": options["window"],
        "threshold": options["threshold"],
    }
    return {name: value for name, value in changes.items() if value is not None}


def open_index(context: click.Context, path: Path, options: dict[str, Any]) -> "Index":
    """Return the index of a path; if it is not there, it is made with the options once it is first needed.

    Settings that were not given are those of the index; raises `SettingsError` where one that was given
    differs from it.
    """
    from dedup.run.indexing import Index

    fields = fields_of(options)
    if not path.exists() or not path.stat().st_size:
        return Index.open_when_used(path, settings_of(options), fields=fields)
    index = Index.open(path, fields=fields)
    try:
        _check_given(context, index.settings, options, path)
    except BaseException:
        index.close()
        raise
    return index


def _check_given(context: click.Context, held: "Settings", options: dict[str, Any], path: Path) -> None:
    asked = settings_of(options)
    setting_of = {option.removeprefix("--"): setting for setting, option in _OPTION_OF.items()}
    for name in ("profile", "threshold", "keep", "source_priority", "window", "furniture"):
        setting = setting_of.get(name, name)
        wanted, there = getattr(asked, setting), getattr(held, setting)
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT and wanted != there:
            option = f"--{name.replace('_', '-')}"
            raise SettingsError(
                f"{path}: was made with {option} {_shown(there)}, and {_shown(wanted)} is asked for; leave "
                "the option out, or build another index"
            )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "left out"
    return "left out" if value is None else str(value)


def _in_options_words(message: str, given: dict[str, Any]) -> str:
    """Return a message about a setting with the name of the option that gave it."""
    name = re.match(r"\w+", message)
    if name is None or name[0] not in given:
        return message
    option = _OPTION_OF.get(name[0], f"--{name[0].replace('_', '-')}")
    return option + message[name.end() :]
