"""HTTP/2 over TLS as a browser speaks it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.certificates import Authority
from tests.chromium import CHROMIUM, QUIET
from tests.server.everywhere import Everywhere
from tests.waiting import DEADLINE

WORKFLOW = {"name": "flow", "states": [{"name": "NEW"}], "transitions": []}
STREAMS = 10
"""More than the six connections to a server that a browser opens over HTTP/1.1."""
FOLLOW = """
async ([streams, workflow]) => {
    const api = '/api/wfx/v1', seen = []
    const create = (what, document) => fetch(`${api}/${what}`, {
        method: 'POST', body: JSON.stringify(document), headers: {'Content-Type': 'application/json'}})
    const follow = number => new Promise((opened, failed) => {
        const events = new EventSource(`${api}/jobs/events?number=${number}`)
        seen[number] = []
        events.onmessage = event => seen[number].push(JSON.parse(event.data).action)
        events.onopen = opened
        events.onerror = failed
    })
    await create('workflows', workflow)
    await Promise.all(Array.from({length: streams}, (_, number) => follow(number)))
    const job = await (await create('jobs', {clientId: 'c', workflow: workflow.name})).json()
    await fetch(`${api}/jobs/${job.id}`, {method: 'DELETE'})
    while (seen.some(actions => actions.length < 2)) await new Promise(later => setTimeout(later, 20))
    const spoken = performance.getEntriesByType('resource').filter(entry => entry.name.includes(api))
    return [performance.getEntriesByType('navigation')[0].nextHopProtocol,
            ...new Set(spoken.map(entry => entry.nextHopProtocol)), seen]
}
"""


@pytest.mark.parametrize("engine", ["auto", "hypercorn"])
async def test_a_browser_follows_many_streams(engine: str, tmp_path: Path) -> None:
    """A page in Chromium follows ten event streams at once by HTTP/2, and changes jobs meanwhile."""
    server = Authority(tmp_path).sign("server")
    files = (f"--tls-certificate={server.certificate}", f"--tls-key={server.key}", f"--http-engine={engine}")
    with Everywhere(tmp_path, "https", *files) as service:
        north = f"https://127.0.0.1:{service.port('https', 'north')}"
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            try:
                page = await browser.new_page(ignore_https_errors=True)
                await page.goto(f"{north}/version")
                async with asyncio.timeout(DEADLINE):
                    *spoken, seen = await page.evaluate(FOLLOW, [STREAMS, WORKFLOW])
            finally:
                await browser.close()
        assert service.stop() == 0
    assert spoken == ["h2", "h2"]
    assert seen == [["CREATE", "DELETE"]] * STREAMS
