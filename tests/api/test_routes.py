"""Routes from OpenAPI documents, and the table that finds them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from wfx.api import app as app_module
from wfx.api import spec
from wfx.api.app import App, Dispatch
from wfx.api.endpoint import Endpoint
from wfx.api.reply import Reply
from wfx.api.request import ApiRequest
from wfx.api.route_table import RouteTable
from wfx.api.routes import BASE, BESIDE, HANDLERS, Mount, Route, operation_routes, service_routes
from wfx.api.services import Services
from wfx.compose import compose
from wfx.config.options import Config
from wfx.request_context import Side, current

FLEET: dict[str, Any] = {
    "servers": [{"url": "/api/fleet/v2"}],
    "paths": {
        "/groups/{group}/devices/{device}": {
            "get": {"operationId": "GetDevice", "x-wfx-sides": ["north"], "x-wfx-filter": True},
            "patch": {"operationId": "PatchDevice", "x-wfx-sides": ["north"]},
        },
        "/groups/{group}/devices/all": {"get": {"operationId": "GetDevices", "x-wfx-sides": ["north", "south"]}},
        "/groups/default/devices/{device}": {
            "options": {"operationId": "OptionsDevice", "x-wfx-sides": ["north"]},
            "get": {"operationId": "GetDefault", "x-wfx-sides": ["north"]},
        },
    },
}


async def handler(_request: ApiRequest) -> Reply:
    """Answer with nothing."""
    return Reply(204)


def fleet_table() -> RouteTable[str]:
    """The routes of the second document beside those of the service, with operationIds in place of endpoints."""
    operations = list(spec.read_operations("fleet", FLEET))
    routes = [
        *service_routes(),
        *operation_routes(operations, dict.fromkeys((each.id for each in operations), handler)),
    ]
    return RouteTable((route.method, route.path, route.operation) for route in routes)


def test_each_operation_has_a_handler() -> None:
    """Each operationId of the documents has a handler, and each handler an operation; the rest is a short list."""
    assert HANDLERS.keys() == spec.operations().keys()
    routed = {route.operation: route for route in service_routes() if route.operation}
    assert {name: route.handler for name, route in routed.items()} == HANDLERS
    assert {route.path.removeprefix(BASE) for route in BESIDE} == {
        "/openapi.json", "/openapiv3.json", "/swagger.json", "/version", "/health", "/", "/api/fleet/v1/openapi.json",
        "/v1/openapi.json",
    }  # fmt: skip


@pytest.mark.parametrize("handlers", [{}, {"GetDevice": handler, "GetUnknown": handler}])
def test_odd_handlers_are_refused(handlers: dict[str, Any]) -> None:
    """An operation without a handler, or a handler without an operation, is found when the service starts."""
    with pytest.raises(ValueError, match="PatchDevice"):
        operation_routes(spec.read_operations("fleet", FLEET), handlers)


@pytest.mark.parametrize(("method", "path", "operation", "parameters"), [
    ("GET", "/api/fleet/v2/groups/a/devices/b", "GetDevice", {"group": "a", "device": "b"}),
    ("HEAD", "/api/fleet/v2/groups/a/devices/b", "GetDevice", {"group": "a", "device": "b"}),
    ("PATCH", "/api/fleet/v2/groups/a%2Fb/devices/%C3%A4", "PatchDevice", {"group": "a/b", "device": "ä"}),
    ("GET", "/api/fleet/v2/groups/a/devices/all", "GetDevices", {"group": "a"}),
    ("GET", "/api/fleet/v2/groups/default/devices/b", "GetDefault", {"device": "b"}),
    ("OPTIONS", "/api/fleet/v2/groups/default/devices/all", "OptionsDevice", {"device": "all"}),
    ("GET", "/api/wfx/v1/jobs/x/status", "GetJobsIdStatus", {"id": "x"}),
    ("GET", "/api/wfx/v1/jobs/events", "GetJobsEvents", {}),
    ("GET", "/health", "", {}),
])  # fmt: skip
def test_second_document(method: str, path: str, operation: str, parameters: dict[str, str]) -> None:
    """A second document has its own prefix, and paths with several parameters; the most literal path goes first."""
    table = fleet_table()
    for _ in range(2):  # found, then remembered
        found = table.find(path.encode())
        assert found is not None
        assert (found[0][method], found[1]) == (operation, parameters)


@pytest.mark.parametrize("path", [
    "/api/fleet/v2/groups/a/devices", "/api/fleet/v2/groups/a/devices/", "/api/fleet/v2/groups//devices/b",
    "/api/fleet/v2/groups/{}/devices/..", "/api/fleet/v1/groups/a/devices/b", "/api/wfx/v1/jobs/{id}/x", "{}", "",
])  # fmt: skip
def test_unknown_paths(path: str) -> None:
    """A parameter is one segment that is neither empty nor dots."""
    assert fleet_table().find(path.encode()) is None


def test_braces_are_a_parameter_like_any_other() -> None:
    """Who sends braces in place of an id asks for a job with such an id."""
    found = fleet_table().find(b"/api/wfx/v1/jobs/{}")
    assert found is not None
    assert found[1] == {"id": "{}"}


@pytest.mark.parametrize("path", ["/a/{x}", "/a/{y}"])
def test_contradicting_routes_are_refused(path: str) -> None:
    """Two routes with the same method and path, or with other names for the same parameters, are found at the start."""
    method = "GET" if path == "/a/{x}" else "PUT"
    with pytest.raises(ValueError, match="contradicts"):
        RouteTable([("GET", "/a/{x}", 1), (method, path, 2)])


def test_resolves_parameters_in_its_own_document() -> None:
    """What an operation refers to is looked up in the document in which it is described."""
    document = {
        "servers": [{"url": "/x"}],
        "paths": {"/a/{b}": {
            "parameters": [{"$ref": "#/components/parameters/B"}],
            "trace": {"operationId": "TraceA", "x-wfx-sides": ["south"]},
        }},
        "components": {"parameters": {"B": {"name": "b", "in": "path"}}},
    }  # fmt: skip
    (operation,) = spec.read_operations("other", document)
    assert operation.parameters == ({"name": "b", "in": "path"},)
    assert (operation.method, operation.base, operation.path) == ("TRACE", "/x", "/a/{b}")


async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what a mounted app is told."""
    context = current()
    assert context is not None
    text = f"{scope['method']} {scope['root_path']} {context.side} {context.operation}"
    await Reply(200, text.encode())(scope, receive, send)


def ask(side: Side, method: str, path: str) -> tuple[int, bytes]:
    """Ask an app that has a mount on the north side; returns status and body."""
    services: Any = None
    app = App(side, Dispatch(side, services, [Mount("/metrics", mounted, frozenset({Side.NORTH}))]))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "",
             "query_string": b"", "headers": []}  # fmt: skip
    asyncio.run(app(scope, send, send))  # type: ignore[arg-type]  # nothing is received
    return sent[0]["status"], sent[1]["body"]


def test_mounts() -> None:
    """A mounted app answers all methods for its prefix and what is below, on its sides; routes go first."""
    assert ask(Side.NORTH, "PURGE", "/metrics") == (200, b"PURGE /metrics north ")
    assert ask(Side.NORTH, "GET", "/metrics//a/..") == (200, b"GET /metrics north ")
    assert ask(Side.NORTH, "GET", "/metricsx")[0] == 404
    assert ask(Side.SOUTH, "GET", "/metrics")[0] == 404


async def test_listeners_of_a_side_share_its_endpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many listeners a side has, its endpoints are prepared once, and each listener answers by them."""
    prepared: list[tuple[str, Side]] = []

    class Counted(Endpoint):
        def __init__(self, route: Route, side: Side, services: Services) -> None:
            prepared.append((f"{route.method} {route.path}", side))
            super().__init__(route, side, services)

    monkeypatch.setattr(app_module, "Endpoint", Counted)
    async with AsyncExitStack() as stack:
        parts = await compose(Config(storage_opt=f"file:{tmp_path}/wfx.db"), stack, asyncio.Event())
        apps = [parts.app(side, loopback=loopback) for side in Side for loopback in (True, False, False)]
        for each in apps:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(each), base_url="http://localhost") as client:
                assert (await client.get("/version")).status_code == 200
    hidden = [route for route in service_routes() if route.hidden]
    assert len(prepared) == len(set(prepared)) == 2 * len(service_routes()) - len(hidden)
