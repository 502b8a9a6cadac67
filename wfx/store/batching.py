"""Batches concurrent requests to the store: group commit for writes, common look-ups for reads.

A store answers one question about as fast as fifty: the way into its thread, the transaction and the sync are what
costs. So whatever arrives while the store is busy waits, and goes in together when it is free. This gives group commit
to writes and common look-ups to reads; it knows nothing of either.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from wfx.domain.errors import StoreBusy, StoreError, StoreUnavailable

log = logging.getLogger(__name__)

Item = TypeVar("Item")
_TURNS = 3
"""Turns of the loop before a batch, so that those just answered can be on it again: in the first their answers are
sent, in the second what they ask next is read, in the third it comes here. Without them two halves take turns."""
_PATIENCE = 3.0
"""Seconds in the queue, behind a batch that failed, from which on an item is told so and not tried itself: together
with what a batch may take, no item waits longer than ten seconds."""
Answers = Sequence[Any]
"""One for each item, in order: its result, or the exception to raise for it, or :data:`LARGE` or :data:`AGAIN`."""
OnBatch = Callable[[int, float], None]
"""Observes batches: is called with the number of items, and the seconds until they were answered."""
LARGE = object()
"""The answer to an item that turned out to be large and was not handled; it becomes a batch of its own."""
AGAIN = object()
"""The answer to an item that was not handled since it must be seen anew; it goes to the front of the next batch."""


_NOT_TRIED = "the store has no answer to the changes before this one; this one was not made"


class _Entry(NamedTuple, Generic[Item]):
    """An item that waits, since a moment of the loop's clock."""

    item: Item
    answer: asyncio.Future[Any]
    since: float


def ignore_batch(_size: int, _seconds: float) -> None:
    """Observe nothing."""


class Batcher(Generic[Item]):
    """A bounded queue of items and the one task that hands them on, many at a time, in the order of arrival.

    Large items have a queue of their own. Each is a batch, and between two of them everything small has its turn, so
    that nothing small waits for more than one of them.

    Nobody waits for ever: should the task end before :meth:`close`, then all who wait, and all who come later, are
    told that the store is unavailable.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Answers]],
        *,
        at_most_waiting: int,
        at_most_together: int,
        exclusive: Callable[[Item], bool] = lambda _: False,
        joins: Callable[[Item, Item], bool] = lambda _first, _other: False,
        large: Callable[[Item], bool] = lambda _: False,
        stuck: Callable[[StoreError], bool] = lambda _: False,
        on_batch: OnBatch = ignore_batch,
    ) -> None:
        """Start the task in the running loop; :meth:`close` ends it.

        An ``exclusive`` item is a whole batch, with those behind it that ``joins`` says go with the first one.
        ``run`` answers a batch, or raises a StoreError that fails all of it. Any other exception means that some item
        of the batch is at fault, so each is run again by itself: ``run`` must have changed nothing then. Where the
        store is ``stuck``, those who have waited for long behind the batch are refused, too, and have changed nothing.
        """
        self._run = run
        self._at_most_waiting = at_most_waiting
        self._at_most_together = at_most_together
        self._is_exclusive = exclusive
        self._joins = joins
        self._is_large = large
        self._is_stuck = stuck
        self._on_batch = on_batch
        self._waiting: deque[_Entry[Item]] = deque()
        self._large: deque[_Entry[Item]] = deque()
        self._large_is_due = False
        self._arrived = asyncio.Event()
        self._failure: StoreError | None = None  # of all of the batch before
        self._taken: Sequence[_Entry[Item]] = ()  # the batch that is being answered
        self._closing = False
        self._refusal = "the store is closed"
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._work())
        self._task.add_done_callback(self._ended)

    @property
    def waiting(self) -> int:
        """How many items wait for their batch."""
        return len(self._waiting) + len(self._large)

    async def submit(self, item: Item) -> Any:
        """Return the answer to the item. A caller that is cancelled leaves the others alone.

        Raises StoreUnavailable when too many wait already, after :meth:`close`, or when the task has ended.
        """
        if self._closing:
            raise StoreUnavailable(self._refusal)
        if len(self._waiting) + len(self._large) >= self._at_most_waiting:
            raise StoreUnavailable("the store is overloaded: too many requests wait for it; try again later")
        answer: asyncio.Future[Any] = self._loop.create_future()
        (self._large if self._is_large(item) else self._waiting).append(_Entry(item, answer, self._loop.time()))
        self._arrived.set()
        try:
            return await answer
        finally:
            del answer  # its exception has this frame in its traceback: a cycle, and all of the request would lie in it

    async def close(self) -> None:
        """Refuse new items, answer those that wait, and end."""
        self._closing = True
        self._arrived.set()
        await asyncio.wait([self._task])

    def require(self) -> None:
        """Raise StoreUnavailable if the task has ended, so that nothing will be answered any more."""
        if self._task.done():
            raise StoreUnavailable(self._refusal)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """See that nobody waits for a task that has ended before its time."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            return
        self._closing = True
        self._refusal = f"the store has stopped working after an unexpected {type(error).__name__}; restart the service"
        log.error(self._refusal, exc_info=error)
        for each in (*self._taken, *self._waiting, *self._large):
            _settle(each.answer, StoreUnavailable(self._refusal))
        self._waiting.clear()
        self._large.clear()
        self._taken = ()

    async def _work(self) -> None:
        answered = 0  # in the batch before
        while self._waiting or self._large or not self._closing:
            await self._arrived.wait()
            self._arrived.clear()
            alone = answered == 1  # one caller that asks again after each answer: nobody else would come meanwhile
            while self._waiting or self._large:
                for _ in range(0 if alone else _TURNS):
                    await asyncio.sleep(0)
                self._taken = self._take()
                await self._serve(self._taken)
                answered, alone = len(self._taken), False
                self._taken = ()

    def _take(self) -> list[_Entry[Item]]:
        if self._large and (self._large_is_due or not self._waiting):
            self._large_is_due = False
            return [self._large.popleft()]
        self._large_is_due = True
        taken = list(islice(self._waiting, self._at_most_together))
        for place, each in enumerate(taken):
            if self._is_exclusive(each.item):
                end = max(place, 1)
                while place == 0 and end < len(taken) and self._joins(each.item, taken[end].item):
                    end += 1
                del taken[end:]
                break
        for _ in taken:
            self._waiting.popleft()
        return taken

    async def _serve(self, batch: Sequence[_Entry[Item]]) -> None:
        wanted = [each for each in batch if not each.answer.done()]
        if wanted:
            began = self._loop.time()
            self._failure = None
            answers = await self._answers([each.item for each in wanted])
            seconds = self._loop.time() - began
            again = []
            for each, answer in zip(wanted, answers, strict=True):
                if answer is LARGE:
                    self._large.append(each)
                elif answer is AGAIN:
                    again.append(each)
                else:
                    _settle(each.answer, answer)
            self._waiting.extendleft(reversed(again))
            self._refuse_impatient()
            self._observe(len(wanted), seconds)

    def _refuse_impatient(self) -> None:
        """Refuse those who have waited so long, behind a batch for which the store was stuck, that it is too late."""
        failure = self._failure
        if failure is None or not self._is_stuck(failure):
            return
        before = self._loop.time() - _PATIENCE
        for queue in (self._waiting, self._large):
            late = [each for each in queue if each.since < before]
            kept = [each for each in queue if each.since >= before] if late else ()
            for each in late:
                _settle(each.answer, _copy(failure) if isinstance(failure, StoreBusy) else StoreBusy(_NOT_TRIED))
            if late:
                queue.clear()
                queue.extend(kept)

    def _observe(self, size: int, seconds: float) -> None:
        try:
            self._on_batch(size, seconds)
        except Exception:  # whoever observes fails no batch
            log.exception("cannot observe a batch of the store")

    async def _answers(self, items: Sequence[Item]) -> Answers:
        try:
            return await self._run(items)
        except StoreError as exc:
            self._failure = exc
            return [_copy(exc) for _ in items]
        except Exception as exc:  # noqa: BLE001 - it goes to the caller whose item caused it
            if len(items) == 1:
                return [exc]
        return [(await self._answers([item]))[0] for item in items]


def _settle(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(as_exception(answer))
    else:
        future.set_result(answer)


def as_exception(error: BaseException) -> Exception:
    """Return the error, or one in its place that a caller can be given and that ends no task or program."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):  # which no future takes
        return error
    told = RuntimeError(f"an operation of the store raised {type(error).__name__}")
    told.__cause__ = error
    return told


def _copy(error: StoreError) -> StoreError:
    """One exception object per caller: each that raises it adds its own traceback."""
    copy = type(error)(*error.args)
    copy.__cause__ = error
    return copy
