"""What streams and pages look like to clients that know HTTP and nothing else. Rows are those of docs/robustness.md."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.acceptance.streams.conftest import Start
from tests.acceptance.streams.following import PATH
from tests.acceptance.streams.test_deliveries import follow, leave
from tests.acceptance.streams.writing import BASE, devices, operator, read_log, report
from tests.rawhttp import Wire, request
from wfx.demo.local import LocalService

CHUNKED = ("transfer-encoding", "chunked")


def head_and_body(wire: Wire, end: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """Read a status line, headers and a chunked body until it ends so."""
    status, *lines = wire.until(b"\r\n\r\n").decode().strip().split("\r\n")
    headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    assert CHUNKED in headers
    body = b""
    while not body.endswith(end):
        size = int(wire.until(b"\r\n"), 16)
        assert size, body
        body += wire.exactly(size)
        assert wire.exactly(2) == b"\r\n"
    return status, headers, body


async def test_the_bytes_of_a_stream(service: LocalService) -> None:
    """A stream has the headers and blocks of rest-api section 10.3, byte for byte, numbered 1, 2 for the connection."""
    (device,) = devices(service, 1)
    with Wire(service.ports["south"]) as wire:
        wire.send(request("GET", f"{PATH}?tags=b,a", b"", "Origin: http://page.example"))
        async with asyncio.timeout(30):
            begun = asyncio.create_task(asyncio.to_thread(head_and_body, wire, b"id: 2\n\n"))
            while not begun.done():
                await device.report(1)
                await asyncio.sleep(0.1)
        status, headers, body = begun.result()
    assert status.split()[:2] == ["HTTP/1.1", "200"]
    for name, value in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("connection", "keep-alive"),
        ("x-accel-buffering", "no"),
    ]:
        assert headers.count((name, value)) == 1
        assert [given for given, _ in headers].count(name) == 1
    assert not [name for name, _ in headers if name.startswith("access-control-")], "no origin was allowed"
    log = {event["job"]["status"].get("message"): event for _, event in read_log(service)}
    first = int(json.loads(body.split(b"\n")[0].removeprefix(b"data: "))["job"]["status"]["message"])
    expected = b""
    for number in (1, 2):
        event = {**log[str(first + number - 1)], "tags": ["b", "a"]}
        assert list(event) == ["ctime", "action", "job", "tags"]
        data = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        expected += f"data: {data}\nid: {number}\n\n".encode()
    assert body == expected


async def test_silence_is_broken_by_a_comment(start: Start) -> None:
    """An idle stream says keepalive in a comment, and nothing else."""
    service = start("--sse-ping-interval=100ms")
    with Wire(service.ports["north"]) as wire:
        wire.send(request("GET", PATH))
        *_, body = await asyncio.to_thread(head_and_body, wire, b": keepalive\n\n: keepalive\n\n")
    assert body == b": keepalive\n\n" * 2


@pytest.fixture(params=["uvicorn", "hypercorn"])
async def pruned(request: pytest.FixtureRequest, start: Start) -> LocalService:
    """A service whose log keeps the newest 30 of 82 events; it prunes when it starts."""
    service = start(f"--http-engine={request.param}", "--events-keep=30")
    await report(devices(service, 1), 80)
    await asyncio.to_thread(service.stop)
    await asyncio.to_thread(service.start)
    deadline = time.monotonic() + 30
    while not any("dropped 52 old events" in line for line in service.lines):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return service


def ask(service: LocalService, since: str | None, accept: str, last_id: str = "") -> tuple[int, Any]:
    """Ask for events from a position on; gives the status, and the body where it is an error's."""
    headers = {"Accept": accept, **({"Last-Event-ID": last_id} if last_id else {})}
    with (
        operator(service) as client,
        client.stream(
            "GET", "/jobs/events", params=None if since is None else {"since": since}, headers=headers
        ) as answer,
    ):
        if answer.status_code == 200:
            return 200, None
        content = answer.read()
        is_json = answer.headers["content-type"] == "application/json"
        return answer.status_code, json.loads(content) if is_json else content.decode()


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_positions_that_cannot_be_served(pruned: LocalService, accept: str) -> None:
    """A position behind the horizon, ahead of the head, of another log or without sense is refused as such. Row 17."""
    log_id = read_log(pruned)[0][0].rpartition("-")[0]
    gone, ahead = {"oldest": 53}, {"head": 82, "logId": log_id}
    table: list[tuple[str, int, str, dict[str, Any]]] = [
        ("1", 410, "wfx.eventsGone", gone),
        ("51", 410, "wfx.eventsGone", gone),
        (f"{log_id}-0", 410, "wfx.eventsGone", gone),
        (f"{log_id}-51", 410, "wfx.eventsGone", gone),
        ("83", 409, "wfx.eventsOtherLog", ahead),
        (str(2**63 - 1), 409, "wfx.eventsOtherLog", ahead),
        (f"{log_id}-83", 409, "wfx.eventsOtherLog", ahead),
        ("0000-60", 409, "wfx.eventsOtherLog", ahead),
        ("0000-0", 409, "wfx.eventsOtherLog", ahead),
    ]
    for since, status, code, members in table:
        given, body = ask(pruned, since, accept)
        assert given == status, since
        (error,) = body.pop("errors")
        assert error["code"] == code, since
        assert body == members, since
    for since in ("-1", str(2**63), "9" * 30, "text", "", "1.5", "0x10", "NOW", f"{log_id}-"):
        given, body = ask(pruned, since, accept)
        assert given == 400, since
        assert "since" in (body if isinstance(body, str) else body["errors"][0]["message"])
    for since in ("0", "now", "52", "82", f"{log_id}-52", f"{log_id}-82"):
        assert ask(pruned, since, accept)[0] == 200, since


def test_positions_in_the_header_of_those_who_come_back(pruned: LocalService) -> None:
    """Last-Event-ID counts in place of `since`, and is refused in the same way. Row 17."""
    log_id = read_log(pruned)[0][0].rpartition("-")[0]
    for since, last_id, status in [
        ("0", f"{log_id}-51", 410),
        ("0", f"{log_id}-83", 409),
        ("0", "0000-60", 409),
        ("1", f"{log_id}-60", 200),
        ("0", "text", 400),
        ("0", "17", 400),
        (None, "17", 200),
        (None, "text", 200),
        (None, f"{log_id}-51", 410),
    ]:
        assert ask(pruned, since, "text/event-stream", last_id)[0] == status, (since, last_id)


async def test_pages_hold_the_whole_log(service: LocalService) -> None:
    """Page after page, of any size and with any filter, a reader gets just what a stream brings. Row 17."""
    reporting = devices(service, 2)
    await report(reporting, 60)
    follower = follow(service, "since=0")
    await follower.has_events(122)
    whole = [(ident.decode(), json.loads(data.removeprefix(b"data: "))) for ident, data in follower.events]
    await leave([follower])
    for limit in (1, 7, 61, 122, 1000):
        assert read_log(service, limit=limit) == whole
    mine = [(ident, event) for ident, event in whole if event["job"]["id"] == reporting[0].job]
    assert read_log(service, limit=10, jobIds=reporting[0].job) == mine
    assert read_log(service, actions="create") == [pair for pair in whole if pair[1]["action"] == "CREATE"]
    assert read_log(service, since=whole[100][0]) == whole[101:]
    assert read_log(service, since="now") == []


async def test_a_stream_outlives_thousands_of_requests_on_its_connection(start: Start) -> None:
    """Over HTTP/2 a stream lives on while 2,000 other requests use the same connection. Row 22."""
    service = start("--http-engine=hypercorn")
    (device,) = devices(service, 1)
    limits = httpx.Limits(max_connections=1)
    async with (
        httpx.AsyncClient(
            base_url=service.north + BASE, http1=False, http2=True, limits=limits, trust_env=False, timeout=60
        ) as client,
        client.stream("GET", "/jobs/events", params={"since": "0"}) as stream,
    ):
        assert (stream.status_code, stream.http_version) == (200, "HTTP/2")
        assert stream.headers["content-type"] == "text/event-stream"
        assert "connection" not in stream.headers
        for _ in range(40):
            answers = await asyncio.gather(*(client.get(f"/jobs/{device.job}/status") for _ in range(50)))
            assert {answer.status_code for answer in answers} == {200}
        await device.report(1)
        body = b""
        async for chunk in stream.aiter_bytes():
            body += chunk
            if body.count(b"data: ") == 2 and body.endswith(b"-3\n\n"):
                break
