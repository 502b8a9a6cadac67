"""Pipes that carry frames: between the server and this plugin, or between this plugin and another."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

_PREFIX = 4
_READ_AHEAD = 65_536


class Frames:
    """A pipe to read frames from, which is buffered, and one to write them to."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        """Take the two pipes over."""
        self.incoming = incoming
        self._outgoing = outgoing
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        """Close the pipes in the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pipes."""
        self.incoming.close()
        self._outgoing.close()

    def read(self) -> bytes | None:
        """Wait for the next frame; None when the other end has gone."""
        prefix = self.incoming.read(_PREFIX)
        length = int.from_bytes(prefix, "little")
        frame = self.incoming.read(length)
        return frame if len(prefix) == _PREFIX and len(frame) == length else None

    def write(self, frame: bytes) -> None:
        """Write a whole frame, prefix included; any thread may do so.

        When the other end has gone, or this plugin is about to, the frame is dropped: reading ends next.
        """
        rest = memoryview(frame)
        with self._writing, suppress(BrokenPipeError, ValueError):  # ValueError: closed at the end
            while rest:
                rest = rest[self._outgoing.write(rest) :]
            self._outgoing.flush()


class Channel(Frames):
    """Standard input and output, taken away from the rest of the program.

    Afterwards descriptor 0 is empty and descriptor 1 leads to standard error, so that neither a stray ``print`` nor
    a child process can disturb the protocol. (Text printed earlier is in Python's buffer still, and goes there too.)
    """

    def __init__(self) -> None:
        """Take the two descriptors over."""
        super().__init__(os.fdopen(os.dup(0), "rb", _READ_AHEAD), os.fdopen(os.dup(1), "wb", 0))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout.flush()
        sys.stdout = sys.stderr
