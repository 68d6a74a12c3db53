"""The shipped fold table: its format, its invariants, and agreement with Python's `unicodedata`."""

import itertools
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dedup.text import fold_table
from dedup.text.fold_table import (
    ALPHABETIC,
    DELETE,
    DIGIT,
    EXPAND,
    HAN,
    HANGUL,
    INDIC,
    KANA,
    SEPARATOR,
    SINGLE,
    SOUTHEAST_ASIAN,
    FoldTable,
    load_fold_table,
)

ROOT = Path(__file__).resolve().parents[2]
UNICODE_FOLDER = Path("/usr/share/unicode")
NUM_CODE_POINTS = 0x110000
SPACE = 0x20


@pytest.fixture(scope="module")
def table() -> FoldTable:
    return load_fold_table()


@pytest.fixture(scope="module")
def folded(table: FoldTable) -> list[tuple[int, ...]]:
    return [table.fold_code_point(code_point) for code_point in range(NUM_CODE_POINTS)]


def known_characters() -> Iterator[tuple[int, str, str]]:
    """Yield (code point, character, category) of what Python's Unicode version has assigned."""
    for code_point in range(NUM_CODE_POINTS):
        category = unicodedata.category(chr(code_point))
        if category not in ("Cn", "Cs", "Co"):
            yield code_point, chr(code_point), category


def test_arrays_are_read_only_and_of_the_stated_types(table: FoldTable) -> None:
    assert (table.index.dtype, table.index.shape) == (np.uint16, (NUM_CODE_POINTS // 256,))
    assert table.entries.dtype == table.expansions.dtype == np.uint32
    assert table.entries.size == 256 * (int(table.index.max()) + 1)
    assert not any(array.flags.writeable for array in (table.index, table.entries, table.expansions))


def test_first_blocks_are_the_first_code_points(table: FoldTable) -> None:
    assert table.index[:8].tolist() == list(range(8))


def test_version_and_digest_are_stated(table: FoldTable) -> None:
    assert table.unicode_version == (15, 0, 0)
    assert table.version == fold_table.TABLE_VERSION
    assert len(table.digest) == 16
    assert int(table.digest, 16) >= 0


def test_table_is_loaded_once() -> None:
    assert load_fold_table() is load_fold_table()


def test_import_loads_nothing() -> None:
    code = "import dedup.text.fold_table as m; print(m.load_fold_table.cache_info().currsize)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "0"


def test_every_output_folds_to_itself(folded: list[tuple[int, ...]]) -> None:
    outputs = {part for result in folded for part in result}
    assert [part for part in sorted(outputs) if folded[part] != (part,)] == []


def test_every_output_has_the_flags_of_its_input(table: FoldTable, folded: list[tuple[int, ...]]) -> None:
    for code_point, result in enumerate(folded):
        flags = table.entry(code_point) & 0xFF
        if flags & DELETE:
            assert (flags, table.entry(code_point), result) == (DELETE, DELETE, ())
        elif flags & EXPAND:
            assert flags == EXPAND
            assert result
        else:
            assert len(result) == 1
            assert flags == table.entry(result[0]) & 0xFF


def test_separator_and_digit_flags_say_what_comes_out(
    table: FoldTable, folded: list[tuple[int, ...]]
) -> None:
    for part in {part for result in folded for part in result}:
        flags = table.entry(part)
        assert bool(flags & SEPARATOR) == (part == SPACE)
        assert bool(flags & DIGIT) == (chr(part) in "0123456789")


def test_neighbouring_separators_of_one_character_are_one(folded: list[tuple[int, ...]]) -> None:
    assert all((SPACE, SPACE) not in itertools.pairwise(result) for result in folded)


def test_expansions_hold_counts_and_code_points(table: FoldTable) -> None:
    offset = 0
    while offset < table.expansions.size:
        offset += 1 + int(table.expansions[offset])
    assert offset == table.expansions.size


def test_what_is_not_letter_number_or_mark_separates_or_vanishes(folded: list[tuple[int, ...]]) -> None:
    for code_point, character, category in known_characters():
        if category[0] not in "LNM" and unicodedata.normalize("NFKD", character) == character:
            assert folded[code_point] in ((SPACE,), ()), f"U+{code_point:04X}"


def test_surrogates_and_private_use_separate(folded: list[tuple[int, ...]]) -> None:
    for code_point in (0xD800, 0xDFFF, 0xE000, 0xF8FF, 0xF0000, 0x10FFFF, 0xFFFF, 0xFFFD, 0):
        assert folded[code_point] == (SPACE,)


def test_decimal_digits_become_their_ascii_digit(folded: list[tuple[int, ...]]) -> None:
    for code_point, character, category in known_characters():
        if category == "Nd":
            assert folded[code_point] == (ord("0") + unicodedata.decimal(character),)


def test_result_is_the_fold_of_the_compatibility_decomposition(folded: list[tuple[int, ...]]) -> None:
    changed = [
        code_point
        for code_point, character, _ in known_characters()
        if collapse(folded, unicodedata.normalize("NFKD", character)) != folded[code_point]
    ]
    # The isolated harakat, which are deleted without the space that NFKD puts before them.
    assert changed == [*range(0xFC5E, 0xFC64), *range(0xFE70, 0xFE80, 2)]


def test_result_is_the_fold_of_upper_lower_and_case_folded(folded: list[tuple[int, ...]]) -> None:
    for code_point, character, _ in known_characters():
        for form in (character.upper(), character.lower(), character.casefold()):
            assert collapse(folded, form) == folded[code_point], f"U+{code_point:04X} {form!r}"


def collapse(folded: list[tuple[int, ...]], text: str) -> tuple[int, ...]:
    """Return the fold of `text` with neighbouring separators as one."""
    parts = [part for character in text for part in folded[ord(character)]]
    return tuple(
        part
        for position, part in enumerate(parts)
        if position == 0 or (parts[position - 1], part) != (SPACE, SPACE)
    )


KEPT_MARK_NAMES = (
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM"),
    *("SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "KHMER", "BALINESE", "JAVANESE", "THAANA"),
)
DELETED_MARK_NAMES = (
    *("COMBINING GRAVE", "COMBINING ACUTE", "COMBINING CYRILLIC", "HEBREW", "ARABIC", "SYRIAC", "COPTIC"),
    *("COMBINING LATIN", "COMBINING ENCLOSING", "VARIATION SELECTOR"),
)


@pytest.mark.parametrize("name", KEPT_MARK_NAMES)
def test_marks_of_spelling_are_kept(folded: list[tuple[int, ...]], name: str) -> None:
    marks = [code_point for code_point, character in marks_named(name) if code_point not in (0x17B4, 0x17B5)]
    assert len(marks) > 5
    assert [f"U+{mark:04X}" for mark in marks if not folded[mark]] == []


@pytest.mark.parametrize("name", DELETED_MARK_NAMES)
def test_marks_of_annotation_are_deleted(folded: list[tuple[int, ...]], name: str) -> None:
    marks = [code_point for code_point, _ in marks_named(name)]
    assert marks
    assert [f"U+{mark:04X}" for mark in marks if folded[mark]] == []


def marks_named(prefix: str) -> Iterator[tuple[int, str]]:
    for code_point, character, category in known_characters():
        if category[0] == "M" and unicodedata.name(character).startswith(prefix):
            yield code_point, character


@pytest.mark.parametrize(
    ("characters", "single", "script_class"),
    [
        ("aяαשعა", False, ALPHABETIC),
        ("5ሀᠠㄅ", False, ALPHABETIC),
        ("中々〇〆\U00020000\U00017000", True, HAN),
        ("あアーゝヽ\u3099\u309a", True, KANA),
        ("กกิ\u0e49ກកမ\u1950", True, SOUTHEAST_ASIAN),
        ("\u1112\u1161\u11ab", False, HANGUL),
        ("कি\u093c\u094dகಕබཀ\u0951", False, INDIC),
    ],
)
def test_script_decides_tokens_and_class(
    table: FoldTable, characters: str, single: bool, script_class: int
) -> None:
    for character in characters:
        assert table.fold_code_point(ord(character)) == (ord(character),)
        assert bool(table.entry(ord(character)) & SINGLE) == single
        assert table.script_class(ord(character)) == script_class


def test_damaged_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fold_table.npz").write_bytes(b"not a table")
    monkeypatch.setattr(fold_table.resources, "files", lambda package: tmp_path)
    with pytest.raises(fold_table.DedupError, match="install the package again"):
        load_fold_table.__wrapped__()


def test_other_format_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with np.load(ROOT / "dedup" / "text" / "fold_table.npz") as arrays:
        np.savez(tmp_path / "fold_table.npz", **{**arrays, "table_version": np.uint32(99)})
    monkeypatch.setattr(fold_table.resources, "files", lambda package: tmp_path)
    with pytest.raises(fold_table.DedupError, match="format 99, expected 1"):
        load_fold_table.__wrapped__()


@pytest.mark.skipif(
    not (UNICODE_FOLDER / "UnicodeData.txt").exists()
    or "-15.0.0" not in (UNICODE_FOLDER / "Scripts.txt").read_text(encoding="utf-8")[:40],
    reason="needs the Unicode Character Database 15.0.0 (Debian: unicode-data)",
)
def test_shipped_files_are_what_the_script_writes() -> None:
    command = [sys.executable, ROOT / "tools" / "build_fold_table.py", UNICODE_FOLDER, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
