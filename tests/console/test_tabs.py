"""Several tabs of a browser."""

from __future__ import annotations

import asyncio
import re
from itertools import count

import httpx
from playwright.async_api import Browser, expect

from tests.console.conftest import watch
from tests.console.fleet import Fleet

DEADLINE = 60.0


async def subscribers(fleet: Fleet, wanted: int) -> bool:
    """Whether the service comes to serve so many event streams."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(DEADLINE):
        for _ in count():
            text = (await client.get(f"{fleet.service.north}/metrics")).text
            found = re.search(r"^wfx_event_subscribers (\S+)$", text, re.MULTILINE)
            if found and float(found[1]) == wanted:
                return True
            await asyncio.sleep(0.1)
    return False


async def test_one_stream_for_all(browser: Browser, fleet: Fleet) -> None:
    """Eight tabs share one event stream, each of them shows what happens, and the last one ends it."""
    context = await browser.new_context()
    job = fleet.create("press-1")
    faults: list[list[str]] = []
    pages = []
    for _ in range(8):
        page = await context.new_page()
        faults.append(watch(page, fleet.service.north))
        await page.goto(f"{fleet.console}jobs")
        await expect(page.get_by_role("button", name="live")).to_be_visible(timeout=30_000)
        pages.append(page)
    assert await subscribers(fleet, 1)
    fleet.report(job, "DIM", message="half way")
    for page in pages:
        await page.bring_to_front()
        await expect(page.locator("#jobs-table tbody tr")).to_contain_text("half way")
    for page in pages:
        await page.close()
    assert await subscribers(fleet, 0)
    assert not any(faults)
    await context.close()
