"""Framing between the service and a worker process.

A worker sends READY first. Then each request gets one answer: one of the worker's module, or MEMORY or FAILED, after
which the worker ends. Only the standard library is used, since workers may have nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

HEADER = Struct(">c?IQ")
"""Kind, whether the worker ends after this frame, and the lengths of head and body."""

READY = b"+"
MEMORY = b"%"
"""The work needed more memory than there is."""
FAILED = b"!"
"""The module raised an exception; the head says which, and where."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message in either direction."""

    kind: bytes
    """One byte."""
    head: bytes = b""
    body: bytes = b""
