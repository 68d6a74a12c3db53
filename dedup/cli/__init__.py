"""The command `dedup`: arguments, progress on the terminal, exit codes.

Exit codes: 0 done; 1 a fault of this program; 2 wrong arguments or settings; 3 the input cannot be
used; 4 the output cannot be written; 130 interrupted; 143 terminated.
"""

import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

import click

from dedup import __version__
from dedup.cli.run import run
from dedup.errors import DedupError, InputError, OutputError, SettingsError

EXIT_FAULT = 1
_EXIT_CODES: tuple[tuple[type[DedupError], int], ...] = (
    (SettingsError, 2),
    (InputError, 3),
    (OutputError, 4),
)
_ISSUES = "the project's issue tracker"


class _Terminated(BaseException):
    """SIGTERM, raised where the main thread stands so that what is half done is cleared away."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dedup")
def cli() -> None:
    """Find near-duplicate news articles and say which one of each group to keep."""


cli.add_command(run)


def main() -> None:
    """Run the command; no traceback reaches the user but for a fault of this program."""
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        cli(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; nothing was written", 128 + signal.SIGINT)
    except _Terminated:
        _fail("terminated; nothing was written", 128 + signal.SIGTERM)
    except BrokenPipeError:  # the reader of standard output has gone; the output folder is whole
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except DedupError as error:
        _fail(str(error), next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), EXIT_FAULT))
    except Exception:
        traceback.print_exc()
        _fail(f"this is a fault of the program; please report the lines above to {_ISSUES}", EXIT_FAULT)


def _raise_terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"dedup: {message}", err=True)
    sys.exit(code)
