"""Many jobs at once, from the page of the jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.console.fleet import Fleet


def read(file: Path) -> dict[str, Any]:
    """Read a document that was saved."""
    return dict(json.loads(file.read_text(encoding="utf-8")))


def count(fleet: Fleet) -> int:
    """Count all jobs."""
    return int(fleet.north.get(f"{fleet.service.north}/api/fleet/v1/jobs/summary").json()["total"])


async def test_a_few_jobs(page: Page, fleet: Fleet) -> None:
    """Chosen jobs are moved after a look, which names those that cannot be; the result can be saved."""
    jobs = [fleet.create(f"press-{number}") for number in range(3)]
    fleet.report(jobs[2], "BROKEN")
    await page.goto(f"{fleet.console}jobs")
    for client in ("press-1", "press-2"):
        await page.get_by_role("checkbox", name=f"Select {client}").check()
    await page.get_by_role("group", name="2 selected").get_by_role("button", name="Move…").click()
    dialog = page.get_by_role("dialog", name="Move")
    await dialog.get_by_label("New state").fill("BRIGHT")
    await dialog.get_by_role("button", name="Look first").click()
    await expect(dialog).to_contain_text("This concerns 2 jobs.")
    await expect(dialog).to_contain_text("1 of them cannot be changed")
    assert fleet.north.get(f"/jobs/{jobs[1]}/status").json()["state"] == "DARK"
    await dialog.get_by_role("button", name="Move 2 jobs").click()
    await expect(dialog).to_contain_text("1 done, 1 failed, of 2.")
    async with page.expect_download() as download:
        await dialog.get_by_role("button", name="Save the result").click()
    saved = read(await (await download.value).path())
    assert (saved["done"], saved["failed"]) == (1, 1)
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.locator("#jobs-table tr", has_text="press-1")).to_contain_text("BRIGHT")
    assert [fleet.north.get(f"/jobs/{job}/status").json()["state"] for job in jobs] == ["DARK", "BRIGHT", "BROKEN"]


async def test_all_that_match(page: Page, fleet: Fleet) -> None:
    """All jobs that meet the filter are tagged at once; above 100 the number has to be typed."""
    body = {"workflow": "lamp.flow", "tags": ["r7"], "jobs": [{"clientId": f"press-{number}"} for number in range(120)]}
    url = f"{fleet.service.north}/api/fleet/v1/jobs:batch"
    fleet.north.post(url, json=body, timeout=60).raise_for_status()
    other = fleet.create("other")
    await page.goto(f"{fleet.console}jobs?tag=r7")
    await page.get_by_role("checkbox", name="Select press-119").check()
    await page.get_by_role("button", name="Select all 120 that match").click()
    await page.get_by_role("group", name="120 selected").get_by_role("button", name="Tag…").click()
    dialog = page.get_by_role("dialog", name="Tag")
    await dialog.get_by_label("Tags to add").fill("look-at")
    await dialog.get_by_role("button", name="Look first").click()
    go = dialog.get_by_role("button", name="Tag 120 jobs")
    await expect(go).to_be_disabled()
    await dialog.get_by_label("Type 120").fill("12")
    await expect(go).to_be_disabled()
    await dialog.get_by_label("Type 120").fill("120")
    await go.click()
    await expect(dialog).to_contain_text("120 done, 0 failed, of 120.")
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.locator("#jobs-table tbody tr").first).to_contain_text("look-at")
    assert fleet.north.get(f"/jobs/{other}/tags").json() == []


async def test_tags_taken_back(page: Page, fleet: Fleet) -> None:
    """A change of tags can be taken back: each job has the tags again that it had before."""
    had = fleet.create("press-1", tags=["look-at"])
    new = fleet.create("press-2", tags=["r7"])
    await page.goto(f"{fleet.console}jobs")
    await page.get_by_role("checkbox", name="Select press-1").check()
    await page.get_by_role("checkbox", name="Select press-2").check()
    await page.get_by_role("button", name="Tag…").click()
    dialog = page.get_by_role("dialog", name="Tag")
    await dialog.get_by_label("Tags to add").fill("look-at")
    await dialog.get_by_label("Tags to remove").fill("r7")
    await dialog.get_by_role("button", name="Look first").click()
    await dialog.get_by_role("button", name="Tag 2 jobs").click()
    await expect(dialog).to_contain_text("2 done, 0 failed, of 2.")
    assert fleet.north.get(f"/jobs/{new}/tags").json() == ["look-at"]
    await dialog.get_by_role("button", name="Undo").click()
    await expect(dialog).to_contain_text("Taken back: 1 done, 0 failed.")
    assert [fleet.north.get(f"/jobs/{job}/tags").json() for job in (had, new)] == [["look-at"], ["r7"]]


async def test_a_look_that_was_refused(page: Page, fleet: Fleet) -> None:
    """What the service refuses to look at can be corrected in the same dialog."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs")
    await page.get_by_role("checkbox", name="Select press-1").check()
    await page.get_by_role("button", name="Tag…").click()
    dialog = page.get_by_role("dialog", name="Tag")
    await dialog.get_by_role("button", name="Look first").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("Tags to add").fill("look-at")
    await dialog.get_by_role("button", name="Look first").click()
    await dialog.get_by_role("button", name="Tag 1 job").click()
    await expect(dialog).to_contain_text("1 done, 0 failed, of 1.")
    assert fleet.north.get(f"/jobs/{job}/tags").json() == ["look-at"]


async def test_a_retry_of_many(page: Page, fleet: Fleet) -> None:
    """Failed jobs are created once more after a look, as they were; the old ones stay, and the result names both."""
    definition = {"brightness": 80}
    jobs = [fleet.create(f"press-{number}", tags=["r7"], definition=definition) for number in range(25)]
    for job in jobs:
        fleet.report(job, "BROKEN")
    fleet.create("other", tags=["r7"])
    await page.goto(f"{fleet.console}jobs?tag=r7&group=FAILED")
    await page.get_by_role("checkbox", name="Select press-24").check()
    await page.get_by_role("button", name="Select all 25 that match").click()
    await page.get_by_role("button", name="Retry…").click()
    dialog = page.get_by_role("dialog", name="Retry")
    await dialog.get_by_role("button", name="Look first").click()
    await expect(dialog).to_contain_text("This concerns 25 jobs.")
    assert count(fleet) == 26
    await dialog.get_by_role("button", name="Retry 25 jobs").click()
    await expect(dialog).to_contain_text("25 done, 0 failed, of 25.")
    async with page.expect_download() as download:
        await dialog.get_by_role("button", name="Save the result").click()
    saved = read(await (await download.value).path())
    assert {item["retryOf"] for item in saved["items"]} == set(jobs)
    again = fleet.north.get(f"/jobs/{saved['items'][0]['id']}").json()
    assert (again["definition"], again["tags"], again["status"]["state"]) == (definition, ["r7"], "DARK")
    assert count(fleet) == 51


async def test_by_keyboard(page: Page, fleet: Fleet) -> None:
    """A job is chosen and deleted by the keyboard alone; the dialog keeps the focus."""
    fleet.create("press-1")
    job = fleet.create("press-2")
    await page.goto(f"{fleet.console}jobs")
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(2)
    await page.keyboard.press("j")
    await expect(page.locator("#jobs-table tr.active")).to_contain_text("press-2")
    await page.keyboard.press("x")
    await expect(page.get_by_role("group", name="1 selected")).to_be_visible()
    await page.get_by_role("button", name="Delete…").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Look first").focus()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("button", name="Delete 1 job")).to_be_visible()
    for _ in range(6):
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    await dialog.get_by_role("button", name="Delete 1 job").focus()
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("1 done")
    await page.keyboard.press("Escape")
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(1)
    assert fleet.north.get(f"/jobs/{job}").status_code == 404
