from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from conformance import NotConforming, conforming_async_client, conforming_client

BASE = "http://localhost/api/wfx/v1"
JOB = {
    "id": "a",
    "clientId": "c",
    "workflow": {"name": "w", "states": [{"name": "A"}]},
    "tags": [],
    "status": {"state": "A"},
    "stime": "2026-07-01T08:00:00.123456Z",
    "mtime": "2026-07-01T08:00:00Z",
}
GOOD_EVENT = (
    b'data: {"ctime":"2026-07-01T08:00:00.123Z","action":"DELETE",'
    b'"job":{"id":"a","clientId":"c","workflow":{"name":"w"}},"tags":null}\nid: 1\n\n'
)
NOT_FOUND = {"code": "wfx.jobNotFound", "logref": "11cc67762090e15b79a1387eca65ba65", "message": "Job ID was not found"}
FILTERED = {"X-Response-Filter": "empty"}


def exchange(answer: httpx.Response, method: str, path: str, **request: Any) -> httpx.Response:
    """Let a server give this answer to this request, and check both."""
    with conforming_client(BASE, transport=httpx.MockTransport(lambda _: answer)) as client:
        return client.request(method, path, **request)


@pytest.mark.parametrize(
    ("answer", "method", "path", "request_"),
    [
        (
            httpx.Response(200, json={"content": [JOB]}),
            "GET",
            "/jobs?group=A,&tag=x,,y&limit=0&pagination=T&class=O",
            {},
        ),
        (httpx.Response(400, text="no\n"), "GET", "/jobs?limit=x", {}),
        (httpx.Response(404, json={}), "DELETE", "/jobs/x", {}),
        (httpx.Response(404, json={"errors": [NOT_FOUND]}), "GET", "/jobs/x%2Fy", {}),
        (httpx.Response(405, text="no"), "DELETE", "/jobs/events", {}),
        (httpx.Response(405, text="no"), "PATCH", "/jobs/x", {}),
        (httpx.Response(404), "GET", "/nothing", {}),
        (httpx.Response(307), "GET", "/jobs/../jobs//x", {}),
        (httpx.Response(200), "HEAD", "/jobs/x", {}),
        (httpx.Response(200, json={}), "GET", "/openapi.json", {}),
        (httpx.Response(201, json=JOB), "POST", "/jobs", {"json": {"clientId": "c", "workflow": "w"}}),
        (httpx.Response(403), "POST", "/jobs", {"json": {"clientId": "c", "workflow": "w"}}),
        (httpx.Response(204), "DELETE", "/jobs/x", {}),
        (
            httpx.Response(200, text="null\n", headers={"Content-Type": "application/json"}),
            "GET",
            "/jobs/x/definition",
            {},
        ),
        (
            httpx.Response(200, text='"a"\n', headers=FILTERED),
            "POST",
            "/jobs",
            {"json": {"clientId": "c", "workflow": "w"}, "headers": FILTERED},
        ),
        (httpx.Response(200, headers=FILTERED), "GET", "/jobs/x", {"headers": FILTERED}),
        (
            httpx.Response(201, json=JOB),
            "POST",
            "/jobs",
            {"json": {"clientId": None}, "extensions": {"deliberate": "to see what happens"}},
        ),
        (httpx.Response(200, json={"content": [], "next": "a-1"}), "GET", "/jobs/events?since=0&limit=5&jobIds=", {}),
        (httpx.Response(410, json={"errors": [], "oldest": 5}), "GET", "http://localhost/elsewhere", {}),
    ],
)
def test_what_is_documented_passes(answer: httpx.Response, method: str, path: str, request_: dict[str, Any]) -> None:
    """Exchanges as the document describes them, and those beside the API, come through unchanged."""
    assert exchange(answer, method, path, **request_).status_code == answer.status_code


@pytest.mark.parametrize(
    ("answer", "method", "path", "request_"),
    [
        (httpx.Response(200, json={"content": [{**JOB, "id": ""}]}), "GET", "/jobs", {}),
        (httpx.Response(200, json={"content": []}), "GET", "/jobs?limit=x", {}),
        (httpx.Response(200, json={"content": []}), "GET", "/jobs?sort=ASC", {}),
        (httpx.Response(418, text="no\n"), "GET", "/jobs", {}),
        (httpx.Response(200, text="x", headers={"Content-Type": "text/html"}), "GET", "/jobs", {}),
        (httpx.Response(200), "GET", "/jobs", {}),
        (httpx.Response(404, json={"errors": [{**NOT_FOUND, "logref": "0"}]}), "GET", "/jobs/x", {}),
        (httpx.Response(404, json={"errors": [{**NOT_FOUND, "code": "wfx.unheardOf"}]}), "GET", "/jobs/x", {}),
        (httpx.Response(404, json={}), "GET", "/jobs/x", {}),
        (httpx.Response(200, json=[]), "GET", "/nothing", {}),
        (httpx.Response(200, json=[]), "PATCH", "/jobs/x", {}),
        (httpx.Response(201, json=JOB), "POST", "/jobs", {"json": {"clientId": None, "workflow": "w"}}),
        (httpx.Response(201, json=JOB), "POST", "/jobs", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        (
            httpx.Response(200, json={"state": "A"}),
            "PUT",
            "/jobs/x/status",
            {"json": {"state": "A", "definitionHash": ""}},
        ),
        (httpx.Response(200, text="data: {}\n\n", headers={"Content-Type": "text/event-stream"}), "GET", "/jobs", {}),
    ],
)
def test_what_is_not_documented_is_reported(
    answer: httpx.Response, method: str, path: str, request_: dict[str, Any]
) -> None:
    """An answer that is not as documented, or a wrong request that was carried out, fails the test."""
    with pytest.raises(NotConforming, match=f"^{method} .* -> {answer.status_code}: "):
        exchange(answer, method, path, **request_)


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream that comes in pieces of seven bytes."""

    def __init__(self, content: bytes) -> None:
        """Send this content."""
        self._pieces = [content[start : start + 7] for start in range(0, len(content), 7)]

    def __iter__(self) -> Iterator[bytes]:
        """Send the pieces."""
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Send the pieces."""
        for piece in self._pieces:
            yield piece


def streaming(content: bytes) -> httpx.MockTransport:
    """Return a server that sends an event stream."""
    headers = {"Content-Type": "text/event-stream"}
    return httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Chunks(content)))


BAD_STREAMS = [
    GOOD_EVENT + GOOD_EVENT.replace(b"DELETE", b"VANISH"),
    GOOD_EVENT.replace(b'"tags":null', b'"x":1'),
    GOOD_EVENT.replace(b"08:00", b"8 o'clock"),
    b"event: job\n" + GOOD_EVENT,
]


def test_events_are_checked_on_their_way() -> None:
    """Each event of a stream is held against the document, and the bytes come through unchanged."""
    content = b": keepalive\n\n" + GOOD_EVENT + b"id: a-2\n\n" + GOOD_EVENT
    with (
        conforming_client(BASE, transport=streaming(content)) as client,
        client.stream("GET", "/jobs/events") as answer,
    ):
        assert b"".join(answer.iter_bytes()) == content


@pytest.mark.parametrize("content", BAD_STREAMS)
def test_events_that_are_not_documented_are_reported(content: bytes) -> None:
    """A wrong event, or a line that no stream has, fails the test."""
    with (
        conforming_client(BASE, transport=streaming(content)) as client,
        client.stream("GET", "/jobs/events") as answer,
        pytest.raises(NotConforming),
    ):
        answer.read()


async def test_asynchronous_clients_check_the_same() -> None:
    """The asynchronous client reports what the other one reports."""
    answers = [httpx.Response(200, json={"content": [JOB]}), httpx.Response(200, json={"content": [{}]})]
    async with conforming_async_client(BASE, transport=httpx.MockTransport(lambda _: answers.pop(0))) as client:
        assert (await client.get("/jobs")).status_code == 200
        with pytest.raises(NotConforming):
            await client.get("/jobs")


@pytest.mark.parametrize(("content", "good"), [(GOOD_EVENT, True), *((content, False) for content in BAD_STREAMS)])
async def test_asynchronous_streams_are_checked_the_same(content: bytes, *, good: bool) -> None:
    """Events that come to an asynchronous client are checked as well."""
    async with (
        conforming_async_client(BASE, transport=streaming(content)) as client,
        client.stream("GET", "/jobs/events") as answer,
    ):
        if good:
            assert await answer.aread() == content
        else:
            with pytest.raises(NotConforming):
                await answer.aread()
