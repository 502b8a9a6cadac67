"""An HTTP/2 client that does what it is told, however rude."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from typing import Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

from tests.server.engines import DEADLINE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """A frame as it goes over the wire, whether it makes sense or not."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream_id) + payload


class Client:
    """One connection to 127.0.0.1: by prior knowledge, or over TLS by agreement (ALPN)."""

    def __init__(self, port: int, window: int = 65535, tls: ssl.SSLContext | None = None) -> None:
        """Connect, and let the server send so many bytes on each stream before it has to be told to go on."""
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
            encrypted = tls.wrap_socket(self.socket, server_hostname="localhost")
            assert encrypted.selected_alpn_protocol() == "h2"
            self.socket = encrypted
        config = h2.config.H2Configuration(
            header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        self.connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.answers: dict[int, int] = {}
        """The status of each answered stream."""
        self.bodies: dict[int, bytes] = {}
        self.ended: set[int] = set()
        """Streams whose answer is complete."""
        self.resets: dict[int, int] = {}
        self.goodbye: h2.events.ConnectionTerminated | None = None
        self.over = False
        self.takes = True
        """Whether window updates are sent for what was received."""
        self.flush()

    def __enter__(self) -> Self:
        """Use as a context manager to close."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.socket.close()

    def flush(self, more: bytes = b"") -> None:
        """Send what is to be sent; who is not heard any more is not surprised."""
        try:
            self.socket.sendall(self.connection.data_to_send() + more)
        except ConnectionError:
            self.over = True

    def ask(self, path: str, *fields: tuple[str, str], method: str = "GET", ends: bool = True) -> int:
        """Queue a request; returns its stream."""
        stream_id = self.connection.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "http"), (":authority", "wfx.test"), (":path", path)]
        given = {name for name, _ in fields}
        self.connection.send_headers(
            stream_id, [*(field for field in pseudo if field[0] not in given), *fields], end_stream=ends
        )
        return stream_id

    def until(self, condition: Callable[[], bool]) -> None:
        """Receive until something is so. Raises AssertionError when the connection ends before."""
        while not condition():
            assert not self.over, f"the connection is over: {self.goodbye}, {self.answers}"
            self.receive()

    def until_over(self) -> None:
        """Receive until the connection ends."""
        while not self.over:
            self.receive()

    def receive(self) -> None:
        """Receive once and note what it was."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.over = True
            return
        for event in self.connection.receive_data(data):
            self._note(event)
        self.flush()

    def _note(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=int() as stream_id, headers=list() as headers):
                self.answers[stream_id] = int(dict(headers)[":status"])
            case h2.events.DataReceived(stream_id=int() as stream_id, data=bytes() as data):
                self.bodies[stream_id] = self.bodies.get(stream_id, b"") + data
                if self.takes:
                    self.connection.acknowledge_received_data(event.flow_controlled_length, stream_id)
            case h2.events.StreamEnded(stream_id=int() as stream_id):
                self.ended.add(stream_id)
            case h2.events.StreamReset(stream_id=int() as stream_id):
                self.resets[stream_id] = int(event.error_code or 0)
            case h2.events.ConnectionTerminated():
                self.goodbye = event
