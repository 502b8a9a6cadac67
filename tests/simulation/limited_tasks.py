"""Limits of a life, and what works on the tasks that wait for them, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.tuned import tuned
from wfx.domain.timestamp import Timestamp
from wfx.reactions.admission import Admission
from wfx.reactions.run_tokens import RunTokens
from wfx.reactions.waiting_action import KIND, WaitingActions
from wfx.rules.own_actions import WEBHOOK_NOTIFY
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.limits import Limits
from wfx.store.protocol import Store
from wfx.store.rule_records import Task
from wfx.tasks.attempt import Attempts
from wfx.tasks.hastening import hasten_all
from wfx.tasks.retry_plan import RetryPlan
from wfx.tasks.runner import TaskRunner
from wfx.tasks.runners import TaskRunners

POLICIES: tuple[dict[str, tuple[str, ...]], ...] = (
    {},
    {"instance_start": ("3/PT5S",), "job_execute": ("4/PT5S",)},
    {"instance_start": ("client=2/PT5S",), "job_execute": ("client=1/PT2S",)},
    {
        "instance_start": ("client=3/PT5S", "workflow=4/PT10S"),
        "job_schedule": ("client=2/PT3S",),
        "job_execute": ("workflow=2/PT2S", "5/PT2S"),
    },
)
"""Limits of which each life has some."""


class LimitedTasks:
    """What servers share: the limits, and the webhooks that were sent."""

    def __init__(self, chance: random.Random, clock: Callable[[], int]) -> None:
        """Draw the limits."""
        self._chance = chance
        self._now = lambda: Timestamp(clock())
        settings = {f"sandbox_rate_limit_{kind}": items for kind, items in chance.choice(POLICIES).items()}
        self._tunables = tuned(**settings)
        self.sent = Counter[str]()
        """Webhooks by the keys of their tasks."""
        self.waited = 0
        """Actions that waited as tasks."""

    def limits(self, virtual_time: Callable[[], float]) -> Limits:
        """Return the limits of a server, which has buckets of its own."""
        return Limits(self._tunables, clock=virtual_time)

    def admission(self, store: Store, limits: Limits) -> Admission:
        """Return what takes tokens for a consumer."""
        return Admission(store, limits, self._now)

    def runners(self, store: Store, limits: Limits, admission: Admission) -> TaskRunners:
        """Return what works on tasks at a server."""
        attempts = Attempts(store, RetryPlan((1.0,) * 50, self._chance.uniform), now=self._now)
        given: dict[str, Any] = {"look": lambda: 1.0, "now": self._now}
        waiting = WaitingActions(admission, BoundedCounts()).perform
        runner = partial(TaskRunner, store, attempts=attempts, **given)
        return TaskRunners(
            attempts.counts,
            runner({WEBHOOK_NOTIFY: self._send}, at_most=lambda: 3, wait=RunTokens(limits, self._now).wait),
            runner({KIND: partial(self._wait, waiting)}, at_most=lambda: 4, hasten=hasten_all),
        )

    async def _send(self, task: Task) -> str:
        await asyncio.sleep(self._chance.choice((0, 0.01, 1)))
        self.sent[task.key] += 1
        return "answered 204"

    async def _wait(self, perform: Callable[[Task], Any], task: Task) -> Any:
        self.waited += 1
        return await perform(task)
