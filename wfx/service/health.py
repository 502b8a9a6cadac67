"""Health checks of the store, at intervals and on request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from wfx.domain.errors import StoreError
from wfx.domain.timestamp import Timestamp
from wfx.store.protocol import Store

log = logging.getLogger(__name__)

KEEP_SECONDS = 1.0
"""How long an answer is given again without asking the store anew."""
DEADLINE_SECONDS = 5.0
"""How long the store may take to answer before it counts as down."""
WATCH_SECONDS = 5.0
"""How often the store is asked when nobody else asks, so that the log tells of a loss."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one check."""

    up: bool
    checked: Timestamp
    error: str = ""


class Health:
    """Asks the store whether it answers; callers that come together share one question.

    As an asynchronous context manager it asks at intervals, too.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Check this store; ``clock`` gives seconds and only ever rises."""
        self._store = store
        self._clock = clock
        self._lock = asyncio.Lock()
        self._report: Report | None = None
        self._asked = 0.0
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to ask at intervals."""
        self._watch = asyncio.create_task(self._ask_on(), name="health")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End that; leave before the store closes."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def report(self) -> Report:
        """Return the state of the service, at most :data:`KEEP_SECONDS` old."""
        async with self._lock:
            if self._report is None or self._clock() - self._asked > KEEP_SECONDS:
                before, self._report = self._report, await self._check()
                self._asked = self._clock()
                _tell(before, self._report)
            return self._report

    async def _ask_on(self) -> None:
        while True:
            await self.report()
            await asyncio.sleep(WATCH_SECONDS)

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


def _tell(before: Report | None, now: Report) -> None:
    """Log the first state, and each change."""
    if before is not None and before.up == now.up:
        return
    if not now.up:
        log.error("store is down: %s", now.error)
    elif before is None:
        log.info("store is up")
    else:
        log.warning("store is up again")
