"""The two pipes between the server and this plugin."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_PREFIX = 4
_READ_AHEAD = 65_536


class Channel:
    """Standard input and output, taken away from the rest of the program.

    Afterwards descriptor 0 is empty and descriptor 1 leads to standard error, so that neither a stray ``print`` nor
    a child process can disturb the protocol. (Text printed earlier is in Python's buffer still, and goes there too.)
    """

    def __init__(self) -> None:
        """Take the two descriptors over."""
        self.requests = os.fdopen(os.dup(0), "rb", buffering=_READ_AHEAD)
        self._answers = os.fdopen(os.dup(1), "wb", buffering=0)
        self._writing = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout.flush()
        sys.stdout = sys.stderr

    def __enter__(self) -> Self:
        """Close the pipes in the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pipes."""
        self.requests.close()
        self._answers.close()

    def read(self) -> bytes | None:
        """Wait for the next frame; None when the server has gone."""
        prefix = self.requests.read(_PREFIX)
        length = int.from_bytes(prefix, "little")
        frame = self.requests.read(length)
        return frame if len(prefix) == _PREFIX and len(frame) == length else None

    def write(self, frame: bytes) -> None:
        """Write a whole frame, prefix included; any thread may do so.

        When the server has gone, or this plugin is about to, the frame is dropped: reading ends next.
        """
        rest = memoryview(frame)
        with self._writing, suppress(BrokenPipeError, ValueError):  # ValueError: closed at the end
            while rest:
                rest = rest[self._answers.write(rest) :]
