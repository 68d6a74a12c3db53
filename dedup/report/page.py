"""The page of a report, one file of HTML that needs nothing else: no network, and no script but the filter's.

All that articles say goes through `legible` and is escaped; the page's own policy (Content-Security-Policy)
lets nothing else run or load in it.
"""

import base64
import functools
import hashlib
import unicodedata
from collections.abc import Iterator
from importlib import metadata, resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dedup.report.moments import time_in_words
from dedup.report.shown import Report

GENERATOR = "article-dedup"
_DIRECTION_LETTERS = 2_000
_LINK_SCHEMES = ("http://", "https://")
_OVERRIDES = "\N{LEFT-TO-RIGHT OVERRIDE}\N{RIGHT-TO-LEFT OVERRIDE}"


def is_report(start: bytes) -> bool:
    """Return whether a file that begins so is a page of this module."""
    return b'<meta name="generator" content="' + GENERATOR.encode() in start


def report_page(report: Report) -> Iterator[str]:
    """Yield the page of a run, piece by piece: groups and links are taken as they come."""
    return _environment().get_template("report.html").generate(report=report, **_frame())


def legible(value: Any) -> Any:
    """Return a text without what a page cannot hold or would obey; what is no text, or markup, as it is.

    Controls, lone surrogates, code points that are no characters, and overrides of the direction of writing
    become U+FFFD. Other controls of the direction end with the element that they stand in.

    >>> legible("a\\x00b"), legible(3)
    ('a\\ufffdb', 3)
    """
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_harmful(char) else char for char in value)


@functools.lru_cache(maxsize=4096)
def _is_harmful(char: str) -> bool:
    if char in "\n\t":
        return False
    is_no_character = ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
    return is_no_character or char in _OVERRIDES or unicodedata.category(char) in ("Cc", "Cs")


def direction(text: str | None) -> str:
    """Return "rtl" or "ltr", as most letters of the text are written, "auto" where it has none.

    An Arabic text may begin with a Latin name, which misleads a browser that looks at the first letter.

    >>> direction("BBC: قالت الهيئة"), direction("12")
    ('rtl', 'auto')
    """
    kinds = [unicodedata.bidirectional(char) for char in (text or "")[:_DIRECTION_LETTERS]]
    num_rtl = kinds.count("R") + kinds.count("AL")
    num_ltr = kinds.count("L")
    if not num_rtl and not num_ltr:
        return "auto"
    return "rtl" if num_rtl >= num_ltr else "ltr"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=legible,
        loader=PackageLoader("dedup.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=lambda count: f"{count:,}",
        score=lambda share: f"{share:.2f}",
        percent=_percent,
        direction=direction,
        moment=time_in_words,
        address=lambda url: url if str(url).lower().startswith(_LINK_SCHEMES) else None,
        setting=_setting,
    )
    return environment


def _percent(part: float, whole: float = 1.0) -> str:
    share = part / whole if whole else 0.0
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def _setting(value: Any) -> str:
    """Return the value of a setting as a reader says it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_setting(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


@functools.cache
def _frame() -> dict[str, Any]:
    """Return style and script, and the policy that lets these two through by their hashes."""
    style, script = _own_file("report.css"), _own_file("report.js")
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return {
        "style": Markup(style),  # noqa: S704 - files of this package
        "script": Markup(script),  # noqa: S704
        "policy": policy,
        "generator": f"{GENERATOR} {metadata.version(GENERATOR)}",
    }


def _own_file(name: str) -> str:
    return resources.files("dedup.report").joinpath("templates", name).read_text("utf-8")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
