"""The page of a job."""

from __future__ import annotations

import asyncio
import json

from playwright.async_api import APIResponse, Page, Route, expect

from tests.console.fleet import Fleet
from tests.waiting import DEADLINE, until


async def test_what_it_shows(page: Page, fleet: Fleet) -> None:
    """A job has its details, the path it took, its history with what changed, and its JSON."""
    job = fleet.create("press-7", tags=["hall1"], definition={"version": "2.0"})
    fleet.report(job, "DIM", progress=40, message="half way", clientId="press-7")
    fleet.report(job, "DIM", progress=80, message="nearly", clientId="press-7")
    await page.goto(f"{fleet.console}jobs/{job}")
    details = page.locator("#job-details")
    for text in (job, "press-7", "DIM", "OPEN", "hall1", "lamp.flow", "80 %", "nearly", "BRIGHT", "by the device"):
        await expect(details).to_contain_text(text)
    await expect(page.locator("#graphDiv")).to_contain_text("DARK")
    rows = page.locator("#job-history tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("progress: 40 → 80")
    await expect(rows.nth(1)).to_contain_text("DARK → DIM")
    await expect(rows.last).to_contain_text("created")
    await page.get_by_role("tab", name="JSON").click()
    code = page.locator("code#job-json")
    await expect(code).to_be_visible()
    assert json.loads(await code.inner_text())["definition"] == {"version": "2.0"}
    assert page.url.endswith("?tab=json")
    await page.get_by_role("tab", name="Events").click()
    await expect(page.locator("#job-events tbody tr")).to_have_count(3)


async def test_a_retry(page: Page, fleet: Fleet) -> None:
    """A retry creates the same job once more, with its definition, and leads there."""
    job = fleet.create("press-7", tags=["r7"], definition={"version": "2.0", "parts": [1, {"deep": None}]})
    await page.goto(f"{fleet.console}jobs/{job}?tab=definition")
    await expect(page.locator("#job-definition")).to_contain_text('"deep": null')
    await page.get_by_role("button", name="Retry").click()
    await page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    await expect(page).not_to_have_url(f"{fleet.console}jobs/{job}?tab=definition")
    copy = page.url.rpartition("/")[2]
    assert copy != job
    one, other = (fleet.north.get(f"/jobs/{each}").json() for each in (job, copy))
    for name in ("clientId", "definition", "tags"):
        assert one[name] == other[name]


async def test_live(page: Page, fleet: Fleet) -> None:
    """The page follows its device, and says when the job was deleted."""
    job = fleet.create("press-7")
    await page.goto(f"{fleet.console}jobs/{job}")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    fleet.report(job, "DIM", message="half way")
    await expect(page.locator("#job-details")).to_contain_text("half way")
    await expect(page.locator("#job-history tbody tr")).to_have_count(2)
    fleet.north.delete(f"/jobs/{job}").raise_for_status()
    await expect(page.locator(".empty")).to_contain_text("was deleted")
    await expect(page.locator("#job-history tbody tr")).to_have_count(2)


async def test_a_step_of_the_operator(page: Page, fleet: Fleet) -> None:
    """Steps of operators are buttons, those of devices are not; a message may go along."""
    job = fleet.create("press-7")
    await page.goto(f"{fleet.console}jobs/{job}")
    await expect(page.get_by_role("button", name="Move to DIM")).to_have_count(0)
    await page.get_by_role("button", name="Move to BRIGHT").click()
    dialog = page.get_by_role("dialog", name="Move to BRIGHT")
    await dialog.get_by_label("Message").fill("by hand")
    await dialog.get_by_role("button", name="Move to BRIGHT").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#job-details")).to_contain_text("end state")
    status = fleet.north.get(f"/jobs/{job}/status").json()
    assert (status["state"], status["message"]) == ("BRIGHT", "by hand")


async def test_a_change_meanwhile(page: Page, fleet: Fleet) -> None:
    """What an operator decides on an older version of the job is refused, with what to do."""
    job = fleet.create("press-7")
    await page.goto(f"{fleet.console}jobs/{job}")
    await page.get_by_role("button", name="live").click()
    await page.get_by_role("button", name="Move to BRIGHT").click()
    fleet.north.post(f"/jobs/{job}/tags", json=["changed"]).raise_for_status()
    await page.get_by_role("dialog").get_by_role("button", name="Move to BRIGHT").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("changed meanwhile")


async def test_tags_and_deletion(page: Page, fleet: Fleet) -> None:
    """Tags are changed in one field; a deletion names what it is about and leads back to the list."""
    job = fleet.create("press-7", tags=["old", "kept"])
    await page.goto(f"{fleet.console}jobs/{job}")
    await page.get_by_role("button", name="Tag", exact=True).click()
    await page.get_by_role("dialog").get_by_label("Tags").fill("kept, new")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(page.locator("#job-details")).to_contain_text("new")
    assert sorted(fleet.north.get(f"/jobs/{job}/tags").json()) == ["kept", "new"]
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("1 device")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", level=1, name="Jobs", exact=True)).to_be_visible()
    assert fleet.north.get(f"/jobs/{job}").status_code == 404


async def test_hostile_texts(page: Page, fleet: Fleet) -> None:
    """What a device sent is text, cut at 200 characters with a button for the rest."""
    text = "<script>alert(1)</script> javascript:alert(2) \u202e" + "x" * 500
    job = fleet.create("<b>press</b>", definition={"<img>": text})
    fleet.report(job, "DIM", message=text, context={"<img src=x>": text})
    await page.goto(f"{fleet.console}jobs/{job}")
    message = page.locator("#job-details tr", has_text="Message")
    await expect(message).to_contain_text("<script>alert(1)</script>")
    assert len(await message.locator("bdi").inner_text()) == 200
    await message.get_by_role("button", name="more").click()
    assert len(await message.locator("bdi").inner_text()) == len(text)
    for tab in ("Definition", "Events", "JSON"):
        await page.get_by_role("tab", name=tab).click()
    assert await page.locator("main script, main img, main b").count() == 0


async def test_an_unknown_job(page: Page, fleet: Fleet) -> None:
    """A job that does not exist is said so, with what to do."""
    await page.goto(f"{fleet.console}jobs/5c0b2f0e-6f0d-4f3b-9f55-0b6a1a9c2d11")
    await expect(page.get_by_role("alert").first).to_contain_text("Go back to the list.")


async def test_one_change_after_the_other(page: Page, fleet: Fleet) -> None:
    """A dialog closes once the page has the version that its change made, so that the next change is not refused."""
    job = fleet.create("press-7")
    await page.goto(f"{fleet.console}jobs/{job}")
    await page.get_by_role("button", name="live").click()
    await expect(page.get_by_role("button", name="paused")).to_be_visible()
    asked, let_through = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await let_through.wait()
        await route.continue_()

    await page.route(f"**/api/fleet/v1/jobs/{job}", hold)
    await page.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Tags").fill("mine")
    await dialog.get_by_role("button", name="Save").click()
    await asyncio.wait_for(asked.wait(), DEADLINE)
    assert fleet.north.get(f"/jobs/{job}/tags").json() == ["mine"]
    await expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    let_through.set()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#job-details")).to_contain_text("mine")
    await page.get_by_role("button", name="Move to BRIGHT").click()
    await dialog.get_by_role("button", name="Move to BRIGHT").click()
    await expect(dialog).to_have_count(0)
    assert fleet.north.get(f"/jobs/{job}/status").json()["state"] == "BRIGHT"


async def test_an_answer_that_comes_late(page: Page, fleet: Fleet) -> None:
    """Where an older answer comes after a newer one, the page stays at the newer one."""
    job = fleet.create("press-7")
    await page.goto(f"{fleet.console}jobs/{job}")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    held: list[tuple[Route, APIResponse]] = []

    async def hold_first(route: Route) -> None:
        if held:
            await route.continue_()
        else:
            held.append((route, await route.fetch()))

    await page.route(f"**/api/wfx/v1/jobs/{job}?*", hold_first)
    fleet.report(job, "DIM", message="older")
    await until(lambda: held, "the page reads the job")
    fleet.report(job, "DIM", message="newer")
    message = page.locator("#job-details tr", has_text="Message")
    await expect(message).to_contain_text("newer")
    route, answer = held[0]
    assert "older" in await answer.text()
    async with page.expect_event("requestfinished", lambda request: request == route.request):
        await route.fulfill(response=answer)
    await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await expect(message).to_contain_text("newer")
