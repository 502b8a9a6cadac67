"""Tokens of tasks that are run: whose bucket is asked, which of them wait alone, and when each is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clock import Clock
from tests.tuned import tuned
from wfx.domain.cause import Cause
from wfx.domain.json import Json, encode
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.limits.asks import LimitScope
from wfx.limits.policy import Kind
from wfx.reactions.effects import UNCOUNTED, effects_of_actions
from wfx.reactions.run_tokens import RunTokens
from wfx.reactions.tokens import NOBODY, Owner, Token
from wfx.reactions.waiting_action import WaitingActions, waiting_task
from wfx.rules.evaluation import PlannedAction
from wfx.rules.graph import Action
from wfx.rules.own_actions import own_actions
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.limits import Limits
from wfx.store.rule_records import NewTask, Task, TaskState
from wfx.tasks.performing import NotYet

MAIL = {"to": ["x@y"], "subject": "s", "text": "t"}


class _World:
    """Limits with a clock that the test sets."""

    def __init__(self, *items: str) -> None:
        self.clock = Clock()
        self.limits = Limits(tuned(sandbox_rate_limit_job_execute=items), clock=self.clock)
        self.tokens = RunTokens(self.limits, lambda: Timestamp(int(self.clock.now * SECOND)))

    async def wait(self, task: Task) -> float | tuple[float, str]:
        """Ask for a task; return the seconds that all wait for, or when it is due, and what it waits for alone."""
        try:
            return await self.tokens.wait(task)
        except NotYet as exc:
            return exc.due / SECOND - 1000, str(exc).removeprefix("waits for the limit job-execute ")


def _mail(owner: Owner, key: str = "log/1") -> NewTask:
    """Return the task that a mail becomes for an event of this owner."""
    planned = PlannedAction(Action("a", own_actions()["mail"], lambda _: {}), MAIL, "sent")
    given: Any = {"cause": Cause(), "now": Timestamp(0), "lineage": UNCOUNTED}
    (task,) = effects_of_actions("r", [planned], key=key, owner=owner, **given).records.tasks
    return task


def _claimed(new: NewTask) -> Task:
    moment = Timestamp(0)
    return Task(1, new.key, new.kind, TaskState.RUNNING, moment, 1, moment, moment, new.input, None, new.cause)


def _of(client_id: str, number: int, workflow: str = "w") -> Task:
    return _claimed(_mail(Owner(client_id, workflow), f"log/{number}"))


async def test_a_client_without_tokens_waits_alone() -> None:
    """Tasks of a client that has no token are due one by one as tokens come back; those of others are run."""
    world = _World("client=1/PT1H")
    asked = [await world.wait(_of(client_id, number)) for number, client_id in enumerate("aabac")]
    assert asked == [0, (3600, "(client)"), 0, (7200, "(client)"), 0]


async def test_a_workflow_without_tokens_waits_alone() -> None:
    """The same holds for workflows, and a refusal takes no token of the client."""
    world = _World("workflow=1/PT1H", "client=2/P1D")
    asked = [await world.wait(_of("a", number, workflow)) for number, workflow in enumerate("vvw")]
    assert asked == [0, (3600, "(workflow)"), 0]
    (state,) = [each for each in (await world.limits.look("a"))[0] if each.scope is LimitScope.CLIENT]
    assert state.left == 0


async def test_a_global_limit_has_all_wait() -> None:
    """Where the token of all is lacking, whoever asks is told how long, and nobody waits alone for that."""
    world = _World("1/PT1M", "client=2/PT1H")
    assert [await world.wait(_of(client_id, 1)) for client_id in "ab"] == [0, 60]
    world.clock.now += 60
    assert await world.wait(_of("b", 1)) == 0


async def test_nobody_overtakes_within_a_client() -> None:
    """While tasks of a client wait, further ones wait behind them, also when a token has come back meanwhile."""
    world = _World("client=1/PT1H")
    assert [await world.wait(_of("a", number)) for number in (1, 2)] == [0, (3600, "(client)")]
    world.clock.now += 3601
    assert await world.wait(_of("a", 3)) == (7200, "(client)")
    assert await world.wait(_of("a", 2)) == 0
    world.tokens.forget()
    world.clock.now += 3600
    assert await world.wait(_of("a", 4)) == 0


@pytest.mark.parametrize(
    "given", [MAIL, {**MAIL, "owner": "a"}, {**MAIL, "owner": ["a"]}, {**MAIL, "owner": ["a", 7]}, [], None]
)
async def test_tasks_without_an_owner(given: Any) -> None:
    """Tasks of older versions, which do not say whose they are, need tokens of global limits only."""
    world = _World("2/PT1H", "client=1/PT1H", "workflow=1/PT1H")
    task = _claimed(NewTask("log/1/a", "mail", encode(given), Timestamp(0)))
    assert [await world.wait(task) for _ in range(3)] == [0, 0, 1800]
    unreadable = task._replace(input=Json(b"null"), damage="it is sealed")
    assert await world.wait(unreadable) == 1800


async def test_tasks_of_events_from_outside() -> None:
    """Tasks of events that have no job need tokens of global limits only."""
    world = _World("client=1/PT1H", "workflow=1/PT1H")
    assert [await world.wait(_claimed(_mail(NOBODY))) for _ in range(3)] == [0, 0, 0]


async def test_an_action_that_waited_is_for_the_same_client() -> None:
    """A task that waited itself to be queued is still run for the client and the workflow of its event."""

    class Enough:
        async def again(self, key: str, token: Token) -> None:
            """Give each token."""

    planned = PlannedAction(Action("a", own_actions()["mail"], lambda _: {}), MAIL, "sent")
    given: Any = {"cause": Cause(), "now": Timestamp(0), "lineage": UNCOUNTED, "owner": Owner("c", "w")}
    ((_, promise),) = effects_of_actions("r", [planned], key="log/1", **given).promises
    assert promise.token.kind is Kind.JOB_SCHEDULE
    waiting = WaitingActions(Enough(), BoundedCounts())
    (task,) = (await waiting.perform(_claimed(waiting_task(promise, Timestamp(0))))).records.tasks
    assert (task.key, task.input) == ("log/1/a", _mail(Owner("c", "w")).input)


async def test_without_a_limit_nothing_is_asked() -> None:
    """Without limits each task is run at once."""
    world = _World()
    assert [await world.wait(_of("a", number)) for number in range(3)] == [0, 0, 0]
    assert not world.limits.taken
