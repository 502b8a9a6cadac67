"""Every request of a side is seen by its plugins, and plugins and service see the same."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

import httpx
import pytest
from plugin_programs import ROOT
from rawhttp import Wire, request

from tests.acceptance.plugins.conftest import ENGINES, Guard, Start, client_of, empty_guard
from tests.acceptance.streams.writing import BASE, WORKFLOW, create_job, store_workflow
from wfx.api.routes import service_routes
from wfx.demo.local import LocalService

ACTIONS = {"POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "DELETE": "DELETE"}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
TELL = """
def tell(request):
    return Respond(Status.DENY, b"", {"X-Seen": request.action.name + " " + request.destination})
run(tell)
"""
MOUNTED = ("/download", "/download/", "/download/x/y.swu")
OTHERS = (
    "/unknown", "/ui/", "/api/wfx/v1", "/api/wfx/v1/", "/api/wfx/v2/jobs", "/api/wfx/v1/jobs/a/b/c", "/favicon.ico",
    "//api/wfx/v1/jobs", "/a/../health", "/health/", "/%68ealth", "/download/../x", "/download/a%2Fb",
    "/api/wfx/v1/jobs?limit=none", "/api/wfx/v1/jobs?limit=-1", "/api/wfx/v1/jobs?sort=up",
    "/api/wfx/v1/jobs?state=%zz", "/api/wfx/v1/workflows?offset=1e9", "/api/wfx/v1/jobs/events?since=never",
    "/?" + "x" * 10_000,
)  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def denying(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine whose plugins, on both sides, deny everything and tell what it was."""
    folder = tmp_path_factory.mktemp(f"denying-{request.param}")
    guard = empty_guard(folder)
    for side in (guard.north, guard.south):
        side.sdk("tell", TELL)
    with LocalService(folder, *guard.options, f"--http-engine={request.param}") as service:
        yield service


def paths() -> list[str]:
    """Every path of the routes and mounts, with something in place of its parameters, and others."""
    filled = {re.sub(r"\{\w+\}", "x", route.path) for route in service_routes()}
    return [*sorted(filled), *MOUNTED, *OTHERS]


def expected(method: str, path: str) -> tuple[int, str]:
    """What the plugin answers if it saw the request."""
    return 403, f"{ACTIONS.get(method, 'READ')} {path}"


@pytest.mark.parametrize("side", ["north", "south"])
def test_every_request_is_seen(denying: LocalService, side: str) -> None:
    """Row 48: each route with each method, unknown paths and unparsable parameters are answered by the plugin alone."""
    assert {route.operation for route in service_routes()} > {"", "GetJobs", "GetJobsEvents"}
    with Wire(denying.ports[side]) as wire:
        for path, method in itertools.product(paths(), METHODS):
            body = b"no JSON" if method in ACTIONS else b""
            wire.send(request(method, path, body, "X-Response-Filter: no program ("))
            head = wire.until(b"\r\n\r\n").decode("latin-1").splitlines()
            seen = next(line.partition(": ")[2] for line in head if line.lower().startswith("x-seen:"))
            assert (int(head[0].split()[1]), seen) == expected(method, path)


def test_every_request_is_seen_on_http2(guard: Guard, start: Start) -> None:
    """Row 48: the same holds for HTTP/2, which hypercorn offers."""
    guard.south.sdk("tell", TELL)
    service = start("--http-engine=hypercorn")
    with httpx.Client(http1=False, http2=True, trust_env=False) as client:
        for path in (path for path in paths() if ".." not in path):  # the client would resolve those itself
            answer = client.get(service.south + path)
            assert answer.http_version == "HTTP/2"
            assert (answer.status_code, answer.headers["X-Seen"]) == expected("GET", path)


WORKFLOWS = (
    "/api/wfx/v1/workflows", "/api/wfx/v1/workflows?limit=1", "/api/wfx/v1/workflows/" + WORKFLOW,
    "/api/wfx/v1/%77orkflows", "/api/wfx/v1/work%66lows", "/%61pi/wfx/v1/workflows", "/api%2Fwfx%2Fv1%2Fworkflows",
    "/api/wfx/v1/workflows%2F", "/api/wfx/v1/workflows/", "//api/wfx/v1/workflows", "/./api/wfx/v1/workflows",
    "/api/wfx/v1/jobs/../workflows", "/api/wfx/v1/jobs/%2e%2e/workflows", "/api/wfx/v1/workflows%00",
    "/api/wfx/v1/workflows%ff", "/api/wfx/v1/workflows;x", "/API/WFX/V1/WORKFLOWS", "/x/../api/wfx/v1/workflows",
    "http://other.test/api/wfx/v1/workflows", "http://other.test//api/wfx/v1/workflows",
)  # fmt: skip


def test_no_spelling_gets_around_a_plugin(guard: Guard, start: Start, engine: str) -> None:
    """Row 28: however the path of workflows is written, the deny example or the router stops it on the first hop."""
    guard.south.sdk("deny", (ROOT / "plugins" / "examples" / "deny" / "deny.py").read_text())
    service = start(engine)
    store_workflow(service)
    given = {}
    for target in WORKFLOWS:
        for host in ("localhost", "other.test/api/wfx/v1/jobs?"):
            with Wire(service.ports["south"]) as wire:
                wire.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = wire.answer()
            assert b"transitions" not in answer.body
            given[host == "localhost", target] = answer.status
    assert {given[False, target] for target in WORKFLOWS} == {400}
    assert {given[True, target] for target in WORKFLOWS} == {403, 307, 404}
    assert given[True, WORKFLOWS[0]] == 403


REPEATED = (
    '{"state": "NOWHERE", "state": "INSTALLING"}', '{"state": "INSTALLING", "state": "NOWHERE"}',
    r'{"state": "NOWHERE", "\u0073tate": "INSTALLING"}', '{"state": "INSTALLING", "STATE": "NOWHERE"}',
    '{"STATE": "NOWHERE", "state": "INSTALLING", "State": "NOWHERE"}', '{"state": "NOWHERE"}',
)  # fmt: skip


def test_plugin_and_service_read_the_same_body(guard: Guard, start: Start, engine: str) -> None:
    """Row 38: of a member that is repeated, a plugin that reads JSON as Python does and the service take the same."""
    guard.south.sdk("read", """
        import json
        def read(request):
            program = json.dumps(json.loads(request.body)["state"])
            return Modify(headers=request.headers | {"X-Response-Filter": program})
        run(read)
    """)  # fmt: skip
    service = start(engine)
    store_workflow(service)
    with client_of(service.south) as client, client_of(service.north) as operator:
        for body in REPEATED:
            status = f"{BASE}/jobs/{create_job(service, 'dev')}/status"
            answer = client.put(status, content=body, headers={"Content-Type": "application/json"})
            if answer.status_code == 200:
                read_by_service = operator.get(status).json()["state"]
                assert json.loads(answer.text) == read_by_service == "INSTALLING", "the filter is what the plugin read"
            else:
                assert "NOWHERE" in answer.json()["errors"][0]["message"]
