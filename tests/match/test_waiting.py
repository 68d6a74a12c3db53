"""Who meets often against a twin that counts in a dict, list by list."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.match import waiting as waiting_module
from dedup.match.buckets import by_position
from dedup.match.waiting import (
    BANDED,
    NO_BOUND,
    meet,
    meet_often,
    num_banded,
    num_worded,
    start_meetings,
    start_waiting,
    wait,
)

LIMIT = 5

bucket_lists = st.lists(st.integers(0, 150), unique=True, max_size=90) | st.lists(
    st.integers(0, 5), unique=True, max_size=6
)


@given(
    buckets_of=st.lists(st.tuples(bucket_lists, bucket_lists), max_size=25),
    least=st.integers(1, 4),
    share=st.floats(0, 1),
)
def test_those_met_often_are_met_and_counted_as_the_twin_does(
    buckets_of: list[tuple[list[int], list[int]]], least: int, share: float
) -> None:
    n = len(buckets_of)
    since = int(share * n)
    nobody = np.empty(0, dtype=np.int64)
    waitings = []
    for kind in (0, 1):
        members = np.array([p for p, lists in enumerate(buckets_of) for _ in lists[kind]], dtype=np.int64)
        numbers = np.array([bucket for lists in buckets_of for bucket in lists[kind]], dtype=np.int64)
        waitings.append(start_waiting(by_position(members, numbers, n, 151), LIMIT))
    meetings = start_meetings(n)
    lists_of: tuple[dict[int, list[int]], ...] = ({}, {})
    for position, lists in enumerate(buckets_of):
        count = meet(position, waitings[0], meetings, BANDED, 0, nobody, nobody, NO_BOUND, since)
        count = meet_often(position, waitings[1], meetings, least, count, nobody, nobody, NO_BOUND, since)
        found = meetings.candidates[:count].tolist()
        assert len(found) == len(set(found))
        banded, worded = (
            Counter(p for bucket in buckets for p in waits.get(bucket, []) if p >= since)
            for buckets, waits in zip(lists, lists_of, strict=True)
        )
        assert {p for p in found if num_banded(p, meetings) > 0} == set(banded)
        assert {p for p in found if num_banded(p, meetings) == 0} >= {
            p for p, times in worded.items() if times >= least and p not in banded
        }
        for p in found:
            assert num_banded(p, meetings) == banded[p]
            assert num_worded(p, meetings) == worded[p]
        for waiting in waitings:
            wait(position, waiting)
        for buckets, waits in zip(lists, lists_of, strict=True):
            for bucket in buckets:
                if len(waits.setdefault(bucket, [])) < LIMIT:
                    waits[bucket].append(position)


def test_a_meeting_that_shares_its_count_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """All candidates share 64 counts: some are met that need not be, none is missed."""
    monkeypatch.setattr(waiting_module, "_NUM_COUNTS", 64)
    n = 200
    members = np.array([*range(n), *range(0, n, 2)], dtype=np.int64)
    numbers = np.array([0] * n + [1] * (n // 2), dtype=np.int64)
    waiting = start_waiting(by_position(members, numbers, n, 2), n)
    meetings = start_meetings(n)
    nobody = np.empty(0, dtype=np.int64)
    for position in range(n - 2):
        wait(position, waiting)
    count = meet_often(n - 2, waiting, meetings, 2, 0, nobody, nobody, NO_BOUND, 0)
    assert set(range(0, n - 2, 2)) <= set(meetings.candidates[:count].tolist())
    assert all(num_worded(p, meetings) == 2 for p in range(0, n - 2, 2))
