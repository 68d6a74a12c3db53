"""The configuration file: TOML with the names of the options; the command line wins."""

import tomllib
from pathlib import Path
from typing import Any

import click

from dedup.errors import SettingsError


def load_config(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Take the option values of a TOML file as the command's defaults; a click callback.

    Raises `SettingsError` for a file that cannot be read or a name that is no option.
    """
    if path is None:
        return None
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"config {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"config {path} is not TOML: {error}") from error
    options = {
        option.name: option
        for option in context.command.params
        if isinstance(option, click.Option) and option.name and option.name != parameter.name
    }
    defaults: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in options:
            choices = ", ".join(sorted(str(option).replace("_", "-") for option in options))
            raise SettingsError(f"config {path}: there is no option {key!r}; the options are {choices}")
        if isinstance(value, list) != options[name].multiple:
            expected = "a list" if options[name].multiple else "one value"
            raise SettingsError(f"config {path}: {key} is {value!r}; expected {expected}")
        defaults[name] = value
    context.default_map = {**(context.default_map or {}), **defaults}
    return path
