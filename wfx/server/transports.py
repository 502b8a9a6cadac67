"""Transport queries: TLS, unsent bytes, unread bytes."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios

_INT = struct.Struct("i")


def is_tls(transport: asyncio.BaseTransport) -> bool:
    """Tell whether the connection is encrypted."""
    return transport.get_extra_info("sslcontext") is not None


def all_sent(transport: asyncio.WriteTransport) -> bool:
    """Tell whether the peer's system has received everything that was written.

    A transport with TLS does not count what the transport below it holds. The system's own queue tells: it is never
    empty while there is more to put into it.
    """
    return not transport.get_write_buffer_size() and not _ask_socket(transport, termios.TIOCOUTQ)


def has_unread(transport: asyncio.BaseTransport) -> bool:
    """Tell whether the system has received something that was not read yet."""
    return bool(_ask_socket(transport, termios.FIONREAD))


def _ask_socket(transport: asyncio.BaseTransport, what: int) -> int:
    opened = transport.get_extra_info("socket")
    if opened is None or opened.fileno() < 0:  # closed meanwhile
        return 0
    answer: tuple[int] = _INT.unpack(fcntl.ioctl(opened.fileno(), what, bytes(_INT.size)))
    return answer[0]
