"""A well-behaved client that repeats one request on a kept connection, and records statuses and latencies."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rawhttp import Wire

PAUSE = 0.005
"""Seconds between an answer and the next request."""
PATIENCE = 120.0
"""Seconds after which an answer is given up: counted as none."""
NO_ANSWER = 0


class Witness:
    """One client in a thread of its own."""

    def __init__(self, port: int, request: bytes) -> None:
        """Send this request to that port."""
        self._port = port
        self._request = request
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.statuses: Counter[int] = Counter()
        """How often each status was answered; 0 for a connection that ended without an answer."""
        self.seconds: list[float] = []
        """How long each answer took."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave after the answer that is waited for."""
        self._leaving.set()
        self._thread.join()

    def latency(self, part: float) -> float:
        """The seconds within which this part of the answers came; 0 if there were none."""
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(part * len(ranked)))] if ranked else 0.0

    def _ask(self) -> None:
        while not self._leaving.is_set():
            try:
                with Wire(self._port, PATIENCE) as wire:
                    self._ask_on(wire)
            except (OSError, EOFError):
                self.statuses[NO_ANSWER] += 1
                self._leaving.wait(PAUSE)  # measured: a pause

    def _ask_on(self, wire: Wire) -> None:
        while not self._leaving.is_set():
            asked = time.monotonic()
            wire.send(self._request)
            self.statuses[wire.answer().status] += 1
            self.seconds.append(time.monotonic() - asked)  # measured: printed, not judged
            self._leaving.wait(PAUSE)  # measured: a pause
