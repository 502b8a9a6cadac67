from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.events.reading import EventSource
from tests.events.serving import PATH, serving
from tests.store.samples import FLOW
from wfx.domain.job import Action, Event
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.events.framing import EncodedEvent, Framing

ENGINES = pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
EVENT = (
    b'data: {"ctime":"2026-07-02T13:46:40.00%dZ","action":"UPDATE_STATUS","job":{"clientId":"client","id":"a",'
    b'"filling":"","workflow":{"name":"flow-a"}},"tags":%b}\nid: %b\n\n'
)


@ENGINES
async def test_bytes_of_a_stream(engine: str) -> None:
    """The head has the contract's headers and no length; the body is blocks of data and id with line feeds only."""
    async with serving(engine) as server:
        stream = await server.connect("tags=x,y")
        assert stream.status.startswith("HTTP/1.1 200")
        wanted = {
            "content-type": "text/event-stream",
            "cache-control": "no-cache",
            "connection": "keep-alive",
            "x-accel-buffering": "no",
        }
        assert {header: stream.headers.count(header) for header in wanted.items()} == dict.fromkeys(wanted.items(), 1)
        assert not {"content-length", "access-control-allow-origin"} & set(dict(stream.headers))
        server.log.change("a")
        server.log.change("a")
        await stream.until(b"id: 2\n\n")
        assert stream.body == EVENT % (1, b'["x","y"]', b"1") + EVENT % (2, b'["x","y"]', b"2")


@ENGINES
async def test_bytes_of_a_resumed_stream(engine: str) -> None:
    """A stream with since begins with its position; the ids are those of the log."""
    async with serving(engine) as server:
        server.log.change("a")
        stream = await server.connect("since=0")
        server.log.change("a")
        await stream.until(b"id: L-2\n\n")
        assert stream.body == b"id: L-0\n\n" + EVENT % (1, b"null", b"L-1") + EVENT % (2, b"null", b"L-2")
        again = await server.connect("since=0", headers="Last-Event-ID: L-1\r\n")
        await again.until(b"id: L-2\n\n")
        assert again.body == b"id: L-1\n\n" + EVENT % (2, b"null", b"L-2")


@ENGINES
async def test_keep_alive(engine: str) -> None:
    """A silent stream carries a comment once an interval."""
    async with serving(engine, keep_alive=0.2) as server:
        stream = await server.connect()
        await stream.until(b": keepalive\n\n")
        await stream.read_some()
        assert stream.body == b": keepalive\n\n" * 2


async def test_head() -> None:
    """HEAD answers with the headers alone."""
    async with serving() as server:
        answer = await server.connect(method="HEAD")
        assert answer.status.startswith("HTTP/1.1 200")
        assert ("content-type", "text/event-stream") in answer.headers
        assert server.broker.subscribers == 0


@ENGINES
async def test_http_1_0(engine: str) -> None:
    """A client of HTTP/1.0 is not told that its connection is kept: the stream goes on until it is closed."""
    async with serving(engine) as server:
        server.log.change("a")
        stream = await server.connect("since=0", version="1.0")
        assert "200" in stream.status
        assert ("connection", "keep-alive") not in stream.headers
        await stream.until(b"id: L-1\n\n")
        assert stream.body == b"id: L-0\n\n" + EVENT % (1, b"null", b"L-1")


async def test_http2() -> None:
    """Streams work over HTTP/2 too, where a Connection header is forbidden."""
    async with (
        serving("hypercorn") as server,
        httpx.AsyncClient(http1=False, http2=True, base_url=f"http://127.0.0.1:{server.port}") as client,
        client.stream("GET", PATH, params={"since": "0"}) as response,
    ):
        assert response.http_version == "HTTP/2"
        assert response.headers["content-type"] == "text/event-stream"
        assert "connection" not in response.headers
        server.log.change("a")
        source = EventSource()
        async with asyncio.timeout(10):
            async for chunk in response.aiter_bytes():
                source.feed(chunk)
                if source.events:
                    break
        assert source.ids == ["L-0", "L-1"]


@pytest.mark.parametrize(
    ("query", "headers", "status", "members"),
    [
        ("actions=nonsense", {}, 400, {}),
        ("actions=", {}, 400, {}),
        ("since=soon", {}, 400, {}),
        ("since=-1", {}, 400, {}),
        ("since=9223372036854775808", {}, 400, {}),
        ("since=0&limit=1001", {}, 400, {}),
        ("since=0", {"Last-Event-ID": "3"}, 400, {}),
        ("since=3", {}, 410, {"oldest": 6}),
        ("since=L-4", {}, 410, {"oldest": 6}),
        ("", {"Last-Event-ID": "L-4"}, 410, {"oldest": 6}),
        ("since=3", {"Accept": "application/json"}, 410, {"oldest": 6}),
        ("since=11", {}, 409, {"head": 10, "logId": "L"}),
        ("since=9223372036854775807", {}, 409, {"head": 10, "logId": "L"}),
        ("since=other-7", {}, 409, {"head": 10, "logId": "L"}),
        ("since=0", {"Last-Event-ID": "other-7"}, 409, {"head": 10, "logId": "L"}),
        ("since=11", {"Accept": "application/json"}, 409, {"head": 10, "logId": "L"}),
    ],
)
async def test_refusals(query: str, headers: dict[str, str], status: int, members: dict[str, object]) -> None:
    """What cannot be streamed is refused as an error document that tells what the log has."""
    async with serving() as server:
        for _ in range(10):
            server.log.change()
        server.log.horizon = 5
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{server.port}{PATH}?{query}", headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        document = answer.json()
        assert set(document.pop("errors")[0]) == {"code", "logref", "message"}
        assert document == members


async def pages(port: int, **parameters: str) -> list[dict[str, object]]:
    """Read pages from the oldest event on until there is nothing more."""
    found, position = [], "0"
    async with httpx.AsyncClient(headers={"Accept": "application/json"}) as client:
        while True:
            answer = await client.get(f"http://127.0.0.1:{port}{PATH}", params={**parameters, "since": position})
            assert answer.headers["content-type"] == "application/json"
            assert answer.text.endswith("}\n")
            page = answer.json()
            assert set(page) == {"content", "next"}
            found.append(page)
            if page["next"] == position:
                return found
            position = page["next"]


async def test_pages() -> None:
    """With a position and JSON accepted, the past comes in pages that say where to go on."""
    async with serving() as server:
        for number in range(250):
            server.log.change("b" if number == 248 else "a")
        every = await pages(server.port)
        assert [len(page["content"]) for page in every] == [100, 100, 50, 0]  # type: ignore[arg-type]
        assert [page["next"] for page in every] == ["L-100", "L-200", "L-250", "L-250"]
        first = every[0]["content"][0]  # type: ignore[index]
        assert first["id"] == "L-1"
        assert json.dumps(first["event"], separators=(",", ":")) == (EVENT % (1, b"null", b"")).decode()[6:-7]
        some = await pages(server.port, jobIds="b", tags="x")
        assert [entry["event"]["tags"] for page in some for entry in page["content"]] == [["x"]]  # type: ignore[attr-defined]
        assert [len(page["content"]) for page in await pages(server.port, limit="120")] == [120, 120, 10, 0]  # type: ignore[arg-type]


async def test_pages_move_on_where_nothing_passes() -> None:
    """A filter that lets nothing pass reads a bounded part of the log at a time, and still gets to its end."""
    async with serving() as server:
        for _ in range(12_000):
            server.log.change()
        found = await pages(server.port, jobIds="nobody")
        assert [page["content"] for page in found] == [[], [], []]
        assert found[-1]["next"] == "L-12000"


async def test_a_page_takes_few_reads() -> None:
    """The log is read in runs of many events, also where the reader wants most of them."""
    async with serving() as server:
        for number in range(1000):
            server.log.change("b" if number % 10 else "a")
        await server.connect("since=0&limit=1000&jobIds=b", headers="Accept: application/json\r\n")
        assert server.log.reads <= 16


async def test_pages_are_bounded_in_bytes() -> None:
    """Large events make short pages."""
    async with serving() as server:
        for _ in range(12):
            server.log.change(filling="x" * 1_000_000)
        found = await pages(server.port)
        assert [len(page["content"]) for page in found] == [5, 5, 2, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("Application/JSON;q=0.9", True),
        ("text/event-stream", False),
        ("text/event-stream, application/json", False),
        ("*/*", False),
    ],
)
async def test_what_is_accepted_decides(accept: str, is_page: bool) -> None:
    """Whoever accepts JSON and does not ask for a stream gets a page, but only with a position."""
    async with serving() as server:
        with_position = await server.connect("since=0", headers=f"Accept: {accept}\r\n")
        assert (("content-type", "application/json") in with_position.headers) is is_page
        without = await server.connect(headers=f"Accept: {accept}\r\n")
        assert ("content-type", "text/event-stream") in without.headers


def entry_of(seq: int) -> EncodedEvent:
    """An event as readers share it."""
    return EncodedEvent(Event(seq, Timestamp(0), Action.DELETE, "a", "c", FLOW, Json(b"{}")))


def test_counted_ids_return_to_zero() -> None:
    """A stream that counts its own events goes on from 0 when the unsigned 64-bit numbers are used up."""
    framing = Framing(None, None)
    framing._count = 2**64 - 2
    blocks = b"".join(bytes(chunk) for chunk in framing.chunks([entry_of(seq) for seq in (1, 2, 3)]))
    assert [line for line in blocks.split(b"\n") if line.startswith(b"id:")] == [
        b"id: 18446744073709551615", b"id: 0", b"id: 1",
    ]  # fmt: skip
