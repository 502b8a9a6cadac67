"""The server ends, in order or by force, and everybody goes on where he was. Rows are those of docs/robustness.md."""

from __future__ import annotations

import asyncio
import signal

import pytest
from playwright.async_api import async_playwright

from tests.acceptance.streams.conftest import Start
from tests.acceptance.streams.following import Follower
from tests.acceptance.streams.page import serving_page
from tests.acceptance.streams.test_deliveries import check_log, decoded, follow, leave
from tests.acceptance.streams.writing import Device, devices, report
from tests.chromium import CHROMIUM, QUIET
from wfx.demo.local import LocalService


async def restart(service: LocalService, how: signal.Signals) -> int:
    """End the server with the signal and start it again on the same ports; returns the exit status."""
    status = await asyncio.to_thread(service.stop, how)
    await asyncio.to_thread(service.start)
    return status


async def check_followers(service: LocalService, reporting: list[Device], followers: list[Follower]) -> None:
    """Check that all followers, which began at the log's beginning, come to have the whole log, each event once."""
    log = check_log(service, reporting)
    for follower in followers:
        await follower.has_events(len(log))
        assert decoded(follower) == log
        assert follower.connections > 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
async def test_readers_resume_after_a_restart(start: Start, how: signal.Signals) -> None:
    """When the server is stopped or killed under load, readers resume: nothing is lost, nothing comes twice. Row 15."""
    service = start()
    reporting = devices(service, 4)
    followers = [follow(service, "since=0", resume_by_query=bool(number % 2)) for number in range(10)]
    writing = asyncio.create_task(report(reporting, 100))
    for count in (50, 150):
        await followers[0].has_events(count)
        status = await restart(service, how)
        assert status == (0 if how is signal.SIGTERM else -signal.SIGKILL)
    await writing
    await check_followers(service, reporting, followers)
    await leave(followers)


async def test_what_a_reader_was_told_survives_a_kill(start: Start) -> None:
    """An event that a reader was told is on the log after the server was killed that instant, unchanged. Row 15."""
    service = start()
    reporting = devices(service, 2)
    follower = follow(service, "since=0")
    writing = asyncio.create_task(report(reporting, 60))
    for count in (20, 60):
        await follower.has_events(count)
        assert service.process is not None
        service.process.kill()
        told = len(follower.events)
        await restart(service, signal.SIGKILL)
        assert decoded(follower)[:told] == check_log(service, [])[:told]
    await writing
    await check_followers(service, reporting, [follower])
    await follower.leave()


async def test_streams_end_properly_when_the_server_stops(service: LocalService) -> None:
    """On SIGTERM each stream ends after a whole block, and the server ends by itself with status 0. Row 15."""
    followers = [follow(service, "since=0") for _ in range(5)]
    for follower in followers:
        await follower.begins()
    assert await asyncio.to_thread(service.stop) == 0
    for follower in followers:
        async with asyncio.timeout(20):
            while not follower.connections:  # noqa: ASYNC110  # counted when the connection has ended
                await asyncio.sleep(0.01)
        assert not follower._rest
    await leave(followers)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
async def test_a_browser_follows_through_a_restart(start: Start, how: signal.Signals) -> None:
    """A page's EventSource comes back by itself after a restart, and its page has seen each event once. Row 15."""
    service = start("--allowed-origin=*")
    (device,) = devices(service, 1)
    address = f"{service.north}/api/wfx/v1/jobs/events?since=0"
    async with async_playwright() as playwright, serving_page() as page_address:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            page = await browser.new_page()
            await page.goto(f"{page_address}#{address}")
            await device.report(10)
            await page.wait_for_function("ids.length >= 11", timeout=60_000)
            await restart(service, how)
            await device.report(10)
            await page.wait_for_function("ids.length >= 21", timeout=60_000)
            ids, data = await page.evaluate("[ids, data]")
        finally:
            await browser.close()
    log = check_log(service, [device])
    assert [ident.encode() for ident in ids] == [ident for ident, _ in log]
    assert data == [event for _, event in log]
