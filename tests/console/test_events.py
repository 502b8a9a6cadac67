"""The page of the events."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.fleet import WORKFLOW, Fleet

ROWS = "#events-table tbody tr:not(.spacer)"


async def test_a_filter_that_nothing_meets(page: Page, fleet: Fleet) -> None:
    """Where no event fits, the page says so, and leads to all events."""
    await page.goto(f"{fleet.console}events?client=nobody")
    await expect(page.locator(".empty")).to_contain_text("No event")
    await page.get_by_role("link", name="Show all events").click()
    assert page.url == f"{fleet.console}events"


async def test_live(page: Page, fleet: Fleet) -> None:
    """What happens comes first, with the state before and who reported it; a pause holds it back."""
    job = fleet.create("press-1", tags=["hall1"])
    await page.goto(f"{fleet.console}events?job={job}")
    rows = page.locator(ROWS)
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("created")
    await expect(rows.locator(".c-who")).to_have_text("")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    fleet.report(job, "DIM", clientId="press-1", progress=40, message="<b>half</b> way")
    for text in ("DARK →", "DIM", "40 %", "<b>half</b> way"):
        await expect(rows.first).to_contain_text(text)
    await expect(rows.first.locator(".c-who")).to_have_text("press-1")
    await page.get_by_role("button", name="live").click()
    fleet.report(job, "BRIGHT")
    await expect(page.get_by_role("button", name="paused")).to_be_visible()
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="paused").click()
    await expect(rows.first).to_contain_text("BRIGHT")
    fleet.north.delete(f"/jobs/{job}").raise_for_status()
    await expect(rows.first).to_contain_text("deleted")


async def test_rows_that_are_looked_at(page: Page, fleet: Fleet) -> None:
    """Keys mark a row and show all of its event, which is in the address; then new ones wait behind a button."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}events?client=press-1&job={job}")
    rows = page.locator(ROWS)
    await expect(rows).to_have_count(1)
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    await page.keyboard.press("j")
    await expect(page.locator("#events-table tr.active")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator("#event-json")).to_contain_text('"lamp.flow"')
    fleet.report(job, "DIM")
    pill = page.get_by_role("button", name="1 new")
    await expect(pill).to_be_visible()
    await expect(rows).to_have_count(1)
    await pill.click()
    await expect(rows).to_have_count(2)
    await expect(page.locator("#events-table tr.active")).to_contain_text("created")
    await page.reload()
    await expect(page.locator("#event-json")).to_contain_text('"CREATE"')
    await page.keyboard.press("Escape")
    await expect(page.locator("#event-json")).to_have_count(0)


async def test_filters_are_the_address(page: Page, fleet: Fleet) -> None:
    """An event has to meet filters of all kinds; they are chips, and survive a reload."""
    fleet.north.post("/workflows", json={**WORKFLOW, "name": "other.flow"})
    job = fleet.create("pump-1")
    fleet.create("pump-1", workflow="other.flow")
    fleet.report(job, "DIM")
    await page.goto(f"{fleet.console}events?client=pump-1")
    rows = page.locator(ROWS)
    await expect(rows).to_have_count(3)
    await page.get_by_role("button", name="Add a filter").click()
    await page.get_by_role("combobox", name="Add a filter").select_option("action")
    await page.get_by_role("combobox", name="action").fill("CREATE")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(2)
    await rows.first.get_by_role("link", name="other.flow").click()
    await expect(rows).to_have_count(1)
    await page.reload()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Remove action CREATE").click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Remove workflow other.flow").click()
    await expect(rows).to_have_count(3)


async def test_back_in_time(page: Page, fleet: Fleet) -> None:
    """Scrolling down reads older events until the first one, each once."""
    jobs = [{"clientId": f"valve-{number:04}"} for number in range(700)]
    url = f"{fleet.service.north}/api/fleet/v1/jobs:batch"
    fleet.north.post(url, json={"workflow": "lamp.flow", "jobs": jobs}).raise_for_status()
    head = fleet.north.get(
        "/jobs/events", params={"since": 0, "limit": 1000}, headers={"accept": "application/json"}
    ).json()
    first = head["content"][0]["id"].rpartition("-")[2]
    await page.goto(f"{fleet.console}events")
    await expect(page.locator(ROWS).first).to_contain_text("valve-0699")
    frame = page.get_by_role("region", name="Events")
    everything = page.get_by_text(f"{len(head['content']):,} events", exact=True)
    for _ in range(100):
        await frame.evaluate("frame => frame.scrollTop = frame.scrollHeight")
        if await everything.count():
            break
        await page.wait_for_timeout(200)
    await expect(everything).to_be_visible()
    await frame.evaluate("frame => frame.scrollTop = frame.scrollHeight")
    await expect(page.locator("#events-table .c-number code").get_by_text(first, exact=True)).to_be_visible()
