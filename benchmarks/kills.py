"""Lives of indexes under kill -9: begun, killed at a random moment, looked at, gone on with, to the end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dedup
from benchmarks.environment import ROOT
from benchmarks.kill_cases import Promised, state_of, steps_of
from benchmarks.kill_nights import answer_of, broken_outputs, how_far, kept_output

BEFORE_RENAME = "night: all added, not in place"
_MOST_KILLS_A_LIFE = 100  # one that gets no further would never end


@dataclass
class Outcome:
    """What came of lives: kills by what was under way, promises broken, lives that ended otherwise."""

    kills: Counter[str] = field(default_factory=Counter)
    num_lives: int = 0
    num_acknowledged: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def num_kills(self) -> int:
        """All kills that hit a process at work."""
        return sum(self.kills.values())


class Killer:
    """A worker whose children are killed; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.kill_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.communicate()

    def _expect(self, wanted: str) -> None:
        line = self._line()
        if line != wanted:
            raise RuntimeError(f"the worker said {line!r}")

    def _line(self) -> str:
        return self._worker.stdout.readline().strip()

    def _say(self, line: str) -> None:
        self._worker.stdin.write(line + "\n")
        self._worker.stdin.flush()

    def run(self, order: dict[str, Any], seconds: float | None) -> int:
        """Return the wait status of a child that does the order, killed after some seconds."""
        self._say(json.dumps(order))
        child = int(self._line())
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        self._say("wait")
        return int(self._line())

    def live(self, kind: str, seed: int, count: int, kills_a_life: int, outcome: Outcome) -> None:
        """Take one index through its steps with kills on the way, and beside it one without."""
        steps = steps_of(kind, seed, count)
        rng = random.Random(seed)
        plain = self._order(kind, seed, count, "plain")
        start = time.monotonic()
        if self.run(plain, None) != 0:
            raise RuntimeError(f"{kind}, seed {seed}: the life without a kill failed")
        whole = time.monotonic() - start
        order = self._order(kind, seed, count, "killed")
        with dedup.Index.open(plain["path"]) as index:
            expected = state_of(index)
        for _ in range(_MOST_KILLS_A_LIFE):
            status = self.run(order, rng.uniform(0, 2 * whole / kills_a_life))
            order["first"] = self._look(order, steps, status, outcome)
            if status != signal.SIGKILL:
                break
        else:
            outcome.problems.append(f"{kind}, seed {seed}: killed {_MOST_KILLS_A_LIFE} times before its end")
        if status != 0:
            outcome.problems.append(f"{kind}, seed {seed}: went on with status {status}")
        with dedup.Index.open(order["path"]) as index:
            if state_of(index) != expected:
                outcome.problems.append(f"{kind}, seed {seed}: ended otherwise than without kills")
        files, plain_files = (sorted(os.listdir(Path(each["path"]).parent)) for each in (order, plain))
        if files != plain_files:
            outcome.problems.append(f"{kind}, seed {seed}: left {files}, not {plain_files}")
        outcome.num_lives += 1

    def _order(self, kind: str, seed: int, count: int, name: str) -> dict[str, Any]:
        folder = self._folder / f"{kind}-{seed}" / name
        folder.mkdir(parents=True)
        return {
            "path": str(folder / "news.dedup"), "acknowledged": str(folder / "acknowledged.txt"),
            "kind": kind, "seed": seed, "count": count, "first": 0,
        }  # fmt: skip

    def _look(self, order: dict[str, Any], steps: list[Any], status: int, outcome: Outcome) -> int:
        """Hold the index against what was acknowledged; return the step to go on with."""
        lines = Path(order["acknowledged"])
        said = [line.split() for line in lines.read_text().splitlines()] if lines.exists() else []
        promised = Promised()
        num_done = 1 + max((int(number) for number, what in said if what == "done"), default=-1)
        for step in steps[:num_done]:
            promised.done(step)
        outcome.num_acknowledged = outcome.num_acknowledged + sum(what != "done" for _, what in said)
        if status == signal.SIGKILL:
            under_way = sum(int(number) == num_done and what != "done" for number, what in said)
            if num_done < len(steps):
                promised.under_way(steps[num_done], under_way)
        with dedup.Index.open(order["path"]) as index:
            broken = promised.broken(index)
            if status == signal.SIGKILL:
                outcome.kills[self._place_of(index, steps, num_done)] += 1
        if order["kind"] == "night":
            folder = Path(order["path"]).parent
            broken += broken_outputs(folder, folder.with_name("plain"), num_done, len(steps))
        outcome.problems += [f"{order['kind']}, seed {order['seed']}: {problem}" for problem in broken]
        return num_done

    def _place_of(self, index: dedup.Index, steps: list[Any], num_done: int) -> str:
        """Return the step under way when the process was killed and, of a nightly run, how far it was."""
        if num_done == len(steps):
            return "close"
        name = steps[num_done][0]
        if name != "night":
            return name
        folder = index.path.parent
        expected = answer_of(kept_output(folder.with_name("plain"), num_done))
        return f"night: {how_far(index, num_done, answer_of(folder / 'out') == expected)}"
