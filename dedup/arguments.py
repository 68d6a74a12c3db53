"""What callers hand to the public functions, refused in words where it is of another type."""

from typing import Any

from dedup.errors import InputError


def require_text(name: str, value: object) -> None:
    """Raise `InputError` if an argument is no string."""
    if not isinstance(value, str):
        hint = "; decode it first" if isinstance(value, (bytes, bytearray)) else ""
        raise InputError(f"{name} is {described(value)}; expected a string{hint}")


def require_size(name: str, value: object) -> None:
    """Raise `InputError` if an argument is no whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name} is {described(value)}; expected a whole number, 1 or more")


def described(value: Any) -> str:
    """Return what a value is, for messages.

    >>> described(None), described([1]), described(7), described(True)
    ('None', 'a list', 'the int 7', 'the bool True')
    """
    if value is None:
        return "None"
    if isinstance(value, (int, float)):
        return f"the {type(value).__name__} {value!r:.40}"
    if isinstance(value, (bytes, bytearray)):
        return "bytes"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
