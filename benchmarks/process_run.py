"""What a command takes from start to exit: seconds, processor seconds, anonymous memory at its peak."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_INTERVAL = 0.02


class CommandError(RuntimeError):
    """A command failed, or took longer than it had."""


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock and of the processor, peak of RssAnon over the process and its children."""

    seconds: float
    cpu_seconds: float
    peak_anonymous_bytes: int | None
    output: str


def can_confine() -> bool:
    """Return whether this system can hold a process to some of its cores, and has two to choose from."""
    return hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1


@contextlib.contextmanager
def _confined(num_cores: int) -> Iterator[None]:
    """Have what this thread starts inside run on so many cores; it inherits them, as do its own children."""
    if not can_confine():
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:num_cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run_measured(
    command: Sequence[str], environment: dict[str, str], cwd: Path, budget_seconds: float, num_cores: int
) -> Measured:
    """Return what the command took on so many cores; raise `CommandError` if it fails or exceeds the budget.

    Where the system cannot confine it (`can_confine`) it has all cores. Memory is read every 20 ms, so that
    a shorter peak is missed; Linux only, elsewhere it is None. Processor time counts children that have
    ended.
    """
    start = time.perf_counter()
    before = os.times()
    with _confined(num_cores):
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    with process:
        watch = _Watch(process.pid)
        try:
            output, errors = process.communicate(timeout=budget_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            raise CommandError(f"took more than {budget_seconds:.0f} s") from None
        finally:
            watch.stop()
    seconds = time.perf_counter() - start
    after = os.times()
    if process.returncode:
        last = (errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise CommandError(f"failed: {last[:200]}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Measured(seconds, cpu, watch.peak, output)


class _Watch(threading.Thread):
    """Reads the anonymous memory of a process and its descendants until it is told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak: int | None = None
        self._pid = pid
        self._ended = threading.Event()
        self.start()

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        while PROC.exists() and not self._ended.wait(_INTERVAL):
            total = sum(map(_anonymous_bytes, _descendants(self._pid)))
            if total:
                self.peak = max(self.peak or 0, total)


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in (PROC / str(one) / "task").iterdir():
                found.extend(map(int, (task / "children").read_text().split()))
    return found


def _anonymous_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0
