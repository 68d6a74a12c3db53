"""The example headlines are grouped as an editor would group them, in any order."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.run.batch import find_groups
from dedup.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORDS = [json.loads(line) for line in (EXAMPLES / "headlines.jsonl").read_text("utf-8").splitlines()]
EXPECTED = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))["headlines"]["groups"]


@settings(max_examples=20, deadline=None)
@given(st.permutations(RECORDS))
def test_example_headlines_are_grouped_as_expected(records: list[dict[str, str]]) -> None:
    groups = find_groups(records, Settings.of("headline"))
    found = sorted(sorted(str(member.id) for member in group.members) for group in groups)
    assert found == sorted(sorted(ids) for ids in EXPECTED)
