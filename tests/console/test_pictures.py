"""What the pages look like: as on small pictures that people have looked at."""

from __future__ import annotations

import asyncio

import pytest
from PIL import Image
from playwright.async_api import Page

from tests.console import pictures
from tests.console.filled import BEGINNING, PAGES, every_page, failed_job, show
from tests.console.fleet import Fleet

LATER = f"{BEGINNING[:10]}T14:30:00Z"
"""The time of the browser, so late that all in the service is some hours old."""
TRIES = 100
"""Pictures that are taken until one is as it should be: what is late on a busy machine is still to come."""
SETTLING = 5.0
"""Seconds until a page shows all, before a new picture of it is kept."""
DIFFERENT = ".chart canvas"
"""What shows how long the page is open, or how fast the machine is."""


@pytest.fixture
def fleet(filled_fleet: Fleet) -> Fleet:
    """A service with something on every page."""
    return filled_fleet


async def compare(page: Page, name: str) -> None:
    """Hold what is seen against a picture, until it is the same."""
    file = pictures.FOLDER / f"{name}.png"
    if pictures.is_renewing():
        await asyncio.sleep(SETTLING)
        (await pictures.take(page, DIFFERENT)).save(file, optimize=True)
        return
    known = Image.open(file)
    for tries_left in reversed(range(TRIES)):
        different = pictures.difference(known, await pictures.take(page, DIFFERENT))
        if not different:
            return
        assert tries_left, f"{name}: {different}"
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("name", PAGES)
async def test_pages(page: Page, fleet: Fleet, name: str) -> None:
    """Each page looks as it did when somebody looked at it: in light and dark colours, and on a phone."""
    await page.clock.set_fixed_time(LATER)
    await show(page, fleet, every_page(failed_job(fleet))[name])
    await compare(page, f"{name}-light")
    await page.emulate_media(color_scheme="dark")
    await compare(page, f"{name}-dark")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 360, "height": 800})
    await compare(page, f"{name}-phone")
