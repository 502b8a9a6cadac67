"""An event loop on which a seed decides what runs next, and time passes only when nothing can run."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.events.virtual_time import VirtualTimeLoop

Result = TypeVar("Result")


class SeededLoop(VirtualTimeLoop):
    """Runs whatever is ready in an order that is drawn anew in every turn."""

    def __init__(self, chance: random.Random) -> None:
        """Draw from this source of randomness."""
        super().__init__()
        self._chance = chance

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Call the function on the loop, when its turn comes: there are no threads."""
        assert executor is None, "nobody has threads of his own"
        answer = self.create_future()

        def call() -> None:
            try:
                answer.set_result(func(*args))
            except Exception as exc:  # noqa: BLE001 - it is for whoever waits, as with a thread
                answer.set_exception(exc)

        self.call_soon(call)
        return answer

    def _run_once(self) -> None:
        if not self._ready and not self._scheduled:
            raise RuntimeError("everybody waits for somebody else")
        ready = list(self._ready)
        self._chance.shuffle(ready)
        self._ready.clear()
        self._ready.extend(ready)
        super()._run_once()


def run(scenario: Coroutine[Any, Any, Result], chance: random.Random) -> Result:
    """Run a scenario to its end. Raises RuntimeError when nothing could ever happen any more.

    The level of the log is always the same: records that are put off have timers, which take part in the order.
    """
    logger = logging.getLogger("wfx")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with asyncio.Runner(loop_factory=lambda: SeededLoop(chance)) as runner:
            return runner.run(scenario)
    finally:
        logger.setLevel(before)
