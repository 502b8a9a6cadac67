"""Events from outside: the bounded queue, the time that an answer may take, and each id once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.reactions.incoming_events import AWARDED, CAUSE, FOOD, Loaded, Stalling, purchase
from tests.tuned import tuned
from tests.waiting import until
from wfx.domain.errors import EventQueueFull, EventTimedOut, StoreBusy, StoreUnavailable, TooManyStarted
from wfx.domain.json import encode
from wfx.reactions import event_queue, incoming
from wfx.reactions.admission import Admission
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.incoming import Incoming
from wfx.service.limits import Limits
from wfx.store.memory import open_memory


@asynccontextmanager
async def receiving(
    text: str = FOOD, limits: Limits | None = None, **engine: Any
) -> AsyncIterator[tuple[Incoming, Stalling, Loaded]]:
    """What takes events, its store, and its rules."""
    store = await open_memory()
    rules, stalling = Loaded.of(text, **engine), Stalling(store)
    try:
        admission = Admission(store, limits or Limits(tuned()))
        async with Incoming(stalling, rules, RuleFigures(), Fatals(), admission) as taking:
            yield taking, stalling, rules
            stalling.flows.set()
    finally:
        await store.close()


async def told(taking: Incoming, document: Any) -> dict[str, Any]:
    """The answer to an event."""
    answer: dict[str, Any] = json.loads(await taking.tell(document, CAUSE))
    return answer


async def points(stalling: Stalling, actor_id: str = "user_42") -> float:
    """The points of an actor."""
    return (await stalling.store.score_totals([actor_id]))[actor_id]


async def test_an_event_does_what_the_rules_say() -> None:
    """The answer names the event, the scenarios and the actions, and the points are there."""
    async with receiving() as (taking, stalling, _):
        answer = await told(taking, purchase(id="evt_01"))
        assert answer.pop("duration_ms") >= 0
        assert answer == {
            "event_id": "evt_01",
            "scenarios_matched": ["sc_high_value_food"],
            "actions_executed": [
                {"action_id": "act_bonus_points", "type": "reward_points", "success": True, "message": AWARDED}
            ],
        }
        assert await points(stalling) == 75


async def test_an_id_has_one_effect() -> None:
    """However often an event is told at once, and whatever it says, all get one answer and it is done once."""
    async with receiving() as (taking, stalling, _):
        events = [purchase(id="evt_01"), purchase(id="evt_01", type="other"), *[purchase(id="evt_01")] * 20]
        answers = await asyncio.gather(*(taking.tell(event, CAUSE) for event in events))
        assert len(set(answers)) == 1
        assert await points(stalling) == 75
        assert await taking.tell(purchase(id="evt_01"), CAUSE) == answers[0]


@pytest.mark.parametrize("members", [{}, {"id": ""}])
async def test_events_without_an_id_are_all_different(members: dict[str, str]) -> None:
    """An event without an id, or with an empty one, happens each time, and no answer is kept by the id it is given."""
    async with receiving() as (taking, stalling, _):
        first, second = await told(taking, purchase(**members)), await told(taking, purchase(**members))
        assert len(first["event_id"]) == 36
        assert first["event_id"] != second["event_id"]
        assert await points(stalling) == 150
        for one in (first, second):
            assert await stalling.read_event_answer(one["event_id"]) is None


async def test_what_does_nothing_is_not_written() -> None:
    """An event without an id that brings nothing about needs no store, and one with an id keeps its answer."""
    async with receiving() as (taking, stalling, rules):
        stalling.flows.clear()
        answer = await told(taking, purchase(payload={"amount": 500}))
        assert (answer["scenarios_matched"], answer["actions_executed"]) == ([], [])
        stalling.flows.set()
        first = await taking.tell(purchase(id="evt_01", type="unknown"), CAUSE)
        rules.graph = Loaded.of(FOOD.replace("[transaction]", "[unknown]")).graph
        assert await taking.tell(purchase(id="evt_01", type="unknown"), CAUSE) == first
        assert await points(stalling) == 0


async def test_the_queue_is_bounded() -> None:
    """As many events as queue_depth says wait or are worked on; one more is refused, and each end makes room."""
    async with receiving(queue_depth=10, event_workers=4) as (taking, stalling, _):
        stalling.flows.clear()
        waiting = [asyncio.create_task(taking.tell(purchase(), CAUSE)) for _ in range(8)]
        await until(lambda: len(taking.queue) == 8 and stalling.waiting == 4)
        assert not taking.queue.is_crowded
        waiting += [asyncio.create_task(taking.tell(purchase(), CAUSE)) for _ in range(2)]
        await until(lambda: len(taking.queue) == 10)
        assert taking.queue.is_crowded
        with pytest.raises(EventQueueFull, match=r"^event queue full \(capacity 10\)$"):
            await taking.tell(purchase(), CAUSE)
        assert (taking.outcomes["refused"], len(taking.queue)) == (1, 10)
        stalling.flows.set()
        await asyncio.gather(*waiting)
        assert (len(taking.queue), await points(stalling)) == (0, 750)


async def test_the_queue_is_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that have too many bytes together are refused, too, and their end makes room."""
    monkeypatch.setattr(event_queue, "MOST_BYTES", 400)
    async with receiving() as (taking, stalling, _):
        stalling.flows.clear()
        waiting = [asyncio.create_task(taking.tell(purchase(), CAUSE)) for _ in range(3)]
        await until(lambda: len(taking.queue) == 3)
        with pytest.raises(EventQueueFull, match=r"event queue full \(its events have 3\d\d bytes\)"):
            await taking.tell(purchase(), CAUSE)
        stalling.flows.set()
        await asyncio.gather(*waiting)
        await taking.tell(purchase(), CAUSE)


async def test_events_are_taken_in_their_order() -> None:
    """With one worker events are carried out in the order in which they came."""
    async with receiving(event_workers=1) as (taking, stalling, _):
        actors = [f"a{number}" for number in range(20)]
        await asyncio.gather(*(taking.tell(purchase(actor_id=actor), CAUSE) for actor in actors))
        assert [each.actor_id for each in await stalling.store.list_scores(0, 100)] == actors


@pytest.mark.parametrize("workers", [1, 3])
async def test_no_more_are_worked_on_than_may_be(workers: int) -> None:
    """As many events as event_workers says are in work at once, also after a reload has changed that."""
    async with receiving(event_workers=workers) as (taking, stalling, rules):
        stalling.flows.clear()
        waiting = [asyncio.create_task(taking.tell(purchase(), CAUSE)) for _ in range(12)]
        await until(lambda: len(taking.queue) == 12)
        assert stalling.waiting == workers
        rules.graph = Loaded.of(FOOD, event_workers=6).graph
        waiting.append(asyncio.create_task(taking.tell(purchase(), CAUSE)))
        await until(lambda: stalling.waiting == workers + 1)
        stalling.flows.set()
        await asyncio.gather(*waiting)


async def test_what_takes_too_long_does_nothing() -> None:
    """Past event_timeout_ms events are refused, those that wait and those that are worked on, and nothing is done."""
    async with receiving(event_timeout_ms=50, event_workers=2, queue_depth=8) as (taking, stalling, _):
        stalling.flows.clear()
        told_at_once = [taking.tell(purchase(id=f"evt_{number}"), CAUSE) for number in range(8)]
        refused = await asyncio.gather(*told_at_once, return_exceptions=True)
        assert {str(each) for each in refused} == {"the event was not evaluated within 50 ms; nothing was done"}
        assert all(isinstance(each, EventTimedOut) for each in refused)
        assert (len(taking.queue), taking.outcomes["timed_out"]) == (2, 8)
        stalling.flows.set()
        await until(lambda: len(taking.queue) == 0)
        assert await points(stalling) == 0
        assert (await told(taking, purchase(id="evt_0")))["actions_executed"][0]["success"]


async def test_what_is_being_written_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is being written an event is not said to have done nothing: the answer comes late."""
    async with receiving(event_timeout_ms=50) as (taking, stalling, _):
        store, expired = stalling.store, asyncio.Event()
        monkeypatch.setattr(taking, "_expire", lambda *parts: (Incoming._expire(taking, *parts), expired.set()))
        written, apply = asyncio.Event(), store.backend.apply  # type: ignore[attr-defined]

        async def slowly(*parts: Any) -> Any:
            await expired.wait()
            written.set()
            return await apply(*parts)

        monkeypatch.setattr(store.backend, "apply", slowly)  # type: ignore[attr-defined]
        answer = await told(taking, purchase())
        assert written.is_set()
        assert answer["actions_executed"][0]["success"]
        assert (await points(stalling), taking.outcomes["timed_out"]) == (75, 0)


async def test_who_leaves_takes_the_event_along() -> None:
    """An event that waits is not evaluated if its sender is gone."""
    async with receiving(event_workers=1) as (taking, stalling, _):
        stalling.flows.clear()
        first, second = (asyncio.create_task(taking.tell(purchase(), CAUSE)) for _ in range(2))
        await until(lambda: len(taking.queue) == 2)
        second.cancel()
        await until(lambda: len(taking.queue) == 1)
        stalling.flows.set()
        await first
        assert await points(stalling) == 75


async def test_a_batch_is_queued_as_far_as_there_is_room() -> None:
    """The first events of a batch are queued, and carried out later; if there is room for none, it is refused."""
    async with receiving(queue_depth=3, event_workers=1) as (taking, stalling, _):
        stalling.flows.clear()
        batch_id, queued = taking.queue_batch([purchase(actor_id=actor) for actor in "abcde"], CAUSE)
        assert (len(batch_id), queued) == (36, 3)
        with pytest.raises(EventQueueFull):
            taking.queue_batch([purchase()] * 4, CAUSE)
        assert taking.outcomes["refused"] == 6
        stalling.flows.set()
        await until(lambda: len(taking.queue) == 0)
        assert [each.actor_id for each in await stalling.store.list_scores(0, 100)] == ["a", "b", "c"]


async def test_a_batch_outlives_a_failure_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that were accepted are tried again when the store cannot do its work for a while, each done once."""
    monkeypatch.setattr(incoming, "_PAUSES", (0.0, 0.0))
    async with receiving(event_workers=1) as (taking, stalling, _):
        stalling.failures = [StoreUnavailable("gone"), StoreUnavailable("gone")]
        taking.queue_batch([purchase(), purchase(id="evt_01"), purchase(id="evt_01")], CAUSE)
        await until(lambda: len(taking.queue) == 0)
        assert (await points(stalling), taking.outcomes["evaluated"]) == (150, 3)


async def test_a_batch_that_fails_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """When events of a batch cannot be evaluated one record tells how many, and why."""
    monkeypatch.setattr(incoming, "_PAUSES", ())
    async with receiving(event_workers=1) as (taking, stalling, _):
        stalling.failures = [StoreUnavailable("the store is gone")] * 2
        with caplog.at_level(logging.ERROR):
            batch_id, _ = taking.queue_batch([purchase()] * 3, CAUSE)
            await until(lambda: len(taking.queue) == 0)
        (record,) = caplog.records
        assert vars(record)["fields"] == {"batch": batch_id, "failed": 2, "error": "the store is gone"}
        assert (taking.outcomes["failed"], await points(stalling)) == (2, 75)


TWO_MAILS = """
version: v1
scenarios:
  - id: mails
    event_types: [transaction]
    children:
      - action: {id: first, type: mail, params: {to: [a@example.com], subject: s, text: t}}
      - action: {id: second, type: mail, params: {to: [b@example.com], subject: s, text: t}}
"""


@pytest.mark.parametrize("named", [{}, {"id": "evt_01"}])
async def test_failures_cost_no_tokens(monkeypatch: pytest.MonkeyPatch, named: dict[str, str]) -> None:
    """However often the store fails, an accepted event takes the tokens of its actions once; so does one told twice."""
    monkeypatch.setattr(incoming, "_PAUSES", (0.0,) * 7)
    limits = Limits(tuned(sandbox_rate_limit_job_schedule=("7/P1D",)))
    async with receiving(TWO_MAILS, limits) as (taking, stalling, _):
        stalling.failures = [StoreUnavailable("gone") for _ in range(7)]
        taking.queue_batch([purchase(**named)], CAUSE)
        await until(lambda: len(taking.queue) == 0)
        states, _ = await limits.look()
        assert (taking.outcomes["evaluated"], states[0].left) == (1, 5)
        if named:
            await taking.tell(purchase(**named), CAUSE)
            assert (await limits.look())[0][0].left == 5


async def test_what_is_refused_takes_nothing() -> None:
    """An event of which one action has no token is refused, and has not used up those of the others."""
    limits = Limits(tuned(sandbox_rate_limit_job_schedule=("3/P1D",)))
    async with receiving(TWO_MAILS, limits) as (taking, stalling, _):
        stalling.failures = [StoreBusy("others hold a lock")]
        with pytest.raises(StoreBusy):
            await taking.tell(purchase(), CAUSE)
        await taking.tell(purchase(), CAUSE)
        for _ in range(2):
            with pytest.raises(TooManyStarted):
                await taking.tell(purchase(), CAUSE)
        assert (await limits.look())[0][0].left == 1


async def test_a_failure_is_told() -> None:
    """Who waits for an answer is told that the store cannot do its work."""
    async with receiving() as (taking, stalling, _):
        stalling.failures = [StoreUnavailable("gone")]
        with pytest.raises(StoreUnavailable, match="gone"):
            await taking.tell(purchase(), CAUSE)


async def test_numbers_are_drawn_once() -> None:
    """Events that draw from one sequence at the same time get all its numbers, each one."""
    async with receiving() as (taking, stalling, _):
        numbered = encode({"type": "numbered", "actor_id": "a"})
        answers = await asyncio.gather(*(told(taking, numbered) for _ in range(40)))
        assert all(each["actions_executed"][0]["success"] for each in answers)
        drawn = [each.reason for each in await stalling.store.list_scores(0, 100)]
        assert sorted(drawn) == [f"{number:06}" for number in range(1, 41)]


async def test_the_end_waits_for_what_is_queued(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is queued when the service stops is worked on for some seconds; what is left then is told."""
    async with receiving(event_workers=1) as (taking, stalling, _):
        taking.queue_batch([purchase()] * 30, CAUSE)
    assert taking.outcomes["evaluated"] == 30
    monkeypatch.setattr(incoming, "_PATIENCE", 0.0)
    async with receiving(event_workers=1) as (taking, stalling, _):
        stalling.flows.clear()
        taking.queue_batch([purchase()] * 3, CAUSE)
        await until(lambda: stalling.waiting == 1)
        await taking.__aexit__(None, None, None)
        with pytest.raises(StoreUnavailable, match="the service is stopping"):
            await taking.tell(purchase(), CAUSE)
    assert vars(caplog.records[0])["fields"] == {"lost": 3}


FAULTY = """
version: v1
engine: {fail_open: OPEN}
scenarios:
  - id: s
    event_types: [t]
    children:
      - condition: {id: c, expression: 'payload.n > 1', children: [{action: {id: a, type: reward_points, params: {
          operation: award, points: 1}}}]}
      - action: {id: b, type: reward_points, params: {operation: award, points_formula: payload.n * 2}}
      - action: {id: d, type: set_output, params: {expression: 'flw.setOutput("tier", "gold")'}}
"""


@pytest.mark.parametrize(("is_open", "members"), [
    ("true", {"scenarios_matched", "actions_executed", "outputs", "errors"}),
    ("false", {"scenarios_matched", "actions_executed", "errors"}),
])  # fmt: skip
async def test_what_fails_is_told(is_open: str, members: set[str]) -> None:
    """A condition that fails is named in ``errors``; with fail_open false the event does nothing."""
    async with receiving(FAULTY.replace("OPEN", is_open)) as (taking, stalling, _):
        answer = await told(taking, encode({"type": "t", "actor_id": "a", "payload": {"n": "many"}}))
        assert answer.keys() == members | {"event_id", "duration_ms"}
        assert len(answer["errors"]) == 1
        assert answer["errors"][0].startswith("condition c failed: ")
        succeeded = [(each["action_id"], each["success"]) for each in answer["actions_executed"]]
        assert succeeded == ([("b", False), ("d", True)] if is_open == "true" else [])
        assert answer.get("outputs") == ({"tier": "gold"} if is_open == "true" else None)
        assert await points(stalling, "a") == 0


@pytest.mark.parametrize("payload", [
    {"amount": 1e300, "category": "food"}, {"amount": 1501, "category": "\ud7ff\u0000"}, {"amount": 2**63},
    {"amount": [1501]}, {"amount": {}}, {},
])  # fmt: skip
async def test_no_payload_fails_the_store(payload: dict[str, Any]) -> None:
    """Whatever an event says, it is answered; what cannot be kept is an action without success."""
    reason = '"${payload.category}"'
    async with receiving(FOOD.replace("High-value food purchase bonus", reason)) as (taking, _, _):
        for members in ({}, {"id": "evt_01"}, {"actor_id": "x" * 255}, {"actor_id": "\U0001f600" * 255}):
            answer = await told(taking, purchase(payload=payload, **members))
            assert len(answer["event_id"]) > 5


@pytest.mark.parametrize("action", [
    *(f'flw.setOutput("x", {value})' for value in ("-payload.n", "[flw.math.abs(-payload.n)]", "payload.n")),
    *['flw.setOutput("x", [vars:get("x")])'] * 2,
])  # fmt: skip
async def test_outputs_are_told_or_named_as_an_error(action: str) -> None:
    """Whatever variables are set to, the event is answered, and what cannot be written is named."""
    actions = "".join(
        f"      - action: {{id: a{n}, type: set_output, params: {{expression: '{action}'}}}}\n" for n in range(300)
    )
    text = f"version: v1\nscenarios:\n  - id: s\n    event_types: [t]\n    children:\n{actions}"
    async with receiving(text) as (taking, _, _):
        answer = await told(taking, encode({"type": "t", "payload": {"n": 2**64 - 1}}))
        assert ("outputs" in answer) != any(
            "the outputs cannot be written" in each for each in answer.get("errors", ())
        )
