"""What web pages can do to the service (rest-api section 2): those of other origins, and those under other names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, async_playwright

from tests.chromium import CHROMIUM, QUIET
from tests.server.http2 import Client
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
PAGE = "https://console.example"
WORKFLOW = {"name": "lamp", "states": [{"name": "DARK"}, {"name": "LIT"}],
            "transitions": [{"from": "DARK", "to": "LIT", "eligible": "WFX"}]}  # fmt: skip
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[LocalService, str]]:
    """A service with a workflow and one job, whose id comes along."""
    with LocalService(folder, *options) as service, httpx.Client(base_url=service.north + BASE) as operator:
        operator.post("/workflows", json=WORKFLOW).raise_for_status()
        job = operator.post("/jobs", json={"clientId": "c", "workflow": "lamp", "tags": ["a"]}).raise_for_status()
        yield service, job.json()["id"]


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn, as an option."""
    return f"--http-engine={request.param}"


@pytest.fixture(scope="module")
def usual(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, str]]:
    """A service that was not told of any origin or host."""
    with running(tmp_path_factory.mktemp("usual"), engine) as started:
        yield started


@pytest.fixture(scope="module")
def sharing(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, str]]:
    """A service that allows one origin."""
    with running(tmp_path_factory.mktemp("sharing"), engine, f"--allowed-origin={PAGE}") as started:
        yield started


def shared(answer: httpx.Response) -> dict[str, str]:
    """The fields by which an answer tells a browser who may read it."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", ["/jobs", "/jobs/x/status", "/workflows/x", "/nothing", "/openapi.json"])
@pytest.mark.parametrize("side", ["north", "south"])
def test_a_preflight_is_refused(usual: tuple[LocalService, str], side: str, path: str) -> None:
    """Unless an origin is allowed, a preflight is a 405 without a word that a browser could take for a permission."""
    answer = httpx.options(getattr(usual[0], side) + BASE + path, headers=PREFLIGHT)
    assert (answer.status_code, answer.text, shared(answer)) == (405, "Method Not Allowed\n", {})


@pytest.mark.parametrize("path", ["/jobs", "/jobs?limit=x", "/jobs/x", "/workflows", "/version", "/health", "/nothing"])
@pytest.mark.parametrize("side", ["north", "south"])
def test_no_answer_is_shared(usual: tuple[LocalService, str], side: str, path: str) -> None:
    """Unless an origin is allowed, pages of other origins can read no answer; that it varies is said all the same."""
    url = getattr(usual[0], side) + BASE + path
    with_origin, without = httpx.get(url, headers={"Origin": PAGE}), httpx.get(url)
    assert shared(with_origin) == {}
    assert with_origin.headers.get("vary") == without.headers.get("vary") == (None if path == "/nothing" else "Origin")


def test_a_stream_is_not_shared(usual: tuple[LocalService, str]) -> None:
    """Event streams are no exception."""
    with httpx.stream("GET", usual[0].south + BASE + "/jobs/events", headers={"Origin": PAGE}) as answer:
        assert (answer.status_code, shared(answer)) == (200, {})


def test_an_allowed_origin(sharing: tuple[LocalService, str]) -> None:
    """A page of an allowed origin is told that it may send what the API takes, and reads every answer."""
    north = sharing[0].north
    preflight = httpx.options(f"{north}{BASE}/jobs/x/status", headers=PREFLIGHT)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert shared(preflight) == {
        "access-control-allow-origin": PAGE, "access-control-allow-methods": "DELETE, GET, POST, PUT",
        "access-control-allow-headers": "content-type", "access-control-max-age": "600",
    }  # fmt: skip
    for path in (f"{BASE}/jobs", f"{BASE}/jobs?limit=x", f"{BASE}/jobs/x", "/health", "/nothing"):
        answer = httpx.get(north + path, headers={"Origin": PAGE})
        assert shared(answer) == {"access-control-allow-origin": PAGE}
        assert answer.headers.get_list("vary") == ["Origin"]
    with httpx.stream("GET", f"{north}{BASE}/jobs/events", headers={"Origin": PAGE}) as stream:
        assert shared(stream) == {"access-control-allow-origin": PAGE}


@pytest.mark.parametrize("origin", [
    "https://console.example.evil", "http://console.example", "https://console.example:8443", "null",
    "https://CONSOLE.example", "", "*",
])  # fmt: skip
def test_other_origins_stay_out(sharing: tuple[LocalService, str], origin: str) -> None:
    """What is not exactly an allowed origin is told nothing; caches learn that another origin gets another answer."""
    headers = PREFLIGHT | {"Origin": origin}
    preflight = httpx.options(f"{sharing[0].north}{BASE}/jobs", headers=headers)
    assert (preflight.status_code, shared(preflight)) == (405, {})
    answer = httpx.get(f"{sharing[0].north}/version", headers={"Origin": origin})
    assert (shared(answer), answer.headers["vary"]) == ({}, "Origin")


def test_every_origin(engine: str, tmp_path: Path) -> None:
    """``*`` does what the contract does: answers of the API and streams are for all, preflights for nobody."""
    with running(tmp_path, engine, "--allowed-origin=*") as (service, _):
        url = service.south + BASE
        assert shared(httpx.get(f"{url}/jobs", headers={"Origin": PAGE})) == {"access-control-allow-origin": "*"}
        assert shared(httpx.get(f"{url}/jobs")) == shared(httpx.get(f"{service.south}/version")) == {}
        assert "vary" not in httpx.get(f"{service.south}/version", headers={"Origin": PAGE}).headers
        preflight = httpx.options(f"{url}/jobs/x/status", headers=PREFLIGHT)
        assert (preflight.status_code, shared(preflight)) == (405, {})
        with httpx.stream("GET", f"{url}/jobs/events") as stream:
            assert shared(stream) == {"access-control-allow-origin": "*"}


def test_an_allowed_origin_reads_the_answers_of_plugins(tmp_path: Path) -> None:
    """A preflight, which has no credentials, is answered before a plugin asks for them, and a denial can be read."""
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o755)
    deny = plugins / "deny"
    deny.write_text(f"#!{Path(__file__).parents[2]}/.venv/bin/python\nfrom wfx_plugin import Respond, run\n"
                    "run(lambda request: Respond.deny('who are you?'))\n")  # fmt: skip
    deny.chmod(0o755)
    with LocalService(tmp_path, f"--mgmt-plugins-dir={plugins}", f"--allowed-origin={PAGE}") as service:
        assert httpx.options(f"{service.north}{BASE}/jobs", headers=PREFLIGHT).status_code == 204
        denied = httpx.get(f"{service.north}{BASE}/jobs", headers={"Origin": PAGE})
        assert (denied.status_code, denied.text, shared(denied)) == (
            403, "who are you?", {"access-control-allow-origin": PAGE})  # fmt: skip
        foreign = httpx.options(f"{service.north}{BASE}/jobs", headers=PREFLIGHT | {"Origin": "https://evil.example"})
        assert (foreign.status_code, shared(foreign)) == (403, {})


@pytest.mark.parametrize("mark", [
    {"Origin": "http://rebound.example"}, {"Sec-Fetch-Mode": "navigate"}, {"Sec-Fetch-Site": "same-origin"},
    {"User-Agent": BROWSER},
])  # fmt: skip
@pytest.mark.parametrize("host", [
    "rebound.example", "rebound.example:8081", "127.0.0.1.evil.example", "localhost.evil", "",
])  # fmt: skip
def test_a_browser_under_a_foreign_name(usual: tuple[LocalService, str], mark: dict[str, str], host: str) -> None:
    """Whatever comes from a browser under a name that is not this machine's is a 421 that names the option."""
    for path in (f"{BASE}/jobs", "/version", "/nothing"):
        answer = httpx.post(usual[0].north + path, headers=mark | {"Host": host}, json={})
        assert answer.status_code == 421
        assert "--allowed-host" in answer.text


@pytest.mark.parametrize("host", [
    "localhost", "LocalHost:8081", "localhost.:8081", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8081",
    "192.0.2.7:80", "[2001:db8::1]",
])  # fmt: skip
def test_a_browser_under_an_address(usual: tuple[LocalService, str], host: str) -> None:
    """Under localhost and under any address a browser is served: no page can have such a name."""
    headers = {"Host": host, "User-Agent": BROWSER, "Sec-Fetch-Site": "none"}
    assert httpx.get(f"{usual[0].north}{BASE}/version", headers=headers).status_code == 200


def test_no_browser_under_any_name(usual: tuple[LocalService, str]) -> None:
    """Tools and devices are served under whatever name they know the service by."""
    for agent in ("curl/8.14.1", "SWUpdate 2026.05", "Go-http-client/1.1", ""):
        headers = {"Host": "wfx.example:8081", "User-Agent": agent}
        assert httpx.get(f"{usual[0].north}{BASE}/version", headers=headers).status_code == 200


def test_a_browser_under_a_foreign_name_on_http2(tmp_path: Path) -> None:
    """The same holds over HTTP/2, where the name stands in another place."""
    with (
        LocalService(tmp_path, "--http-engine=hypercorn") as service,
        Client(service.ports["north"]) as client,
    ):
        refused = client.ask("/version", ("user-agent", BROWSER))
        served = client.ask("/version", (":authority", "localhost:1"), ("user-agent", BROWSER))
        plain = client.ask("/version", ("user-agent", "curl/8"))
        client.flush()
        client.until(lambda: {refused, served, plain} <= client.ended)
        assert [client.answers[stream] for stream in (refused, served, plain)] == [421, 200, 200]


def test_allowed_names_and_other_listeners(engine: str, tmp_path: Path) -> None:
    """A name that was allowed is served, on loopback; a listener for other machines serves any name."""
    options = (engine, "--allowed-host=wfx.example,other.example", "--client-host=0.0.0.0")
    with LocalService(tmp_path, *options) as service:

        def asked(url: str, host: str) -> int:
            return httpx.get(f"{url}/version", headers={"Host": host, "User-Agent": BROWSER}).status_code

        assert asked(service.north, "WFX.example:1") == asked(service.north, "other.example") == 200
        assert asked(service.north, "x.example") == 421
        assert asked(service.south, "x.example") == 200


def state_of(service: LocalService) -> list[Any]:
    """All jobs, all workflows, and every event so far."""
    paths = ("/jobs", "/workflows", "/jobs/events?since=0")
    return [httpx.get(service.north + BASE + path, headers={"Accept": "application/json"}).json() for path in paths]


@asynccontextmanager
async def chromium(*options: str) -> AsyncIterator[Page]:
    """A page of a real browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *options])
        yield await browser.new_page()
        await browser.close()


@asynccontextmanager
async def blank_page() -> AsyncIterator[str]:
    """Serve an empty page on a port of its own; gives its origin."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
        writer.write(head + b"<!doctype html><title>page</title>")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


ATTEMPTS = """
async ([api, id]) => {
    const job = '{"clientId":"evil","workflow":"lamp"}', json = {'Content-Type': 'application/json'}
    const requests = [
        [api + '/jobs', {method: 'POST', body: job}],
        [api + '/jobs', {method: 'POST', body: new Blob([job])}],
        [api + '/jobs', {method: 'POST', body: new Blob([job], {type: 'text/plain; application/json'})}],
        [api + '/jobs', {method: 'POST', body: new URLSearchParams({clientId: 'evil'})}],
        [api + '/jobs', {method: 'POST', body: job, headers: json}],
        [api + '/jobs/' + id + '/status', {method: 'PUT', body: '{"state":"LIT"}', headers: json}],
        [api + '/jobs/' + id + '/definition', {method: 'PUT', body: '{"evil":1}'}],
        [api + '/jobs/' + id + '/tags', {method: 'POST', body: '["evil"]', headers: json}],
        [api + '/jobs/' + id + '/tags', {method: 'DELETE', body: '["a"]', headers: json}],
        [api + '/jobs/' + id, {method: 'DELETE'}],
        [api + '/workflows/lamp', {method: 'DELETE'}],
    ]
    const outcomes = []
    for (const [url, request] of requests)
        for (const mode of ['cors', 'no-cors'])
            outcomes.push(await fetch(url, {...request, mode}).then(answer => answer.type, error => error.name))
    navigator.sendBeacon(api + '/jobs', new Blob([job], {type: 'application/json'}))
    navigator.sendBeacon(api + '/jobs', job)
    for (const path of ['/jobs', '/version', '/health', '/openapi.json'])
        outcomes.push(await fetch(api + path).then(answer => answer.type, error => error.name))
    return outcomes
}
"""
FORM = """
async url => {
    const form = document.createElement('form')
    form.method = 'POST'; form.action = url; form.enctype = 'text/plain'
    const field = document.createElement('input')
    field.name = '{"clientId":"evil","workflow":"lamp","x":"'; field.value = '"}'
    form.append(field); document.body.append(form); form.submit()
}
"""


@pytest.mark.parametrize("options", [(), ("--allowed-origin=*",), ("--allowed-origin=https://console.example",)])
async def test_a_page_of_another_origin_changes_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A page of another origin in Chromium changes nothing on loopback by any kind of request, nor reads anything."""
    with running(tmp_path, *options) as (service, job):
        before = state_of(service)
        async with chromium() as page, blank_page() as origin:
            for side in (service.north, service.south):
                await page.goto(origin)
                outcomes = await page.evaluate(ATTEMPTS, [side + BASE, job])
                readable = {"cors"} if "--allowed-origin=*" in options else {"TypeError"}
                assert set(outcomes[:-4]) <= {"TypeError", "opaque", *readable}
                assert set(outcomes[-4:]) == {"TypeError"} | readable
                async with page.expect_navigation():
                    await page.evaluate(FORM, f"{side}{BASE}/jobs")
                assert "--allowed-origin" in await page.inner_text("body")
        assert state_of(service) == before


FORMS: list[dict[str, str]] = [
    {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ["/v1/rules/reload", "/v1/tasks/1/replay", "/v1/scripts/x/runs/1/replay"])
def test_forms_of_other_origins_act_on_nothing(
    usual: tuple[LocalService, str], path: str, form: dict[str, str]
) -> None:
    """What needs no body, a form of another page could send: it is refused, and what others send is not."""
    url = usual[0].north + path

    def status(**more: str) -> int:
        fields = form | {name.replace("_", "-"): value for name, value in more.items()}
        return httpx.post(url, headers=fields, trust_env=False).status_code

    own = usual[0].north
    assert status(Origin=PAGE) == status(Origin="null") == 403
    assert status(Origin=PAGE, Sec_Fetch_Site="cross-site") == status(Origin=PAGE, Sec_Fetch_Site="same-site") == 403
    answer = httpx.post(url, headers=form | {"Origin": PAGE}, trust_env=False)
    assert "--allowed-origin" in answer.text
    if path != "/v1/scripts/x/runs/1/replay":  # which is a 403 for everybody while scripts are off
        assert status() == status(Origin=own) == status(Origin=own, Sec_Fetch_Site="same-origin") == 404


async def test_a_page_of_an_allowed_origin_works(tmp_path: Path) -> None:
    """A page of an allowed origin in Chromium creates, changes, deletes and follows jobs."""
    script = """
    async api => {
        const send = (method, path, body) => fetch(api + path, {
            method, body: body && JSON.stringify(body), headers: {'Content-Type': 'application/json'}})
        const events = new EventSource(api + '/jobs/events'), seen = []
        events.onmessage = event => seen.push(JSON.parse(event.data).action)
        await new Promise(opened => { events.onopen = opened })
        const job = await (await send('POST', '/jobs', {clientId: 'c', workflow: 'lamp'})).json()
        const changed = await (await send('PUT', `/jobs/${job.id}/status`, {state: 'LIT'})).json()
        const gone = await send('DELETE', '/jobs/' + job.id)
        while (seen.length < 3) await new Promise(later => setTimeout(later, 20))
        return [changed.state, gone.status, ...seen]
    }
    """
    async with chromium() as page, blank_page() as origin:
        with running(tmp_path, f"--allowed-origin={origin}") as (service, _):
            await page.goto(origin)
            seen: list[Any] = await page.evaluate(script, service.north + BASE)
    assert seen == ["LIT", 204, "CREATE", "UPDATE_STATUS", "DELETE"]


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_page_whose_name_leads_here(tmp_path: Path, allowed: bool) -> None:
    """A page whose name resolves to 127.0.0.1 is of the same origin for Chromium, and is refused all the same."""
    script = """
    async () => (await fetch('/api/wfx/v1/jobs', {method: 'POST', body: '{"clientId":"c","workflow":"lamp"}',
                                                  headers: {'Content-Type': 'application/json'}})).status
    """
    options = ("--allowed-host=rebound.example",) if allowed else ()
    with running(tmp_path, *options) as (service, _):
        async with chromium("--host-resolver-rules=MAP rebound.example 127.0.0.1") as page:
            opened = await page.goto(f"http://rebound.example:{service.ports['north']}/version")
            assert opened is not None
            assert (opened.status, await page.evaluate(script)) == ((200, 201) if allowed else (421, 421))
        assert len(state_of(service)[0]["content"]) == (2 if allowed else 1)


def with_a_page(files: Path) -> Path:
    """A directory with a page that says whether its script ran, and as whose."""
    files.mkdir()
    script = "<script>document.getElementById('x').textContent = 'ran ' + origin</script>"
    (files / "evil.html").write_text(f"<!doctype html><title>page</title><p id=x></p>{script}")
    return files


async def test_a_page_among_the_downloads_changes_nothing(engine: str, tmp_path: Path) -> None:
    """A page that the file server serves is on the API's own address, and yet its scripts neither change nor read."""
    files = with_a_page(tmp_path / "files")
    with running(tmp_path, engine, f"--simple-fileserver={files}") as (service, job):
        before = state_of(service)
        async with chromium() as page:
            await page.goto(f"{service.north}/download/evil.html")
            assert await page.text_content("#x") == "ran null"
            outcomes = await page.evaluate(ATTEMPTS, [service.north + BASE, job])
        assert "basic" not in outcomes
        assert "cors" not in outcomes
        assert state_of(service) == before
