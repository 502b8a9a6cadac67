"""The service ends and comes back in the middle of a live page: the page goes on, with each event once."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.console.fleet import API, DEADLINE, Fleet

TALL = {"width": 1280, "height": 6000}
"""So high that all rows of the tests are elements."""
LIFE = 12
"""Jobs that are created before the service ends, while it is away, and afterwards."""


async def write(fleet: Fleet, name: str, begun: asyncio.Event) -> None:
    """Create jobs and report for them, again whenever the service did not answer; ``begun`` after the first ones."""
    async with httpx.AsyncClient(base_url=fleet.service.north + API, trust_env=False, timeout=60) as north:
        for number in range(LIFE):
            job = await send(north, "POST", "/jobs", json={"clientId": f"{name}-{number}", "workflow": "lamp.flow"})
            await send(north, "PUT", f"/jobs/{job['id']}/status", json={"state": "BRIGHT", "message": "by hand"})
            if number == LIFE // 3:
                begun.set()


async def send(north: httpx.AsyncClient, method: str, path: str, **more: Any) -> Any:
    """Send a request until it is answered: what was done without an answer is done, and counted, once more."""
    async with asyncio.timeout(DEADLINE / 1000):
        while True:
            try:
                answer = await north.request(method, path, **more)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code < 500:
                return answer.json()
            await asyncio.sleep(0.05)


def log_of(fleet: Fleet) -> list[str]:
    """Return the numbers of all events, the newest first."""
    json = {"accept": "application/json"}
    found = fleet.north.get("/jobs/events", params={"since": 0, "limit": 1000}, headers=json).json()["content"]
    return [each["id"].rpartition("-")[2] for each in reversed(found)]


async def restart(fleet: Fleet, how: signal.Signals, page: Page) -> None:
    """End the service, let the page notice it, and start it again."""
    await asyncio.to_thread(fleet.service.stop, how)
    await expect(page.get_by_role("button", name="reconnecting")).to_be_visible()
    await asyncio.to_thread(fleet.service.start)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
async def test_events(page: Page, fleet: Fleet, how: signal.Signals) -> None:
    """The list of events has each event once and in order, however the service ended while it was written to."""
    await page.set_viewport_size(TALL)  # type: ignore[arg-type]
    await page.goto(f"{fleet.console}events")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    for turn in range(2):
        begun = asyncio.Event()
        writing = asyncio.create_task(write(fleet, f"{how.name}-{turn}", begun))
        await begun.wait()
        await restart(fleet, how, page)
        await writing
        await expect(page.get_by_role("button", name="live")).to_be_visible()
        known = log_of(fleet)
        await expect(page.locator(".count")).to_have_text(f"{len(known)} events")
        assert await page.locator("#events-table .c-number code").all_text_contents() == known


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
async def test_jobs(page: Page, fleet: Fleet, how: signal.Signals) -> None:
    """The list of jobs goes on where it was: each row as its job is, and new jobs counted once."""
    jobs = [fleet.create(f"press-{number}") for number in range(6)]
    await page.goto(f"{fleet.console}jobs?sort=asc")
    rows = page.locator("#jobs-table tbody tr")
    await expect(rows).to_have_count(6)
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    fleet.report(jobs[0], "DIM")
    await expect(rows.first).to_contain_text("DIM")
    await restart(fleet, how, page)
    for job in jobs[1:3]:
        fleet.report(job, "BROKEN", message="no space left")
    fresh = [fleet.create(f"pump-{number}") for number in range(3)]
    await expect(page.get_by_role("button", name="3 new")).to_be_visible()
    for row in (1, 2):
        await expect(rows.nth(row)).to_contain_text("no space left")
    await expect(rows).to_have_count(6)
    await page.get_by_role("button", name="3 new").click()
    await expect(rows).to_have_count(9)
    ids = await page.locator("#jobs-table .c-id code").all_text_contents()
    assert ids == [*jobs, *fresh]
