"""What people do who have never seen the console, and what those do who use no mouse."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.console.fleet import Fleet

ROWS = "#jobs-table tbody tr"
MOST_STEPS = 60
"""Times that Tab may be pressed until something is reached."""


def release(fleet: Fleet) -> dict[str, str]:
    """Have a release of which two devices failed, and one of another release; return the jobs of the first."""
    for number in range(3):
        fleet.report(fleet.create(f"pump-{number}", tags=["r7"]), "DIM")
    jobs = {client: fleet.create(client, tags=["r7"], definition={"version": "7"}) for client in ("press-1", "press-2")}
    for client, job in jobs.items():
        fleet.report(job, "BROKEN", message="no space left on the device", clientId=client)
    fleet.report(fleet.create("press-3", tags=["r6"]), "BROKEN", message="battery is empty")
    return jobs


async def test_a_newcomer(page: Page, fleet: Fleet) -> None:
    """By what the texts say: which devices of a release failed, and why; then these once more, to the end."""
    jobs = release(fleet)
    await page.goto(fleet.console)
    await page.get_by_role("region", name="Needs a person").get_by_role("link", name="3 jobs").click()
    await expect(page.locator(ROWS)).to_have_count(3)
    await page.get_by_role("button", name="Add a filter").click()
    await page.get_by_role("combobox", name="Add a filter").select_option("tag")
    await page.get_by_role("combobox", name="tag").fill("r7")
    await page.keyboard.press("Enter")
    await expect(page.locator(ROWS)).to_have_count(2)
    failed = page.url
    for client in jobs:
        await page.goto(failed)
        await page.locator(ROWS, has_text=client).get_by_role("link", name=client).click()
        await read_why(page, client)
        await retry_and_follow(page, fleet, client)
    await page.get_by_role("link", name="Jobs", exact=True).first.click()
    await expect(page.get_by_role("button", name="2 CLOSED")).to_be_visible()
    states = {each["status"]["state"] for each in fleet.north.get("/jobs", params={"tag": "r7"}).json()["content"]}
    assert states == {"DIM", "BROKEN", "BRIGHT"}


def detail(page: Page, name: str) -> Locator:
    """One of the lines on the page of a job."""
    return page.locator("#job-details tr", has=page.get_by_role("rowheader", name=name, exact=True))


async def read_why(page: Page, client: str) -> None:
    """Find on the page of a job what its device said, and what it was doing."""
    await expect(detail(page, "Client ID")).to_contain_text(client)
    await expect(detail(page, "Message")).to_contain_text("no space left on the device")
    await expect(page.locator("#job-history tbody tr").first).to_contain_text("DARK → BROKEN")


async def retry_and_follow(page: Page, fleet: Fleet, client: str) -> None:
    """Create the job of a page once more, and see it end."""
    before = page.url
    await page.get_by_role("button", name="Retry").click()
    await page.get_by_role("dialog", name="Retry").get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page).not_to_have_url(before)
    await expect(detail(page, "State")).to_contain_text("DARK")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    copy = page.url.rpartition("/")[2]
    for state in ("DIM", "BRIGHT"):
        fleet.report(copy, state, clientId=client)
        await expect(detail(page, "State")).to_contain_text(state)
    await expect(detail(page, "Next")).to_contain_text("end state")


async def test_a_bulk_transition_by_keyboard(page: Page, fleet: Fleet) -> None:
    """Jobs are found, chosen, looked at and moved with keys alone, and the focus comes back to where it was."""
    jobs = [fleet.create(f"press-{number}") for number in range(4)]
    other = fleet.create("pump-1")
    await page.goto(fleet.console)
    await expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    await keys(page, "/")
    await page.keyboard.type("press-")
    await keys(page, "Enter")
    await expect(page.locator(ROWS)).to_have_count(4)
    await page.evaluate("document.activeElement.blur()")
    for client in ("press-3", "press-2"):
        await keys(page, "j")
        await expect(page.locator("#jobs-table tr.active")).to_contain_text(client)
        await keys(page, "x")
    await reach(page, "Move…")
    await keys(page, "Enter")
    dialog = page.get_by_role("dialog", name="Move")
    await expect(dialog).to_be_visible()
    await reach(page, "New state")
    await page.keyboard.type("BRIGHT")
    await keys(page, "Enter")
    await expect(dialog).to_contain_text("This concerns 2 jobs.")
    await reach(page, "Move 2 jobs")
    await keys(page, "Enter")
    await expect(dialog).to_contain_text("2 done, 0 failed, of 2.")
    await keys(page, "Escape")
    await expect(dialog).to_have_count(0)
    states = [fleet.north.get(f"/jobs/{job}/status").json()["state"] for job in [*jobs, other]]
    assert states == ["DARK", "DARK", "BRIGHT", "BRIGHT", "DARK"]
    for client in ("press-3", "press-2"):
        await expect(page.locator(ROWS, has_text=client)).to_contain_text("BRIGHT")


async def keys(page: Page, *names: str) -> None:
    """Press keys."""
    for name in names:
        await page.keyboard.press(name)


async def reach(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus, which is seen."""
    for _ in range(MOST_STEPS):
        await page.keyboard.press("Tab")
        named = await page.evaluate(
            "(({ariaLabel, labels, innerText}) => (ariaLabel ?? labels?.[0]?.innerText ?? innerText).trim())"
            "(document.activeElement)"
        )
        if named == name:
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) != "none"
            return
    raise AssertionError(f"{MOST_STEPS} times Tab do not lead to {name}")
