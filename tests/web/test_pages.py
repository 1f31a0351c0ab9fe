# SPDX-License-Identifier: Apache-2.0
"""The pages of report and eval in Debian's Chromium, opened as files: of the demo, and of a made-up street with streams."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(os.environ.get("FEW_TEST_SOURCE", Path(__file__).parents[2]))
BUILD = Path(os.environ.get("FEW_BUILD") or os.environ.get("FEW_TEST_BUILD") or ROOT / "build")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--no-first-run"]
SECTIONS = {
    "demo": ["saved", "curves", "items", "lanes", "why", "models"],
    "street": ["saved", "curves", "streams", "items", "failures", "lanes", "why", "models"],
    "eval": ["saved", "curves", "methods"],
    "policy": ["saved", "curves", "methods", "promises", "sources"],
}
PAGES = sorted(SECTIONS)

if not CHROMIUM.exists():
    pytest.skip("chromium is not installed", allow_module_level=True)


def run(*command, cwd=None):
    got = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd)
    assert got.returncode == 0, got.stderr


def fewer(*words):
    run(BUILD / "cli" / "fewer", *words)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """{"demo", "street", "eval", "policy": path of the page}"""
    folder = tmp_path_factory.mktemp("pages")
    run(sys.executable, ROOT / "demo" / "draw.py", folder / "scenes", 60)
    zoo, scenes, sample, labelled = ROOT / "demo" / "zoo.yaml", folder / "scenes", folder / "sample.db", folder / "run.db"
    fewer("record", zoo, scenes, "-o", sample, "-q")
    fewer("label", zoo, scenes, "--policy", f"static:{sample}", "--deadline", "50ms", "-o", labelled, "-q")
    fewer("report", labelled, "--trace", sample, "-o", folder / "demo.html")
    fewer("eval", sample, "-o", folder / "eval.html", "-q")
    run(BUILD / "tests" / "eval" / "make_policy", sample, folder / "policy", 40)
    fewer("eval", sample, "-p", folder / "policy", "--transfer", "--priority", "tags", "--memory", "25%",
          "-o", folder / "policy.html", "-q")
    make = BUILD / "tests" / "report" / "make_street"
    run(make, "run", 480, 3, folder / "street.db")
    run(make, "trace", 480, 3, folder / "street_all.db")
    fewer("report", folder / "street.db", "--trace", folder / "street_all.db", "-o", folder / "street.html")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def opened(browser, pages):
    """opened(name, **context): the page; what it says on the console and asks for stands in .noise and .asked."""
    contexts = []

    def open_page(name, width=1280, height=900, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        page = context.new_page()
        page.noise, page.asked = [], []
        page.on("console", lambda message: page.noise.append(message.text))
        page.on("pageerror", lambda error: page.noise.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(pages[name].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def settle(page):
    """Two frames: what was asked to be drawn is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def numbers(text):
    return re.findall(r"\d+(?:[.,:]\d+)*", text)


def table_row(figure, i):
    """The numbers of one row of the table behind a plot."""
    return [cell.strip() for cell in figure.locator("tbody tr").nth(i).locator("td").all_text_contents()]


@pytest.mark.parametrize("name", PAGES)
def test_opens_quietly_and_asks_for_nothing(opened, pages, name):
    page = opened(name)
    settle(page)
    for canvas in page.locator("figure.plot .canvas").all()[:6]:
        canvas.scroll_into_view_if_needed()
        canvas.hover()
    assert page.noise == []
    assert [url for url in page.asked if not url.startswith("data:")] == [pages[name].as_uri()]


@pytest.mark.parametrize("name", PAGES)
def test_size(pages, name):
    assert 60_000 < pages[name].stat().st_size < 3 << 20


@pytest.mark.parametrize("name", PAGES)
def test_sections_and_their_links(opened, name):
    page = opened(name)
    assert [s.get_attribute("id") for s in page.locator("main > section").all()] == SECTIONS[name]
    links = [link.get_attribute("href") for link in page.locator("nav a").all()]
    assert links == [f"#{section}" for section in SECTIONS[name]]
    for section in page.locator("main > section").all():
        assert section.locator("h2").inner_text()


def test_what_was_measured(opened):
    page = opened("demo")
    saved = page.locator("#saved").inner_text()
    assert "60 of 60 items and 17 of 17 models" in saved and "not measured" not in saved
    recall = page.locator(".tile", has_text="recall of value").locator("b").inner_text()
    assert 0 < float(recall) <= 1


def test_data_stays_text(opened):
    page = opened("street")
    assert page.locator("u, picture, main b > b, .items script").count() == 0
    assert page.get_by_text("0<u>.mp4").count() > 0
    assert page.get_by_text("weather<i>").count() > 0
    assert page.locator("#items .filter option, #items .filter button", has_text="</script><b>fog").count() == 1


@pytest.mark.parametrize("name", ["demo", "street"])
def test_filter_by_label(opened, name):
    page = opened(name)
    cards = page.locator("#items .card")
    everything = cards.count()
    button = page.locator("#items .filter button", has_text="person")
    label = button.get_attribute("data-id")
    expected = int(button.locator("b").inner_text())
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    shown = [card for card in cards.all() if card.is_visible()]
    assert 0 < len(shown) == expected <= everything
    assert all(label in card.get_attribute("data-labels").split() for card in shown)
    assert page.locator("#items .shown").inner_text() == f"{expected} of {everything} items"
    assert page.locator("#items .box.on").count() > 0
    page.locator("#items .filter button").first.focus()
    page.keyboard.press("Enter")
    assert sum(card.is_visible() for card in cards.all()) == everything


def test_more_labels_are_in_a_list(opened):
    page = opened("demo")
    cards, select = page.locator("#items .card"), page.locator("#items .filter select")
    option = select.locator("option").nth(1)
    expected = int(re.search(r"\((\d+)\)$", option.inner_text()).group(1))
    select.select_option(index=1)
    assert sum(card.is_visible() for card in cards.all()) == expected
    assert page.locator("#items .filter [aria-pressed=true]").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_every_plot_is_reachable_by_keyboard(opened, name):
    page = opened(name)
    figures = page.locator("figure")
    assert figures.count() >= 2
    for figure in figures.all():
        reading = figure.locator("[role=slider]")
        assert reading.count() == 1
        assert reading.get_attribute("tabindex") == "0" and reading.get_attribute("aria-label")
        assert reading.get_attribute("aria-valuetext")
        assert figure.locator("details table tbody tr").count() > 0


def test_arrow_keys_move_the_reading(opened):
    page = opened("eval")
    figure = page.locator("figure.plot").first
    reading, tip = figure.locator("[role=slider]"), figure.locator(".tip")
    reading.focus()
    page.keyboard.press("Home")
    first = reading.get_attribute("aria-valuetext")
    assert tip.is_visible()
    page.keyboard.press("ArrowRight")
    second = reading.get_attribute("aria-valuetext")
    assert second != first and reading.get_attribute("aria-valuenow") == "2"
    row = table_row(figure, 1)
    shown = numbers(second)
    assert float(shown[0]) == float(row[0])
    assert [f"{float(n):.3g}" for n in shown[1:]] == [f"{float(cell.rstrip('%')):.3g}" for cell in row[1:] if cell]
    assert numbers(tip.inner_text()) == shown
    page.keyboard.press("End")
    assert reading.get_attribute("aria-valuenow") == reading.get_attribute("aria-valuemax")
    page.keyboard.press("ArrowRight")
    assert reading.get_attribute("aria-valuenow") == reading.get_attribute("aria-valuemax")
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_pointing_shows_the_values_there(opened):
    page = opened("street")
    stream = page.locator(".stream").first
    states, seen = stream.locator("figure").nth(0), stream.locator("figure").nth(1)
    states.scroll_into_view_if_needed()
    box = states.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 20)
    assert "analysed" in states.locator(".tip").inner_text()
    assert "person" in seen.locator(".tip").inner_text()  # the other plot of the stream follows
    n = states.locator("tbody tr").count()
    at = int(states.locator("[role=slider]").get_attribute("aria-valuenow"))
    assert abs(at - (0.4 * n + 0.5)) <= 1
    page.mouse.move(2, 2)
    assert states.locator(".tip").is_hidden()


def test_a_series_can_be_left_out(opened):
    page = opened("eval")
    figure = page.locator("figure.plot").first
    key = figure.locator(".legend button").nth(1)
    before = figure.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    settle(page)
    assert figure.locator("canvas").evaluate("canvas => canvas.toDataURL()") != before


def test_baselines_stand_back_where_there_is_a_policy(opened):
    page = opened("policy")
    figure = page.locator("figure.plot").first
    key = figure.locator(".legend button", has_text="random")
    assert key.get_attribute("aria-pressed") == "false"
    assert figure.locator(".legend button", has_text="value_net").get_attribute("aria-pressed") == "true"
    before = figure.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    key.click()
    assert key.get_attribute("aria-pressed") == "true"
    settle(page)
    assert figure.locator("canvas").evaluate("canvas => canvas.toDataURL()") != before


def test_tables_of_a_policy(opened):
    page = opened("policy")
    row = page.locator("#methods table").first.locator("tbody tr", has_text="value_net")
    own, low, high = (float(number) for number in numbers(row.locator("td").first.inner_text())[:3])
    assert low <= own <= high
    promised = page.locator("#promises tbody tr", has_text="value_net")
    assert promised.locator("td").first.all_inner_texts() == ["0.5"]
    page.locator("#sources summary").first.click()
    assert "scene" in page.locator("#sources tbody").first.inner_text()


def test_lanes_answer_to_pointing_and_keys(opened):
    page = opened("street")
    figure = page.locator("figure.item-lanes").first
    run_of, tip = figure.locator(".run", has_text="objects"), figure.locator(".tip")
    run_of.hover()
    assert tip.inner_text() == run_of.get_attribute("data-words")
    reading = figure.locator("[role=slider]")
    reading.focus()
    page.keyboard.press("Home")
    assert "reading, read and decoded" in reading.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() == figure.locator(".run").nth(1).get_attribute("data-words")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_scrolls_sideways(opened, name, width):
    page = opened(name, width=width, height=800, has_touch=True)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for canvas in page.locator("figure.plot canvas").all()[:4]:
        assert 0 < canvas.bounding_box()["width"] <= width


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def variable(page, name):
    value = page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
    return "#" + "".join(2 * c for c in value[1:]) if len(value) == 4 else value


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(opened, scheme):
    page = opened("eval", color_scheme=scheme)
    for ground in ("bg", "card"):
        for ink in ("ink", "soft", "accent", "failed"):
            assert contrast(variable(page, ink), variable(page, ground)) >= 4.5, (ink, ground)
        for part in ("executed", "predicted", "reused", "skipped", "late", "failed", *(f"c{i}" for i in range(8))):
            assert contrast(variable(page, part), variable(page, ground)) >= 3 * 0.95, (part, ground)


def test_dark_follows_the_reader(opened):
    page = opened("street", color_scheme="light")
    canvas = page.locator("figure.plot canvas").first
    light, drawn = page.evaluate("getComputedStyle(document.body).backgroundColor"), canvas.evaluate("c => c.toDataURL()")
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert canvas.evaluate("c => c.toDataURL()") != drawn


def test_without_a_script(opened):
    page = opened("street", java_script_enabled=False)
    assert page.locator("#items .card img").count() > 0
    assert page.locator("#items .filter").is_hidden()
    assert page.locator("figure.item-lanes .run").first.is_visible()
    for section in ("saved", "streams", "failures", "why", "models"):
        assert page.locator(f"#{section} table").first.is_visible()
    numbers_of = page.locator("figure.plot details").first
    numbers_of.locator("summary").click()
    assert numbers_of.locator("table").is_visible()
