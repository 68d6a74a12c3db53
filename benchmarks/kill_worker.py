"""Do the steps of lives of indexes, each in a process of its own: `python -m benchmarks.kill_worker`.

Reads one JSON object a line: path, kind, seed, count, first step, file of acknowledgements. For each it
forks a child, so that kernels are compiled and loaded once, and prints its process id. After one more
line it waits for the child, which is there, or a zombie, until then, and prints its status.
"""

import json
import os
import sys
import tempfile
from typing import Any

import dedup
from benchmarks.kill_cases import KINDS, do_step, steps_of
from dedup.run import indexed, indexing

PRUNED_AT_ONCE = 5
"""Articles that one transaction of a prune removes here, so that a prune of a few has many."""

BATCH_ARTICLES = 8
"""Articles that one transaction of a nightly run adds here, so that a run of a few has several."""


def main() -> None:
    """Serve until the input ends."""
    indexing._PRUNED_AT_ONCE = PRUNED_AT_ONCE
    indexed.BATCH_ARTICLES = BATCH_ARTICLES
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:  # so that all kernels are loaded here, once
            with dedup.Index.open(f"{folder}/{kind}") as index:
                for step in steps_of(kind, 0, 40):
                    list(do_step(index, step))
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(order)
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitpid(child, 0)[1], flush=True)


def _live(order: dict[str, Any]) -> None:
    """Do the steps from the first asked for; each acknowledgement is one unbuffered write."""
    status = 1
    try:
        steps = steps_of(order["kind"], order["seed"], order["count"])
        acknowledged = os.open(order["acknowledged"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with dedup.Index.open(order["path"]) as index:
            for number in range(order["first"], len(steps)):
                for id_ in do_step(index, steps[number]):
                    os.write(acknowledged, f"{number} {id_}\n".encode())
                os.write(acknowledged, f"{number} done\n".encode())
        status = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
