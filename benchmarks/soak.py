"""An index killed with SIGKILL at random moments, again and again: what was lost, what came out otherwise.

`tests/index/test_kills.py` does the same twenty times.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.kill_cases import KINDS
from benchmarks.kills import BEFORE_RENAME, Killer, Outcome

REPEATS = 500
NUM_ARTICLES = 200
_KILLS_A_LIFE = 5


def run(
    arguments: argparse.Namespace, repeats: int, lacking: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return what came of `repeats` kills, as many of each kind of work."""
    del lacking
    count = arguments.limit or NUM_ARTICLES
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="dedup-soak-") as folder, Killer(Path(folder)) as killer:
        for number, kind in enumerate(KINDS, start=1):
            seed = 1000
            while outcome.num_kills < repeats * number // len(KINDS):
                killer.live(kind, seed, count, _KILLS_A_LIFE, outcome)
                seed += 1
            say(f"soak: {outcome.num_kills} kills, up to {kind}; {len(outcome.problems)} problems")
    return {
        "checks": {
            "no promise is broken, and each life ends as one without kills": not outcome.problems,
            f"at least {repeats} kills": outcome.num_kills >= repeats,
            "nightly runs were killed between the last commit and the rename": outcome.kills[BEFORE_RENAME]
            > 0,
        },
        "articles_a_life": count,
        "kills_by_step_under_way": dict(sorted(outcome.kills.items())),
        "kills": outcome.num_kills,
        "lives": outcome.num_lives,
        "acknowledgements_checked": outcome.num_acknowledged,
        "problems": outcome.problems,
    }
