"""The Unicode Character Database, read from its plain text files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NUM_CODE_POINTS = 0x110000
SEPARATOR_CHARACTER = 0x20

# What a fold gives for one code point: nothing, one or several code points.
Folded = tuple[int, ...]
DELETED: Folded = ()
SEPARATED: Folded = (SEPARATOR_CHARACTER,)


@dataclass(frozen=True)
class CharacterDatabase:
    """The properties that the folds use; a code point that is missing from a dict has the default."""

    version: tuple[int, int, int]
    category: dict[int, str]  # General_Category; default Cn, unassigned
    decomposition: dict[int, Folded]  # canonical or compatibility, one step
    decimal: dict[int, int]  # Nd: value of the decimal digit
    digit: dict[int, int]  # value of digits in another shape: circled, superscript
    case_folding: dict[int, Folded]  # statuses C and F
    script: dict[int, str]  # default Unknown
    default_ignorable: frozenset[int]


def read_database(folder: Path) -> CharacterDatabase:
    """Return the properties read from the files in `folder`."""
    category: dict[int, str] = {}
    decomposition: dict[int, Folded] = {}
    decimal: dict[int, int] = {}
    digit: dict[int, int] = {}
    for code_point, fields in read_unicode_data(folder / "UnicodeData.txt"):
        category[code_point] = fields[2]
        mapping = [field for field in fields[5].split() if not field.startswith("<")]
        if mapping:
            decomposition[code_point] = tuple(int(field, 16) for field in mapping)
        if fields[6]:
            decimal[code_point] = int(fields[6])
        elif fields[7]:
            digit[code_point] = int(fields[7])
    case_folding = {
        int(fields[0], 16): tuple(int(field, 16) for field in fields[2].split())
        for fields in read_fields(folder / "CaseFolding.txt")
        if fields[1] in ("C", "F")
    }
    script = dict(read_property(folder / "Scripts.txt"))
    ignorable = frozenset(
        code_point
        for code_point, name in read_property(folder / "DerivedCoreProperties.txt")
        if name == "Default_Ignorable_Code_Point"
    )
    version = read_version(folder / "Scripts.txt")
    return CharacterDatabase(
        version, category, decomposition, decimal, digit, case_folding, script, ignorable
    )


def read_version(path: Path) -> tuple[int, int, int]:
    """Return the Unicode version of a file's first line, such as `# Scripts-15.0.0.txt`."""
    with path.open(encoding="utf-8") as lines:
        header = next(lines).strip()
    try:
        major, minor, update = header.removesuffix(".txt").rpartition("-")[2].split(".")
        return int(major), int(minor), int(update)
    except ValueError:
        raise SystemExit(f"{path}: first line is {header!r}, expected '# {path.stem}-15.0.0.txt'") from None


def read_fields(path: Path) -> Iterator[list[str]]:
    """Yield the fields, stripped, of each line that is not empty or a comment."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            content = line.partition("#")[0].strip()
            if content:
                yield [field.strip() for field in content.split(";")]


def read_property(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (code point, value) of a file whose lines are `0061..007A ; Latin`."""
    for fields in read_fields(path):
        first, _, last = fields[0].partition("..")
        for code_point in range(int(first, 16), int(last or first, 16) + 1):
            yield code_point, fields[1]


def read_unicode_data(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (code point, fields), ranges written as `<..., First>` and `<..., Last>` in full."""
    first = 0
    for fields in read_fields(path):
        code_point = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            first = code_point
        elif fields[1].endswith(", Last>"):
            yield from ((member, fields) for member in range(first, code_point + 1))
        else:
            yield code_point, fields
