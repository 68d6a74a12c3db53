"""Check the output of the README's main command against the answer an editor gives."""

import json
import sys
from pathlib import Path


def main(out: str, expected_file: str) -> None:
    """Exit with a message where groups differ from the expected ones or a file is missing."""
    folder = Path(out)
    expected = json.loads(Path(expected_file).read_text(encoding="utf-8"))["articles"]
    lines = (folder / "groups.jsonl").read_text(encoding="utf-8").splitlines()
    groups = [json.loads(line) for line in lines]
    found = {tuple(sorted(member["id"] for member in group["members"])) for group in groups}
    wanted = {tuple(sorted(group)) for group in expected["groups"]}
    if found != wanted:
        sys.exit(f"groups differ: missing {sorted(wanted - found)}, unexpected {sorted(found - wanted)}")
    records = Path("examples/articles.jsonl").read_text(encoding="utf-8").splitlines()
    num_records = sum(1 for line in records if line.strip())
    unique = (folder / "unique.jsonl").read_text(encoding="utf-8").splitlines()
    num_copies = sum(group["size"] - 1 for group in groups)
    if len(unique) != num_records - num_copies:
        sys.exit(f"unique.jsonl has {len(unique)} records, expected {num_records - num_copies}")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if summary["counts"]["articles"] != num_records:
        sys.exit(f"summary.json counts {summary['counts']['articles']} articles, expected {num_records}")
    print(f"output as expected: {len(groups)} groups, {num_copies} copies, {len(unique)} unique")


if __name__ == "__main__":
    main(*sys.argv[1:3])
