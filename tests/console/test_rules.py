"""The pages of rules, failed tasks, limits and scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.filled import DOUBLE, served_with_rules
from tests.console.fleet import DEADLINE, Fleet
from wfx.demo.local import LocalService

_RULES = """
version: v1
scenarios:
  - id: inside
    description: "tells <b>nobody</b>"
    event_types: [inside]
    children:
      - action:
          id: tell_intranet
          type: webhook_notify
          params: {url: "http://10.0.0.1/hook"}
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service with rules, of which one promises what cannot be done, with a limit and with scripts."""
    with served_with_rules(tmp_path_factory.mktemp("rules"), _RULES) as found:
        yield found


async def _failed(fleet: Fleet, after: str) -> dict[str, Any]:
    """Return the failed task once there is one that changed after a time."""
    async with asyncio.timeout(DEADLINE / 1000):
        while True:
            for task in fleet.ask("GET", "/v1/tasks?state=FAILED").json()["content"]:
                if task["mtime"] > after:
                    return dict(task)
            await asyncio.sleep(0.1)


async def test_a_failed_task_is_done_once_more(page: Page, fleet: Fleet) -> None:
    """The page tells which rules are loaded and how often they matched, and why a task failed; a button repeats it."""
    fleet.ask("POST", "/v1/events", json={"type": "inside", "source": "test", "actor_id": "a", "payload": {}})
    task = await _failed(fleet, after="")
    await page.goto(f"{fleet.console}rules")
    await expect(page.locator("#scenarios tbody tr")).to_contain_text("tells <b>nobody</b>")
    await expect(page.locator("#scenarios tbody tr")).to_contain_text("tell_intranet: webhook_notify")
    tasks = page.locator("#failed-tasks tbody tr")
    await expect(tasks).to_contain_text("address not allowed")
    await page.get_by_role("button", name=f"Replay {task['id']}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert (await _failed(fleet, after=task["mtime"]))["id"] == task["id"]


async def test_limits(page: Page, fleet: Fleet) -> None:
    """Limits are shown with how often their tokens were taken."""
    fleet.create("press-1")
    await page.goto(f"{fleet.console}rules")
    await expect(page.locator("#limits tbody tr")).to_contain_text("2000/PT1M")


async def test_a_script_is_tried(page: Page, fleet: Fleet) -> None:
    """A script has its source, its versions, and a dry run that shows what it returns or why it does not."""
    for source in ('throw new Error("no <i>luck</i>")', DOUBLE):
        fleet.ask("PUT", "/v1/scripts/double", content=source, headers={"content-type": "text/javascript"})
    await page.goto(f"{fleet.console}rules")
    await page.locator("#scripts").get_by_role("link", name="double").click()
    await expect(page.get_by_role("region", name="Source")).to_contain_text("payload.amount * 2")
    trial = page.get_by_role("region", name="Dry run")
    await trial.get_by_label("Payload, as JSON").fill('{"amount": 3}')
    await trial.get_by_role("button", name="Run").click()
    await expect(trial.get_by_role("status")).to_contain_text('"score": 6')
    older = page.locator("#versions tbody tr", has_not_text="present").get_by_role("link")
    await older.click()
    await expect(page.get_by_role("region", name="Source")).to_contain_text("no <i>luck</i>")
    await trial.get_by_role("button", name="Run").click()
    await expect(trial.get_by_role("alert")).to_contain_text("no <i>luck</i>")


async def test_what_is_off_says_how_it_is_switched_on(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where a service has no rules and no scripts, the page shows the options that switch them on."""
    with LocalService(tmp_path_factory.mktemp("off")) as service:
        page = await browser.new_page()
        await page.goto(f"{service.north}/ui/rules")
        await expect(page.get_by_role("region", name="Loaded")).to_contain_text("wfx --rules rules.yml")
        await expect(page.get_by_role("region", name="Scripts")).to_contain_text("wfx --enable-scripts")
        await page.close()
