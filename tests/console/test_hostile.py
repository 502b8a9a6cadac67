"""What devices, operators and pages of others send to harm whoever looks at the console."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.filled import PAGES, Address, every_page, filled, show
from tests.console.fleet import Fleet

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script><b>"
BIDI = "\u202egnp.exe\u2066"
CONTROL = "\x1b[31m\x07\x00"
HOSTILE = f"{MARKUP} {BIDI}"
"""Of names, which have no control characters."""
MESSAGE = (HOSTILE + CONTROL + "m" * 1024)[:1024]
"""The longest that the service takes."""
LARGE = HOSTILE + CONTROL + "m" * 1_000_000
MOST_TEXT = 50_000
"""Letters of a page on which texts of a million are cut."""
_LOOK = r"""() => {
    const bare = [], control = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const near = node.parentElement;
        const isolated = near.closest("bdi, pre, code, textarea, option, text");
        if (/[\u202a-\u202e\u2066-\u2069]/.test(node.data) && !isolated) bare.push(near.outerHTML.slice(0, 200));
        if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(node.data)) control.push(near.outerHTML.slice(0, 200));
    }
    return {
        bare, control, elements: document.querySelectorAll("img, main script, main b, iframe, object").length,
        links: [...document.links].filter(({protocol}) => !/^https?:$/.test(protocol)).length,
        text: document.querySelector("main").innerText.length,
    };
}"""
_TRY = """async ([url, body]) => {
    const tried = {};
    const say = (name, work) => work().then((value) => tried[name] = value, (error) => tried[name] = error.name);
    const post = {method: "POST", body};
    await say("read", async () => (await fetch(url)).status);
    await say("send", async () => (await fetch(url, {...post, mode: "no-cors"})).type);
    const headers = {"content-type": "application/json"};
    await say("send JSON", async () => (await fetch(url, {...post, headers})).status);
    const ui = new URL("/ui/jobs", url);
    const frame = document.createElement("iframe");
    const loaded = new Promise((done) => frame.onload = done);
    frame.src = ui;
    document.body.append(frame);
    await loaded;
    await say("look into a frame", async () => frame.contentWindow.document.title);
    const opened = open(ui);
    await say("look into a window", async () => {
        while (opened.document) await new Promise((later) => setTimeout(later, 20));
    });
    await say("start its worker", async () => new SharedWorker(ui).port.start());
    return tried;
}"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service with something hostile on every page."""
    with filled(tmp_path_factory.mktemp("hostile")) as found:
        fill(found)
        yield found


def fill(fleet: Fleet) -> None:
    """Send what is hostile wherever a text is taken."""
    first, last = HOSTILE, f"{HOSTILE}2"
    workflow = {
        "name": "evil.flow",
        "description": HOSTILE,
        "states": [{"name": first, "description": HOSTILE}, {"name": last}],
        "groups": [{"name": "FAILED", "description": HOSTILE, "states": [last]}],
        "transitions": [{"from": first, "to": last, "eligible": "CLIENT"}],
    }
    fleet.north.post("/workflows", json=workflow).raise_for_status()
    job = fleet.create(HOSTILE, workflow="evil.flow", tags=[HOSTILE], definition={HOSTILE: LARGE})
    fleet.report(job, last, message=MESSAGE, context={HOSTILE: LARGE}, clientId=HOSTILE)
    url = fleet.service.north
    described = {"labels": [], "attributes": {"site": HOSTILE}}
    device = f"{url}/api/fleet/v1/devices/{quote(HOSTILE, safe='')}/attributes"
    fleet.north.put(device, json=described).raise_for_status()
    script = f"/* </script>{HOSTILE} */ function main() {{ throw new Error({HOSTILE!r}) }}"
    javascript = {"content-type": "text/javascript"}
    fleet.north.put(f"{url}/v1/scripts/double", content=script.encode(), headers=javascript).raise_for_status()


@pytest.fixture
def fleet(serving: Fleet) -> Fleet:
    """That service, with its jobs."""
    return serving


def addresses(fleet: Fleet) -> dict[str, Address]:
    """Return the pages, those of one thing with the hostile one."""
    job = fleet.north.get("/jobs", params={"clientId": HOSTILE}).json()["content"][0]["id"]
    pages = every_page(job, quote(HOSTILE, safe=""))
    pages["workflow"] = Address("workflows/evil.flow", "#graphDiv .state")
    pages["new_workflow"] = Address("new-workflow?like=evil.flow", ".graph .foreign-name")
    return pages


@pytest.mark.parametrize("name", PAGES)
async def test_pages(page: Page, fleet: Fleet, name: str) -> None:
    """Whatever was sent is text on every page: no element, no link, no hidden letters, and of what is long a part."""
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await show(page, fleet, addresses(fleet)[name])
    found = await page.evaluate(_LOOK)
    text = found.pop("text")
    assert (found, dialogs) == ({"bare": [], "control": [], "elements": 0, "links": 0}, [])
    assert text < MOST_TEXT


async def test_parts_of_the_page_of_a_job(page: Page, fleet: Fleet) -> None:
    """That holds for the parts of the page of a job, too."""
    job = addresses(fleet)["job"].path
    for tab in ("history", "definition", "events", "json"):
        await page.goto(f"{fleet.console}{job}?tab={tab}")
        await expect(page.locator("#graphDiv .state").first).to_be_visible()
        found = await page.evaluate(_LOOK)
        assert (tab, found["elements"], found["control"], found["links"]) == (tab, 0, [], 0)


async def test_a_message_of_a_million(fleet: Fleet) -> None:
    """The service itself refuses a message that is longer than people read."""
    job = addresses(fleet)["job"].path.rpartition("/")[2]
    answer = fleet.south.put(f"/jobs/{job}/status", json={"state": f"{HOSTILE}2", "message": LARGE})
    assert answer.status_code == 400


class Quiet(http.server.BaseHTTPRequestHandler):
    """Serves an empty page."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>other</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def another_origin() -> Iterator[str]:
    """Serve pages on another port of this machine, which makes it another origin; return its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


async def test_another_origin(browser: Browser, fleet: Fleet) -> None:
    """A page of another origin on the same machine can neither read, send, frame nor look into the console."""
    request = [f"{fleet.north.base_url}jobs", '{"clientId": "evil", "workflow": "lamp.flow"}']
    page = await browser.new_page()
    with another_origin() as other:
        await page.goto(other)
        tried = await page.evaluate(_TRY, request)
    assert tried == {
        "read": "TypeError", "send": "opaque", "send JSON": "TypeError", "look into a frame": "SecurityError",
        "look into a window": "SecurityError", "start its worker": "SecurityError",
    }  # fmt: skip
    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
    assert fleet.north.get("/jobs", params={"clientId": "evil"}).json()["content"] == []
    await page.goto(f"{fleet.console}jobs")
    sent = """([url, body]) => fetch(url, {method: "POST", body, headers: {"content-type": "application/json"}})
        .then(({status}) => status)"""
    assert await page.evaluate(sent, request) == 201
    await page.context.close()
