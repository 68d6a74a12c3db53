"""kill -9 at random moments: what was acknowledged is there, the file is whole, the end is the same."""

from collections.abc import Iterator

import pytest

from benchmarks.kill_cases import KINDS
from benchmarks.kills import BEFORE_RENAME, Killer, Outcome


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    with Killer(tmp_path_factory.mktemp("kills")) as started:
        yield started


@pytest.mark.parametrize("kind", KINDS)
def test_kills_lose_nothing_and_change_no_answer(kind: str, killer: Killer) -> None:
    outcome = Outcome()
    for seed in range(20):
        killer.live(kind, seed, 96, 5, outcome)
        if outcome.num_kills >= 5 and (kind != "night" or outcome.kills[BEFORE_RENAME]):
            break
    assert outcome.problems == []
    assert outcome.num_kills >= 5
    assert kind != "night" or outcome.kills[BEFORE_RENAME]
