"""What is around every page of the console."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.fleet import Fleet


async def test_it_opens(page: Page, fleet: Fleet) -> None:
    """The console opens on the overview, and says so in its title."""
    await page.goto(fleet.console)
    await expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    await expect(page).to_have_title("Overview · wfx")


async def test_the_theme_is_kept(page: Page, fleet: Fleet) -> None:
    """The switch makes the console light, then dark, which a reload keeps."""
    await page.goto(fleet.console)
    for name in ("as the system", "light"):
        await page.get_by_role("button", name=f"Theme: {name}").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_keys(page: Page, fleet: Fleet) -> None:
    """The key ? lists all keys, escape closes the list, and / leads to the search."""
    await page.goto(fleet.console)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Go to Jobs")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox", name="Search")).to_be_focused()


async def test_an_unknown_page(page: Page, fleet: Fleet) -> None:
    """A path that is no page says so, and the navigation stays."""
    await page.goto(f"{fleet.console}no/such/page")
    await expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page.")
    await page.get_by_role("link", name="Jobs").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    assert page.url == f"{fleet.console}jobs"


async def test_behind_a_prefix_of_a_gateway(page: Page, fleet: Fleet) -> None:
    """Its files are found relative to the page, so that a gateway may put a prefix before all paths."""
    await page.goto(f"{fleet.console}jobs/deep/er")
    sources = await page.locator("script[src], link[href]").evaluate_all(
        "all => all.map(each => each.getAttribute('src') ?? each.getAttribute('href'))"
    )
    assert all(each.startswith("./../../") for each in sources), sources
