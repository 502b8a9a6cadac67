"""Whether the service can do its work: a live check of the store, remembered for a moment."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from wfx.domain.errors import StoreError
from wfx.domain.timestamp import Timestamp
from wfx.store.protocol import Store

log = logging.getLogger(__name__)

KEEP_SECONDS = 1.0
"""How long an answer is given again without asking the store anew."""
DEADLINE_SECONDS = 5.0
"""How long the store may take to answer before it counts as down."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one check."""

    up: bool
    checked: Timestamp
    error: str = ""


class Health:
    """Asks the store whether it answers; callers that come together share one question."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Check this store; ``clock`` gives seconds and only ever rises."""
        self._store = store
        self._clock = clock
        self._lock = asyncio.Lock()
        self._report: Report | None = None
        self._asked = 0.0

    async def report(self) -> Report:
        """Return the state of the service, at most :data:`KEEP_SECONDS` old."""
        async with self._lock:
            if self._report is None or self._clock() - self._asked > KEEP_SECONDS:
                before, self._report = self._report, await self._check()
                self._asked = self._clock()
                if before is not None and before.up != self._report.up:
                    log.warning("store is %s", "up" if self._report.up else f"down: {self._report.error}")
            return self._report

    async def _check(self) -> Report:
        checked = Timestamp(time.time_ns() // 1000)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._store.ping()
        except StoreError as exc:
            return Report(up=False, checked=checked, error=str(exc))
        except TimeoutError:
            return Report(up=False, checked=checked, error=f"no answer within {DEADLINE_SECONDS:g} s")
        return Report(up=True, checked=checked)
