"""Tokens for what was promised: who waits, who becomes a task, in which order, and how many of them there may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from tests.clock import Clock
from tests.tuned import tuned
from wfx.domain.cause import Cause
from wfx.domain.json import decode
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.limits.asks import LimitScope
from wfx.limits.policy import Kind
from wfx.reactions.admission import MOST, Admission
from wfx.reactions.effects import UNCOUNTED, Effects, effects_of_actions
from wfx.reactions.tokens import Owner, Token
from wfx.reactions.unused_tokens import MOST as UNUSED
from wfx.reactions.waiting_action import KIND
from wfx.reactions.waiting_lines import WaitingLines, line_of
from wfx.rules.evaluation import PlannedAction
from wfx.rules.graph import Action
from wfx.rules.own_actions import own_actions
from wfx.service.limits import Limits
from wfx.store.rule_protocol import RuleStore


class _Counted:
    """Stands for the store: so many actions wait."""

    def __init__(self) -> None:
        self.waiting = 0
        self.asked = 0

    async def count_open_tasks(self) -> Mapping[str, int]:
        self.asked += 1
        return {KIND: self.waiting}


class _World:
    """Admission with a clock that the test sets, and a store that counts."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.counted, self.tunables = Clock(), _Counted(), tuned(**settings)
        self.limits = Limits(self.tunables, clock=self.clock)
        self.admission = Admission(cast("RuleStore", self.counted), self.limits, self.now)
        self.paused = list[float]()

    def now(self) -> Timestamp:
        return Timestamp(int(self.clock.now * SECOND))

    async def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.clock.now += seconds

    async def admit(self, *clients: str, key: str = "log/1") -> Effects:
        return await self.admission.admit(_effects(*clients, key=key), self.pause)


def _effects(*clients: str, key: str = "log/1", owner: Owner = Owner("o", "w")) -> Effects:  # noqa: B008 - a tuple
    """Jobs for these clients, and a mail for each ``@``."""
    types = own_actions()
    planned = [
        PlannedAction(
            Action(f"a{place}", types["mail" if client == "@" else "create_job"], lambda _: {}),
            {"to": ["x@y"], "subject": "s", "text": "t"} if client == "@" else {"client_id": client, "workflow": "w"},
            "done",
        )
        for place, client in enumerate(clients)
    ]
    given: Any = {"cause": Cause(), "now": Timestamp(0), "lineage": UNCOUNTED, "owner": owner}
    return effects_of_actions("r", planned, key=key, **given)


def _waiting(effects: Effects) -> list[tuple[str, float]]:
    """The actions that became tasks that wait, and when these are due."""
    return [
        (decode(task.input)["action"], task.due / SECOND - 1000) for task in effects.records.tasks if task.kind == KIND
    ]


async def test_what_is_promised_waits() -> None:
    """Where a limit is for all, promised work begins as fast as it allows, one by one, and none of it is lost."""
    world = _World(sandbox_rate_limit_instance_start=("10/PT1M",))
    begun = list[float]()
    for number in range(30):
        effects = await world.admit("c", key=f"log/{number}")
        assert (len(effects.operations), effects.records.tasks) == (1, ())
        begun.append(world.clock.now - 1000)
    assert begun[:10] == [0] * 10
    assert begun[10:] == pytest.approx([6 * number for number in range(1, 21)], abs=0.01)
    assert world.counted.asked == 0


@pytest.mark.parametrize("limit", [(), ("2/P366D",)])
async def test_a_limit_that_changes_while_somebody_waits(limit: tuple[str, ...]) -> None:
    """Promised work that waits for the tokens of a year begins some seconds after the limit was raised or removed."""
    world = _World(sandbox_rate_limit_instance_start=("1/P366D",))

    async def pause(seconds: float) -> None:
        await world.pause(seconds)
        if world.clock.now > 1100:
            world.tunables.replace(tuned(sandbox_rate_limit_instance_start=limit).current)

    await world.admission.admit(_effects("c", "d"), pause)
    assert 1100 < world.clock.now < 1120


async def test_one_client_without_tokens_holds_up_nobody() -> None:
    """Its actions become tasks, due one by one as tokens come back; those of others, and other actions, are taken."""
    world = _World(sandbox_rate_limit_instance_start=("client=1/PT1H",))
    effects = await world.admit("c", "c", "d", "@", "c")
    assert [each.decide.keywords["client_id"] for each in effects.operations] == ["c", "d"]  # type: ignore[union-attr]
    assert _waiting(effects) == [("a1", 3600), ("a4", 7200)]
    assert [task.kind for task in effects.records.tasks] == [KIND, "mail", KIND]
    results = effects.answers(["one", "two"])
    assert [result.success for result in results] == [True] * 5
    assert results[1].message == "waits for the limit instance-start (client) as task log/1/a1/waiting"
    assert world.paused == []


async def test_tasks_take_tokens_of_the_client_of_their_event() -> None:
    """A limit on tasks for each client is asked for the one of the event's job, and only that client's tasks wait."""
    world = _World(sandbox_rate_limit_job_schedule=("client=1/PT1H", "workflow=3/PT1H"))
    made = [
        await world.admission.admit(_effects("@", key=f"log/{number}", owner=Owner(client, "w")), world.pause)
        for number, client in enumerate(("c", "c", "d", "e", "f"))
    ]
    assert [_waiting(each) for each in made] == [[], [("a0", 3600)], [], [], [("a0", 1200)]]
    assert made[4].actions[0].result.message.startswith("waits for the limit job-schedule (workflow)")
    assert not made[1].is_empty


async def test_nobody_overtakes_within_a_client() -> None:
    """While actions of a client wait, further ones wait behind them, also when a token has come back meanwhile."""
    world = _World(sandbox_rate_limit_instance_start=("client=1/PT1H",))
    await world.admit("c", "c", "c")
    world.clock.now += 3600.5
    later = await world.admit("c", "d", key="log/2")
    assert _waiting(later) == [("a0", 3 * 3600)]
    token = Token(Kind.INSTANCE_START, "c", "w")
    assert await world.admission.again("log/1/a1/waiting", token) is None
    found = await world.admission.again("log/1/a2/waiting", token)
    assert found == (Timestamp(int((1000.5 + 2 * 3600) * SECOND)), LimitScope.CLIENT)
    world.clock.now += 3600
    assert await world.admission.again("log/1/a2/waiting", token) is None
    world.clock.now += 3600
    assert await world.admission.again("log/2/a0/waiting", token) is None
    world.clock.now += 3600
    assert _waiting(await world.admit("c", key="log/3")) == []


async def test_an_action_that_waits_takes_one_token() -> None:
    """However often an action is tried whose end cannot be written, it has taken one token; the next takes its own."""
    world = _World(sandbox_rate_limit_instance_start=("client=3/P1D",))
    token = Token(Kind.INSTANCE_START, "c", "w")
    assert [await world.admission.again("log/1/a/waiting", token) for _ in range(9)] == [None] * 9
    world.admission.note_begun("log/1/a/waiting")
    assert [await world.admission.again(f"log/{number}/a/waiting", token) for number in (1, 2)] == [None] * 2
    assert await world.admission.again("log/3/a/waiting", token) is not None


async def test_only_so_many_tokens_are_kept() -> None:
    """Actions that other servers have done take no memory for ever: only the last of them can have tokens back."""
    world = _World(sandbox_rate_limit_instance_start=("1000000/P1D",))
    await world.admit("first")
    for number in range(200):
        await world.admit(*["c"] * 60, key=f"log/{number + 2}")
    assert len(world.admission._unused) == UNUSED
    await world.admit("first")
    assert world.limits.taken[Kind.INSTANCE_START, LimitScope.GLOBAL] == 12_002
    assert (await world.limits.look())[0][0].left == 1_000_000 - 12_002


async def test_tasks_that_are_tried_together_are_spread() -> None:
    """Of many that a server finds waiting, each is tried again when there is a token for it, in their order."""
    world = _World(sandbox_rate_limit_instance_start=("client=20/PT1M",))
    token = Token(Kind.INSTANCE_START, "c", "w")
    found = [await world.admission.again(f"log/{number}/a/waiting", token) for number in range(120)]
    assert found[:20] == [None] * 20
    dues = [each[0] / SECOND - 1000 for each in found[20:] if each is not None]
    assert dues == [3 * number for number in range(1, 101)]


async def test_who_waits_for_what_others_did_is_not_waited_for() -> None:
    """Actions that were due long ago, as those that another server has done, hold up nobody of their client."""
    world = _World(sandbox_rate_limit_instance_start=("client=1/PT1H",))
    await world.admit("c", "c")
    world.clock.now += 3600 + 130
    assert _waiting(await world.admit("c", key="log/2")) == []


async def test_the_number_of_those_that_wait_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """When 10,000 actions wait, the next one holds up the rules, as a record tells, until there is room or a token."""
    world = _World(sandbox_rate_limit_instance_start=("client=1/PT1H",))
    world.counted.waiting = MOST
    await world.admit("c")

    async def pause(seconds: float) -> None:
        await world.pause(seconds)
        if len(world.paused) == 7:
            world.counted.waiting = MOST - 1

    effects = await world.admission.admit(_effects("d", "c", key="log/2"), pause)
    assert _waiting(effects) == [("a1", 3600)]
    assert world.paused == [1.0] * 7
    (record,) = caplog.records
    assert record.getMessage() == "rules wait for a limit, and do nothing until then"
    fields = record.__dict__["fields"]
    assert (fields["limit"], fields["scope"], fields["client_id"], fields["waiting"]) == (
        "instance-start", "client", "c", MOST,
    )  # fmt: skip


async def test_what_cannot_be_kept_is_refused() -> None:
    """An action that has to wait and whose task no store can keep is refused with the reason, and holds up nobody."""
    world = _World(sandbox_rate_limit_instance_start=("client=1/PT1H",))
    effects = await world.admit("c", "c", "d", key="k" * 1195)
    assert [result.success for result in effects.answers([None] * 2)] == [True, False, True]
    assert "it has to wait for a limit, and cannot be kept: the key of a task" in effects.actions[1].result.message


async def test_without_limits_nothing_is_asked() -> None:
    """Without limits no store is asked, and effects are as they were."""
    world = _World(sandbox_rate_limit_job_execute=("client=1/PT1H",))
    effects = _effects("c", "@")
    assert await world.admission.admit(effects, world.pause) is effects
    assert await world.admission.admit_at_once(effects) is effects
    assert not world.admission.is_asked


async def test_lines_that_nobody_joins_are_forgotten() -> None:
    """A server remembers no action that another one has done, also of clients that never come again."""
    lines, wait = WaitingLines(), 60 * SECOND
    for number in range(1000):
        now = Timestamp(number * wait)
        token = Token(Kind.INSTANCE_START, f"client-{number}", "w")
        lines.put(f"log/{number}/a", line_of(token, LimitScope.CLIENT), Timestamp(now + wait), 60.0, now)
    assert len(lines._line_of) < 10
