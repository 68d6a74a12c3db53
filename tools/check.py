"""Run every check of the project: format, lint, types, tests, fuzzers; stop at the first that fails.

The fuzzers are left out, and this is said, where atheris has no wheel: see the extra `test`.
"""

import subprocess
import sys
from importlib import util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS = (
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "ruff", "check", "."),
    ("-m", "mypy"),
    ("-m", "pytest", "-q"),
    ("tools/fuzz.py",),
)


def main() -> int:
    """Return the exit code of the first check that fails, 0 if none does."""
    for arguments in CHECKS:
        if arguments == ("tools/fuzz.py",) and util.find_spec("atheris") is None:
            print(":: tools/fuzz.py is left out: atheris is not installed")
            continue
        print("::", *arguments, flush=True)
        code = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
