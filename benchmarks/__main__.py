"""Run benchmarks and write their results: `python -m benchmarks sketch --data FILE --field body`."""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from benchmarks.environment import describe_environment, use_one_thread
from benchmarks.page import write_page

BENCHMARKS = {
    "sketch": "text to signature, beside rensa and datasketch; then each stage apart",
    "nightly": "the whole command over a week of news, from start to exit",
    "quality": "precision and recall on judged pairs, beside datasketch's usual way",
    "readings": "groups and links that readers judged in three corpora",
    "ablation": "the judged pairs, with one number of the rule changed at a time",
    "ngrams": "short texts by character shingles of each length, in each language",
    "spark": "the groups of a week of news on Spark beside those of one machine; needs the extra spark",
    "index": "the persistent index: rates, latencies, bytes an article, beside datasketch in memory",
    "generated": "generated articles beside real ones: similarities and frequencies",
    "end_to_end": "file to groups: ours up to millions of articles, every peer beside ours",
    "accuracy": "bias and error of estimated similarities, each sketch beside the binomial figure",
    "core": "text to signature by language, length and threads; the kernel beside a plain loop",
    "edits": "recall where one thing was changed: ours and each peer",
    "soak": "an index killed with SIGKILL 500 times at random moments: what was lost",
    "orders": "the groups of an index fed in other orders beside those of a batch",
    "index_flood": "an index flooded with articles that share buckets: rows that a check reads",
    "floods": "many copies and many templated articles: time, memory, growth, answers",
}
PAGE = "page"
"""No benchmark: writes the page of the results that there are."""
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run the named benchmarks, all by default; return 1 if a check in one of them failed."""
    use_one_thread()
    arguments = _parser().parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode; so have our runs
    names = [name for name in arguments.names or BENCHMARKS if name != PAGE]
    if arguments.out and len(names) > 1:
        _parser().error("--out takes the results of one benchmark; name one")
    failed = False
    for name in names:
        report = _run(name, arguments)
        out = arguments.out or RESULTS / f"{name}.json"
        _write(out, report)
        for lack in report["lacking"]:
            _say(f"{name}: lacking: {lack}")
        for check, holds in report["checks"].items():
            failed |= not holds
            _say(f"{name}: {'ok' if holds else 'FAILED'}: {check}")
        _say(f"{name}: results are in {out}")
    if not arguments.out:
        lacking: list[str] = []
        _say(f"the page is {write_page(lacking=lacking)}")
        for lack in lacking:
            _say(f"page: lacking: {lack}")
    return int(failed)


def _run(name: str, arguments: argparse.Namespace) -> dict:
    module = importlib.import_module(f"benchmarks.{name}")
    repeats = arguments.repeats or module.REPEATS
    environment = describe_environment()
    lacking: list[str] = []
    body = module.run(arguments, repeats, lacking, _say)
    return {
        "benchmark": name,
        "command": _command(arguments),
        "environment": environment,
        "repeats": repeats,
        "lacking": lacking,
        **body,
    }


def _command(arguments: argparse.Namespace) -> str:
    """Return the command, without where this machine keeps its scratch files and takes the result."""
    places = {str(arguments.scratch): "FOLDER", str(arguments.out): "FILE"}
    return " ".join(["python -m benchmarks", *(places.get(word, word) for word in sys.argv[1:])])


def _write(path: Path, report: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, path)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    known = "\n".join(f"  {name:11} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Benchmarks:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", choices=[*BENCHMARKS, PAGE, []], help="default: all"
    )
    parser.add_argument("--data", type=Path, help="articles, .jsonl, .jsonl.xz or .jsonl.gz")
    parser.add_argument("--field", default="text", help="field of the text in --data (default: text)")
    parser.add_argument("--limit", type=int, help="take no more than this many articles of --data")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of articles, in floods and index")
    parser.add_argument("--peer-sizes", type=int, nargs="+", help="numbers of articles beside peers")
    parser.add_argument("--scratch", type=Path, help="folder for generated files (5 million take 19 GB)")
    parser.add_argument("--repeats", type=int, help="rounds in which each contender runs once")
    parser.add_argument("--out", type=Path, help="where results go (default: benchmarks/results/NAME.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
