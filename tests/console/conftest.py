"""A service with jobs, and a browser that looks at its console and may reach nothing else."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from inspect import iscoroutinefunction
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

from tests.chromium import CHROMIUM, QUIET
from tests.console.filled import filled
from tests.console.fleet import DEADLINE, Fleet, served

FONTS = Path(__file__).with_name("fonts.conf")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service for all tests of a module, with a workflow."""
    with served(tmp_path_factory.mktemp("console")) as found:
        yield found


@pytest.fixture
def fleet(serving: Fleet) -> Fleet:
    """The service without jobs."""
    while jobs := serving.north.get("/jobs", params={"limit": 100}).json()["content"]:
        for job in jobs:
            serving.north.delete(f"/jobs/{job['id']}").raise_for_status()
    return serving


@pytest.fixture(scope="session")
def filled_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service with something on every page, for tests that look at it only."""
    with filled(tmp_path_factory.mktemp("filled")) as found:
        yield found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests of this folder that await something in one loop, that of the browser."""
    for item in items:
        function = getattr(item, "function", None)
        if Path(item.path).parent == Path(__file__).parent and iscoroutinefunction(function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser for all tests; each has a context of its own in it, with nothing in its cache."""
    expect.set_options(timeout=DEADLINE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=list(QUIET),
            env={**os.environ, "FONTCONFIG_FILE": str(FONTS)},
            timeout=DEADLINE,
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, fleet: Fleet) -> AsyncIterator[Page]:
    """A page of the console; the test fails if anything was wrong with it, or if it asked another host."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="Europe/Berlin")
    page.set_default_timeout(DEADLINE)
    faults = watch(page, fleet.service.north)
    yield page
    await page.close()
    assert faults == []


def watch(page: Page, origin: str) -> list[str]:
    """Gather what no page of the console may do."""
    faults: list[str] = []

    def said(message: ConsoleMessage) -> None:
        # A browser reports each refused or broken request here; what a page makes of them is what tests look at.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{origin}/", "data:", "blob:")):
            faults.append(request.url)

    page.on("console", said)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.context.on("request", asked)
    return faults
