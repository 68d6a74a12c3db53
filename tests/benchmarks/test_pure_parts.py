"""The pure parts of the benchmarks: reading, tokenising, arithmetic, invented articles. No times."""

import json
import lzma
from itertools import islice

import pytest

from benchmarks import flood_cases, peers
from benchmarks.corpus import load_corpus, read_texts
from benchmarks.estimates import cut_end, insert_in_front, jaccard, replace_words
from benchmarks.measure import Timing, fit_exponent, ratio, summarize
from benchmarks.quality_peers import datasketch_groups
from benchmarks.quality_scores import count_errors, same_group
from benchmarks.readings import DRAWS, JUDGEMENTS, share


def test_texts_are_read_from_plain_and_compressed_files(tmp_path):
    lines = "".join(json.dumps({"body": text}) + "\n" for text in ("خبر أول", "خبر ثان", None))
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "a.jsonl.xz").write_bytes(lzma.compress(lines.encode()))
    for name in ("a.jsonl", "a.jsonl.xz"):
        assert read_texts(tmp_path / name, "body") == ["خبر أول", "خبر ثان", ""]
        assert read_texts(tmp_path / name, "body", limit=1) == ["خبر أول"]


def test_absent_data_is_said_and_replaced_by_the_examples(tmp_path):
    lacking: list[str] = []
    corpus = load_corpus(tmp_path / "absent.jsonl", "text", 200, lacking)
    assert (corpus.name, len(corpus.texts)) == ("articles.jsonl", 200)
    assert "absent.jsonl" in lacking[0]


def test_description_of_a_corpus_holds_counts_alone(tmp_path):
    described = load_corpus(None, "text", 50, []).describe()
    assert all(isinstance(value, int | float) for name, value in described.items() if name != "name")


@pytest.mark.parametrize("text", ["", "واحد", "واحد اثنان", "واحد اثنان ثلاثة", " a  b\nc\td "])
def test_tokenisers_agree_where_white_space_is_ascii(text):
    assert peers.tuned_shingles(text) == peers.encoded_shingles(text)


def test_growth_exponent_is_that_of_the_power_law():
    sizes = [10, 20, 40, 80]
    assert fit_exponent(sizes, [3e-6 * size**2 for size in sizes]) == pytest.approx(2)


def test_ratio_is_of_medians_with_the_extremes_of_the_rounds():
    found = ratio(Timing([2.0, 4.0, 9.0], [2.0, 3.0, 4.0]), Timing([1.0, 2.0, 1.0], [1.0, 1.0, 1.0]))
    assert found == {"of_medians": 4.0, "min": 2.0, "max": 9.0, "of_cpu_medians": 3.0}


def test_summary_gives_microseconds_an_article():
    assert summarize(Timing([1.0, 3.0, 2.0], [1.0, 1.0, 1.0]), 1000)["microseconds_an_article"] == 2000.0


@pytest.mark.parametrize("name", flood_cases.CASES)
def test_flood_articles_are_as_alike_as_their_case_says(name):
    case = flood_cases.CASES[name]
    first, *others = islice(case.articles(flood_cases.Vocabulary()), 6)
    for other in others:
        assert len(other.split()) == flood_cases.WORDS_AN_ARTICLE
        a, b = (set(peers.plain_shingles(text)) for text in (first, other))
        assert jaccard(a, b) == pytest.approx(case.jaccard, abs=0.02)


def test_flood_articles_are_the_same_in_every_run():
    texts = [next(flood_cases.templated(0.5)(flood_cases.Vocabulary())) for _ in range(2)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("edit", [insert_in_front, cut_end, replace_words])
def test_edits_leave_most_of_a_text(edit):
    text = " ".join(f"word{number}" for number in range(90))
    edited = edit(text)
    assert edited != text
    assert len(set(edited.split()) & set(text.split())) >= 60


def test_errors_are_counted_by_kind():
    labels = ["copy", "copy", "cut_copy", "template", "diff", "partial", "partial"]
    pairs = [{"a": k, "b": -k - 1, "label": label} for k, label in enumerate(labels)]
    grouped = same_group(
        {0: 0, -1: 0, 3: 1, -4: 1} | {k: k + 100 for k in (1, 2, 4, 5, 6, -2, -3, -5, -6, -7)}
    )
    errors = count_errors(pairs, grouped, lambda a, b: grouped(a, b) or a in (2, 5))
    wrong = {"copies missed": "1 of 2", "templates grouped": "1 of 1", "partial linked": "1 of 2"}
    right = {"cut copies missed": "0 of 1", "different grouped": "0 of 1", "different linked": "0 of 1"}
    assert errors == wrong | right | {"templates linked": "0 of 1", "partial grouped": "0 of 2"}


@pytest.mark.parametrize("count", [1, 7, 50])
def test_an_interval_holds_its_share(count):
    for right in range(count + 1):
        found = share(right, count)
        assert -0.001 <= found["low"] <= found["share"] <= found["high"] <= 1.001


@pytest.mark.parametrize("draw", DRAWS)
def test_a_group_is_wrong_where_a_member_is_no_copy(draw):
    for line in (JUDGEMENTS / f"groups_{draw}.jsonl").read_text("utf-8").splitlines():
        group = json.loads(line)
        verdicts = {member["verdict"] for member in group["members"]}
        assert (group["verdict"] == "wrong") == bool(verdicts - {"copy", "cut_copy"})


def test_peers_group_repeated_texts():
    texts = ["one two three four five six", "seven eight nine ten", "one two three four five six", ""]
    groups = datasketch_groups([{"id": k, "body": text} for k, text in enumerate(texts)], 0.8)
    assert groups[0] == groups[2]
    assert len(set(groups.values())) == 3
