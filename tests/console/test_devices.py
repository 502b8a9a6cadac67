"""The pages of the devices."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.console.fleet import Fleet
from tests.waiting import until

HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe"


def _url(fleet: Fleet, path: str = "") -> str:
    return f"{fleet.service.north}/api/fleet/v1/devices{path}"


def _describe(fleet: Fleet, client: str, labels: list[str], **attributes: Any) -> None:
    body = {"attributes": attributes, "labels": labels}
    fleet.north.put(_url(fleet, f"/{quote(client, safe='')}/attributes"), json=body).raise_for_status()


@pytest.fixture(autouse=True)
def no_devices(fleet: Fleet) -> None:
    """Begin without devices."""
    while devices := fleet.north.get(_url(fleet)).json()["content"]:
        for device in devices:
            fleet.north.delete(_url(fleet, f"/{quote(device['clientId'], safe='')}")).raise_for_status()


async def test_no_devices(page: Page, fleet: Fleet) -> None:
    """Without devices the page names the command that brings one about."""
    await page.goto(f"{fleet.console}devices")
    await expect(page.locator(".empty")).to_contain_text("wfxctl job create")
    await expect(page.locator(".count")).to_have_text("0 devices")


async def test_filters_are_the_address(page: Page, fleet: Fleet) -> None:
    """Devices are found by label, attribute, client id and expression, each a chip that is in the address."""
    for number in range(4):
        fleet.create(f"press-{number}")
    _describe(fleet, "press-1", ["canary"], site="hall1")
    _describe(fleet, "press-2", ["canary"], site="hall2")
    await page.goto(f"{fleet.console}devices")
    rows = page.locator("#devices-table tbody tr")
    await expect(rows).to_have_count(4)
    await expect(page.locator(".count")).to_have_text("4 devices")
    await expect(rows.nth(1)).to_contain_text("site=hall1")
    await expect(rows.nth(1)).to_contain_text("DARK")
    await rows.nth(1).get_by_role("link", name="canary").click()
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="Add a filter").click()
    await page.get_by_role("combobox", name="Add a filter").select_option("expression")
    await page.get_by_role("combobox", name="expression").fill('attributes.site == "hall2"')
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await page.reload()
    await expect(rows).to_have_count(1)
    await page.get_by_role("link", name="Remove all").click()
    await expect(rows).to_have_count(4)
    await page.get_by_role("searchbox", name="Client id").fill("press-3")
    await expect(rows).to_have_count(1)
    await page.get_by_role("link", name="Remove all").click()
    await expect(rows).to_have_count(4)
    await expect(page.get_by_role("searchbox", name="Client id")).to_have_value("")
    await page.goto(f"{fleet.console}devices?filter=label%20contains%20%22canary%22")
    await expect(page.get_by_role("alert")).to_contain_text("did you mean labels?")


async def test_many_devices(page: Page, fleet: Fleet) -> None:
    """Devices are read as one scrolls to them, and only those that are seen are elements of the page."""
    jobs = [{"clientId": f"valve-{number:04}"} for number in range(350)]
    url = f"{fleet.service.north}/api/fleet/v1/jobs:batch"
    fleet.north.post(url, json={"workflow": "lamp.flow", "jobs": jobs}).raise_for_status()
    await page.clock.install()
    await page.goto(f"{fleet.console}devices")
    await expect(page.locator(".count")).to_contain_text("or more devices")
    frame = page.get_by_role("region", name="Devices")
    rows = page.locator("#devices-table tbody tr:not(.spacer)")
    last = rows.filter(has_text="valve-0349")
    for _ in range(1000):
        if await last.count():
            break
        await frame.evaluate("frame => frame.scrollTop = frame.scrollHeight")
        await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await expect(page.locator(".count")).to_have_text("350 devices")
    assert await rows.count() < 100
    _describe(fleet, "valve-0349", ["end"])
    await page.clock.fast_forward(10_000)
    await expect(last).to_contain_text("end")


async def test_live(page: Page, fleet: Fleet) -> None:
    """A row follows the jobs of its device; a device that is new waits behind a button."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}devices")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    rows = page.locator("#devices-table tbody tr")
    await expect(rows.locator(".c-job")).to_contain_text("DARK")
    fleet.report(job, "BROKEN")
    await expect(rows.locator(".c-result")).to_contain_text("BROKEN")
    await expect(rows.locator(".c-job")).not_to_contain_text("DARK")
    fleet.create("press-2")
    await page.get_by_role("button", name="1 new").click()
    await expect(rows).to_have_count(2)


@pytest.mark.parametrize(("client", "path"), [("seen-1", "devices?client=seen-1"), ("seen-2", "devices/seen-2")])
async def test_when_it_was_seen(page: Page, fleet: Fleet, client: str, path: str) -> None:
    """When a device was last seen follows its requests, though no event tells of them."""
    fleet.create(client)
    await page.clock.install()
    await page.goto(fleet.console + path)
    seen = page.locator("#devices-table tbody .c-seen, #device-known dt:has-text('Last seen') + dd")
    await expect(seen).to_have_text("never")
    fleet.south.get("/jobs", params={"clientId": client}).raise_for_status()
    await until(lambda: "lastSeen" in fleet.north.get(_url(fleet, f"/{client}")).json())
    await page.clock.fast_forward(10_000)
    await expect(seen).not_to_have_text("never")


async def test_a_device(page: Page, fleet: Fleet) -> None:
    """The page of a device has its jobs, newest first, and follows them; keys lead there."""
    fleet.report(fleet.create(HOSTILE), "BROKEN", message="no space left")
    job = fleet.create(HOSTILE)
    await page.goto(f"{fleet.console}devices?client=%3Cimg")
    await expect(page.locator("#devices-table tbody tr")).to_have_count(1)
    await page.keyboard.press("j")
    await expect(page.locator("#devices-table tr.active")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=alert(1)>")
    rows = page.locator("#device-jobs tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text(job)
    await expect(rows.nth(1)).to_contain_text("no space left")
    bars = page.locator("#device-spans a")
    await expect(bars).to_have_count(2)
    await expect(bars.last).to_have_attribute("title", "lamp.flow: DARK")
    await expect(page.get_by_role("button", name="live")).to_be_visible()
    fleet.report(job, "DIM")
    await expect(rows.first).to_contain_text("DIM")
    await expect(page.locator("#device-known")).to_contain_text("DIM")


async def test_describing_a_device(page: Page, fleet: Fleet) -> None:
    """Labels and attributes are edited in a dialog, which does not undo what somebody else has done meanwhile."""
    fleet.create("press-1")
    await page.goto(f"{fleet.console}devices/press-1")
    await page.get_by_role("button", name="Edit labels").click()
    attributes, labels = page.get_by_label("Attributes, one"), page.get_by_label("Labels, with")
    await attributes.fill("hall1")
    save = page.get_by_role("button", name="Save")
    await save.click()
    await expect(page.get_by_role("alert")).to_contain_text("Line 1 of the attributes")
    await attributes.fill("site=hall1\nnote=a=b")
    await labels.fill("canary, old")
    await save.click()
    await expect(page.locator("#device-attributes")).to_contain_text("a=b")
    await page.get_by_role("button", name="Edit labels").click()
    await expect(labels).to_have_value("canary, old")
    _describe(fleet, "press-1", [], site="elsewhere")
    await labels.fill("mine")
    await save.click()
    await expect(page.get_by_role("alert")).to_contain_text("Look at it again")
    assert fleet.north.get(_url(fleet, "/press-1")).json()["attributes"] == {"site": "elsewhere"}


async def test_forgetting_a_device(page: Page, fleet: Fleet) -> None:
    """A device that has jobs is not forgotten, and the page says why; without jobs it is gone."""
    job = fleet.create("pump-9")
    _describe(fleet, "pump-9", ["canary"])
    await page.goto(f"{fleet.console}devices/pump-9")
    await page.get_by_role("button", name="Forget").click()
    forget = page.get_by_role("dialog").get_by_role("button", name="Forget")
    await forget.click()
    await expect(page.get_by_role("alert")).to_contain_text("Delete its jobs first.")
    fleet.north.delete(f"/jobs/{job}").raise_for_status()
    await forget.click()
    await expect(page).to_have_url(f"{fleet.console}devices")
    assert fleet.north.get(_url(fleet, "/pump-9")).status_code == 404
