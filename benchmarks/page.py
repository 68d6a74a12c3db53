"""One readable page from the result files: `benchmarks/results/README.md`, with plots as SVG beside it."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = "README.md"
Report = dict[str, Any]


def write_page(folder: Path = RESULTS, lacking: list[str] | None = None) -> Path:
    """Write the page of all results in `folder` that there are; a missing one is named on it."""
    lines = [
        "# Benchmark results",
        "",
        "Written by `python -m benchmarks page` from the files beside it; do not edit. What each figure",
        "means is in [the benchmarks' README](../README.md).",
        "",
    ]
    for name, (title, section) in SECTIONS.items():
        path = folder / f"{name}.json"
        lines += [f"## {title}", ""]
        if not path.exists():
            lines += [f"Not measured yet: `python -m benchmarks {name}`.", ""]
            continue
        report = json.loads(path.read_text(encoding="utf-8"))
        lines += [_conditions(report), "", *section(report), ""]
        plot = PLOTS.get(name)
        if plot is not None and _draw(plot, report, folder / f"{name}.svg", lacking):
            lines += [f"![{title}]({name}.svg)", ""]
    page = folder / PAGE
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return page


def _conditions(report: Report) -> str:
    environment = report["environment"]
    machine = environment["machine"]
    text = (
        f"`{report['command']}`, commit {environment['commit'][:12]}, {environment['date'][:10]}, "
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_average'][0]} at the start."
    )
    return text + "".join(f"\nLacking: {lack}." for lack in report["lacking"])


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    head = list(head)
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return [*lines, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows)]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _megabytes(value: int | None) -> int | None:
    return None if value is None else round(value / 1e6)


def _end_to_end(report: Report) -> Iterator[str]:
    scaling = report["scaling"]
    yield from _table(
        [
            "articles",
            "seconds",
            "articles/s",
            "MB/s",
            "peak MB",
            "bytes an article beyond 500 MB",
            "1 : 2 cores",
        ],
        (
            [
                f"{int(size):,}",
                entry["two_cores"]["median_seconds"],
                entry["two_cores"]["articles_per_second"],
                entry["two_cores"]["megabytes_per_second"],
                _megabytes(entry["two_cores"]["peak_anonymous_bytes"]),
                entry["two_cores"]["bytes_an_article_beyond_500_mb"],
                entry.get("one_core_times_two"),
            ]
            for size, entry in scaling["sizes"].items()
        ),
    )
    if "growth_exponent" in scaling:
        yield ""
        last = scaling["growth_exponent_last_step"]
        yield f"Growth exponent {scaling['growth_exponent']}, last step {last}."
    for size, entry in report["peers"].items():
        yield from ("", f"### {int(size):,} articles", "")
        yield from _table(
            [
                "contestant",
                "seconds",
                "times ours",
                "peak MB",
                "threshold",
                "recall",
                "precision",
                "copies found",
            ],
            (
                [
                    name,
                    each["median_seconds"],
                    entry["times_as_long_as_ours"].get(name),
                    _megabytes(each["peak_anonymous_bytes"]),
                    each["threshold"],
                    each.get("brute_force", {}).get("recall"),
                    each.get("brute_force", {}).get("precision"),
                    each["truth_without_cut_copies"]["recall"],
                ]
                for name, each in entry["contestants"].items()
            ),
        )
        yield from (
            "",
            f"Best peer (recall 0.95 or more): {entry['best_peer']}, {entry['best_peer_times']} times.",
        )
        if entry["find_pairs"]:
            pairs = entry["find_pairs"]
            near = pairs["recall_at_threshold_to_0.05_above"]
            yield (
                f"`find_pairs` at {pairs['threshold']}: recall {pairs['recall']} of "
                f"{pairs['pairs_to_find']:,} exact pairs, {near} of those "
                "within 0.05 of the threshold."
            )
        for name, reason in entry["left_out"].items():
            yield f"- left out: {name}: {reason}"


def _edits(report: Report) -> list[str]:
    names = list(next(iter(report["edits"].values()))["recall"])
    rows = (
        [edit, entry["mean_jaccard"], *(entry["recall"].get(name) for name in names)]
        for edit, entry in report["edits"].items()
    )
    return _table(["edit", "Jaccard", *names], rows)


def _accuracy(report: Report) -> list[str]:
    names = list(next(iter(report["by_similarity"].values()))["sketches"])
    rows = (
        [jaccard, row["binomial_rmse"], *(_errors(row["sketches"][name]) for name in names)]
        for jaccard, row in report["by_similarity"].items()
    )
    return _table(["Jaccard", "binomial RMSE", *(f"{name}: RMSE (bias)" for name in names)], rows)


def _errors(errors: dict[str, float]) -> str:
    return f"{errors['rmse']} ({errors['bias']:+})"


def _generated(report: Report) -> Iterator[str]:
    names = [name for name in ("real", "generated") if name in report["articles"]]
    for what in ("nearest_other", "random_pairs"):
        edges = report["articles"]["generated"][what]["histogram"]["edges"]
        columns = [report["articles"][name][what]["histogram"]["shares"] for name in names]
        labels = [f"{low} to {high}" for low, high in itertools.pairwise(edges)]
        yield from _table([what.replace("_", " "), *names], zip(labels, *columns, strict=True))
        yield ""
    for what in ("shingle_frequencies", "word_frequencies"):
        edges = report["articles"]["generated"][what]["edges"]
        columns = [report["articles"][name][what]["shares"] for name in names]
        labels = [f"in {low} or more" for low in edges[:-1]]
        yield from _table([what.replace("_", " "), *names], zip(labels, *columns, strict=True))
        yield ""


def _core(report: Report) -> Iterator[str]:
    yield from _table(
        ["corpus", "µs an article", "MB/s"],
        (
            [key, entry["microseconds_an_article"], entry["megabytes_per_second"]]
            for key, entry in report["corpora"].items()
        ),
    )
    ratio = report["kernel"]["plain_times_ours"]["of_medians"]
    yield from ("", f"The permutation kernel: a plain loop takes {ratio} times as long.", "")
    yield from _table(
        ["corpus", "one thread to two"],
        ([key, each["of_medians"]] for key, each in report["one_thread_times_two"].items()),
    )


def _draw(plot: Callable[[Any, Report], None], report: Report, path: Path, lacking: list[str] | None) -> bool:
    try:
        import matplotlib as mpl
    except ImportError:
        if lacking is not None:
            lacking.append(
                f"matplotlib is not installed (pip install 'article-dedup[bench]'); no {path.name}"
            )
        return False
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "dedup"  # the same bytes for the same results
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    plot(axes, report)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _plot_end_to_end(axes: Any, report: Report) -> None:
    sizes = report["scaling"]["sizes"]
    axes.loglog(
        [int(size) for size in sizes],
        [entry["two_cores"]["median_seconds"] for entry in sizes.values()],
        "o-k",
        label="dedup run, articles as they are",
    )
    names = {name for entry in report["peers"].values() for name in entry["contestants"]}
    for name in sorted(names):
        points = [
            (int(size), entry["contestants"][name]["median_seconds"])
            for size, entry in report["peers"].items()
            if name in entry["contestants"]
        ]
        axes.loglog(*zip(*points, strict=True), ".--", label=name)
    axes.set_xlabel("articles")
    axes.set_ylabel("seconds, from file to groups")


def _plot_accuracy(axes: Any, report: Report) -> None:
    rows = report["by_similarity"]
    similarities = [float(jaccard) for jaccard in rows]
    axes.plot(similarities, [row["binomial_rmse"] for row in rows.values()], "k", label="binomial")
    for name in next(iter(rows.values()))["sketches"]:
        axes.plot(similarities, [row["sketches"][name]["rmse"] for row in rows.values()], ".--", label=name)
    axes.set_yscale("log")
    axes.set_xlabel("Jaccard similarity")
    axes.set_ylabel("root of the mean squared error")


def _plot_generated(axes: Any, report: Report) -> None:
    for name, marker in (("real", "o-k"), ("generated", ".--")):
        if name in report["articles"]:
            histogram = report["articles"][name]["nearest_other"]["histogram"]
            axes.step(histogram["edges"][:-1], histogram["shares"], marker, where="post", label=name)
    axes.set_xscale("symlog", linthresh=0.005)
    axes.set_xlabel("Jaccard similarity with the nearest article that is no copy")
    axes.set_ylabel("share of articles")


SECTIONS: dict[str, tuple[str, Callable[[Report], Iterable[str]]]] = {
    "end_to_end": ("From a file to groups", _end_to_end),
    "edits": ("Recall where one thing was changed", _edits),
    "accuracy": ("Errors of estimated similarities", _accuracy),
    "core": ("The hashing core", _core),
    "generated": ("Generated articles beside real ones", _generated),
}
PLOTS = {"end_to_end": _plot_end_to_end, "accuracy": _plot_accuracy, "generated": _plot_generated}
