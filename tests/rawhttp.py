"""HTTP by hand: raw bytes to a socket and back, for what well-behaved clients never send."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Answer:
    """One response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A connection to 127.0.0.1 that sends and receives what it is told."""

    def __init__(self, port: int, timeout: float = 60.0, address: str = "") -> None:
        """Connect, from another address of this machine (127.0.0.2, say) if one is given."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (address, 0) if address else None)
        self._buffer = b""

    def __enter__(self) -> Self:
        """Use as a context manager to close."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """Return what comes up to and including the mark. Raises EOFError when the connection ends before."""
        while mark not in self._buffer:
            received = self.socket.recv(65536)
            if not received:
                raise EOFError(self._buffer)
            self._buffer += received
        found, _, self._buffer = self._buffer.partition(mark)
        return found + mark

    def exactly(self, count: int) -> bytes:
        """Return the next so many bytes."""
        while len(self._buffer) < count:
            received = self.socket.recv(65536)
            if not received:
                raise EOFError(self._buffer)
            self._buffer += received
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def answer(self) -> Answer:
        """Return the next response, read by its Content-Length."""
        head = self.until(b"\r\n\r\n").decode("latin-1").splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        return Answer(int(head[0].split()[1]), headers, self.exactly(int(headers.get("content-length", "0"))))

    def over(self) -> bool:
        """Wait for more; True once the other side has closed and nothing is left to read."""
        if not self._buffer:
            try:
                self._buffer = self.socket.recv(65536)
            except ConnectionResetError:
                return True
        return not self._buffer

    def closed(self) -> bool:
        """Wait for the other side to close; True once it has, False if it sends something instead."""
        try:
            return not self._buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """A request with Host and, where there is a body, its type and length."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
