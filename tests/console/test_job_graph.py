"""The graph on the page of a job."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.fleet import Fleet


async def test_the_path_taken(page: Page, fleet: Fleet) -> None:
    """The states and steps of the job stand out from the others, the present one is marked, and it goes on live."""
    job = fleet.create("press-7")
    fleet.report(job, "DIM")
    await page.goto(f"{fleet.console}jobs/{job}")
    graph = page.locator("mermaid #graphDiv")
    await expect(graph.locator(".present")).to_contain_text("DIM")
    await expect(graph.locator(".untaken .foreign-name")).to_have_text(["BRIGHT", "BROKEN"])
    taken = graph.locator(".edge-taken title")
    await expect(taken).to_have_text(["DARK → DIM: CLIENT"])
    fleet.report(job, "BRIGHT")
    await expect(graph.locator(".present")).to_contain_text("BRIGHT")
    await expect(taken).to_have_text(["DARK → DIM: CLIENT", "DIM → BRIGHT: CLIENT"])
    await expect(graph.locator(".untaken .foreign-name")).to_have_text(["BROKEN"])


async def test_times(page: Page, fleet: Fleet) -> None:
    """Each state that the job was in says for how long, in the graph and in its table."""
    job = fleet.create("press-7")
    fleet.report(job, "DIM")
    await page.goto(f"{fleet.console}jobs/{job}")
    notes = page.locator("#graphDiv .note")
    await expect(notes).to_have_count(2)
    assert all(note.endswith((" s", " min")) for note in await notes.all_text_contents())
    await page.locator(".graph-table summary").click()
    rows = page.locator(".graph-table tbody tr")
    await expect(rows.nth(1)).to_have_attribute("aria-current", "step")
    await expect(rows.nth(2).get_by_role("cell").first).to_be_empty()


async def test_reduced_motion(page: Page, fleet: Fleet) -> None:
    """The present state pulses, unless the reader has asked for less motion."""
    await page.goto(f"{fleet.console}jobs/{fleet.create('press-7')}")
    pulse = page.locator("#graphDiv .pulse")
    await expect(pulse).to_have_css("animation-name", "graph-pulse")
    await page.emulate_media(reduced_motion="reduce")
    await expect(pulse).to_have_css("animation-name", "none")
