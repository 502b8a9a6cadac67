"""What is asked of connections: whether something was not sent, or not read."""

from __future__ import annotations

import asyncio
import socket

from tests.waiting import until
from wfx.server.transports import all_sent, has_unread, is_tls


async def test_what_is_not_read() -> None:
    """Data that has arrived and is not read yet is seen, also while reading is paused; so is that there is none."""
    here, there = socket.socketpair()
    with there:
        _, writer = await asyncio.open_connection(sock=here)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a socket
        assert not has_unread(writer.transport)
        there.send(b"x")
        assert has_unread(writer.transport)
        writer.transport.abort()
        await until(lambda: not has_unread(writer.transport))


async def test_what_is_not_sent() -> None:
    """What the peer has not taken counts as not sent, wherever it waits."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        _, writer = await asyncio.open_connection(*listening.getsockname())
        peer, _ = listening.accept()
    with peer:
        assert not is_tls(writer.transport)
        assert all_sent(writer.transport)
        writer.write(b"x" * 20_000_000)
        assert not all_sent(writer.transport)
        peer.settimeout(60)
        left = 20_000_000
        while left:
            left -= len(await asyncio.to_thread(peer.recv, 1 << 20))
        await until(lambda: all_sent(writer.transport))
        writer.close()
        await writer.wait_closed()
