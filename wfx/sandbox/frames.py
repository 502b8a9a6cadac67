"""Framing between the service and a worker process.

A worker sends READY first. Then each request gets one answer: one of the worker's module, or MEMORY or FAILED, after
which the worker ends. OUTPUT is a kind of answer that modules may give. Only the standard library is used, since
workers may have nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

HEADER = Struct(">c?fIQ")
"""Kind, whether the worker ends after this frame, seconds of processor time, and the lengths of head and body."""

READY = b"+"
MEMORY = b"%"
"""The work needed more memory than there is."""
OUTPUT = b"#"
"""The answer would have more bytes than it may."""
FAILED = b"!"
"""The module raised an exception; the head says which, and where."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message in either direction."""

    kind: bytes
    """One byte."""
    head: bytes = b""
    body: bytes = b""
    took: float = field(default=0.0, compare=False)
    """Seconds of processor time that the answer took."""
