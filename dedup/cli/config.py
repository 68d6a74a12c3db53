"""The configuration file: TOML with the names of the options; the command line wins."""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from dedup.errors import SettingsError

_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "boolean": (bool, "true or false"),
    "float": ((int, float), "a number"),
    "integer": (int, "a whole number"),
    "integer range": (int, "a whole number"),
}


_OF_NO_FILE = {"config", "help", "version"}


def load_config(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Take the option values of a TOML file as the command's defaults; a click callback.

    Raises `SettingsError` for a file that cannot be read, a name that is no option of any
    command, or a value that the option does not take.
    """
    if path is None:
        return None
    try:
        values = tomllib.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode())
    except OSError as error:
        raise SettingsError(f"--config {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"--config {path} is not TOML: {error}") from error
    options: dict[str, click.Option] = {
        option.name: option
        for option in context.command.params
        if isinstance(option, click.Option) and option.name and option.name != parameter.name
    }
    of_others = _all_options(context.find_root().command) - _OF_NO_FILE - set(options)
    defaults: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name in of_others:
            continue  # one file can serve all commands
        if name not in options:
            meant = _nearest(name, {*options, *of_others})
            further = f"; other commands have {_listed(of_others)}" if of_others else ""
            raise SettingsError(
                f"--config {path}: there is no option {key!r}{meant}; those of {context.command_path} are "
                f"{_listed(options)}{further}"
            )
        if name in defaults:
            raise SettingsError(f"--config {path}: {key!r} is given twice, once with - and once with _")
        _check_value(options[name], value, f"--config {path}: {key}")
        defaults[name] = value
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(name.replace("_", "-") for name in names))


def _nearest(name: str, names: set[str]) -> str:
    """Return a question after the option that was meant, if one is spelt about so."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {_listed(near)!r}?)" if near else ""


def _all_options(command: click.Command) -> set[str]:
    """Return the names of the options of a command and those in it."""
    names = {option.name for option in command.params if isinstance(option, click.Option) and option.name}
    if isinstance(command, click.Group):
        names.update(*map(_all_options, command.commands.values()))
    return names


def _check_value(option: click.Option, value: Any, place: str) -> None:
    if not option.multiple:
        _check_single(option.type, value, place)
        return
    if not isinstance(value, list):
        raise SettingsError(f"{place} is {_toml(value)}; it is a list, such as [{_toml(value)}]")
    for item in value:
        _check_single(option.type, item, place)


def _check_single(kind: click.ParamType[Any], value: Any, place: str) -> None:
    """Check a value as the command line's would be, but for its type, which TOML knows."""
    expected, words = _KINDS.get(kind.name, (str, "a string"))
    if isinstance(kind, click.Choice):
        words = f"one of {', '.join(kind.choices)}"
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise SettingsError(f"{place} is {_toml(value)}; it is {words}")
    try:
        kind.convert(value, None, None)
    except click.UsageError as error:
        reason = f"it is {words}" if isinstance(kind, click.Choice) else error.message
        raise SettingsError(f"{place} is {_toml(value)}; {reason}") from error


def _toml(value: Any) -> str:
    """Return a value about as the file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
