"""Build `dedup/text/fold_table.npz` and `docs/folds.md` from the Unicode Character Database.

    python tools/build_fold_table.py [FOLDER]           write both files
    python tools/build_fold_table.py [FOLDER] --check   exit 1 if a shipped file differs

FOLDER holds the plain text files of one Unicode version (https://www.unicode.org/Public/); the default
is where Debian's package `unicode-data` puts them. The version is read from the header of a file and
stored in the table, so the same files give the same bytes whatever Python or numpy writes them.

The fold of a code point does not depend on its neighbours. `FOLDS` in `fold_table/folds.py` is the
list of folds in the order in which they are applied; the list is applied again until nothing changes,
so every code point that comes out folds to itself. `pack` in `fold_table/table.py` explains the file format.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fold_table.database import read_database
from fold_table.documentation import write_docs
from fold_table.folds import fold_code_point
from fold_table.table import build_entries, pack

ROOT = Path(__file__).resolve().parent.parent
TABLE_PATH = ROOT / "dedup" / "text" / "fold_table.npz"
DOCS_PATH = ROOT / "docs" / "folds.md"


def generate(folder: Path) -> dict[Path, bytes]:
    """Return the content of each generated file."""
    database = read_database(folder)
    entries, expansions, num_touched = build_entries(database)

    def fold_text(text: str) -> str:
        folded = (part for character in text for part in fold_code_point(database, ord(character))[0])
        return " ".join("".join(map(chr, folded)).split())

    docs = write_docs(database, num_touched, fold_text)
    return {TABLE_PATH: pack(database, entries, expansions), DOCS_PATH: docs.encode()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the generated files; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("/usr/share/unicode"))
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    options = parser.parse_args(arguments)
    stale = 0
    for path, content in generate(options.folder).items():
        same = path.exists() and path.read_bytes() == content
        if options.check:
            stale += not same
            print(f"{path.relative_to(ROOT)}: {'up to date' if same else 'differs, run this script'}")
        else:
            path.write_bytes(content)
            print(f"{path.relative_to(ROOT)}: {len(content):,} bytes{', unchanged' if same else ''}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
