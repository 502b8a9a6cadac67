"""Counts what Python does, where a test would otherwise have to measure time: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class Instructions:
    """Counts the instructions of Python's machine that run in this thread; what C code does in one go counts as one."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.count = 0

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        self.count += event == "opcode"
        return self._trace

    def of(self, work: Callable[[], object]) -> int:
        """Do some work and return how many instructions it took."""
        former, self.count = sys.gettrace(), 0
        sys.settrace(self._trace)
        try:
            work()
        finally:
            sys.settrace(former)
        return self.count


def instructions(work: Callable[[], object]) -> int:
    """How many instructions some work takes in this thread."""
    return Instructions().of(work)


class Text(str):
    """A text that is compared and hashed in Python, so that searches in lists and look-ups count as instructions."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Compare."""
        return str.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        """Compare."""
        return not self == other

    def __hash__(self) -> int:
        """Hash."""
        return str.__hash__(self)
