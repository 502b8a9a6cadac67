"""The page of the APIs: their documents, and operations that are tried."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.fleet import Fleet


async def test_operations_are_found_and_explained(page: Page, fleet: Fleet) -> None:
    """A search finds the operations of all APIs; the one that is chosen is explained, also after a reload."""
    await page.goto(f"{fleet.console}api")
    await page.get_by_role("searchbox", name="Find an operation").fill("summary count")
    links = page.get_by_role("navigation", name="Find an operation").get_by_role("link")
    await expect(links).to_have_count(1)
    await links.click()
    await page.reload()
    await expect(page.get_by_role("heading", level=2, name="Count jobs by workflow, group and state")).to_be_visible()
    await expect(page.locator(".api-operation tbody code", has_text="unchangedFor")).to_be_visible()
    await page.get_by_role("searchbox", name="Find an operation").fill("scripts run")
    await expect(links.filter(has_text="/v1/scripts/{name}/run").first).to_be_visible()


async def test_a_request_is_tried(page: Page, fleet: Fleet) -> None:
    """What is read is sent at once, and the answer is shown as it came."""
    fleet.create("<img src=x onerror=alert(1)>")
    await page.goto(f"{fleet.console}api?operation=GET+/api/wfx/v1/jobs")
    await page.get_by_label("workflow", exact=True).fill("lamp.flow")
    await page.get_by_role("button", name="Send").click()
    answer = page.locator(".try-answer")
    await expect(answer).to_contain_text("200")
    await expect(answer).to_contain_text("application/json")
    await expect(answer).to_contain_text(r'"\u003cimg src=x onerror=alert(1)\u003e"')


async def test_a_change_asks_first(page: Page, fleet: Fleet) -> None:
    """What changes something is sent once it has been confirmed; what is wrong with it is told as the service does."""
    await page.goto(f"{fleet.console}api?operation=POST+/api/wfx/v1/jobs")
    await page.get_by_label("Body").fill('{"clientId": "press-1", "workflow": "lamp.flow"}')
    send = page.get_by_role("button", name="Send")
    await send.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("/api/wfx/v1/jobs")
    await dialog.get_by_role("button", name="Cancel").click()
    assert fleet.north.get("/jobs").json()["content"] == []
    await send.click()
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.locator(".try-answer")).to_contain_text("201")
    assert [job["clientId"] for job in fleet.north.get("/jobs").json()["content"]] == ["press-1"]
    await page.get_by_label("Body").fill("{")
    await send.click()
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.locator(".try-answer")).to_contain_text("400")


async def test_an_api_that_is_off_says_so(page: Page, fleet: Fleet) -> None:
    """An operation of what is switched off shows the answer that says how to switch it on."""
    await page.goto(f"{fleet.console}api?operation=GET+/v1/rules")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".try-answer")).to_contain_text("start it with --rules FILE")
