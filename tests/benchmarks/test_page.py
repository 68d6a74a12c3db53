"""The page of results, agreement of groups, and measured processes: the pure parts. No times."""

import json
import os
import sys

import numpy as np
import pytest

from benchmarks.agreement import num_pairs, score_families, score_pairs
from benchmarks.environment import ROOT, describe_environment
from benchmarks.page import SECTIONS, write_page
from benchmarks.process_run import CommandError, can_confine, run_measured


def test_groups_are_scored_by_their_pairs():
    labels = np.array([0, 0, 0, 3, 3])
    pairs = np.array([[0, 1], [3, 4], [2, 3]])
    scores = score_pairs(labels, pairs)
    assert (scores["pairs_in_groups"], scores["recall"], scores["precision"]) == (4, 0.6667, 0.5)


def test_families_are_scored_both_ways():
    scores = score_families(np.array([0, 0, 0, 3]), np.array([0, 0, 2, 2]))
    assert scores == {"recall": 0.5, "precision": 0.3333}


def test_one_great_group_does_not_overflow():
    assert num_pairs(np.zeros(200_000, dtype=np.int64)) == 200_000 * 199_999 // 2


def test_page_names_what_is_not_measured(tmp_path):
    text = write_page(tmp_path).read_text(encoding="utf-8")
    assert text.count("Not measured yet") == len(SECTIONS)


def test_page_shows_a_result(tmp_path):
    report = {
        "command": "python -m benchmarks edits",
        "environment": describe_environment(),
        "lacking": ["a peer"],
        "edits": {"one word replaced": {"mean_jaccard": 0.98, "recall": {"dedup": 1.0, "other": None}}},
    }
    (tmp_path / "edits.json").write_text(json.dumps(report))
    text = write_page(tmp_path).read_text(encoding="utf-8")
    assert "| one word replaced | 0.98 | 1.0 | - |" in text
    assert "Lacking: a peer." in text


def test_a_process_is_measured_with_its_output():
    measured = run_measured([sys.executable, "-c", "print(7)"], dict(os.environ), ROOT, 60.0, 2)
    assert measured.output == "7\n"


@pytest.mark.skipif(not can_confine(), reason="needs two cores and a system that can withhold one")
@pytest.mark.parametrize("num_cores", [1, 2])
def test_a_process_has_the_cores_that_it_is_given_and_this_one_keeps_its_own(num_cores):
    before = os.sched_getaffinity(0)
    code = "import os; print(len(os.sched_getaffinity(0)))"
    measured = run_measured([sys.executable, "-c", code], dict(os.environ), ROOT, 60.0, num_cores)
    assert measured.output == f"{num_cores}\n"
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(
    ("code", "said"),
    [("raise SystemExit('no such peer')", "no such peer"), ("while True: pass", "more than")],
)
def test_a_failed_or_slow_process_says_so(code, said):
    with pytest.raises(CommandError, match=said):
        run_measured(
            [sys.executable, "-c", code], dict(os.environ), ROOT, 1.0 if said == "more than" else 60.0, 2
        )
