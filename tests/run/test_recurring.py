"""Page furniture in grouping: what is compared is the article, and lines are learned from the batch."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

import dedup
from dedup.run.recurring import cut_lines, learn_lines
from dedup.run.sketches import Sketches
from dedup.run.sketching import SPARE_WORDS, sketch_texts
from dedup.run.text_arrays import text_array

SEED_PAGE = Path(__file__).parents[3] / "shared" / "seed" / "page.txt"
FOOTER = [
    "The Harbour Times is printed in the old customs house and brought to every village on the coast.",
    "Letters of more than two hundred words may be shortened by the editors of this newspaper.",
    "Harbour Times",
]
LINKS = "Read also:\nFishermen ask for a new pier\nThe old lighthouse is for sale\nRain on Friday"
OTHER_LINKS = "Source: the office\nTags: sea\nMost read:\nA goat won the regatta\nMayor sings"


def story(number: int, num_sentences: int = 4) -> list[str]:
    """Return paragraphs of invented words, the same for the same number."""
    random = Random(number)
    words = ["".join(random.choices("abcdefghijklmnop", k=random.randint(3, 8))) for _ in range(300)]
    return [" ".join(random.sample(words, 14)).capitalize() + "." for _ in range(num_sentences)]


def page(number: int, *furniture: str, num_sentences: int = 4) -> str:
    return "\n".join([*story(number, num_sentences), *furniture])


def grouped(records: list[dict[str, object]], **settings: object) -> set[frozenset[object]]:
    groups = dedup.find_groups(records, dedup.Settings.of("article", **settings))
    return {frozenset(member.id for member in group.members) for group in groups}


def site(num_pages: int, **options: int) -> list[dict[str, object]]:
    return [{"id": n, "text": page(n, *FOOTER, **options), "source": "times"} for n in range(num_pages)]


def sketched(texts: list[str], sources: list[str | None] | None = None) -> Sketches:
    settings = dedup.Settings()
    return cut_lines(sketch_texts(text_array(texts), settings), sources or [None] * len(texts), settings)


def test_pages_of_one_article_with_different_furniture_are_copies() -> None:
    comparison = dedup.compare(page(1, LINKS), page(1, OTHER_LINKS))
    assert comparison.verdict == "exact"
    assert grouped([{"id": 1, "text": page(1, LINKS)}, {"id": 2, "text": page(1, OTHER_LINKS)}]) == {
        frozenset([1, 2])
    }


@pytest.mark.parametrize("num_sentences", [1, 4])
def test_pages_with_one_furniture_and_different_articles_are_not_copies(num_sentences: int) -> None:
    long_list = LINKS + "\n" + "\n".join(f"  • Headline number {n} of the harbour" for n in range(20))
    pages = [page(n, long_list, num_sentences=num_sentences) for n in (1, 2)]
    assert dedup.compare(*pages, dedup.Settings(furniture="keep")).jaccard > 0.4
    assert dedup.compare(*pages).verdict == "different"


def test_lines_that_recur_across_a_source_are_not_compared() -> None:
    assert grouped(site(8, num_sentences=2)) == set()
    assert grouped(site(8, num_sentences=2), furniture="keep") != set()
    shares = dedup.find_groups(site(8)).cut_shares
    assert (shares > 0.3).all()


def test_a_copy_elsewhere_without_the_recurring_lines_is_exact() -> None:
    records = [*site(8), {"id": "copy", "text": page(3), "source": "post"}]
    groups = list(dedup.find_groups(records))
    assert [(member.id, member.relation) for member in groups[0].members] == [
        (3, "canonical"),
        ("copy", "exact"),
    ]


def test_groups_do_not_depend_on_the_order_of_records() -> None:
    records = [*site(12), *({"id": f"copy {n}", "text": page(n), "source": "post"} for n in range(4))]
    expected = grouped(records)
    for seed in range(3):
        Random(seed).shuffle(records)
        assert grouped(records) == expected
    assert len(expected) == 4


def test_lines_of_another_source_stay() -> None:
    records = [*site(8), {"id": "other", "text": page(20, *FOOTER), "source": "post"}]
    assert dedup.find_groups(records).num_cut[-1] == 0


def test_copies_of_one_story_teach_nothing() -> None:
    records = [{"id": n, "text": page(1, f"Edition {n} of the day."), "source": "times"} for n in range(20)]
    records += [{"id": f"other {n}", "text": page(n), "source": "times"} for n in range(100, 120)]
    groups = dedup.find_groups(records)
    assert not groups.num_cut.any()
    assert max(group.size for group in groups) == 20


def test_a_growing_story_teaches_nothing() -> None:
    parts = story(1, 12)
    records = [{"id": n, "text": "\n".join(parts[12 - n :]), "source": "times"} for n in range(3, 13)]
    assert not dedup.find_groups(records).num_cut.any()


@pytest.mark.parametrize(
    "lines", [("Harbour - agency", 0), ("The spokesman said:", 2)], ids=["dateline", "spokesman"]
)
def test_short_lines_of_the_article_are_not_learned(lines: tuple[str, int]) -> None:
    line, place = lines
    records = []
    for n in range(30):
        paragraphs = story(n)
        paragraphs.insert(place, line)
        records.append({"id": n, "text": "\n".join(paragraphs), "source": "times"})
    assert not dedup.find_groups(records).num_cut.any()


def test_too_few_articles_teach_nothing() -> None:
    assert not dedup.find_groups(site(4)).num_cut.any()
    rare = [*site(6), *({"id": f"x{n}", "text": page(50 + n), "source": "times"} for n in range(400))]
    assert not dedup.find_groups(rare).num_cut.any()


def test_an_article_of_nothing_but_recurring_lines_keeps_them() -> None:
    records = [*site(8), {"id": "imprint", "text": "\n".join(FOOTER), "source": "times"}]
    groups = dedup.find_groups(records)
    assert groups.num_cut[-1] == 0
    assert groups.num_tokens[-1] > 30


def test_learned_lines_can_be_handed_on() -> None:
    settings = dedup.Settings()
    batch = sketch_texts(text_array([str(record["text"]) for record in site(8)]), settings)
    learned = learn_lines(batch, ["times"] * 8)
    assert learned.dtype == np.uint64
    assert len(learned) == len(FOOTER)
    alone = cut_lines(sketch_texts(text_array([page(30, *FOOTER)]), settings), ["times"], settings, learned)
    plain = sketched([page(30)])
    assert np.array_equal(alone.tokens, plain.tokens)
    assert np.array_equal(alone.fingerprints, plain.fingerprints)


@pytest.mark.parametrize("num_sentences", [1, 2, 5])
def test_sketches_of_cut_texts_are_those_of_the_articles_alone(num_sentences: int) -> None:
    """Signatures and character shingles too, whether markers or recurring lines were cut."""
    numbers = range(9)
    plain = sketched([page(n, num_sentences=num_sentences) for n in numbers])
    pages = [page(n, *FOOTER, *([LINKS] if n % 2 else []), num_sentences=num_sentences) for n in numbers]
    cut = sketched(pages)
    assert cut.num_cut.all()
    for name in vars(plain):
        if name != "num_cut":
            assert np.array_equal(getattr(cut, name), getattr(plain, name)), name


def test_a_long_line_that_recurs_leaves_the_sketch_of_the_short_text_around_it() -> None:
    imprint = " ".join(FOOTER * 3)
    assert dedup.Settings().max_short_words < len(imprint.split()) < SPARE_WORDS
    plain = sketched([page(n, num_sentences=2) for n in range(9)])
    first, second = zip(*(story(n, 2) for n in range(9)), strict=True)
    cut = sketched([f"{a}\n{imprint}\n{b}" for a, b in zip(first, second, strict=True)])
    assert cut.num_cut.all()
    assert len(cut.character_rows) == 9
    for name in vars(plain):
        if name != "num_cut":
            assert np.array_equal(getattr(cut, name), getattr(plain, name)), name


def test_only_lines_that_fit_a_short_text_wait_for_the_cut() -> None:
    long_line = " ".join(f"word{n}" for n in range(dedup.Settings().max_short_words + 1))
    texts = [f"{long_line}\nA short line\n{long_line}", f"{long_line}\n{long_line}", "A line\nand a line"]
    sketches = sketch_texts(text_array(texts), dedup.Settings())
    assert sketches.spare_rows.tolist() == [0, 2]
    assert sketches.spare_bytes.tobytes() == b"\nA short line\n\nA line\nand a line\n"
    assert np.diff(sketches.line_offsets).tolist() == [3, 2, 2]


def test_run_and_threads_give_what_memory_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.run.sketching._ROWS_PER_TASK", 3)
    texts = [page(n, *FOOTER, LINKS, num_sentences=1 + n % 3) for n in range(20)]
    one, two = (sketch_texts(text_array(texts), dedup.Settings(), threads) for threads in (1, 2))
    for name in vars(one):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_titles_are_not_cut() -> None:
    records = [{"id": 1, "title": "Harbour opens\nRead also: the ferry sails again in June"}]
    assert dedup.find_groups(records, dedup.Settings.of("headline")).num_cut.tolist() == [0]


@pytest.mark.skipif(not SEED_PAGE.exists(), reason="the seed page is not here")
def test_the_seed_page_is_a_copy_of_its_first_article_only() -> None:
    text = SEED_PAGE.read_text("utf-8")
    paragraphs = [line for line in text.split("\n") if line.strip()][:5]
    first = dedup.compare(text, "\n\n".join(paragraphs))
    assert first.verdict in ("exact", "near")
    assert first.jaccard >= 0.95
    lines = text.split("\n")
    second = next(n for n, line in enumerate(lines) if line.startswith("بحث سمو"))
    assert dedup.compare(text, "\n".join(lines[second : second + 3])).verdict == "different"
    records = [{"id": "page", "text": text}, {"id": "second", "text": "\n".join(lines[second : second + 3])}]
    groups = dedup.find_groups([*records, {"id": "first", "text": "\n\n".join(paragraphs)}])
    assert [[member.id for member in group.members] for group in groups] == [["first", "page"]]
    assert groups.links == []
    assert 0.5 < groups.cut_shares[0] < 0.8
