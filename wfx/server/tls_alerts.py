"""TLS alerts for clients whose handshake is refused.

OpenSSL writes an alert that says why, and the event loop closes the connection without sending it. Here it is sent.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Self


class Handshake:
    """A connection whose handshake is not over; a context manager that closes what was not handed on."""

    def __init__(self, connection: socket.socket) -> None:
        """Begin; the socket is non-blocking."""
        self._connection = connection
        self.completed = False
        """Whether the handshake is over, and the connection belongs to a transport that closes it."""
        self.refused: socket.socket | None = None
        """The connection after an alert was sent, to be read from for a moment.

        The event loop closes the connection at once: with data of the client unread, its system would throw the alert
        away. This is the same connection by another descriptor.
        """

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the descriptor of the alert, and the connection unless its handshake is over."""
        if self.refused is not None:
            self.refused.close()
        if not self.completed:
            self._connection.close()

    def refuse(self, alert: bytes) -> None:
        """Send an alert, the last that is sent."""
        with suppress(OSError):  # the client has left, or there is no descriptor
            self.refused = self._connection.dup()
            self.refused.send(alert)
            self.refused.shutdown(socket.SHUT_WR)


current_handshake: ContextVar[Handshake] = ContextVar("current_handshake")
"""The handshake of the connection that is being accepted."""


class _Alerting(ssl.SSLObject):
    """The server's end of a connection, which sends the alert when the handshake fails."""

    outgoing: ssl.MemoryBIO

    def do_handshake(self) -> None:
        """Take a step."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if (alert := self.outgoing.read()) and (handshake := current_handshake.get(None)) is not None:
                handshake.refuse(alert)
            raise


class AlertingContext(ssl.SSLContext):
    """Settings of TLS for a server; a handshake that fails under ``current_handshake`` ends with an alert."""

    sslobject_class = _Alerting

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Make the server's end of a connection."""
        made = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        assert isinstance(made, _Alerting)
        made.outgoing = outgoing
        return made
