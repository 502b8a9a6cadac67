from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.chromium import CHROMIUM, QUIET
from wfx_loadtest import report
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.metrics import Metrics, Outcome
from wfx_loadtest.result import Result
from wfx_loadtest.settings import Settings

INK = """(id) => {
  const canvas = document.getElementById(id);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let at = 3; at < pixels.length; at += 4) inked += pixels[at] > 0;
  return inked;
}"""


def _metrics() -> Metrics:
    chance = random.Random(5)
    metrics = Metrics(0, 20 * SECOND)
    for number in range(2000):
        read, failed = number % 4 != 0, 900 <= number < 930
        metrics.add(
            Outcome(
                "Read Jobs" if read else "Generate and update jobs",
                number * 10 * MILLISECOND,
                int(chance.lognormvariate(0, 0.4) * 2e6),
                500 if failed else 200,
                error="500 Internal Server Error" if failed else "",
            )
        )
    return metrics


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a run with some failures."""
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is needed: install the package chromium"
    result = Result(Settings(duration=20 * SECOND), datetime(2026, 7, 1, tzinfo=UTC), _metrics(), [], interrupted=False)
    return report.write(result, tmp_path_factory.mktemp("results")) / "plot.html"


@pytest.fixture(scope="module")
def page(file: Path) -> Iterator[Page]:
    """Open the page in a real browser; whatever it complains about fails the tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(viewport={"width": 1240, "height": 1000}, color_scheme="light")
        opened = context.new_page()
        complaints: list[str] = []
        requests: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto(file.as_uri())
        opened.wait_for_function(f"({INK})('latency') > 1000")
        yield opened
        browser.close()
    assert complaints == []
    assert requests == [file.as_uri()]


def _settled(page: Page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _ink(page: Page, chart: str = "latency") -> int:
    _settled(page)
    inked: int = page.evaluate(INK, chart)
    return inked


def test_all_three_charts_are_drawn(page: Page) -> None:
    """Latency over time, throughput and latency by percentile all show something."""
    assert page.title() == "wfx"
    for chart in ("latency", "rate", "percentiles"):
        assert _ink(page, chart) > 1000


def test_series_can_be_switched_off_and_on(page: Page) -> None:
    """A click on a name in the legend hides its series, another one shows it again."""
    names = page.locator("#legend button").all_inner_texts()
    assert names == [
        "Generate and update jobs: OK",
        "Generate and update jobs: ERROR",
        "Read Jobs: OK",
        "Read Jobs: ERROR",
    ]
    whole = _ink(page, "rate")
    button = page.get_by_role("button", name="Read Jobs: OK")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert _ink(page, "rate") < whole
    button.click()
    assert _ink(page, "rate") == whole


def test_dragging_zooms_and_a_double_click_shows_all_again(page: Page) -> None:
    """A stretch that is dragged over fills the chart; a double click, or the button, ends it."""
    box = page.locator("#latency").bounding_box()
    assert box is not None
    reset = page.locator("#reset")
    assert reset.is_hidden()
    page.mouse.move(box["x"] + 400, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 220, steps=3)
    page.mouse.up()
    _settled(page)
    assert reset.is_visible()
    page.locator("#latency").dblclick(position={"x": 500, "y": 200})
    _settled(page)
    assert reset.is_hidden()


def test_the_keyboard_zooms_too(page: Page) -> None:
    """Plus zooms in on the focused chart, and 0 shows all again."""
    page.locator("#rate").focus()
    page.keyboard.press("+")
    _settled(page)
    assert page.locator("#reset").is_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("0")
    _settled(page)
    assert page.locator("#reset").is_hidden()


def test_pointing_tells_figures(page: Page) -> None:
    """Pointing at a request, a bar or the distribution tells what it stands for; leaving the chart ends that."""
    tip = page.locator("#tip")
    page.locator("#rate").hover(position={"x": 500, "y": 80})
    assert "requests, median" in tip.inner_text()
    page.locator("#percentiles").hover(position={"x": 500, "y": 100})
    assert "of the requests\ntook at most" in tip.inner_text()
    page.locator("#latency").hover(position={"x": 500, "y": 380})
    assert " at " in tip.inner_text() or "median" in tip.inner_text()
    page.mouse.move(2, 2)
    assert tip.is_hidden()


def test_scale_dots_and_lines_are_switches(page: Page) -> None:
    """Log scale, single requests and p99 lines each change the picture and change it back."""
    for switch in ("scale", "dots", "lines"):
        before = page.locator("#latency").screenshot()
        page.locator(f"#{switch}").click()
        _settled(page)
        assert page.locator("#latency").screenshot() != before
        page.locator(f"#{switch}").click()
        _settled(page)


def test_light_and_dark(page: Page) -> None:
    """The page follows the system's colours, and the button turns them round."""
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    _settled(page)
    dark = page.evaluate(ground)
    assert dark != light
    page.locator("#theme").click()
    assert page.evaluate(ground) == light
    page.emulate_media(color_scheme="light")
    page.locator("#theme").click()
    page.locator("#theme").click()


def test_a_narrow_window_needs_no_sideways_scrolling(page: Page) -> None:
    """On a phone everything fits the width."""
    page.set_viewport_size({"width": 390, "height": 800})
    _settled(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1240, "height": 1000})
