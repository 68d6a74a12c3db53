"""The command `dedup`: arguments, progress on the terminal, exit codes.

Exit codes: 0 done; 1 a fault of this program; 2 wrong arguments or settings, or an extra that is not
installed; 3 the input cannot be used; 4 the output cannot be written; 5 not enough memory; 6 the index
cannot be used; 129 its terminal has gone; 130 interrupted; 143 terminated.
"""

import itertools
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from dedup import __version__
from dedup.cli.compare import compare
from dedup.cli.index import index
from dedup.cli.interrupts import Interrupted, leave, raise_on_signals
from dedup.cli.log import Log, discard_output, open_missing_streams
from dedup.cli.report import report
from dedup.cli.run import run
from dedup.cli.spark import spark
from dedup.errors import DedupError, DependencyError, IndexFileError, InputError, OutputError, SettingsError

EXIT_FAULT = 1
EXIT_USAGE = 2
EXIT_INPUT = 3
EXIT_OUTPUT = 4
EXIT_MEMORY = 5
EXIT_INDEX = 6
_EXIT_CODES: tuple[tuple[type[DedupError], int], ...] = (
    (SettingsError, EXIT_USAGE),
    (DependencyError, EXIT_USAGE),
    (InputError, EXIT_INPUT),
    (OutputError, EXIT_OUTPUT),
    (IndexFileError, EXIT_INDEX),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dedup")
def cli() -> None:
    """Find near-duplicate news articles and say which one of each group to keep."""


cli.add_command(run)
cli.add_command(spark)
cli.add_command(index)
cli.add_command(report)
cli.add_command(compare)


def main() -> NoReturn:
    """Run the command; no traceback reaches the user but for a fault of this program."""
    open_missing_streams()
    log = Log("json" if _asks_for_json(sys.argv[1:]) else "text")
    log.take_warnings()
    raise_on_signals()
    try:
        code = _invoke(log)
        sys.stdout.flush()
    except Interrupted as interrupt:
        log.error(f"{interrupt.word}: {log.outcome}", interrupt.exit_code)
        leave(interrupt.exit_code)
    except click.ClickException as error:
        _show_usage_error(error, log)
        sys.exit(error.exit_code)
    except DedupError as error:
        code = next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), EXIT_FAULT)
        log.error(str(error), code)
        sys.exit(code)
    except MemoryError:
        log.error(f"there is not enough memory: {log.outcome}; see docs/running.md", EXIT_MEMORY)
        leave(EXIT_MEMORY)
    except Exception as error:
        if isinstance(error, OSError) and not log.is_running:  # help is all that was printed so far
            sys.exit(_code_of_unprinted(error, log))
        log.fault(EXIT_FAULT)
        sys.exit(EXIT_FAULT)
    if log.is_running and "pyspark" not in sys.modules:  # Spark ends what it started at exit
        leave(code)  # all is closed; to free half a million objects of libraries takes a tenth of a small run
    sys.exit(code)


def _invoke(log: Log) -> int:
    """Run the command line and return its exit code; `Command.main` would have its own way with errors."""
    if "_DEDUP_COMPLETE" in os.environ:
        cli.main(prog_name="dedup")  # the shell asks for completions
    try:
        with cli.make_context("dedup", sys.argv[1:], obj=log) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def _code_of_unprinted(error: OSError, log: Log) -> int:
    """Return the exit code where help cannot be printed; a reader that has gone wants no more of it."""
    discard_output()
    if isinstance(error, BrokenPipeError):  # `dedup --help | head -1`
        return 0
    log.error(f"standard output cannot be written: {error.strerror or error}", EXIT_OUTPUT)
    return EXIT_OUTPUT


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Return whether the arguments say so, before they are known to be right."""
    return "--log-format=json" in arguments or ("--log-format", "json") in itertools.pairwise(arguments)


def _show_usage_error(error: click.ClickException, log: Log) -> None:
    if log.form == "json":
        log.error(error.format_message(), error.exit_code)
        return
    with suppress(OSError, ValueError):  # standard error is gone or full
        error.show()
