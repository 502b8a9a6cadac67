"""What axe-core finds on the pages: nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.console.filled import PAGES, every_page, failed_job, show
from tests.console.fleet import Fleet

CONSOLE = Path(__file__).parents[2] / "wfx" / "console"
AXE = (CONSOLE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
"""It runs as what a person types into the tools of the browser does, which the policy of the pages is not for."""


@pytest.fixture
def fleet(filled_fleet: Fleet) -> Fleet:
    """A service with something on every page."""
    return filled_fleet


async def findings(page: Page) -> list[str]:
    """Return what is wrong for people who see, hear or move otherwise."""
    await page.evaluate(AXE)
    found: list[dict[str, Any]] = await page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(({violations}) => violations)"
    )
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]


def test_no_page_is_left_out() -> None:
    """The list of pages that tests go through has all that there are."""
    assert {path.name for path in (CONSOLE / "src" / "pages").iterdir() if path.is_dir()} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
async def test_pages(page: Page, fleet: Fleet, name: str) -> None:
    """No page has a barrier that axe-core knows, neither in light nor in dark colours."""
    await show(page, fleet, every_page(failed_job(fleet))[name])
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert (scheme, await findings(page)) == (scheme, [])


async def test_dialogs(page: Page, fleet: Fleet) -> None:
    """Nor has the list of keys, or what asks before something is done."""
    await page.goto(f"{fleet.console}jobs/{failed_job(fleet)}")
    await expect(page.get_by_role("button", name="Retry")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Tag", exact=True).click()
    await expect(page.get_by_role("dialog", name="Tag")).to_be_visible()
    assert await findings(page) == []


def test_it_is_not_shipped() -> None:
    """What looks for barriers is in no file that the service gives out."""
    built = [path for path in (CONSOLE / "built").iterdir() if path.suffix in (".html", ".mjs", ".css", ".txt")]
    assert len(built) == 5
    assert not [path.name for path in built if b"axe.run" in path.read_bytes() or b"axe-core" in path.read_bytes()]
