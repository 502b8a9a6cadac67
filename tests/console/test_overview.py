"""The first page: what the fleet is at, and what waits for a person."""

from __future__ import annotations

import json

from playwright.async_api import Page, Route, expect

from tests.console.fleet import Fleet
from tests.waiting import until

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
    for name in ("Jobs of the last 24 hours, by hour", "Open jobs at the end of each hour"):
        cell = page.get_by_role("table", name=name).get_by_role("cell", name="1", exact=True)
        await expect(cell.first).to_be_attached()


async def test_what_counts_by_time_cost(page: Page, fleet: Fleet) -> None:
    """Of a very large store no hours are counted unasked, and all of them with one click."""
    asked: list[str] = []
    answered: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "modifiedAfter" in request.url else None)
    page.on("requestfinished", lambda request: answered.append(request.url) if "createdAfter" in request.url else None)

    async def enlarge(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=json.dumps({**await answer.json(), "total": 10_000_000}))

    await page.route("**/api/fleet/v1/jobs/summary", enlarge)
    await page.goto(fleet.console)
    button = page.get_by_role("button", name="Count 24 hours")
    await expect(page.get_by_text("looks at each of 10,000,000 jobs")).to_be_visible()
    assert asked == []
    await button.click()
    await until(lambda: len(answered) == 24, "each hour is counted")
    assert len(set(asked)) == len(asked) == 24
    await expect(button).to_have_count(0)
    await page.unroute_all(behavior="ignoreErrors")


async def test_what_events_cost(page: Page, fleet: Fleet) -> None:
    """Jobs that have not changed for long, which takes a look at each open job, are counted once a minute at most."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "unchangedFor" in request.url else None)
    await page.goto(fleet.console)
    totals = page.locator(".totals li")
    for number in range(1, 4):
        fleet.report(fleet.create(f"press-{number}"), "BROKEN")
        await expect(totals.last).to_have_text(f"{number}✖ failed")
        await expect(page.get_by_role("region", name="Needs a person")).to_contain_text(f"{number} job")
    minutes = await page.evaluate("performance.now()") // 60_000
    assert len(asked) <= 1 + minutes
