from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page, expect, sync_playwright

from tests.chromium import CHROMIUM, QUIET
from wfx_loadtest import report
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.metrics import Metrics, Outcome
from wfx_loadtest.result import Result
from wfx_loadtest.settings import Settings
from wfx_loadtest.timeline import DELIVERIES

INK = """(id) => {
  const canvas = document.getElementById(id);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let at = 3; at < pixels.length; at += 4) inked += pixels[at] > 0;
  return inked;
}"""


def _metrics(slowest: int = 1) -> Metrics:
    chance = random.Random(5)
    metrics = Metrics(0, 20 * SECOND)
    for number in range(2000):
        read, failed = number % 4 != 0, 900 <= number < 930
        metrics.add(
            Outcome(
                "Read Jobs" if read else "Generate and update jobs",
                number * 10 * MILLISECOND,
                int(chance.lognormvariate(0, 0.4) * 2e6) * (slowest if number == 1000 else 1),
                500 if failed else 200,
                error="500 Internal Server Error" if failed else "",
            )
        )
    return metrics


def _written(metrics: Metrics, root: Path) -> Path:
    settings = Settings(duration=20 * SECOND)
    result = Result(settings, datetime(2026, 7, 1, tzinfo=UTC), metrics, [], interrupted=False, service="1.2.3")
    return report.write(result, root) / "plot.html"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a run with some failures."""
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is needed: install the package chromium"
    return _written(_metrics(), tmp_path_factory.mktemp("results"))


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


def _shown(page: Page, file: Path) -> Page:
    """Open another report in the same browser."""
    assert page.context.browser is not None
    opened = page.context.browser.new_context(viewport={"width": 1240, "height": 1000}).new_page()
    opened.goto(file.as_uri())
    opened.wait_for_function(f"({INK})('latency') > 1000")
    return opened


def test_the_scale_suits_the_slowest(page: Page, tmp_path: Path) -> None:
    """With a slowest request of more than five medians the scale is logarithmic at first, otherwise linear."""
    scale = page.locator("#scale")
    assert scale.get_attribute("aria-pressed") == "false"
    other = _shown(page, _written(_metrics(slowest=100), tmp_path))
    assert other.locator("#scale").get_attribute("aria-pressed") == "true"
    other.context.close()


def test_deliveries_are_no_requests(page: Page, tmp_path: Path) -> None:
    """Events that arrive are on the chart of latencies, by their name, and not in the throughput of requests."""
    metrics = _metrics()
    for number in range(4000):
        metrics.timeline.add(DELIVERIES, number * 5 * MILLISECOND, 2 * MILLISECOND, failed=False)
    other = _shown(page, _written(metrics, tmp_path))
    other.locator("#rate").hover(position={"x": 500, "y": 80})
    told = other.locator("#tip").inner_text()
    assert "25 requests" in told
    assert "deliveries" not in told
    other.locator("#latency").hover(position={"x": 500, "y": 30})
    assert "Event deliveries: OK: 200 deliveries, median" in other.locator("#tip").inner_text()
    inked = _ink(other, "rate")
    other.get_by_role("button", name=DELIVERIES).click()
    assert _ink(other, "rate") == inked
    other.context.close()


def test_what_is_told_has_one_unit(page: Page) -> None:
    """Latencies in one box have one unit, and a p99 of fewer than 100 requests, which is the slowest, is not told."""
    page.locator("#rate").hover(position={"x": 500, "y": 80})
    told = page.locator("#tip").inner_text()
    units = [set(re.findall(r"[\d.]+ (s|ms|µs)\b", line)) for line in told.splitlines()[1:]]
    assert len(units) == 2
    assert all(len(each) == 1 for each in units)
    assert "25 requests, median" in told
    assert "p99" not in told


def test_the_box_of_figures_covers_no_button(page: Page) -> None:
    """Wherever the pointer is on a chart, what is told lies beside all buttons."""
    buttons = [box for button in page.get_by_role("button").all() if (box := button.bounding_box())]
    assert len(buttons) >= 8
    for chart in ("latency", "rate", "percentiles"):
        size = page.locator(f"#{chart}").bounding_box()
        assert size is not None
        for x in (70, size["width"] / 2, size["width"] - 20):
            for y in (14, size["height"] / 2, size["height"] - 32):
                page.locator(f"#{chart}").hover(position={"x": x, "y": y})
                moved = [box for button in page.get_by_role("button").all() if (box := button.bounding_box())]
                if box := page.locator("#tip").bounding_box():
                    assert not [button for button in moved if _overlap(box, button)]


def _overlap(one: FloatRect, other: FloatRect) -> bool:
    return (
        one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]
    )  # fmt: skip


def test_the_page_says_what_was_tested(page: Page) -> None:
    """Addresses, both versions and how punctual the generator was stand at the top, options by their names."""
    told = page.locator("header").inner_text()
    for words in ("http://localhost:8080", "http://localhost:8081", "wfx 1.2.3", "wfx-loadtest", "read-freq 75"):
        assert words in told


def test_an_empty_run_says_so(page: Page, tmp_path: Path) -> None:
    """Without requests the page says so, and shows no figures of nothing."""
    other = _shown(page, _written(Metrics(0, SECOND), tmp_path))
    assert other.locator(".notice").first.inner_text() == "No requests were made."
    assert other.locator(".tiles").inner_text().split() == ["requests", "0"]
    assert _ink(other, "percentiles") > 100
    other.context.close()


def test_print_is_light(page: Page) -> None:
    """What is printed is black on white, without switches and hints, and the screen is as dark as before afterwards."""
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(color_scheme="dark", media="print")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.locator("#scale").is_hidden()
    assert page.locator(".hint.screen").is_hidden()
    page.emulate_media(color_scheme="dark", media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")


def test_errors_are_counted(page: Page) -> None:
    """Each error text has its number, status codes theirs, and success never rounds up to 100%."""
    assert page.locator(".errors li").all_inner_texts() == ["500 Internal Server Error \N{MULTIPLICATION SIGN} 30"]
    codes = page.locator("tr", has_text="Status codes").locator("dl div").all_inner_texts()
    assert [code.split("\n") for code in codes] == [["200", "1,970"], ["500", "30"]]
    tiles = page.locator(".tiles div").all_inner_texts()
    assert ["errors", "30"] in [tile.split("\n") for tile in tiles]


def test_the_charts_say_what_they_show(page: Page) -> None:
    """Under each chart stands what its marks are, and what is good."""
    hints = " ".join(page.locator(".hint").all_inner_texts())
    for said in ("Each dot is a request", "p99 of each second", "Lower is better", "Requests sent per second"):
        assert said in hints


NOTE_TEXTS = """
  window.texts = [];
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    texts.push(text);
    write.call(this, text, ...place);
  };
"""


def _texts_of_charts(page: Page, file: Path) -> list[str]:
    assert page.context.browser is not None
    context = page.context.browser.new_context(viewport={"width": 1240, "height": 1000})
    context.add_init_script(NOTE_TEXTS)
    opened = context.new_page()
    opened.goto(file.as_uri())
    opened.wait_for_function(f"({INK})('latency') > 1000")
    texts: list[str] = opened.evaluate("texts")
    context.close()
    return texts


def test_the_end_of_the_duration_is_marked(page: Page, file: Path, tmp_path: Path) -> None:
    """A line marks the end of the duration where devices went on with their jobs; other runs have none."""
    assert "end of duration" not in _texts_of_charts(page, file)
    metrics = _metrics()
    metrics.add(Outcome("Read Jobs", 30 * SECOND, MILLISECOND, 200))
    assert "end of duration" in _texts_of_charts(page, _written(metrics, tmp_path))
