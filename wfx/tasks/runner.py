"""Runner of tasks: claims what is due, performs it, and notes what became of it.

A task is claimed for a while. Whoever is killed in between leaves it to the next one once that is over, so each task is
performed at least once, and by one server at a time. The store compares the claim when the task is finished.

It asks the store when the next task is due, and sleeps until then, or until it is woken since one was written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Self

from wfx.domain.errors import Refused, StoreError
from wfx.domain.json import Json
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.store.protocol import Store
from wfx.store.rule_records import Task, TaskOutcome, TaskState
from wfx.store.upkeep import present
from wfx.tasks.attempt import Attempts
from wfx.tasks.counts import TaskCounts
from wfx.tasks.hastening import Hasten, hasten_limited
from wfx.tasks.performing import NotYet, Perform
from wfx.tasks.receivers import Receivers

Admit = Callable[[Task], Awaitable[float]]
"""Tells in how many seconds a task may be run; 0 means now, and then it is counted as run.

It is asked before each attempt. Work that was promised is never refused: it waits, and what is behind it waits, too.
Raises NotYet for a task that waits alone.
"""

CLAIM_SECONDS = 30.0
"""How long a claim lasts at least: longer than a task is held and performed, and its end written."""
_WRITING_SECONDS = 10.0
"""How long it may take to write the end of a task."""
FIRST = Timestamp(0)
"""When a task is due that comes before others."""
LOOK_SECONDS = 60.0
"""How often the store is asked while nothing is due: other servers may have left tasks."""
_HOLD_SECONDS = 5.0
"""How long claimed tasks are held because of a limit; what has to wait for longer is given back."""
_AGAIN_SECONDS = 0.5
"""When to ask again if the store said that a task is due, and somebody else has it."""
_TROUBLE_SECONDS = 5.0
"""When to ask again after the store has failed."""
_LONGEST_LIMIT = 60.0
"""Seconds for which nothing is claimed because of a limit, at most: it may have been lifted."""
_END_SECONDS = 3.0
"""How long attempts may go on when the runner ends."""
_EVERY_PLACE = 1 << 16
_logger = logging.getLogger(__name__)


async def _at_once(_: Task) -> float:
    return 0.0


async def _raise(exc: NotYet, _: Task) -> str:
    raise exc


class TaskRunner:
    """Runs tasks in the background; an asynchronous context manager."""

    def __init__(
        self,
        store: Store,
        performs: Mapping[str, Perform],
        attempts: Attempts,
        *,
        at_most: Callable[[], int],
        wait: Admit = _at_once,
        longest: float = 0.0,
        look: Callable[[], float] = lambda: LOOK_SECONDS,
        hasten: Hasten = hasten_limited,
        now: Callable[[], Timestamp] = present,
    ) -> None:
        """Run tasks of the kinds that there are performs for, ``at_most`` at once.

        An attempt may take up to ``longest`` seconds, if that is more than webhooks and mails take. While nothing is
        due, the store is asked every ``look()`` seconds. At its start, and at each :meth:`hurry`, it has tasks that
        wait for limits be due.
        """
        self._store = store
        self._kinds = tuple(performs)
        for kind in performs:
            attempts.counts.show(kind)
        self._performs = performs
        self._attempts = attempts
        self._at_most = at_most
        self._wait = wait
        self._claim = max(CLAIM_SECONDS, longest + _HOLD_SECONDS + _WRITING_SECONDS)
        self._look = look
        self._hasten_tasks = hasten
        self._is_hurried = True
        self._hurries = 0
        self._now = now
        self._woken, self._hurried = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[bool]] = set()
        self._receivers = Receivers(at_most)
        self._held: list[Task] = []
        self._batch = _EVERY_PLACE
        """How many tasks are claimed at once: few after a limit was reached, then more and more."""

    async def __aenter__(self) -> Self:
        """Begin in the background."""
        self._loop = asyncio.create_task(self._run(), name="tasks")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End, and give back what is not finished; leave before the store closes."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_END_SECONDS)
            for each in late:
                each.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with suppress(StoreError):
            await self._give_back(self._held)

    @property
    def counts(self) -> TaskCounts:
        """What this process has done."""
        return self._attempts.counts

    def wake(self) -> None:
        """Look for tasks now, since some were written."""
        self._woken.set()

    def hurry(self) -> None:
        """Check again what may begin, since limits have changed."""
        self._is_hurried = True
        self._hurries += 1
        self._hurried.set()
        self.wake()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                pause = await self._turn()
            except StoreError as exc:
                _logger.warning("cannot look for tasks, trying again later: %s", exc)
                pause = _TROUBLE_SECONDS
            except Exception:
                _logger.exception("looking for tasks failed, trying again later")
                pause = _TROUBLE_SECONDS
            if pause:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._woken.wait()

    async def _turn(self) -> float:
        """Begin with what is due and has a place; return how many seconds to sleep unless somebody wakes it."""
        if self._is_hurried:
            await self._hasten()
        free = self._at_most() - len(self._running)
        if free <= 0:
            return LOOK_SECONDS  # it is woken when one has ended
        due = await self._store.next_task_due(self._kinds)
        if due is None:
            return self._look()
        if (early := due - self._now()) > 0:
            return min(early / SECOND, LOOK_SECONDS)
        claimed = await self._store.claim_tasks(self._kinds, min(free, self._batch), self._claim)
        if not claimed:
            return _AGAIN_SECONDS
        self._held = [*claimed]
        return await self._begin_held()

    async def _begin_held(self) -> float:
        """Begin with the tasks that are held, one after the other, as limits allow; return how long they do not."""
        until = time.monotonic() + _HOLD_SECONDS
        while self._held:
            if not await self._has_place(self._held[0]):
                self._held.pop(0)
                continue
            hurries = self._hurries
            try:
                wait = await self._wait(self._held[0])
            except NotYet as exc:
                self._start(self._held.pop(0), partial(_raise, exc), hurries)
                continue
            if not wait:
                self._begin(self._held.pop(0))
            elif time.monotonic() + wait > until:
                await self._give_back(self._held)
                self._held, self._batch = [], 1
                await self._doze(min(wait, _LONGEST_LIMIT))
                return 0
            else:
                await self._doze(wait)
        self._batch = min(self._batch * 2, _EVERY_PLACE)
        return 0

    async def _doze(self, seconds: float) -> None:
        """Wait for a limit, or until limits change."""
        self._hurried.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()

    async def _hasten(self) -> None:
        """Have tasks that wait for limits be due, if there are any. Raises StoreError."""
        self._is_hurried = False
        try:
            if not (await self._store.count_open_tasks()).keys().isdisjoint(self._kinds):
                await self._hasten_tasks(self._store, self._kinds)
        except BaseException:
            self._is_hurried = True
            raise

    async def _has_place(self, task: Task) -> bool:
        """Wait for a place that a task's receiver may take; put the task off if that is slow, and tell so."""
        while (permit := self._receivers.permit_for(task)).hold:
            await asyncio.wait(self._running, timeout=permit.hold, return_when=asyncio.FIRST_COMPLETED)
        if permit.put_off:
            await self._give_back([task], Timestamp(self._now() + int(permit.put_off * SECOND)))
        return not permit.put_off

    def _begin(self, task: Task) -> None:
        self._receivers.begin(task)
        self._start(task, self._performs[task.kind], self._hurries)

    def _start(self, task: Task, perform: Perform, hurries: int) -> None:
        """Begin with an attempt, for which limits were as they were after so many changes."""
        running = asyncio.create_task(self._attempts.run(perform, task), name=f"task {task.id}")
        self._running.add(running)
        running.add_done_callback(partial(self._ended, task, hurries))

    def _ended(self, task: Task, hurries: int, running: asyncio.Task[bool]) -> None:
        self._receivers.end(task)
        self._running.discard(running)
        if hurries != self._hurries and not running.cancelled() and not running.exception() and running.result():
            self._is_hurried = True  # it waits for a limit that has changed meanwhile
        self.wake()

    async def _give_back(self, tasks: Sequence[Task], due: Timestamp = FIRST) -> None:
        """Let tasks that were not begun with be claimed then, or before all others: they had been due for longest."""
        for task in tasks:
            with suppress(Refused):
                await self._store.finish_task(task, TaskOutcome(TaskState.WAITING, task.result or Json(b"null"), due))
