from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from tests.loadtest.stub import Stub
from tests.waiting import until
from wfx_loadtest import wire
from wfx_loadtest.session import Side
from wfx_loadtest.stream import subscribe
from wfx_loadtest.wire import Address, NotAnswered, NotReachable, Overdue, Pool, Request

GET = Request(b"GET /api/wfx/v1/workflows HTTP/1.1\r\nHost: x\r\n\r\n")
POLITE = Request(
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", b"body", expects_continue=True
)


class Recital(asyncio.Protocol):
    """Sends the same pieces, one after the other, whatever it is asked."""

    def __init__(self, pieces: tuple[bytes, ...], *, close: bool) -> None:
        """Close after the last piece if ``close``."""
        self.pieces, self.close = pieces, close

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Begin."""
        del data
        self.recite(0)

    def recite(self, number: int) -> None:
        """Send a piece, and the rest a little later."""
        if number < len(self.pieces):
            self.transport.write(self.pieces[number])
            asyncio.get_running_loop().call_later(0.002, self.recite, number + 1)
        elif self.close:
            self.transport.close()


@asynccontextmanager
async def answering(*pieces: bytes, close: bool = False) -> AsyncIterator[Address]:
    """Serve connections that send these pieces for whatever they are asked."""
    server = await asyncio.get_running_loop().create_server(lambda: Recital(pieces, close=close), "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


async def test_one_connection_serves_many_requests(stub: Stub) -> None:
    """Requests that follow each other share one connection."""
    pool = Pool(Address("127.0.0.1", stub.south_port), 10)
    for _ in range(5):
        assert (await pool.exchange(GET, 5)).status == 200
    pool.close()
    assert [seen.connection for seen in stub.seen] == [1] * 5


async def test_requests_at_the_same_time_get_connections_of_their_own_up_to_the_limit(stub: Stub) -> None:
    """Twelve requests at once over at most four connections are all answered."""
    stub.delay = 0.01
    pool = Pool(Address("127.0.0.1", stub.south_port), 4)
    answers = await asyncio.gather(*(pool.exchange(GET, 5) for _ in range(12)))
    pool.close()
    assert [answer.status for answer in answers] == [200] * 12
    assert stub.connections == 4


async def test_who_gives_up_waiting_in_line_leaves_the_line_moving(stub: Stub) -> None:
    """A request that was cancelled while it waited for a connection does not block those behind it."""
    stub.delay = 0.05
    pool = Pool(Address("127.0.0.1", stub.south_port), 1)
    tasks = [asyncio.create_task(pool.exchange(GET, 5)) for _ in range(4)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    pool.close()
    assert [getattr(answer, "status", None) for answer in answers] == [200, None, 200, 200]


async def test_no_answer_in_time_is_overdue_and_ends_the_connection(stub: Stub) -> None:
    """A silent server costs the time allowed, and its connection is not used again."""
    stub.silent = True
    pool = Pool(Address("127.0.0.1", stub.south_port), 1)
    with pytest.raises(Overdue, match=r"no answer within 0\.05s"):
        await pool.exchange(GET, 0.05)
    stub.silent = False
    assert (await pool.exchange(GET, 5)).status == 200
    pool.close()
    assert stub.connections == 2


async def test_a_connection_that_ends_early_fails_the_request(stub: Stub) -> None:
    """A server that hangs up instead of answering is reported in one stable sentence."""
    stub.hang_up = True
    pool = Pool(Address("127.0.0.1", stub.south_port), 1)
    with pytest.raises(NotAnswered, match="connection closed before the answer was complete"):
        await pool.exchange(GET, 5)


async def test_a_closed_port_is_not_reachable() -> None:
    """Nobody listening is reported with the address, at once."""
    async with answering(b"") as address:
        pass
    with pytest.raises(NotReachable, match=f"{address.port}: connection refused"):
        await Pool(address, 1).exchange(GET, 5)
    with pytest.raises(NotReachable, match="connection refused"):
        await address.resolve()


async def test_an_unknown_host_is_not_reachable() -> None:
    """A name that does not exist is reported as such."""
    with pytest.raises(NotReachable, match=r"nowhere\.invalid"):
        await Address("nowhere.invalid", 1).resolve()


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ((b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 4\r\n\r\nab", b"cd"), b"abcd"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"), b"abcde"),
        ((b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!",), b"!"),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), b""),
    ],
)
async def test_answers_are_put_together_from_pieces(pieces: tuple[bytes, ...], body: bytes) -> None:
    """Split heads, split bodies, chunks and interim answers come out as one answer."""
    async with answering(*pieces) as address:
        pool = Pool(address, 1)
        assert (await pool.exchange(GET, 5)).body == body
        assert (await pool.exchange(GET, 5)).body == body
        pool.close()


async def test_a_server_may_close_after_each_answer() -> None:
    """With ``Connection: close`` each request gets a new connection and none fails."""
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", close=True) as address:
        pool = Pool(address, 1)
        for _ in range(3):
            assert (await pool.exchange(GET, 5)).status == 200


async def test_what_is_not_http_is_reported() -> None:
    """A server of another kind fails the request instead of hanging it."""
    async with answering(b"SSH-2.0-hello\r\n") as address:
        with pytest.raises(NotAnswered, match="not HTTP"):
            await Pool(address, 1).exchange(GET, 5)


def test_the_status_is_shown_in_words() -> None:
    """The error set names status and reason, from the wire or from the standard."""
    assert wire.Answer(500, "Internal Server Error", b"").line == "500 Internal Server Error"
    assert wire.Answer(404, "", b"").line == "404 Not Found"
    assert wire.Answer(799, "", b"").line == "799"


async def test_a_polite_body_waits_until_it_is_wanted(stub: Stub) -> None:
    """With ``Expect: 100-continue`` the body follows the interim answer, and arrives whole."""
    side = Side(Address("127.0.0.1", stub.south_port), "stub")
    stub.jobs["j"] = {}
    request = side.request("PUT", "/jobs/j/status", {"state": "A"}, "Expect: 100-continue\r\n")
    assert (await side.exchange(request)).status == 200
    side.close()
    assert stub.of("PUT", "/status")[0].body == {"state": "A"}


async def test_a_refusal_before_the_body_ends_the_connection() -> None:
    """If the server refuses instead of asking for the body, that is the answer and the body is never sent."""
    async with answering(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n") as address:
        pool = Pool(address, 1)
        for _ in range(2):
            assert (await pool.exchange(POLITE, 5)).status == 404


async def test_a_body_is_sent_after_a_while_even_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that knows nothing of Expect gets the body after the usual wait."""
    monkeypatch.setattr(wire, "CONTINUE_WAIT", 0.05)
    got = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(4) == b"body"
        got.set()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    pool = Pool(Address("127.0.0.1", server.sockets[0].getsockname()[1]), 1)
    assert (await pool.exchange(POLITE, 5)).status == 200
    pool.close()
    server.close()
    await server.wait_closed()
    assert got.is_set()


HEAD = b"HTTP/1.1 200\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n"
EVENTS = b': keepalive\n\ndata: {"a":1}\nid: 1\n\nid: 7\n\ndata: {"b":\ndata: 2}\nid: 2\n\n'


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
@pytest.mark.parametrize("change", [lambda text: text, lambda text: text.replace(b"\n", b"\r\n")])
async def test_events_are_recognised_however_they_are_cut(cut: int, change: Callable[[bytes], bytes]) -> None:
    """Data of events arrives whole, comments and bare ids do not, for either kind of line end."""
    events = change(EVENTS)
    pieces = [events[start : start + cut] for start in range(0, len(events), cut)]
    heard: list[bytes] = []
    async with answering(HEAD, *pieces) as address:
        stream = await subscribe(Side(address, "stub"), "", heard.append)
        await until(lambda: len(heard) == 2)
        stream.close()
        await asyncio.sleep(0)
    assert heard == [b'{"a":1}', b'{"b":\n2}']
    assert not stream.lost


async def test_a_stream_that_the_server_ends_is_lost() -> None:
    """The end of a stream that nobody asked for is noticed."""
    async with answering(HEAD, close=True) as address:
        stream = await subscribe(Side(address, "stub"), "", lambda _: None)
        await until(lambda: stream.lost)


async def test_a_refused_subscription_is_reported(stub: Stub) -> None:
    """A status other than 200 is an error that names it."""
    with pytest.raises(NotAnswered, match="status 404"):
        await subscribe(Side(Address("127.0.0.1", stub.south_port), "stub"), "", lambda _: None)


async def test_an_endless_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer with too large a body counts as none, and its connection is closed."""
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 10_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    async with answering(head, *[b" " * 1000] * 100) as address:
        connection = await wire.connect(address)
        with pytest.raises(NotAnswered, match="more than 10000 bytes"):
            await connection.exchange(GET)
        assert connection.closed


async def test_an_endless_event_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that does not end is not kept for ever: its stream is given up."""
    monkeypatch.setattr("wfx_loadtest.stream.LARGEST_EVENT", 10_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\ndata: "
    async with answering(head, *[b" " * 1000] * 100) as address:
        opened = await subscribe(Side(address, address.authority), "", lambda _: None)
        await until(lambda: opened.lost)
