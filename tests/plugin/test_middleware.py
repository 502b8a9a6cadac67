"""What plugins see of a request, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from plugin_programs import DEADLINE, Eventually, PluginDirectory, StartChain
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Scope

from tests.plugin.asgi import APP, MIRROR, Engine, client_of, events, on_hypercorn, on_uvicorn
from wfx.plugin.middleware import PluginMiddleware


async def test_pass(plugins: PluginDirectory, start: StartChain) -> None:
    """A request that may pass arrives as it was sent: path, query, headers, and every byte of the body."""
    plugins.link("cat", "/bin/cat")
    body = b'{"a":1,"a":2,"A":3}\xff'
    async with client_of(await start()) as client:
        answer = await client.put("/x%2Fy?b=1&b=2", content=body, headers={"X-Response-Filter": ".a"})
    seen = answer.json()
    assert seen["path"] == "/x/y"
    assert seen["target"] == "/x%2Fy?b=1&b=2"
    assert seen["method"] == "PUT"
    assert seen["body"].encode("latin-1") == body
    assert ["x-response-filter", ".a"] in seen["headers"]


@pytest.mark.parametrize(("method", "action"), [
    ("GET", "READ"), ("HEAD", "READ"), ("OPTIONS", "READ"), ("POST", "CREATE"), ("PUT", "UPDATE"), ("PATCH", "UPDATE"),
    ("DELETE", "DELETE"), ("BREW", "READ"),
])  # fmt: skip
async def test_actions(plugins: PluginDirectory, start: StartChain, method: str, action: str) -> None:
    """POST creates, PUT and PATCH update, DELETE deletes, everything else reads."""
    plugins.sdk("p", "run(lambda request: Respond(Status.ACCEPT, headers={'X-Action': request.action.name}))")
    async with client_of(await start()) as client:
        assert (await client.request(method, "/")).headers["X-Action"] == action


async def test_what_a_plugin_sees(plugins: PluginDirectory, start: StartChain) -> None:
    """Header names are canonical and hold all values; Host and Transfer-Encoding are left out, the body is whole."""
    plugins.sdk("p", MIRROR)
    headers = [
        ("x-response-FILTER", ".id"), ("x-twice", "1"), ("X-Twice", "2"), ("x-latin", b"\xfc"),
        ("x-utf8", "ü".encode()), ("transfer-encoding", "chunked"),
    ]  # fmt: skip
    async with client_of(await start()) as client:
        client.headers.clear()
        seen = (await client.post("/jobs?limit=3", content=b"\x00body\xff", headers=headers)).json()  # type: ignore[arg-type]
    assert seen == {
        "destination": "/jobs?limit=3",
        "action": "CREATE",
        "headers": {
            "X-Response-Filter": [".id"], "X-Twice": ["1", "2"], "X-Latin": ["ü"], "X-Utf8": ["ü"],
            "Content-Length": ["6"],
        },
        "body": "\x00body\xff",
    }  # fmt: skip


TARGETS = [
    "/", "/health", "/version", "/api/wfx/v1/openapi.json", "/download/a/b", "/unknown", "/api/wfx/v1/jobs?limit=zzz",
    "//x", "/a/../b", "/a%2Fb", "/a%2F..%2Fb", "/%00", "/%ff%fe", "/%zz", "/a?", "/a?b?c", "/a;b?c;d=%zz", '/"<>',
]  # fmt: skip


@pytest.mark.parametrize("engine", [on_uvicorn, on_hypercorn])
async def test_plugin_and_router_see_the_same(
    plugins: PluginDirectory, start: StartChain, tmp_path: Path, engine: Engine
) -> None:
    """Whatever is asked for, plugins are asked, and the target they see is the one the application routes by."""
    log = tmp_path / "seen"
    plugins.sdk("p", f"""
        def note(request):
            open({str(log)!r}, "a").write(request.destination)
            return PASS
        run(note)
    """)  # fmt: skip
    async with engine(PluginMiddleware(APP, await start())) as port:
        for target in TARGETS:
            log.write_text("")
            request = f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            head, body = await exchange(port, request.encode())
            if head.startswith(b"HTTP/1.1 200"):
                assert json.loads(body)["target"] == log.read_text() == target.removesuffix("?")
            else:  # the engine refuses it: neither plugin nor application has seen it
                assert head.startswith(b"HTTP/1.1 400"), target
                assert not log.read_text()


async def test_every_route(plugins: PluginDirectory, start: StartChain) -> None:
    """As middleware of an application the ring stands before its router: also 404 and 405 are the plugin's first."""
    plugins.sdk("p", "run(lambda request: PASS if request.query else Respond.deny('no'))")
    chain = await start()
    app = Starlette(routes=[Route("/only", events)], middleware=[Middleware(PluginMiddleware, chain)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://wfx.test") as client:
        answers = [
            (await client.request(method, path)).status_code
            for method, path in [("GET", "/x?a=1"), ("POST", "/only?a=1"), ("GET", "/x"), ("POST", "/only")]
        ]
    assert answers == [404, 405, 403, 403]


async def exchange(port: int, data: bytes) -> tuple[bytes, bytes]:
    """Send bytes, read to the end, give head and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), DEADLINE)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(body.split(b"\r\n")[1::2])
    return head, body


async def test_bytes_that_are_no_url(plugins: PluginDirectory, start: StartChain) -> None:
    """Raw bytes beyond ASCII in a target, which HTTP/2 lets through, are percent-encoded for plugin and application."""
    plugins.sdk("p", "run(lambda request: Modify(headers={'X-Seen': request.destination}))")
    scope = {
        "type": "http", "method": "GET", "path": "/ü", "raw_path": "/ü".encode(), "query_string": b"\xff=%41",
        "headers": [], "http_version": "2",
    }  # fmt: skip
    status, _, body = await call(PluginMiddleware(APP, await start()), scope)
    assert status == 200
    assert json.loads(body)["target"] == "/%C3%BC?%FF=%41"
    assert ["x-seen", "/%C3%BC?%FF=%41"] in json.loads(body)["headers"]


async def call(app: ASGIApp, scope: Scope, *parts: Message) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Call an application with these messages, and give status, headers and body of its response; 0 if none."""
    incoming = iter(parts or [{"type": "http.request", "body": b"", "more_body": False}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(incoming)

    async def send(message: Message) -> None:
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), DEADLINE)
    if not sent:
        return 0, [], b""
    return sent[0]["status"], list(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


async def test_modified_request_is_routed_anew(plugins: PluginDirectory, start: StartChain) -> None:
    """A rewritten destination, headers and body really take effect; Host and method stay."""
    plugins.sdk("p", """
        headers = {"X-New": ["1", "2"], "Host": "evil"}
        run(lambda request: Modify("/new%20path?y=2", headers, b"changed"))
    """)  # fmt: skip
    async with client_of(await start()) as client:
        seen = (await client.post("/old?x=1", content=b"body", headers={"X-Old": "1"})).json()
    assert seen == {
        "path": "/new path", "target": "/new%20path?y=2", "method": "POST", "body": "changed",
        "headers": [["host", "wfx.test"], ["x-new", "1"], ["x-new", "2"], ["content-length", "7"]],
    }  # fmt: skip


async def test_modified_to_another_route(plugins: PluginDirectory, start: StartChain) -> None:
    """A new destination may lead to another operation: here from a page to the event stream."""
    plugins.sdk("p", "run(lambda request: Modify('/events'))")
    async with client_of(await start()) as client:
        answer = await client.get("/page")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


async def test_emptied_body(plugins: PluginDirectory, start: StartChain) -> None:
    """A body may be taken away; then there is no length left either."""
    plugins.sdk("p", "run(lambda request: Modify(body=b''))")
    async with client_of(await start()) as client:
        seen = (await client.post("/", content=b"body")).json()
    assert seen["body"] == ""
    assert "content-length" not in dict(seen["headers"])


@pytest.mark.parametrize(("status", "code"), [("DENY", 403), ("ACCEPT", 200), ("MODIFIED", 200), ("UNAVAILABLE", 503)])
async def test_respond(plugins: PluginDirectory, start: StartChain, status: str, code: int) -> None:
    """A response is sent with its headers and body, and none added but the length and a type for plain text."""
    plugins.sdk("p", f"run(lambda request: Respond(Status.{status}, b'text', {{'X-A': ['1', '2']}}))")
    async with client_of(await start()) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.text) == (code, "text")
    assert sorted(answer.headers.multi_items()) == [
        ("content-length", "4"), ("content-type", "text/plain; charset=utf-8"), ("x-a", "1"), ("x-a", "2"),
    ]  # fmt: skip


async def test_an_answer_without_a_body(plugins: PluginDirectory, start: StartChain) -> None:
    """An empty answer is given a length and no type."""
    plugins.sdk("p", "run(lambda request: Respond(Status.ACCEPT))")
    status, headers, body = await call(PluginMiddleware(APP, await start()), http_scope())
    assert (status, headers, body) == (200, [(b"content-length", b"0")], b"")


async def test_response_headers_of_the_engine(plugins: PluginDirectory, start: StartChain) -> None:
    """A type that a plugin gives is kept; its idea of length, encoding and connection is not."""
    plugins.sdk("p", """
        headers = {"Content-Type": "application/json", "Content-Length": "99", "Transfer-Encoding": "chunked",
                   "Connection": "upgrade"}
        run(lambda request: Respond(Status.ACCEPT, b"{}", headers))
    """)  # fmt: skip
    async with client_of(await start()) as client:
        answer = await client.get("/")
    assert sorted(answer.headers.multi_items()) == [("content-length", "2"), ("content-type", "application/json")]


async def test_event_stream(plugins: PluginDirectory, start: StartChain, tmp_path: Path) -> None:
    """A stream is decided once, on the opening GET, and then goes straight to the caller, over a real connection."""
    log = tmp_path / "seen"
    plugins.sdk("p", f"""
        def note(request):
            open({str(log)!r}, "a").write("once")
            return PASS
        run(note)
    """)  # fmt: skip
    async with (
        on_uvicorn(PluginMiddleware(APP, await start())) as port,
        httpx.AsyncClient(timeout=DEADLINE) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/events") as answer,
    ):
        lines = [line async for line in answer.aiter_lines() if line]
    assert lines == ["data: 0", "data: 1", "data: 2"]
    assert log.read_text() == "once"


async def test_disconnect_reaches_the_application(plugins: PluginDirectory, start: StartChain) -> None:
    """After the body the application hears from the connection itself: an event stream learns that its reader left."""
    plugins.link("cat", "/bin/cat")
    heard: list[str] = []

    async def listening(_scope: Scope, receive: Any, send: Any) -> None:
        heard.extend([(await receive())["type"] for _ in range(2)])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    parts = ({"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"})
    await call(PluginMiddleware(listening, await start()), http_scope(), *parts)
    assert heard == ["http.request", "http.disconnect"]


def http_scope(*headers: tuple[bytes, bytes], version: str = "1.1") -> Scope:
    """Make the scope of a POST."""
    return {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": list(headers),
        "http_version": version,
    }  # fmt: skip


async def test_body_up_to_the_limit(plugins: PluginDirectory, start: StartChain) -> None:
    """A body of exactly the limit, in many parts, arrives whole at the plugin and at the application."""
    plugins.sdk("p", "run(lambda request: Modify(body=request.body[::-1]))")
    letters = [bytes([65 + number]) for number in range(10)]
    parts = [{"type": "http.request", "body": letter * 100_000, "more_body": True} for letter in letters]
    ring = PluginMiddleware(APP, await start(max_body=1_000_000))
    _, _, body = await call(ring, http_scope(), *parts, {"type": "http.request", "body": b""})
    seen = json.loads(body)["body"]
    assert len(seen) == 1_000_000
    assert (seen[0], seen[-1]) == ("J", "A")


async def test_body_beyond_the_limit(plugins: PluginDirectory, start: StartChain) -> None:
    """One byte more is answered 413, declared or not, before plugins are asked; the connection is closed."""
    plugins.script("p", "frame(); sys.exit(1)")
    chain = await start(max_body=10)
    ring = PluginMiddleware(APP, chain)
    for length in (b"11", b"9" * 5000):
        status, headers, _ = await call(ring, http_scope((b"content-length", length)))
        assert status == 413
        assert (b"connection", b"close") in headers
    status, _, _ = await call(ring, http_scope((b"content-length", b"1"), (b"content-length", b"11")))
    assert status == 413, "the longest counts"
    parts = [{"type": "http.request", "body": b"123456", "more_body": True}] * 2
    status, headers, _ = await call(ring, http_scope(version="2"), *parts)
    assert status == 413
    assert b"connection" not in dict(headers)
    assert not chain.lost.done()


async def test_caller_that_leaves(plugins: PluginDirectory, start: StartChain) -> None:
    """A caller that goes away in the middle of its body is not shown to plugins, and not answered."""
    plugins.script("p", "frame(); sys.exit(1)")
    chain = await start()
    parts = ({"type": "http.request", "body": b"12", "more_body": True}, {"type": "http.disconnect"})
    assert await call(PluginMiddleware(APP, chain), http_scope(), *parts) == (0, [], b"")
    assert not chain.lost.done()


async def test_nothing_passes_without_its_plugin(
    plugins: PluginDirectory, start: StartChain, eventually: Eventually
) -> None:
    """From the loss of a plugin on every request is answered 503, whatever it asks for."""
    plugins.script("p", "sys.exit(0)")
    chain = await start()
    await eventually(chain.lost.done)
    async with client_of(chain) as client:
        for path in ("/", "/health", "/version", "/events", "/unknown"):
            answer = await client.get(path)
            assert (answer.status_code, answer.text) == (503, "no decision from the plugins\n")


async def test_no_answer_in_time(plugins: PluginDirectory, start: StartChain, caplog: pytest.LogCaptureFixture) -> None:
    """A request that a plugin does not decide on in time is answered 503, and the log names the plugin."""
    plugins.script("mute", "while frame(): pass")
    async with client_of(await start(reply_timeout=0.2)) as client:
        assert (await client.get("/")).status_code == 503
    assert "plugin mute did not answer within 0.2 s" in caplog.text


async def test_other_kinds_of_traffic(plugins: PluginDirectory, start: StartChain) -> None:
    """The application's own start and stop go through; a WebSocket, which no plugin could judge, is refused."""
    plugins.link("cat", "/bin/cat")
    seen: list[str] = []

    async def inner(scope: Scope, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    ring = PluginMiddleware(inner, await start())
    await ring({"type": "lifespan"}, receive, send)
    await ring({"type": "websocket"}, receive, send)
    assert seen == ["lifespan"]
    assert [message["type"] for message in sent] == ["websocket.close"]
