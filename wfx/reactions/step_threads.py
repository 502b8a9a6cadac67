"""Threads that steps run in: how many at once, how many of one step, and how long one is waited for.

A thread cannot be ended. One that takes too long is left alone: it hangs until it ends by itself, counts for its own
step alone, and is told in the log and in a metric.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Any

from wfx import logs
from wfx.logs.masks import MESSAGE
from wfx.tasks.counts import TaskCounts
from wfx.tasks.performing import TryAgain

MOST = 64
"""Threads that are waited for."""
MOST_OF_ONE = 32
"""Those of one step."""
MOST_HANGING = 16
"""Threads of one step that hang, and with which it is not run any more."""
_logger = logging.getLogger("wfx")


class StepFailed(Exception):
    """A step raised an exception, or took too long."""


class StepThreads:
    """Calls functions of steps, and counts their threads."""

    def __init__(self, seconds: float, counts: TaskCounts) -> None:
        """Wait for so many seconds."""
        self._seconds = seconds
        self._running, self._hanging = counts.steps_running, counts.steps_hanging

    async def call(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a step in a thread of its own. Raises StepFailed, and TryAgain if there is no place."""
        self._require_place(name)
        run = _Run(name, asyncio.get_running_loop(), self._ended)
        run.start(function, arguments)
        self._running[name] += 1  # only if the system has let it begin
        try:
            async with asyncio.timeout(self._seconds):
                return await run.answer
        except TimeoutError as exc:
            self._note_hanging(run)
            raise StepFailed(f"it took longer than {self._seconds:g} s") from exc

    def _require_place(self, name: str) -> None:
        """Raise TryAgain if too many threads run."""
        hanging = self._hanging[name]
        if hanging >= MOST_HANGING:
            raise TryAgain(f"{hanging} runs of the step {name} have not ended in their time")
        if self._running[name] - hanging >= MOST_OF_ONE or self._running.total() - self._hanging.total() >= MOST:
            raise TryAgain(f"too many runs at once: {MOST_OF_ONE} of the step {name}, or {MOST} of all steps")

    def _note_hanging(self, run: _Run) -> None:
        if not run.has_ended:
            run.hangs = True
            self._hanging[run.name] += 1
            self._log("a step has not ended in its time, and goes on without anybody waiting for it", run)

    def _ended(self, run: _Run) -> None:
        self._running[run.name] -= 1
        if run.hangs:
            self._hanging[run.name] -= 1
            self._log("a step that had not ended in its time has ended", run)

    def _log(self, text: str, run: _Run) -> None:
        fields = {"step": run.name, "seconds": round(monotonic() - run.began, 1), "hanging": self._hanging[run.name]}
        _logger.warning(text, extra={"fields": fields})


class _Run:
    """A call of a function in a thread."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, ended: Callable[[_Run], None]) -> None:
        self.name = name
        self.began = monotonic()
        self.answer: asyncio.Future[Any] = loop.create_future()
        self.has_ended = self.hangs = False
        self._loop = loop
        self._tell = ended

    def start(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Begin with it. Raises RuntimeError if the system lets no thread begin."""
        Thread(target=self._work, args=(function, arguments), name=f"step {self.name}", daemon=True).start()

    def _work(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        result, failure = None, None
        try:
            result = function(*arguments)
        except BaseException as exc:  # noqa: BLE001 - code of a package raises anything
            self._log(exc)
            failure = StepFailed(_told(exc))
        with suppress(RuntimeError):  # the service has ended
            self._loop.call_soon_threadsafe(self._settle, result, failure)

    def _log(self, failure: BaseException) -> None:
        """Log a failure, with its traceback unless the text of the exception is withheld: steps see definitions."""
        fields = {"step": self.name, "error": type(failure).__name__}
        shown = None if logs.is_withheld(MESSAGE) else failure
        _logger.warning("a step of an installed package failed", extra={"fields": fields}, exc_info=shown)

    def _settle(self, result: Any, failure: StepFailed | None) -> None:
        self.has_ended = True
        self._tell(self)
        if self.answer.done():
            return
        if failure is None:
            self.answer.set_result(result)
        else:
            self.answer.set_exception(failure)


def _told(failure: BaseException) -> str:
    """Return what an exception of a package says; its text is code of the package, too, and may fail."""
    name = type(failure).__name__
    try:
        return f"{name}: {failure}"[:400]
    except BaseException:  # noqa: BLE001 - as what a step raises itself, this may be anything
        return name
