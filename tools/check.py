"""Run every check of the project: format, lint, types, doctests and tests; stop at the first that fails."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("pytest", "-q"),
)


def main() -> int:
    """Return the exit code of the first check that fails, 0 if none does."""
    for module, *arguments in CHECKS:
        print("::", module, *arguments, flush=True)
        code = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
