"""Ids of requests: taken over or minted, in the log and in answers."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from rawhttp import Wire, request
from starlette.types import Message, Receive, Scope, Send
from waiting import eventually

from tests.server.engines import serving
from wfx.api.answer_memory import PIECE, AnswerMemory, Share
from wfx.api.app import App
from wfx.api.reply import Reply
from wfx.demo.local import LocalService
from wfx.logs import Json, Pretty
from wfx.request_context import RequestContext, Side, current, enter, given_id

ENGINES = ("uvicorn", "hypercorn")
BASE = "/api/wfx/v1"
MINTED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNUSABLE = ["", "x" * 129, "two words", "tab\tinside", "\u00e4", "\u20ac"]


@pytest.fixture(scope="module", params=ENGINES)
def logging_service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine that logs at level debug."""
    folder = tmp_path_factory.mktemp(f"logging-{request.param}")
    with LocalService(folder, "--log-level=debug", f"--http-engine={request.param}") as running:
        yield running


def records(service: LocalService, path: str) -> list[dict[str, Any]]:
    """What was logged about the one request for a path, from its begin to its end."""

    def found() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in list(service.lines) if line.startswith("{")]
        return [line for line in lines if line.get("path") == path]

    eventually(lambda: len(found()) == 2, f"two records about {path}")
    return found()


@contextmanager
def logged_by(name: str) -> Iterator[list[dict[str, Any]]]:
    """Collect what a logger of this process writes, as the service would."""
    logged: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(json.loads(Json().format(record)))  # type: ignore[method-assign]  # short
    logging.getLogger(name).addHandler(handler)
    try:
        yield logged
    finally:
        logging.getLogger(name).removeHandler(handler)


def ask(url: str, *ids: bytes, method: str = "GET", **more: Any) -> httpx.Response:
    """Send a request with these ids."""
    headers = [(b"X-Request-Id", each) for each in ids]
    return httpx.request(method, url, headers=[*headers, *more.pop("headers", ())], trust_env=False, timeout=60, **more)


@pytest.mark.parametrize("given", ["x", 'a-b/c:1,"{}', "7" * 128])
def test_id_is_taken_over(logging_service: LocalService, given: str) -> None:
    """An id of 1 to 128 visible ASCII characters is that of all records of the request, and comes back."""
    path = f"{BASE}/jobs/taken-{len(given)}"
    answer = ask(logging_service.south + path, given.encode())
    assert answer.headers.get_list("X-Request-Id") == [given]
    assert [record["reqID"] for record in records(logging_service, path)] == [given, given]


@pytest.mark.parametrize("number", range(len(UNUSABLE)))
def test_unusable_id_is_replaced(logging_service: LocalService, number: int) -> None:
    """An id that is empty, too long, or has other characters is replaced, and the caller learns by what."""
    path = f"{BASE}/jobs/unusable-{number}"
    answer = ask(logging_service.north + path, UNUSABLE[number].encode())
    minted = answer.headers["X-Request-Id"]
    assert MINTED.fullmatch(minted)
    assert [record["reqID"] for record in records(logging_service, path)] == [minted, minted]


def test_id_is_minted(logging_service: LocalService) -> None:
    """A request without an id gets one of its own in the log; its answer has no header that it would not have had."""
    seen = []
    for number in range(3):
        path = f"{BASE}/jobs/minted-{number}"
        assert "X-Request-Id" not in ask(logging_service.south + path).headers
        first, second = (record["reqID"] for record in records(logging_service, path))
        assert first == second
        assert MINTED.fullmatch(first)
        seen.append(first)
    assert len(set(seen)) == 3


def test_first_of_several_ids_counts(logging_service: LocalService) -> None:
    """Of several ids the first is taken, and only that comes back."""
    answer = ask(f"{logging_service.south}{BASE}/version", b"one", b"two")
    assert answer.headers.get_list("X-Request-Id") == ["one"]


@pytest.mark.parametrize(("method", "path", "headers", "status"), [
    ("GET", f"{BASE}/jobs?limit=none", {}, 400),
    ("DELETE", f"{BASE}/jobs/x", {}, 403),
    ("GET", "/nothing", {}, 404),
    ("GET", "/download/x", {}, 404),
    ("PATCH", f"{BASE}/jobs", {}, 405),
    ("GET", f"{BASE}/jobs", {"Host": "other.test", "Sec-Fetch-Mode": "cors"}, 421),
    ("GET", f"{BASE}/jobs", {"X-Response-Filter": "no program ("}, 400),
])  # fmt: skip
def test_refused_requests_have_ids(
    logging_service: LocalService, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Whoever gives an id gets it back with a refusal too."""
    answer = ask(logging_service.south + path, b"mine", method=method, headers=list(headers.items()))
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (status, "mine")


def test_records_of_refused_requests_have_ids(logging_service: LocalService) -> None:
    """A request that the API refuses can be found in the log by its id."""
    path = f"{BASE}/jobs/refused"
    assert ask(logging_service.south + path, b"mine", method="DELETE").status_code == 403
    assert [record["reqID"] for record in records(logging_service, path)] == ["mine", "mine"]


def test_streams_have_ids(logging_service: LocalService) -> None:
    """The header of an event stream has the id too."""
    url = f"{logging_service.south}{BASE}/jobs/events"
    with httpx.stream("GET", url, headers={"X-Request-Id": "mine"}, trust_env=False, timeout=60) as answer:
        assert (answer.status_code, answer.headers["X-Request-Id"]) == (200, "mine")


async def tell_id(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the id of the request; an ASGI app."""
    await receive()
    context = current()
    assert context is not None
    await Reply(200, context.request_id.encode() + b"\n")(_scope, receive, send)


def test_interleaved_requests_keep_their_ids() -> None:
    """Of requests that are worked on in turn each keeps its id, also in what it starts."""
    seen: dict[str, list[str]] = {}

    async def run() -> None:
        both = asyncio.Barrier(2)

        async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
            def note() -> None:
                context = current()
                assert context is not None
                seen.setdefault(scope["name"], []).append(context.request_id)

            for _ in range(3):
                note()
                await both.wait()
            await asyncio.create_task(asyncio.to_thread(note))

        async def nothing(_message: Message | None = None) -> Any:
            """Stand for the client."""

        ring = App(Side.NORTH, app)
        names = ("one", "two")
        await asyncio.gather(*(
            ring({"type": "http", "name": name, "headers": [(b"x-request-id", name.encode())]}, nothing, nothing)
            for name in names
        ))  # fmt: skip

    asyncio.run(run())
    assert seen == {"one": ["one"] * 4, "two": ["two"] * 4}


@pytest.mark.parametrize("engine", ENGINES)
def test_next_request_of_a_connection_has_its_own_id(engine: str) -> None:
    """Requests that are sent together over one connection do not inherit ids, and a connection has none."""
    with logged_by("wfx.edge") as logged, serving(engine, App(Side.NORTH, tell_id)) as port, Wire(port) as wire:
        wire.send(request("GET", "/", b"", "X-Request-Id: mine") + request("GET", "/") + b"no request\r\n\r\n")
        first, second, refused = wire.answer(), wire.answer(), wire.answer()
    assert first.body == b"mine\n"
    assert MINTED.fullmatch(second.body.decode().strip())
    assert refused.status == 405
    assert [record["kind"] for record in logged] == ["method"]
    assert "reqID" not in logged[0]


def test_records_without_a_request() -> None:
    """What is logged outside of requests has no id; inside, both forms show it."""
    record = logging.LogRecord("wfx", logging.INFO, "x.py", 1, "text", None, None)
    record.fields = {"a": 1}
    assert "reqID" not in Json().format(record)

    async def inside() -> tuple[str, str]:
        enter(RequestContext(Side.SOUTH, b"mine"))
        return Json().format(record), Pretty(colour=False).format(record)

    as_json, pretty = asyncio.run(inside())
    assert json.loads(as_json)["reqID"] == "mine"
    assert pretty.endswith("text reqID=mine a=1")


def test_record_of_a_slow_client_has_its_id() -> None:
    """When a client is cut off because another waits, the record has the id of the request that is cut off."""
    with logged_by("wfx.api.answer_memory") as logged:

        async def run() -> None:
            memory = AnswerMemory(limit=PIECE, stall=0)
            enter(RequestContext(Side.SOUTH, b"slow"))
            slow = Share(memory, lambda: None)
            slow.cut = slow.release
            slow.take(PIECE)
            slow.sending_since = asyncio.get_running_loop().time()
            enter(RequestContext(Side.SOUTH, b"waits"))
            await Share(memory, lambda: None).hold(PIECE)

        asyncio.run(run())
    assert [record["reqID"] for record in logged] == ["slow"]


def test_context_of_a_request() -> None:
    """A context begins with its side and an anonymous caller, and knows no route and no deadline."""
    context = RequestContext(Side.SOUTH, given_id([(b"host", b"x")]))
    assert (context.side, context.principal, context.operation, context.path) == (Side.SOUTH, "", "", {})
    assert context.deadline is None
    assert context.request_id == context.request_id != RequestContext(Side.SOUTH).request_id


@pytest.mark.parametrize(("path", "shown"), [
    ("/token%3Ds3cret", "/token=[REDACTED:secret]"),
    ("/Bearer%20abcdefgh", "/Bearer [REDACTED:bearer]"),
    ("/4111%201111%201111%201111", "/[REDACTED:card]"),
    ("/postgres%3A%2F%2Fu%3Ahunter2%40h", "/postgres://u:[REDACTED:credentials]@h"),
    ("/a%2540b.io", "/[REDACTED:email]"),
    ("/x%3Dghp_abcdefghijklmnopqrstuvwxyz", "/x=[REDACTED:api-key]"),
    ("/caf%C3%A9%0A%FF", "/caf%C3%A9%0A%FF"),
])  # fmt: skip
def test_secrets_in_paths(logging_service: LocalService, path: str, shown: str) -> None:
    """The path is logged as it was sent, or decoded and without its secrets if there are any."""
    ask(logging_service.south + path)
    assert len(records(logging_service, shown)) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_paths_of_failed_requests(engine: str, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged with the path as text."""

    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("unexpected")

    with serving(engine, failing) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/a%20b", trust_env=False, timeout=60).status_code == 500
    assert "unexpected error in the answer to /a b" in caplog.messages
