"""Fair timing of contenders: interleaved rounds, medians, spread, ratios within a round, peak memory."""

import gc
import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a stage: `run(prepare())`, of which only `run` is timed.

    `prepare` is called before each run, so that what a run leaves behind in its input, such as the UTF-8
    form that CPython keeps inside a `str`, is not there for the next.
    """

    stage: str
    name: str
    what: str
    prepare: Callable[[], Any]
    run: Callable[[Any], Any]

    @property
    def key(self) -> str:
        return f"{self.stage}: {self.name}"


@dataclass
class Timing:
    """Seconds of each round, by the clock and of the processor (all threads of the process)."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def cpu_median(self) -> float:
        return statistics.median(self.cpu_seconds)


def measure(
    contenders: Sequence[Contender], repeats: int, say: Callable[[str], None] = lambda line: None
) -> dict[str, Timing]:
    """Return the timings of `repeats` rounds, in each of which every contender runs once.

    Each round starts with another contender. One untimed run of each comes first.
    """
    timings = {contender.key: Timing() for contender in contenders}
    for contender in contenders:
        contender.run(contender.prepare())
    gc.collect()
    gc.freeze()  # what is there already is not the contenders' garbage to walk through
    for turn in range(repeats):
        say(f"round {turn + 1} of {repeats}")
        start = turn % len(contenders)
        for contender in [*contenders[start:], *contenders[:start]]:
            _time_once(contender, timings[contender.key])
    gc.unfreeze()
    return timings


def _time_once(contender: Contender, timing: Timing) -> None:
    prepared = contender.prepare()
    gc.collect()
    clock, cpu = time.perf_counter(), time.process_time()
    outcome = contender.run(prepared)
    timing.seconds.append(time.perf_counter() - clock)
    timing.cpu_seconds.append(time.process_time() - cpu)
    del outcome  # freed outside the timing


def summarize(timing: Timing, num_articles: int) -> dict:
    """Return median, min and max seconds, and the median in microseconds an article."""
    return {
        "median_seconds": round(timing.median, 5),
        "min_seconds": round(min(timing.seconds), 5),
        "max_seconds": round(max(timing.seconds), 5),
        "median_cpu_seconds": round(timing.cpu_median, 5),
        "microseconds_an_article": round(timing.median / num_articles * 1e6, 2),
    }


def ratio(timing: Timing, reference: Timing) -> dict:
    """Return how many times the reference's seconds were needed.

    `of_medians` is the figure to quote; `min` and `max` are the extremes of the ratios within a round.
    `of_cpu_medians`, of processor time, is the steadier one where other programs run beside.
    """
    rounds = [a / b for a, b in zip(timing.seconds, reference.seconds, strict=True)]
    return {
        "of_medians": round(timing.median / reference.median, 2),
        "min": round(min(rounds), 2),
        "max": round(max(rounds), 2),
        "of_cpu_medians": round(timing.cpu_median / reference.cpu_median, 2),
    }


def fit_exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the least-squares slope of log(seconds) over log(size): 1 is linear growth, 2 quadratic.

    >>> round(fit_exponent([10, 20, 40], [3.0, 6.0, 12.0]), 6)
    1.0
    """
    xs = [math.log(size) for size in sizes]
    ys = [math.log(max(value, 1e-9)) for value in seconds]  # a stage may take less than the clock shows
    return statistics.linear_regression(xs, ys).slope


def peak_extra_bytes(contender: Contender) -> int | None:
    """Return how far one run raises the resident memory of a forked process; None where that is unknown."""
    if memory_bytes("VmRSS") is None:
        return None
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_report_peak, args=(contender, sender))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return None
    finally:
        child.join()


def _report_peak(contender: Contender, sender: Any) -> None:
    prepared = contender.prepare()
    gc.collect()
    before = memory_bytes("VmRSS")
    reset_peak()
    outcome = contender.run(prepared)
    sender.send(memory_bytes("VmHWM") - before)
    del outcome


def reset_peak() -> None:
    """Make VmHWM of this process what is resident now (proc(5), `clear_refs`); nothing without /proc."""
    if CLEAR_REFS.exists():
        CLEAR_REFS.write_text("5", encoding="ascii")


def memory_bytes(name: str) -> int | None:
    """Return VmRSS, resident now, or VmHWM, its high-water mark; None on systems without /proc.

    Not `getrusage`: its `ru_maxrss` keeps the peak of the process that started this one.
    """
    if not STATUS.exists():
        return None
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return None
