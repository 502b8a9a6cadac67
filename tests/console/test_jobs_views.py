"""What the page of the jobs keeps and gives: saved views, columns, and a file of what matches."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.console.fleet import Fleet


def table(file: Path) -> list[dict[str, str]]:
    """Read a file as spreadsheets do."""
    return list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))


async def test_saved_views(page: Page, fleet: Fleet) -> None:
    """A view is saved under a name, is a link after a reload, is renamed and deleted."""
    fleet.create("press-1", tags=["r7"])
    fleet.create("press-2")
    await page.goto(f"{fleet.console}jobs?tag=r7&hide=group")
    await page.get_by_text("Saved views").click()
    await page.get_by_label("Name of this view").fill("<b>release</b> 7")
    await page.get_by_role("button", name="Save this view").click()
    await page.goto(f"{fleet.console}jobs")
    rows = page.locator("#jobs-table tbody tr")
    await expect(rows).to_have_count(2)
    await page.get_by_text("Saved views").click()
    await page.get_by_role("link", name="<b>release</b> 7").click()
    await expect(page).to_have_url(f"{fleet.console}jobs?tag=r7&hide=group")
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Rename <b>release</b> 7").click()
    await page.get_by_label("New name").fill("seven")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="seven")).to_have_attribute("aria-current", "true")
    await page.get_by_role("button", name="Delete seven").click()
    await expect(page.get_by_role("link", name="seven")).to_have_count(0)
    assert await page.evaluate("localStorage.getItem('wfx-jobs-views')") == "[]"


async def test_a_view_that_keeps_its_name(page: Page, fleet: Fleet) -> None:
    """A view that is given the name that it has is a link again."""
    await page.goto(f"{fleet.console}jobs?tag=r7")
    await page.get_by_text("Saved views").click()
    await page.get_by_label("Name of this view").fill("seven")
    await page.get_by_role("button", name="Save this view").click()
    await page.get_by_role("button", name="Rename seven").click()
    await page.get_by_role("button", name="Rename", exact=True).click()
    await expect(page.get_by_role("link", name="seven")).to_be_visible()


@pytest.mark.parametrize("name", ["Saved views", "Columns"])
async def test_closing_a_menu(page: Page, fleet: Fleet, name: str) -> None:
    """Escape closes a menu and gives the focus back, also from a field in it; a click elsewhere closes it, too."""
    await page.goto(f"{fleet.console}jobs")
    menu, title = page.locator(".menu-content"), page.locator("summary", has_text=name)
    await title.click()
    await menu.locator("input").first.focus()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(title).to_be_focused()
    await page.keyboard.press("Enter")
    await menu.click(position={"x": 2, "y": 2})
    await expect(menu).to_be_visible()
    await page.get_by_role("heading", level=1).click()
    await expect(menu).to_have_count(0)


async def test_one_menu_at_a_time(page: Page, fleet: Fleet) -> None:
    """A menu that is opened closes the one that was open."""
    await page.goto(f"{fleet.console}jobs")
    await page.get_by_text("Saved views").click()
    await page.get_by_text("Columns", exact=True).click()
    await expect(page.locator(".menu-content")).to_have_count(1)
    await expect(page.get_by_role("checkbox", name="Workflow")).to_be_visible()


async def test_columns(page: Page, fleet: Fleet) -> None:
    """Columns are chosen, and the choice stands in the address."""
    fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs")
    await expect(page.locator("td.c-workflow")).to_have_count(1)
    await page.get_by_text("Columns", exact=True).click()
    await page.get_by_role("checkbox", name="Workflow").uncheck()
    await expect(page.locator("td.c-workflow")).to_have_count(0)
    await expect(page).to_have_url(f"{fleet.console}jobs?hide=workflow")
    await page.reload()
    await expect(page.locator("td.c-client")).to_have_count(1)
    await expect(page.locator("td.c-workflow")).to_have_count(0)


async def test_a_file_of_what_matches(page: Page, fleet: Fleet) -> None:
    """All jobs that match are saved as CSV, over several pages, and no cell is a formula."""
    fleet.create("=cmd|' /C calc'!A0", tags=["r7", "-x"])
    body = {
        "workflow": "lamp.flow",
        "tags": ["r7"],
        "jobs": [{"clientId": f"press-{number}"} for number in range(1200)],
    }
    url = f"{fleet.service.north}/api/fleet/v1/jobs:batch"
    fleet.north.post(url, json=body).raise_for_status()
    fleet.create("other")
    await page.goto(f"{fleet.console}jobs?tag=r7&sort=asc")
    await expect(page.locator(".count")).to_contain_text("of 1,201")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="CSV").click()
    rows = table(await (await download.value).path())
    assert [row["clientId"] for row in rows] == ["'=cmd|' /C calc'!A0", *(f"press-{number}" for number in range(1200))]
    assert rows[0]["tags"] == "'-x, r7"


async def test_a_file_that_is_stopped(page: Page, fleet: Fleet) -> None:
    """While a file is read there is a button that stops it; then there is no file, and the button is back."""
    fleet.create("press-1")
    await page.goto(f"{fleet.console}jobs")
    await expect(page.locator("#jobs-table tbody tr")).to_have_count(1)

    async def never(_: Route) -> None:
        """Leave the request without an answer."""

    await page.route("**/jobs?*limit=1000*", never)
    await page.get_by_role("button", name="CSV").click()
    await expect(page.get_by_text("0 of 1 read")).to_be_visible()
    await page.get_by_role("button", name="Stop reading").click()
    await expect(page.get_by_role("button", name="CSV")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)
