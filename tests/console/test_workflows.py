"""The pages of workflows: the list, one workflow with its graph, a new one, and the end of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.console.fleet import WORKFLOW, Fleet

_HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\u202eesrever\u2066",
    "x" * 300_000,
    "</title></svg><script>alert(1)</script>",
]


class Workflows:
    """The workflows that the service has."""

    def __init__(self, north: httpx.Client) -> None:
        self._north = north

    def store(self, document: dict[str, Any]) -> None:
        """Store a workflow."""
        self._north.post("/workflows", json=document).raise_for_status()

    def read(self, name: str) -> Any:
        """Return a workflow."""
        return self._north.get(f"/workflows/{name}").raise_for_status().json()

    def clear(self) -> None:
        """Delete those that were added."""
        for workflow in self._north.get("/workflows", params={"limit": 100}).json()["content"]:
            if workflow["name"] != WORKFLOW["name"]:
                self._north.delete(f"/workflows/{workflow['name']}").raise_for_status()


@pytest.fixture
def workflows(serving: Fleet) -> Iterator[Workflows]:
    """The workflows; those that a test adds are deleted afterwards."""
    found = Workflows(serving.north)
    yield found
    found.clear()


def _path(names: list[str], **more: Any) -> dict[str, Any]:
    """Return a workflow in which each state leads to the next."""
    steps = [{"from": one, "to": other, "eligible": "CLIENT"} for one, other in pairwise(names)]
    return {"name": "path.flow", "states": [{"name": name} for name in names], "transitions": steps, **more}


async def test_list(page: Page, fleet: Fleet, workflows: Workflows) -> None:
    """The list has the workflows by name, what they are for, and how many of their jobs are in each group."""
    workflows.store(_path(["A", "B"], name="a.flow", description="goes <b>on</b>"))
    fleet.create("press-1")
    fleet.report(fleet.create("press-2"), "BROKEN")
    await page.goto(f"{fleet.console}workflows")
    rows = page.locator("#workflows-table tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("a.flow")
    await expect(rows.first).to_contain_text("goes <b>on</b>")
    await expect(rows.first).to_contain_text("no jobs")
    await expect(rows.last.get_by_role("link", name="1 FAILED")).to_have_attribute(
        "href", "/ui/jobs?workflow=lamp.flow&group=FAILED"
    )
    await rows.last.get_by_role("link", name="lamp.flow").click()
    await expect(page.get_by_role("heading", level=1, name="lamp.flow")).to_be_visible()
    assert page.url == f"{fleet.console}workflows/lamp.flow"


async def test_pages_of_the_list(page: Page, fleet: Fleet, workflows: Workflows) -> None:
    """Page and number of rows are in the address, and links lead to the pages beside."""
    for number in range(4):
        workflows.store(_path(["A", "B"], name=f"w{number}"))
    await page.goto(f"{fleet.console}workflows?page=2&limit=2")
    rows = page.locator("#workflows-table tbody tr")
    await expect(page.get_by_role("navigation", name="Pages")).to_contain_text("4 of 5")
    await page.get_by_role("link", name="Next").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("w3")
    await page.go_back()
    await page.get_by_role("link", name="Previous").click()
    await expect(rows.first).to_contain_text("lamp.flow")
    assert page.url == f"{fleet.console}workflows?limit=2"


async def test_graph(page: Page, fleet: Fleet) -> None:
    """The graph of a workflow shows how many jobs are in each state, as that changes, and leads to these jobs."""
    job = fleet.create("press-1")
    await page.goto(f"{fleet.console}workflows/lamp.flow")
    graph = page.locator("mermaid #graphDiv")
    await expect(graph.locator(".state")).to_have_count(4)
    await expect(graph.locator("a", has_text="DARK")).to_contain_text("1 job")
    fleet.report(job, "DIM")
    dim = graph.locator("a", has_text="DIM")
    await expect(dim).to_contain_text("1 job", timeout=30_000)
    await dim.click()
    await expect(page.get_by_role("heading", level=1, name="Jobs", exact=True)).to_be_visible()
    assert page.url == f"{fleet.console}jobs?workflow=lamp.flow&state=DIM"


async def test_table(page: Page, fleet: Fleet) -> None:
    """Those who do not see the graph get the same as a table, by keyboard alone."""
    fleet.create("press-1")
    await page.goto(f"{fleet.console}workflows/lamp.flow")
    await page.locator(".graph-table summary").press("Enter")
    row = page.locator(".graph-table tbody tr").first
    await expect(row.get_by_role("rowheader")).to_contain_text("DARK")
    await expect(row).to_contain_text("DIM (CLIENT), BROKEN (CLIENT), BRIGHT (WFX)")
    await expect(row.get_by_role("link", name="1 job")).to_be_visible()


async def test_json(page: Page, fleet: Fleet) -> None:
    """The whole workflow is there as JSON, and a button copies it."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"{fleet.console}workflows/lamp.flow")
    await expect(page.locator("code#workflow-json")).to_contain_text('"name": "lamp.flow"')
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="copied")).to_be_visible()
    assert '"from": "DARK"' in await page.evaluate("navigator.clipboard.readText()")


async def test_keys_of_the_graph(page: Page, fleet: Fleet) -> None:
    """With the focus on the graph + enlarges it, arrows move it, and 0 shows all of it."""
    await page.goto(f"{fleet.console}workflows/lamp.flow")
    graph = page.locator("#graphDiv")
    await page.locator(".graph-frame").focus()
    await page.keyboard.press("0")
    before = await _view(page)
    for _ in range(8):
        await page.keyboard.press("+")
    await page.keyboard.press("ArrowUp")
    await expect(graph).not_to_have_attribute("viewBox", before)
    assert float((await _view(page)).split()[2]) < float(before.split()[2])
    await page.keyboard.press("0")
    await expect(graph).to_have_attribute("viewBox", before)
    await page.get_by_role("button", name="Larger").click()
    await expect(graph).not_to_have_attribute("viewBox", before)


async def _view(page: Page) -> str:
    return await page.locator("#graphDiv").get_attribute("viewBox") or ""


async def test_hostile_names(page: Page, fleet: Fleet, workflows: Workflows) -> None:
    """Names and descriptions are text in the graph, in its table and in the list, whatever they are."""
    states = [{"name": name, "description": name[:2000]} for name in _HOSTILE]
    workflows.store({**_path(_HOSTILE), "states": states, "description": _HOSTILE[0]})
    for path in ("workflows", "workflows/path.flow"):
        await page.goto(fleet.console + path)
        await expect(page.get_by_text(_HOSTILE[0]).first).to_be_visible()
        assert await page.locator("img, main script").count() == 0
    names = page.locator("#graphDiv .foreign-name")
    await expect(names).to_have_count(4)
    assert all(len(name) < 250 for name in await names.all_text_contents())
    await page.locator(".graph-table summary").click()
    await expect(page.locator(".graph-table tbody tr")).to_have_count(4)


async def test_a_large_workflow(page: Page, fleet: Fleet, workflows: Workflows) -> None:
    """Of a workflow with 4,096 states only what is seen is drawn, and all of it as few shapes from far away."""
    workflows.store(_path([f"S{number}" for number in range(4096)]))
    await page.goto(f"{fleet.console}workflows/path.flow")
    parts = page.locator("#graphDiv *")
    await expect(page.locator("#graphDiv .state").first).to_be_visible(timeout=60_000)
    assert await parts.count() < 1000
    await page.locator(".graph-frame").press("0")
    await expect(page.locator("#graphDiv .crowd")).to_have_count(1)
    assert await parts.count() < 1000


async def test_create(page: Page, fleet: Fleet, workflows: Workflows) -> None:
    """A workflow is created from YAML; what the service says is wrong with it stands beside its line."""
    await page.goto(f"{fleet.console}workflows")
    await page.get_by_role("link", name="New workflow").click()
    text = "name: n.flow\nstates: \n- name: A\n- name: B\ntransitions:\n- from: A\n  to: C\n  eligible: CLIENT\n"
    source = page.get_by_label("Definition, as YAML or JSON")
    await source.fill(text)
    await page.get_by_role("button", name="Create").click()
    faults = page.locator("#workflow-faults li")
    await expect(faults.first).to_contain_text("line 4")
    await expect(faults.last).to_contain_text("line 7")
    await expect(faults.last).to_contain_text("transition 'A' -> 'C' has an unknown state 'C'")
    await expect(page.locator(".gutter")).to_contain_text("✖ 7")
    await faults.last.get_by_role("button").click()
    assert await source.evaluate("it => it.value.slice(it.selectionStart, it.selectionEnd)") == "  to: C"
    await source.fill(text.replace("to: C", "to: B"))
    await expect(faults).to_have_count(0)
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1, name="n.flow")).to_be_visible()
    assert workflows.read("n.flow")["transitions"][0]["to"] == "B"


async def test_preview(page: Page, fleet: Fleet) -> None:
    """While a definition is written its graph is drawn, and a text that is no YAML is told with its line."""
    await page.goto(f"{fleet.console}new-workflow")
    source = page.get_by_label("Definition, as YAML or JSON")
    await source.fill('{"states": [{"name": "LOUD"}, {"name": "QUIET"}, {"name": "OFF"}]}')
    await expect(page.locator(".graph .foreign-name")).to_have_text(["LOUD", "QUIET", "OFF"])
    await source.fill("name: x\nstates: [")
    await expect(page.locator("#workflow-faults li")).to_contain_text("line 2")


async def test_create_like_another(page: Page, fleet: Fleet) -> None:
    """A new version begins with the definition of the old one, and is refused as long as it has the same name."""
    await page.goto(f"{fleet.console}workflows/lamp.flow")
    await page.get_by_role("link", name="New one like this").click()
    await expect(page.get_by_label("Definition, as YAML or JSON")).to_have_value(re.compile("name: lamp.flow"))
    await page.get_by_role("button", name="Create").click()
    await expect(page.locator("#workflow-faults")).to_contain_text("lamp.flow")


async def test_delete(page: Page, fleet: Fleet, workflows: Workflows) -> None:
    """A workflow that jobs follow cannot be deleted, and the dialog says why; any other one can."""
    fleet.create("press-1")
    workflows.store(_path(["A", "B"]))
    await page.goto(f"{fleet.console}workflows/lamp.flow")
    await expect(page.locator("#graphDiv .note")).to_have_count(1)
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("1 job follows it")
    await expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Delete")).to_be_focused()
    await page.goto(f"{fleet.console}workflows/path.flow")
    await page.get_by_role("button", name="Delete").click()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", level=1, name="Workflows", exact=True)).to_be_visible()
    await expect(page.locator("#workflows-table tbody tr")).to_have_count(1)


async def test_an_unknown_workflow(page: Page, fleet: Fleet) -> None:
    """The page of a workflow that there is not says so, and offers to try again."""
    await page.goto(f"{fleet.console}workflows/no.such")
    await expect(page.get_by_role("alert")).to_contain_text("Try again")
