"""Events from outside on their way through the queue, and the batches that they came in."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from wfx.domain.cause import Cause
from wfx.domain.json import Json

log = logging.getLogger(__name__)


class Withdrawn(Exception):
    """Nobody waits for the event any more, and it is not to be carried out."""


@dataclass(slots=True)
class EventBatch:
    """Events that came together, and that nobody waits for."""

    id: str
    left: int
    """How many are not evaluated yet."""
    failures: list[str] = field(default_factory=list)

    def note(self, error: BaseException | None = None) -> None:
        """Note the end of one; the last one is followed by a log record if some failed."""
        self.left -= 1
        if error is not None:
            self.failures.append(str(error) or type(error).__name__)
        if not self.left and self.failures:
            fields = {"batch": self.id, "failed": len(self.failures), "error": self.failures[0]}
            log.error("events of a batch were not evaluated", extra={"fields": fields})


@dataclass(slots=True, eq=False)
class PendingEvent:
    """An event in the queue; either somebody waits for its answer, or it is of a batch."""

    document: Json
    cause: Cause
    answer: asyncio.Future[str] | None = None
    batch: EventBatch | None = None
    began: float = field(default_factory=time.monotonic)
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Names it for ever, at each attempt: its id may come again some day."""
    begin: Callable[[], None] = lambda: None
    """Is called before anything is written. Raises what forbids that."""
    _is_withdrawn: bool = False
    _is_carried_out: bool = False

    @property
    def size(self) -> int:
        """Bytes that it has."""
        return len(self.document)

    @property
    def milliseconds(self) -> int:
        """How long ago it came."""
        return int((time.monotonic() - self.began) * 1000)

    def withdraw(self) -> bool:
        """See that it is not carried out; tell whether that was possible."""
        self._is_withdrawn = not self._is_carried_out
        return self._is_withdrawn

    def carry_out(self) -> None:
        """See that it cannot be withdrawn any more. Raises Withdrawn if it was."""
        if self._is_withdrawn:
            raise Withdrawn
        self.begin()
        self._is_carried_out = True

    def settle(self, told: str | Exception) -> None:
        """Give the answer, or why there is none, to whoever waits for it."""
        error = told if isinstance(told, Exception) else None
        if self.batch is not None:
            self.batch.note(error)
        if self.answer is None or self.answer.done():
            return
        if isinstance(told, Exception):
            self.answer.set_exception(told)
        else:
            self.answer.set_result(told)
