"""Bodies that are larger than allowed, or would be once they are unpacked."""

from __future__ import annotations

import gzip
import time
from contextlib import suppress

import pytest
from rawhttp import Wire

from wfx.demo.local import LocalService

HEAD = b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
LIMIT = 1_000_000
"""What the shared service allows."""
LATE = 20.0
"""Seconds."""
PIECE = b"8000\r\n" + b" " * 0x8000 + b"\r\n"


@pytest.mark.parametrize("side", ["north", "south"])
def test_endless_body(service: LocalService, side: str) -> None:
    """Row 31: a body without declared length is refused at the limit; soon its sender is not listened to any more."""
    head = HEAD if side == "north" else HEAD.replace(b"POST", b"PUT").replace(b"jobs", b"jobs/x/status")
    with Wire(service.ports[side]) as wire:
        wire.send(head + b"Transfer-Encoding: chunked\r\n\r\n" + PIECE * (LIMIT // 0x8000 + 1))
        assert wire.answer().status == 413
        until = time.monotonic() + LATE
        with suppress(ConnectionError):
            while time.monotonic() < until:
                wire.send(PIECE)
                time.sleep(0.01)
        assert time.monotonic() < until, "nobody minds"


def test_declared_body(service: LocalService) -> None:
    """Row 31: a body that is declared too large is refused before any of it has come."""
    with Wire(service.ports["north"]) as wire:
        wire.send(HEAD + b"Content-Length: %d\r\n\r\n" % (LIMIT + 1))
        answer = wire.answer()
        assert (answer.status, answer.body) == (413, b"request body is larger than 1000000 bytes\n")
        assert wire.over()


def test_gzip_bomb(service: LocalService) -> None:
    """Row 31: a compressed body is refused as it is: what would be a hundred megabytes is never unpacked."""
    bomb = gzip.compress(b" " * 100_000_000)
    with Wire(service.ports["north"]) as wire:
        wire.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        assert wire.answer().status == 415
