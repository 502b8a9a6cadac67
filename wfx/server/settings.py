"""What engines are told about connections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How engines treat connections; times in seconds, sizes in bytes."""

    idle_timeout: float
    """An idle keep-alive connection is closed after this."""
    graceful_timeout: float
    """How long running requests may take to finish once the service stops."""
    read_timeout: float = 30.0
    """How long a request may take to arrive, header and body together."""
    write_timeout: float = 600.0
    """How long a peer may take to take an answer; event streams have a limit of their own."""
    max_head: int = 1_000_000
    """Size of a request's line and header."""
    keep_alive: bool = True
    """Whether HTTP/1.1 connections stay open for further requests."""
    max_connections: int = 10_000
    """Connections per listener."""
    max_requests: int = 10_000
    """Requests a listener works on at the same time."""
    max_body: int = 10 * 1024 * 1024
    """Size of a request's body."""
