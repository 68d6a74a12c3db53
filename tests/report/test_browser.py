"""The page as a browser shows it: the examples of this project, and articles that would break out of it."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedup.formats.inputs import open_inputs
from dedup.formats.run_output import RunOutput
from dedup.run import nightly
from dedup.run.reporting import open_texts, write_report
from dedup.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
Reporter = Callable[..., Path]

ATTACK = "</script><script>attacked = 1</script><img src=x onerror=attacked=1>\"'><b onclick=attacked=1>"
HOSTILE = "\0\x1b\N{RIGHT-TO-LEFT OVERRIDE}\N{RIGHT-TO-LEFT EMBEDDING}"


@pytest.fixture(scope="session")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> Reporter:
    """Run over a file and return the page of the run."""

    def made(articles: Path, **options: Any) -> Path:
        folder = tmp_path_factory.mktemp("report")
        nightly.run(open_inputs([str(articles)]).files, folder / "out", Settings())
        output = RunOutput(folder / "out")
        files, _ = open_texts(output, [], html=False)
        write_report(output, files, folder / "report.html", **options)
        return folder / "report.html"

    return made


@pytest.fixture(scope="session")
def example_page(report_of: Reporter) -> Path:
    return report_of(EXAMPLES / "articles.jsonl")


@pytest.fixture(scope="session")
def hostile_page(report_of: Reporter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    text = " ".join(f"word{number}" for number in range(60))
    records = [
        {
            "id": f"{number}{ATTACK}{HOSTILE}",
            "title": f"{ATTACK}{HOSTILE}",
            "text": f"{ATTACK} {text}{HOSTILE} {'more' * number}",
            "source": ATTACK,
            "url": url,
        }
        for number, url in enumerate(
            ["javascript:attacked=1", 'https://a.example/"onclick="attacked=1', "data:,x"]
        )
    ]
    records.append({"id": "bad", "text": 5, "title": ATTACK})
    lines = [json.dumps(record) for record in records]
    lines.append('{"id": "\\ud800' + "x" * 20 + '", "text": "' + text + ' \\udfff"}')
    path = folder / f"{ATTACK.replace('/', '')}.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return report_of(path)


@pytest.mark.parametrize("name", ["example_page", "hostile_page"])
def test_page_opens_without_a_complaint_and_asks_for_nothing(
    browser: Any, name: str, request: pytest.FixtureRequest
) -> None:
    page = request.getfixturevalue(name)
    browser.open(page)
    browser.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.value("document.querySelectorAll('details.match .difference').length") > 0
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


def test_hostile_articles_are_text(browser: Any, hostile_page: Path) -> None:
    browser.open(hostile_page)
    assert browser.value("typeof attacked") == "undefined"
    assert browser.value("document.querySelectorAll('main img, main b[onclick], main script').length") == 0
    addresses = browser.value("[...document.querySelectorAll('article a')].map((each) => each.href)")
    assert len(addresses) == 1
    assert addresses[0].startswith("https://a.example/")
    shown = browser.value("document.querySelector('#group-1').textContent")
    assert ATTACK in shown
    assert "\N{REPLACEMENT CHARACTER}" in shown
    source = hostile_page.read_bytes().decode("utf-8")
    assert not set(source) & set("\0\x1b\N{RIGHT-TO-LEFT OVERRIDE}")


def test_arabic_texts_run_from_right_to_left_and_english_ones_do_not(
    browser: Any, example_page: Path
) -> None:
    browser.open(example_page)
    directions = browser.value(
        "[...document.querySelectorAll('article h3 bdi, article .cell[dir]')].map((each) => ["
        "/[\\u0621-\\u064a]/.test(each.textContent) && !/[a-z]/i.test(each.textContent),"
        "/[a-z]/i.test(each.textContent) && !/[\\u0590-\\u08ff]/.test(each.textContent),"
        "getComputedStyle(each).direction, each.tagName === 'BDI'])"
    )
    arabic = [shown for is_arabic, _, shown, _ in directions if is_arabic]
    latin = [shown for _, is_latin, shown, is_title in directions if is_latin and is_title]
    assert len(arabic) > 20
    assert set(arabic) == {"rtl"}
    assert len(latin) > 5
    assert set(latin) == {"ltr"}


def test_filter_shows_what_has_its_words_in_any_spelling(browser: Any, example_page: Path) -> None:
    browser.open(example_page)
    shown = "[...document.querySelectorAll('[data-item]:not([hidden]) h3')].map((each) => each.textContent)"
    everything = browser.value(shown)
    typed = (
        "(() => {{ const box = document.querySelector('#filter input'); box.value = {word};"
        "box.dispatchEvent(new Event('input')); }})()"
    )
    browser.value(typed.format(word=json.dumps("العَقَبه")))
    found = browser.value(shown)
    assert 0 < len(found) < len(everything)
    assert all("العقبة" in title for title in found)
    assert browser.value("document.querySelector('#filter output').textContent") == (
        f"{len(found)} of {len(everything)} shown"
    )
    browser.value(typed.format(word="''"))
    assert browser.value(shown) == everything


def test_page_is_whole_without_its_script(browser: Any, example_page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(example_page)
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
        assert browser.value("getComputedStyle(document.getElementById('filter')).display") == "none"
        assert browser.value("document.querySelectorAll('[data-item][hidden]').length") == 0
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(
    browser: Any, hostile_page: Path, example_page: Path, width: int
) -> None:
    for page in (hostile_page, example_page):
        browser.open(page)
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )
        browser.value("document.querySelectorAll('details.match').forEach((each) => { each.open = true; })")
        assert browser.value("document.documentElement.scrollWidth") <= width


def test_headings_are_in_order_and_controls_have_names(browser: Any, example_page: Path) -> None:
    browser.open(example_page)
    levels = browser.value("[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => +each.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert browser.value("document.querySelectorAll('summary a, summary button, summary input').length") == 0
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = {"button", "link", "searchbox", "image", "region", "article", "DisclosureTriangle"}
    for node in nodes:
        if node.get("role", {}).get("value") in named and not node.get("ignored"):
            assert node.get("name", {}).get("value"), node
