"""The page of the jobs."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.fleet import Fleet

HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe \x1b[31m" + "long " * 100


async def test_no_jobs(page: Page, fleet: Fleet) -> None:
    """Without jobs the page names the command that creates one."""
    await page.goto(f"{fleet.console}jobs")
    await expect(page.locator(".empty")).to_contain_text("wfxctl job create")
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(0)


async def test_one_job(page: Page, fleet: Fleet) -> None:
    """A job is a row with its client, state, group, workflow and id, which leads to its page."""
    job = fleet.create("press-7", tags=["hall1"])
    await page.goto(f"{fleet.console}jobs?page=1&limit=10")
    row = page.locator("#jobs-table tbody tr")
    await expect(row).to_have_count(1)
    for text in ("press-7", "DARK", "OPEN", "lamp.flow", job):
        await expect(row).to_contain_text(text)
    await expect(page.locator(".count")).to_have_text("showing 1 of 1")
    await row.get_by_role("link", name=job).click()
    assert page.url == f"{fleet.console}jobs/{job}"


async def test_filters_are_the_address(page: Page, fleet: Fleet) -> None:
    """Filters are chips, stand in the address, and survive reload and back."""
    jobs = [fleet.create(f"press-{number}", tags=["odd" if number % 2 else "even"]) for number in range(6)]
    fleet.report(jobs[1], "BROKEN", message="no space left")
    await page.goto(f"{fleet.console}jobs")
    rows = page.locator("#jobs-table tbody tr")
    await expect(rows).to_have_count(6)
    await page.get_by_role("button", name="1 FAILED").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("no space left")
    assert page.url.endswith("?group=FAILED")
    await page.reload()
    await expect(rows).to_have_count(1)
    await page.go_back()
    await expect(rows).to_have_count(6)
    await page.get_by_role("button", name="Add a filter").click()
    await page.get_by_role("combobox", name="Add a filter").select_option("tag")
    await page.get_by_role("combobox", name="tag").fill("even")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(3)
    await page.get_by_role("button", name="Remove tag even").click()
    await expect(rows).to_have_count(6)
    await page.get_by_role("searchbox", name="Client id").fill("press-3")
    await expect(rows).to_have_count(1)
    await expect(page.get_by_role("searchbox", name="Client id")).to_be_focused()
    await page.get_by_role("searchbox", name="Client id").fill("nobody")
    await expect(page.locator(".empty")).to_contain_text("No job meets all these conditions.")


async def test_the_order(page: Page, fleet: Fleet) -> None:
    """The newest job comes first, and the title of the column turns the order around."""
    for client in ("first", "second"):
        fleet.create(client)
    await page.goto(f"{fleet.console}jobs")
    rows = page.locator("#jobs-table tbody tr")
    await expect(rows.first).to_contain_text("second")
    await page.get_by_role("button", name="Created").click()
    await expect(rows.first).to_contain_text("first")
    assert page.url.endswith("?sort=asc")


async def test_live(page: Page, fleet: Fleet) -> None:
    """Changes show in the rows; new jobs wait behind a button, so that no row moves."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    rows = page.locator("#jobs-table tbody tr")
    fleet.report(job, "DIM", progress=40, message="half way")
    for text in ("DIM", "DARK", "40 %", "half way"):
        await expect(rows).to_contain_text(text)
    other = fleet.create("press-2")
    pill = page.get_by_role("button", name="1 new")
    await expect(pill).to_be_visible()
    await expect(rows).to_have_count(1)
    await pill.click()
    await expect(rows).to_have_count(2)
    await expect(pill).to_have_count(0)
    fleet.north.delete(f"/jobs/{other}").raise_for_status()
    await expect(rows.first).to_contain_text("deleted")
    await expect(page.get_by_role("button", name="1 OPEN")).to_be_visible()


async def test_a_job_that_comes_into_view(page: Page, fleet: Fleet) -> None:
    """A job that begins to fit the filter is announced."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs?group=FAILED")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    fleet.report(job, "BROKEN")
    await page.get_by_role("button", name="1 new").click()
    await expect(page.locator("#jobs-table tbody tr")).to_contain_text("BROKEN")


async def test_a_pause(page: Page, fleet: Fleet) -> None:
    """While the page is paused it stays as it is; afterwards it shows all that happened."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs")
    await page.get_by_role("button", name="live").click()
    await expect(page.get_by_role("button", name="paused")).to_be_visible()
    fleet.report(job, "DIM")
    fleet.report(job, "BRIGHT", message="done")
    row = page.locator("#jobs-table tbody tr")
    await expect(row).to_contain_text("DARK")
    await page.get_by_role("button", name="paused").click()
    await expect(row).to_contain_text("BRIGHT")
    await expect(row).to_contain_text("done")


async def test_hostile_texts(page: Page, fleet: Fleet) -> None:
    """What devices and operators sent is text, isolated and cut."""
    job = fleet.create("<script>alert(1)</script>", tags=["\u202eevil", "<b>bold</b>"])
    fleet.report(job, "DIM", message=HOSTILE)
    await page.goto(f"{fleet.console}jobs")
    row = page.locator("#jobs-table tbody tr")
    await expect(row).to_contain_text("<script>alert(1)</script>")
    await expect(row).to_contain_text("<img src=x onerror=alert(1)>")
    assert await row.locator("img, script, b").count() == 0
    text = await row.locator("td.c-message bdi").inner_text()
    assert len(text) <= 82
    assert "\x1b" not in text


async def test_many_jobs(page: Page, fleet: Fleet) -> None:
    """Of many jobs only those that are seen are elements; the last one is reached by scrolling, page by page."""
    jobs = [{"clientId": f"press-{number:04}"} for number in range(900)]
    body = {"workflow": "lamp.flow", "jobs": jobs}
    url = f"{fleet.service.north}/api/fleet/v1/jobs:batch"
    fleet.north.post(url, json=body, timeout=60).raise_for_status()
    await page.goto(f"{fleet.console}jobs?sort=asc")
    await expect(page.locator(".count")).to_contain_text("of 900")
    frame = page.get_by_role("region", name="Jobs")
    for _ in range(20):
        await frame.evaluate("frame => frame.scrollTop = frame.scrollHeight")
        if await page.get_by_text("showing 900 of 900").count():
            break
        await page.wait_for_timeout(200)
    await frame.evaluate("frame => frame.scrollTop = frame.scrollHeight")
    await expect(page.get_by_role("link", name="press-0899")).to_be_visible()
    assert await page.locator("#jobs-table tbody tr").count() < 80


async def test_keys(page: Page, fleet: Fleet) -> None:
    """J and k move the mark, enter opens the job."""
    jobs = [fleet.create(f"press-{number}") for number in range(3)]
    await page.goto(f"{fleet.console}jobs")
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(3)
    for key in ("j", "j", "j", "k"):
        await page.keyboard.press(key)
    await expect(page.locator("#jobs-table tr.active")).to_contain_text("press-1")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{fleet.console}jobs/{jobs[1]}")


async def test_keys_faster_than_the_picture(page: Page, fleet: Fleet) -> None:
    """Enter right after j opens the row that j has marked, also before it is drawn and while the list changes."""
    jobs = [fleet.create(f"press-{number}") for number in range(3)]
    await page.goto(f"{fleet.console}jobs")
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(3)
    await page.keyboard.press("j")
    await expect(page.locator("#jobs-table tr.active")).to_contain_text("press-2")
    fleet.create("press-3")
    await page.get_by_role("button", name="1 new").click()
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(4)
    await expect(page.locator("#jobs-table tr.active")).to_contain_text("press-2")
    await page.evaluate(
        """for (const key of ["j", "Enter"])
             document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }))"""
    )
    await expect(page).to_have_url(f"{fleet.console}jobs/{jobs[1]}")


async def test_a_restart(page: Page, fleet: Fleet) -> None:
    """The page stays while the service restarts, and goes on afterwards with what happened since."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    fleet.service.stop()
    await expect(page.get_by_role("button", name="reconnecting")).to_be_visible()
    await expect(page.locator("#jobs-table tbody tr")).to_contain_text("DARK")
    fleet.service.start()
    fleet.report(job, "DIM")
    await expect(page.locator("#jobs-table tbody tr")).to_contain_text("DIM", timeout=60_000)
    await expect(page.get_by_role("button", name="live")).to_be_visible()


async def test_an_error_of_the_service(page: Page, fleet: Fleet) -> None:
    """What the service refuses is said, with what to do, and a button tries again."""
    await page.goto(f"{fleet.console}jobs?unchanged=nonsense")
    await expect(page.get_by_role("alert").first).to_contain_text("Change what is named")
    await expect(page.get_by_role("button", name="Try again").first).to_be_visible()
