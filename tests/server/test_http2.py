"""HTTP/2, which hypercorn speaks: the same rules, and an end to what one connection may cost."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import suppress

import h2.errors
import pytest
from rawhttp import Wire, request

from tests.server.engines import DEADLINE, Handlers, serving
from tests.server.http2 import PREFACE, Client, frame
from tests.waiting import eventually
from wfx.server.edge_errors import Refusal
from wfx.server.hypercorn_http2 import check_head
from wfx.server.limits import MAX_STREAMS, HttpSettings

HASTY = HttpSettings(idle_timeout=1.0, graceful_timeout=1.0, read_timeout=1.0, write_timeout=1.0)
CALM = h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
_HEADERS, _SETTINGS, _PING, _CONTINUATION = 1, 4, 6, 9


@pytest.fixture
def handlers() -> Handlers:
    """The app, which counts who works."""
    return Handlers()


@pytest.fixture
def port(handlers: Handlers) -> Iterator[int]:
    """Engine hypercorn with that app."""
    with serving("hypercorn", handlers, HttpSettings(30, 1)) as port:
        yield port


@pytest.fixture
def hasty(handlers: Handlers) -> Iterator[int]:
    """Engine hypercorn with that app and deadlines of a second."""
    with serving("hypercorn", handlers, HASTY) as port:
        yield port


def check_served(port: int) -> None:
    """Somebody else is served."""
    with Wire(port) as wire:
        wire.send(request("GET", "/"))
        assert wire.answer().status == 200


def test_prior_knowledge(port: int) -> None:
    """A client that begins with HTTP/2 is served, many requests side by side."""
    with Client(port) as client:
        streams = [client.ask("/") for _ in range(50)]
        client.flush()
        client.until(lambda: len(client.ended) == 50)
        assert {client.answers[stream] for stream in streams} == {200}


@pytest.mark.parametrize(("status", "method", "fields"), [
    (400, "GET", [(":path", "x")]),
    (400, "GET", [(":path", "/x#y")]),
    (400, "GET", [(":path", "/x y")]),
    (400, "GET", [(":path", "http://h/x")]),
    (400, "GET", [(":authority", "h/admin?")]),
    (400, "GET", [(":authority", "u@h")]),
    (400, "GET", [(":authority", "h:65536")]),
    (400, "PUT", [("content-length", "5")]),
    (400, "PUT", [("content-length", "0"), ("content-length", "0")]),
    (405, "get", []),
    (405, "BREW", []),
    (414, "GET", [(":path", "/" + "x" * 65536)]),
    (431, "GET", [("x-filler", "y")] * 201),
])  # fmt: skip
def test_rules(port: int, handlers: Handlers, status: int, method: str, fields: list[tuple[str, str]]) -> None:
    """Rows 27 to 29: what HTTP/1.1 is refused for, HTTP/2 is refused for too, and the connection goes on."""
    with Client(port) as client:
        refused = client.ask("/", *fields, method=method)
        served = client.ask("/")
        client.flush()
        client.until(lambda: client.ended >= {refused, served})
        assert (client.answers[refused], client.answers[served]) == (status, 200)
    assert handlers.asked == ["/"]


def test_methods_that_a_path_has() -> None:
    """The refusal of a method that HTTP does not know lists those that the path has, without its query."""
    head = [(b":method", b"BREW"), (b":authority", b"h"), (b":path", b"/api/wfx/v1/jobs?limit=3")]
    refused = check_head(head)
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.extra) == (405, ((b"allow", b"GET, HEAD, POST"),))


def test_raw_bytes(port: int, handlers: Handlers) -> None:
    """Row 28: bytes above 0x7f in a path or query are taken as if they were percent-encoded."""
    with Client(port) as client:
        stream = client.connection.get_next_available_stream_id()
        fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", "/ü?ü".encode())]
        client.connection.send_headers(stream, fields, end_stream=True)
        client.flush()
        client.until(lambda: stream in client.ended)
        assert client.answers[stream] == 200
    assert handlers.asked == ["/ü"]


@pytest.mark.parametrize(("length", "body"), [("5", b"four"), ("3", b"four"), ("0", b"four"), ("x", b"four")])
def test_lengths(port: int, handlers: Handlers, length: str, body: bytes) -> None:
    """Row 26: a body that is not as long as its header says ends the connection, and nobody takes it for complete."""
    with Client(port) as client:
        client.connection.config.validate_outbound_headers = False
        stream = client.ask("/body", ("content-length", length), method="PUT", ends=False)
        client.flush()
        client.flush(frame(0, 1, stream, body))
        client.until_over()
        assert stream not in client.answers
        check_served(port)
    eventually(lambda: handlers.running == 0, "nobody is worked on")


def test_lengths_of_bodies_with_trailers(port: int) -> None:
    """Row 26: the same holds for a body whose end is told by a trailer; only its stream ends."""
    with Client(port) as client:
        short, right = (client.ask("/body", ("content-length", "5"), method="PUT", ends=False) for _ in range(2))
        client.connection.send_data(short, b"four")
        client.connection.send_data(right, b"fiver")
        for stream in (short, right):
            client.connection.send_headers(stream, [("x-trailer", "x")], end_stream=True)
        client.flush()
        client.until(lambda: client.ended >= {short, right})
        assert (client.answers[short], client.bodies[short]) == (400, b"malformed request\n")
        assert (client.answers[right], client.bodies[right]) == (200, b"5")


@pytest.mark.parametrize("field", [
    ("connection", "upgrade"), ("upgrade", "x"), ("transfer-encoding", "chunked"), ("te", "chunked"),
    ("proxy-connection", "close"), ("keep-alive", "1"), (":protocol", "websocket"), ("X-Upper", "x"),
], ids=": ".join)  # fmt: skip
def test_fields_of_http1(port: int, handlers: Handlers, field: tuple[str, str]) -> None:
    """Row 26: fields that frame requests over HTTP/1.1 have no place here; nobody sees a request with them."""
    with Client(port) as client:
        client.ask("/", field)
        client.flush()
        client.until_over()
        check_served(port)
    assert handlers.asked == ["/"], "only the other one's"


def test_who_leaves_takes_nothing_along(port: int, handlers: Handlers) -> None:
    """Row 32: a request that is reset while others' answers are written takes none of their bytes along."""
    with Client(port, window=2**31 - 1) as client:
        client.connection.increment_flow_control_window(2**30)
        client.takes = False
        large = [client.ask("/large") for _ in range(80)]
        client.flush()
        eventually(lambda: len(handlers.asked) == len(large), "all are asked")
        reset = [client.ask("/") for _ in range(15)]
        client.flush()
        eventually(lambda: len(handlers.asked) == len(large) + len(reset), "all are asked")
        for stream in reset:
            client.connection.reset_stream(stream)
        client.flush()
        served = [client.ask("/") for _ in range(5)]
        client.flush()
        client.until(lambda: client.ended >= {*large, *served})
        assert {client.answers[stream] for stream in (*large, *served)} == {200}
        assert {client.bodies[stream] for stream in served} == {b"fine"}


def test_the_other_engine() -> None:
    """Row 27: who begins with HTTP/2 where it is not spoken is told so."""
    with serving("uvicorn", Handlers()) as port, Wire(port) as wire:
        wire.send(PREFACE + frame(_SETTINGS, 0, 0))
        assert (wire.answer().status, wire.over()) == (505, True)


def test_connect(port: int, handlers: Handlers) -> None:
    """Nobody gets a tunnel."""
    with Client(port) as client:
        stream = client.connection.get_next_available_stream_id()
        client.connection.send_headers(stream, [(":method", "CONNECT"), (":authority", "h:80")])
        client.flush()
        client.until(lambda: stream in client.answers)
        assert client.answers[stream] == 400
    assert handlers.asked == []


def test_resets_cancel(port: int, handlers: Handlers) -> None:
    """Row 32: a handler whose stream is reset is cancelled; the connection goes on."""
    with Client(port) as client:
        streams = [client.ask(path) for path in ("/wait", "/stream") for _ in range(20)]
        client.flush()
        eventually(lambda: handlers.running == 40, "all are worked on")
        for stream in streams:
            client.connection.reset_stream(stream)
        client.flush()
        eventually(lambda: handlers.running == 0, "nobody is worked on")
        served = client.ask("/")
        client.flush()
        client.until(lambda: served in client.ended)
    assert handlers.cancelled == 40


def test_rapid_reset(port: int, handlers: Handlers) -> None:
    """Row 32: thousands of requests that are reset at once never run together, and end the connection."""
    with Client(port) as client:
        for _ in range(100):
            for _ in range(30):
                client.connection.reset_stream(client.ask("/wait"))
            client.flush()
        client.until_over()
        assert client.goodbye is not None
        assert client.goodbye.error_code == CALM
        check_served(port)
    assert handlers.most <= MAX_STREAMS
    eventually(lambda: handlers.running == 0, "nobody is worked on")


def test_resets_that_the_server_is_made_to_send(port: int, handlers: Handlers) -> None:
    """Row 32: making the server reset streams, by window updates that overflow, is no way around the limit."""
    with Client(port) as client:
        for _ in range(60):
            for _ in range(30):
                stream = client.ask("/wait")
                client.flush(frame(8, 0, stream, struct.pack(">I", 2**31 - 1)))
        client.until_over()
        check_served(port)
    assert handlers.most <= MAX_STREAMS
    eventually(lambda: handlers.running == 0, "nobody is worked on")


@pytest.mark.parametrize("flood", [
    frame(_PING, 0, 0, b"12345678"),
    frame(_SETTINGS, 0, 0),
    frame(_SETTINGS, 0, 0, struct.pack(">HI", 3, 100)),
    frame(2, 0, 1, struct.pack(">IB", 0, 15)),
    frame(8, 0, 0, struct.pack(">I", 1)),
    frame(0, 0, 1),
], ids=["pings", "empty settings", "settings", "priorities", "window updates", "empty data"])  # fmt: skip
def test_floods(port: int, handlers: Handlers, flood: bytes) -> None:
    """Row 32: frames that only make work end the connection."""
    with Client(port) as client:
        client.ask("/wait", method="POST", ends=False)
        client.flush()
        eventually(lambda: handlers.running == 1, "it is worked on")
        for _ in range(200):
            client.flush(flood * 100)
        client.until_over()
        assert client.goodbye is not None
        assert client.goodbye.error_code == CALM
        check_served(port)
    eventually(lambda: handlers.running == 0, "nobody is worked on")


def test_endless_header(port: int, handlers: Handlers) -> None:
    """Row 32: a header that goes on in frame after frame ends the connection before it fills the memory."""
    with Wire(port) as wire:
        wire.send(PREFACE + frame(_SETTINGS, 0, 0) + frame(_HEADERS, 1, 1, b"\x82\x86\x84"))
        with suppress(ConnectionError):
            for _ in range(1000):
                wire.send(frame(_CONTINUATION, 0, 1, b"\x00\x01x\x7f\x80\x7e" + b"y" * 16_000))
        while not wire.over():
            wire.exactly(1)
        check_served(port)
    assert len(handlers.asked) == 1, "only the other one's"


@pytest.mark.parametrize("trickles", [False, True])
def test_answers_that_nobody_takes(hasty: int, handlers: Handlers, trickles: bool) -> None:
    """Row 32: a hundred answers that are not taken, or byte by byte, are given up at the deadline."""
    with Client(hasty, window=0) as client:
        streams = [client.ask("/large") for _ in range(MAX_STREAMS)]
        client.flush()
        eventually(lambda: len(handlers.asked) == MAX_STREAMS, "all are asked")
        check_served(hasty)
        deadline = time.monotonic() + DEADLINE
        while handlers.running:
            assert time.monotonic() < deadline, "still worked on"
            if trickles:
                client.connection.increment_flow_control_window(1, streams[0])
                client.flush()
            time.sleep(0.01)
        client.takes = False
        client.until_over()
    assert max(len(body) for body in client.bodies.values() or [b""]) < 1000


def test_slow_upload(hasty: int) -> None:
    """Row 24: over HTTP/2 too, a body that drips is answered with 408 at the deadline, and others go on."""
    with Client(hasty) as client:
        slow = client.ask("/body", method="PUT", ends=False)
        deadline = time.monotonic() + DEADLINE
        while slow not in client.answers:
            assert time.monotonic() < deadline
            client.connection.send_data(slow, b" ")
            served = client.ask("/")
            client.flush()
            client.until(lambda served=served: served in client.ended)  # type: ignore[misc]  # bound now
            time.sleep(0.05)
        assert client.answers[slow] == 408


def test_answer_before_the_upload_is_over(port: int) -> None:
    """A client that has its answer is told not to send the rest."""
    with Client(port) as client:
        early = client.ask("/", method="PUT", ends=False)
        client.flush()
        client.until(lambda: early in client.resets)
        assert (client.answers[early], client.bodies[early]) == (200, b"fine")
        assert client.resets[early] == h2.errors.ErrorCodes.NO_ERROR
        served = client.ask("/body", method="PUT", ends=False)
        client.connection.send_data(served, b"x" * 10_000, end_stream=True)
        client.flush()
        client.until(lambda: served in client.ended)
        assert client.bodies[served] == b"10000"


def test_crash_in_the_middle(port: int) -> None:
    """A handler that fails is answered with 500, on its stream alone."""
    with Client(port) as client:
        crashed, served = client.ask("/crash"), client.ask("/")
        client.flush()
        client.until(lambda: client.ended >= {crashed, served})
        assert (client.answers[crashed], client.answers[served]) == (500, 200)


def test_idle_connections_end(hasty: int) -> None:
    """A connection without requests is closed with a goodbye; one with an event stream is not."""
    with Client(hasty) as idle, Client(hasty) as busy:
        stream = busy.ask("/stream")
        busy.flush()
        busy.until(lambda: stream in busy.bodies)
        idle.connection.send_headers(1, [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "/")],
                                     end_stream=True)  # fmt: skip
        idle.flush()
        idle.until_over()
        assert idle.goodbye is not None
        assert idle.goodbye.error_code == h2.errors.ErrorCodes.NO_ERROR
        served = busy.ask("/")
        busy.flush()
        busy.until(lambda: served in busy.ended)


def test_a_stream_outlives_thousands_of_requests(port: int) -> None:
    """Row 22: an event stream goes on while 2,000 requests come and go on its connection."""
    with Client(port) as client:
        stream = client.ask("/stream")
        for _ in range(40):
            asked = {client.ask("/") for _ in range(50)}
            client.flush()
            client.until(lambda asked=asked: client.ended >= asked)  # type: ignore[misc]  # bound now
        assert stream in client.bodies
        assert stream not in client.ended
        assert client.goodbye is None
