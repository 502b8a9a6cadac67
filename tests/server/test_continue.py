"""`Expect: 100-continue`: who waits with a body is told to go on, nobody else, and in the same bytes by both."""

from __future__ import annotations

import pytest
from rawhttp import Wire

from tests.server.engines import Handlers, serving
from tests.waiting import eventually

INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEAD = b"PUT %b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"


def test_who_waits_is_told_to_go_on(engine: str) -> None:
    """The interim answer is a status line with its reason and no fields, once."""
    with serving(engine, Handlers()) as port, Wire(port) as wire:
        for framing, body in ((b"Content-Length: 4\r\n\r\n", b"body"),
                              (b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nbody\r\n0\r\n\r\n")):  # fmt: skip
            wire.send(_HEAD % b"/body" + framing)
            assert wire.exactly(len(INTERIM)) == INTERIM
            wire.send(body)
            answer = wire.answer()
            assert (answer.status, answer.body) == (200, b"4")


@pytest.mark.parametrize("rest", [
    b"\r\n", b"Content-Length: 0\r\n\r\n", b"Content-Length: 4\r\n\r\nbody",
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody",
], ids=["no body", "empty", "sent", "empty chunks", "chunks sent", "sent, with an offer"])  # fmt: skip
def test_who_does_not_wait_is_not(engine: str, rest: bytes) -> None:
    """There is no interim answer where no body is to come, or where it came with the header."""
    with serving(engine, Handlers()) as port, Wire(port) as wire:
        wire.send(_HEAD % b"/body" + rest)
        assert wire.until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


def test_who_has_begun_is_not(engine: str) -> None:
    """There is no interim answer once a part of the body is here."""
    handlers = Handlers()
    with serving(engine, handlers) as port, Wire(port) as wire:
        wire.send(_HEAD % b"/body" + b"Content-Length: 4\r\n\r\nb")
        eventually(lambda: handlers.running == 1, "it is worked on")
        wire.send(b"ody")
        assert wire.until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


def test_old_clients_are_not(engine: str) -> None:
    """HTTP/1.0 has no interim answers, so its clients get none."""
    with serving(engine, Handlers()) as port, Wire(port) as wire:
        wire.send((_HEAD % b"/body").replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: 4\r\n\r\n")
        wire.send(b"body")
        assert wire.until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


def test_nobody_is_asked_for_what_nobody_reads(engine: str) -> None:
    """A request that is answered by its header is not told to go on first."""
    with serving(engine, Handlers()) as port, Wire(port) as wire:
        wire.send(_HEAD % b"/" + b"Content-Length: 4\r\n\r\n")
        assert wire.until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(("path", "line"), [("/", b"200 OK"), ("/crash", b"500 Internal Server Error")])
def test_status_lines_have_reasons(engine: str, path: str, line: bytes) -> None:
    """A status line says the reason too, which some devices look for."""
    with serving(engine, Handlers()) as port, Wire(port) as wire:
        wire.send(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path.encode())
        assert wire.until(b"\r\n") == b"HTTP/1.1 " + line + b"\r\n"
