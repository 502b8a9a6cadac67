"""The first page: what the fleet is at, and what waits for a person."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.conftest import Fleet

ASKING = {
    "name": "ask.flow",
    "groups": [{"name": "OPEN", "states": ["ASK"]}, {"name": "CLOSED", "states": ["DONE"]}],
    "states": [{"name": "ASK"}, {"name": "DONE"}],
    "transitions": [{"from": "ASK", "to": "DONE", "eligible": "WFX"}],
}


async def test_it_counts_and_follows(page: Page, fleet: Fleet) -> None:
    """Open, done and failed jobs are counted, and the counts follow what devices report."""
    job = fleet.create("press-1")
    await page.goto(fleet.console)
    totals = page.locator(".totals li")
    await expect(totals).to_have_text(["1◔ open", "0✔ done", "0✖ failed"])
    fleet.report(job, "BROKEN", message="no space left")
    await expect(totals).to_have_text(["0◔ open", "0✔ done", "1✖ failed"])
    attention = page.get_by_role("region", name="Needs a person")
    await expect(attention).to_contain_text("1 job failed; the newest:")
    await expect(attention).to_contain_text("no space left")
    await attention.get_by_role("link", name="press-1").click()
    assert page.url == f"{fleet.console}jobs/{job}"


async def test_jobs_that_wait_for_an_operator(page: Page, fleet: Fleet) -> None:
    """States that an operator alone leads out of are named with their jobs, and lead to these."""
    fleet.north.post("/workflows", json=ASKING)
    fleet.create("press-1", workflow="ask.flow")
    fleet.create("press-2", workflow="ask.flow")
    await page.goto(fleet.console)
    attention = page.get_by_role("region", name="Needs a person")
    await expect(attention).to_contain_text("2 jobs wait for an operator in ◔ASK → DONE ask.flow")
    await attention.get_by_role("link", name="2 jobs").click()
    assert page.url == f"{fleet.console}jobs?workflow=ask.flow&state=ASK"


async def test_nothing_needs_a_person(page: Page, fleet: Fleet) -> None:
    """Without failed and waiting jobs the page says so, and shows that the service is up."""
    await page.goto(fleet.console)
    await expect(page.get_by_role("region", name="Needs a person")).to_contain_text("Nothing failed, nothing waits")
    await expect(page.get_by_text("service is up")).to_be_visible()
    await expect(page.get_by_role("region", name="Jobs by workflow")).to_contain_text("wfxctl job create")


async def test_the_bar_of_a_workflow_is_a_filter(page: Page, fleet: Fleet) -> None:
    """A group of a workflow leads to its jobs."""
    fleet.create("press-1")
    await page.goto(fleet.console)
    await page.get_by_role("region", name="Jobs by workflow").get_by_role("link", name="1 OPEN").click()
    assert page.url == f"{fleet.console}jobs?workflow=lamp.flow&group=OPEN"


async def test_the_charts_are_tables_too(page: Page, fleet: Fleet) -> None:
    """What the charts show is in tables for those who cannot see them: a job of this hour among them."""
    fleet.create("press-1")
    await page.goto(fleet.console)
    hours = page.get_by_role("table", name="Jobs of the last 24 hours, by hour")
    await expect(hours.get_by_role("cell", name="1", exact=True).first).to_be_attached()
