"""What the pages look like: as on small pictures that people have looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.console import pictures
from tests.console.conftest import DEADLINE, Fleet
from tests.console.filled import BEGINNING, PAGES, every_page, failed_job, filled, show

LATER = f"{BEGINNING[:10]}T14:30:00Z"
"""The time of the browser, so late that all in the service is some hours old."""
TRIES = 40
"""Pictures that are taken until one is as it should be: what is late on a busy machine is still to come."""
SETTLING = 5.0
"""Seconds until a page shows all, before a new picture of it is kept."""
DIFFERENT = ".chart canvas"
"""What shows how long the page is open, or how fast the machine is."""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service with something on every page."""
    with filled(tmp_path_factory.mktemp("filled")) as found:
        yield found


@pytest.fixture
def fleet(serving: Fleet) -> Fleet:
    """That service, with its jobs."""
    return serving


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Browser) -> AsyncIterator[Page]:
    """An empty page, which makes pictures small."""
    page = await browser.new_page()
    yield page
    await page.close()


async def compare(page: Page, desk: Page, name: str) -> None:
    """Hold what is seen against a picture, until it is the same."""
    file = pictures.FOLDER / f"{name}.png"
    if pictures.is_renewing():
        await asyncio.sleep(SETTLING)
        (await pictures.take(page, desk, DIFFERENT)).save(file)
        return
    known = pictures.Picture.read(file)
    tries = 0
    async with asyncio.timeout(DEADLINE / 1000):
        while found := known.differs(await pictures.take(page, desk, DIFFERENT)):
            tries += 1
            assert tries < TRIES, f"{name}: {found}"
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("name", PAGES)
async def test_pages(page: Page, fleet: Fleet, desk: Page, name: str) -> None:
    """Each page looks as it did when somebody looked at it: in light and dark colours, and on a phone."""
    await page.clock.set_fixed_time(LATER)
    await show(page, fleet, every_page(failed_job(fleet))[name])
    await compare(page, desk, f"{name}-light")
    await page.emulate_media(color_scheme="dark")
    await compare(page, desk, f"{name}-dark")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 360, "height": 800})
    await compare(page, desk, f"{name}-phone")
