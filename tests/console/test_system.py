"""The page of the system: version, health, figures, and who reads the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.console.fleet import Fleet, served
from wfx.version import VERSION

_RULES = Path(__file__).parents[2] / "spec" / "rules" / "quarantine.yml"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service with rules, which read the log."""
    with served(tmp_path_factory.mktemp("system"), f"--rules={_RULES}") as found:
        yield found


async def test_service(page: Page, fleet: Fleet) -> None:
    """The page tells which version runs, that it is well, and which commands show the settings and check the store."""
    await page.goto(f"{fleet.console}system")
    service = page.get_by_role("region", name="Service")
    await expect(service).to_contain_text(VERSION)
    await expect(service).to_contain_text("service is up")
    await expect(service).to_contain_text("Ready")
    settings = page.get_by_role("region", name="Settings")
    await expect(settings.get_by_text("wfx config", exact=True)).to_be_visible()
    await expect(settings.get_by_text("wfx check", exact=True)).to_be_visible()
    await expect(page.get_by_role("region", name="Plugins")).to_contain_text("No plugin")


async def test_figures_over_time(page: Page, fleet: Fleet) -> None:
    """Charts show what happens while the page is open, and the same numbers are tables."""
    await page.goto(f"{fleet.console}system")
    created = page.locator(".chart", has=page.locator("caption", has_text="Jobs created in a second"))
    await expect(created).to_have_count(1)
    fleet.create("press-1")
    await expect(created.locator("td").filter(has_text="0.").first).to_be_attached()
    await expect(page.locator(".chart canvas")).to_have_count(4)


async def test_consumers(page: Page, fleet: Fleet) -> None:
    """Whoever reads the log is listed, with how far behind it is."""
    fleet.create("press-1")
    await page.goto(f"{fleet.console}system")
    await expect(page.locator("#consumers tbody tr").first).to_contain_text("events")
