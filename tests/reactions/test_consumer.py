"""Rules at work on the log of each kind of store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from reactions.at_work import at_work, rule_file, tags_of

from tests.store.samples import FLOW, all_jobs, begin, move, tag, whole_log
from tests.waiting import until
from wfx.domain.cause import Cause
from wfx.domain.errors import StepTaken, StoreUnavailable
from wfx.domain.job import Action
from wfx.domain.workflow import Workflow
from wfx.reactions.effects import MOST_IN_CHAIN, Outcome
from wfx.reactions.log_reader import LogReader
from wfx.reactions.turn import NAME
from wfx.rules.graph import Graph
from wfx.store.protocol import Consumer, Store
from wfx.store.rule_records import TaskQuery, TaskState

ROLL_BACK = """
version: v1
scenarios:
  - id: roll_back
    event_types: [job.update_status]
    children:
      - condition:
          id: entered
          expression: 'payload.to == "DONE" AND payload.from != payload.to AND NOT payload.tags contains "back"'
          children:
            - action: {id: mark, type: add_tags, params: {tags: [failed]}}
            - action:
                id: back
                type: create_job
                params: {client_id: "${payload.client}", workflow: "${payload.workflow}", tags: [back]}
            - action: {id: tell, type: webhook_notify, params: {url: "https://hooks.example.com/x"}}
            - action:
                id: count
                type: reward_points
                params: {operation: award, points: 1, actor_id: "${payload.client}"}
"""
AGAIN = """
version: v1
scenarios:
  - id: again
    event_types: [job.create]
    children:
      - action: {id: create_again, type: create_job, params: {client_id: a, workflow: demo.flow, tags: [again]}}
"""
BRANCHING = """
version: v1
scenarios:
  - id: first
    event_types: [job.create]
    children:
      - action: {id: a, type: create_job, params: {client_id: a, workflow: demo.flow}}
      - action: {id: b, type: create_job, params: {client_id: b, workflow: demo.flow}}
  - id: second
    event_types: [job.create]
    children:
      - action: {id: c, type: create_job, params: {client_id: c, workflow: demo.flow}}
      - action: {id: d, type: create_job, params: {client_id: d, workflow: demo.flow}}
"""


async def test_an_event_has_its_effects_with_their_cause(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """A change that a rule is for creates a job, tags the old one, gives points, queues a task, and is their cause."""
    assert flow.name == FLOW.name
    async with at_work(store, rule_file(tmp_path, ROLL_BACK)) as work:
        job = await store.create_job(FLOW.name, begin("press-7"))
        await store.change_job(job.id, move("RUN"), cause=Cause("r1", "south").encoded)
        await store.change_job(job.id, move("DONE"), cause=Cause("r2", "south").encoded)
        await work.settled()
    first, back = await all_jobs(store)
    assert (tags_of(first), tags_of(back), back.client_id) == (["failed"], ["back"], "press-7")
    events = await whole_log(store)
    done = next(event for event in events if event.action is Action.UPDATE_STATUS and b"DONE" in event.payload)
    caused = [(each.action, each.cause) for each in events if each.seq > done.seq]
    cause = Cause("r2", "south", "rule:roll_back", done.seq, 1)
    assert caused == [(Action.ADD_TAGS, cause), (Action.CREATE, cause)]
    assert await store.score_totals(["press-7"]) == {"press-7": 1}
    (task,) = await store.list_tasks(TaskQuery())
    log_id = (await store.log_bounds()).log_id
    assert (task.key, task.kind, task.state) == (f"{log_id}/{done.seq}/tell", "webhook_notify", TaskState.WAITING)
    assert work.created == {FLOW.name: 1}
    outcomes = {("webhook_notify", Outcome.QUEUED): 1} | {
        (kind, Outcome.DONE): 1 for kind in ("add_tags", "create_job", "reward_points")
    }
    assert work.figures.actions == outcomes


async def test_a_refused_action_stops_nothing(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """Of the actions for an event each that is refused has a result that says why; the others are taken."""
    text = f"""
version: v1
scenarios:
  - id: all_kinds
    event_types: [job.create]
    children:
      - action: {{id: nobody, type: add_tags, params: {{tags: [x], job_id: nobody}}}}
      - action: {{id: nothing, type: create_job, params: {{client_id: a, workflow: nothing}}}}
      - action: {{id: wrong, type: update_status, params: {{state: DONE}}}}
      - action: {{id: no_value, type: add_tags, params: {{tags: "${{payload.none}}"}}}}
      - action: {{id: null_character, type: add_tags, params: {{tags: ["a\\0"]}}}}
      - action: {{id: too_much, type: reward_points, params: {{operation: award, points: 1e90}}}}
      - action: {{id: good, type: add_tags, params: {{tags: [good]}}}}
  - id: definition
    event_types: [job.create]
    children:
      - action: {{id: deep, type: update_definition, params: {{definition: {{a: {"[" * 100 + "1" + "]" * 100}}}}}}}
"""
    assert flow
    async with at_work(store, rule_file(tmp_path, text)) as work:
        await store.create_job(FLOW.name, begin())
        await work.settled()
    (job,) = await all_jobs(store)
    assert tags_of(job) == ["good"]
    assert work.figures.actions == {
        ("add_tags", Outcome.NOT_FOUND): 1,
        ("create_job", Outcome.NOT_FOUND): 1,
        ("update_status", Outcome.REFUSED): 1,
        ("add_tags", Outcome.INVALID): 2,
        ("reward_points", Outcome.INVALID): 1,
        ("add_tags", Outcome.DONE): 1,
        ("update_definition", Outcome.INVALID): 1,
    }
    assert work.figures.failures["definition"].element_id == "deep"


async def test_a_new_consumer_begins_at_the_head_and_goes_on_where_it_was(
    store: Store, flow: Workflow, tmp_path: Path
) -> None:
    """What happened before the first rules were loaded has no effects; what happens while none run has them later."""
    source = rule_file(tmp_path, ROLL_BACK)
    jobs = [await store.create_job(flow.name, begin(f"c{number}")) for number in range(3)]
    for job in jobs:
        await store.change_job(job.id, move("RUN"))
    await store.change_job(jobs[0].id, move("DONE"))
    async with at_work(store, source) as work:
        await store.change_job(jobs[1].id, move("DONE"))
        await work.settled()
    await store.change_job(jobs[2].id, move("DONE"))
    async with at_work(store, source) as work:
        await work.settled()
    assert [job.client_id for job in (await all_jobs(store))[3:]] == ["c1", "c2"]


async def test_without_rules_there_is_no_consumer(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """While no rule is loaded, or all are disabled, the store has no consumer; once there is one, it begins."""
    source = rule_file(tmp_path, AGAIN.replace("    event_types", "    enabled: false\n    event_types"))
    async with at_work(store, source, limit=1) as work:
        await store.create_job(flow.name, begin())
        assert await store.consumers() == []
        rule_file(tmp_path, AGAIN)
        assert await work.rules.reload()
        await until(lambda: work.rules.graph is not None and work.rules.graph.by_type)
        while not await store.consumers():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        await store.create_job(flow.name, begin())
        await work.settled()
    assert len(await all_jobs(store)) == 3


async def test_rules_for_events_from_outside_need_no_consumer(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """While no rule is for changes of jobs nobody follows the log; a rule that is begins with what comes then."""
    following: Any = Following(store)
    outside = AGAIN.replace("job.create", "purchase")
    async with at_work(following, rule_file(tmp_path, outside), limit=1) as work:
        await store.create_job(flow.name, begin())
        assert (await store.consumers(), following.followers) == ([], 0)
        rule_file(tmp_path, AGAIN)
        assert await work.rules.reload()
        while not await store.consumers():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        await store.create_job(flow.name, begin())
        await work.settled()
        assert following.followers == 1
        rule_file(tmp_path, outside)
        assert await work.rules.reload()
        await until(lambda: not following.open)
    assert len(await all_jobs(store)) == 3


async def test_jobs_are_read_only_for_events_that_need_it(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """Of reports that conditions on what they tell already rule out, none has the store asked for tags."""
    following: Any = Following(store)
    async with at_work(following, rule_file(tmp_path, ROLL_BACK)) as work:
        job = await store.create_job(flow.name, begin())
        for number in range(20):
            await store.change_job(job.id, move("RUN", message=str(number)))
        await work.settled()
        assert (following.jobs_read, work.figures.events["job.update_status"]) == (0, 20)
        await store.change_job(job.id, move("DONE"))
        await work.settled()
    assert following.jobs_read == 1
    assert len(await all_jobs(store)) == 2


async def test_rules_that_feed_themselves_stop_at_the_limit(
    store: Store, flow: Workflow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A rule that creates a job for each new job creates as many as the limit says, and one warning; then it rests."""
    async with at_work(store, rule_file(tmp_path, AGAIN), limit=5) as work:
        await store.create_job(flow.name, begin())
        await work.settled()
        head = (await store.log_bounds()).head
    created = [job for job in await all_jobs(store) if tags_of(job) == ["again"]]
    assert len(created) == 5
    assert work.figures.limited == 1
    warnings = [record for record in caplog.records if record.message == "an action of a rule was not taken"]
    assert [record.__dict__["fields"]["outcome"] for record in warnings] == ["limited"]
    depths = [event.cause and event.cause.depth for event in await whole_log(store)]
    assert depths[-5:] == [1, 2, 3, 4, 5]
    assert (await store.log_bounds()).head == head


async def test_the_limit_outlives_the_process(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """How often an action was taken in a chain is known to whoever goes on."""
    source = rule_file(tmp_path, AGAIN)
    async with at_work(store, source, limit=2) as work:
        await store.create_job(flow.name, begin())
        await work.settled()
    last = (await whole_log(store))[-1]
    await store.create_job(flow.name, begin(), cause=last.encoded_cause or Cause().encoded)
    async with at_work(store, source, limit=2) as work:
        await work.settled()
    assert (len(await all_jobs(store)), work.figures.limited) == (4, 1)


async def test_without_a_limit_a_chain_still_ends(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """A chain has at most 16 events in a row that rules bring about, whatever the limit is."""
    async with at_work(store, rule_file(tmp_path, AGAIN)) as work:
        await store.create_job(flow.name, begin())
        await work.settled()
    assert len(await all_jobs(store)) == 17


async def test_a_chain_that_branches_ends(
    store: Store, flow: Workflow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two rules that each create two jobs for each new one create some thousand of them, not millions; then they rest.

    One warning names the chain. The next chain has as many again.
    """
    async with at_work(store, rule_file(tmp_path, BRANCHING)) as work:
        for number in (1, 2):
            await store.create_job(flow.name, begin())
            await work.settled()
            assert (await store.log_bounds()).head == 1 + number * (1 + 4 + MOST_IN_CHAIN)
    warnings = [each.__dict__["fields"] for each in caplog.records if "action of a rule" in each.message]
    assert [each["root"] for each in warnings] == ["2", str(2 + 1 + 4 + MOST_IN_CHAIN)]
    assert {each["rule"] for each in warnings} <= {"first", "second"}
    assert work.figures.limited > len(warnings)


async def test_events_in_a_row_see_what_the_ones_before_did(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """Points, sequences and tags that come of an event count for the next one, also where both are done together."""
    text = """
version: v1
scenarios:
  - id: count
    event_types: [job.update_status]
    children:
      - condition:
          id: twice
          expression: score(payload.client) >= 2
          children:
            - action: {id: third, type: add_tags, params: {tags: ["third-${seq:next(\\"n\\")}"]}}
      - condition:
          id: first
          expression: NOT payload.tags contains "seen"
          children:
            - action: {id: seen, type: add_tags, params: {tags: [seen, "number-${seq:nextNumber(\\"n\\")}"]}}
      - action: {id: point, type: reward_points, params: {operation: award, points: 1}}
"""
    source = rule_file(tmp_path, text)
    async with at_work(store, source):
        pass  # the consumer is there
    jobs = [await store.create_job(flow.name, begin("c")) for _ in range(4)]
    for job in jobs:
        await store.change_job(job.id, move("RUN"))
    await store.change_job(jobs[0].id, move("DONE"))
    async with at_work(store, source) as work:
        await work.settled()
    assert [tags_of(job) for job in await all_jobs(store)] == [
        ["number-1", "seen", "third-000007"],
        ["number-2", "seen"],
        ["number-4", "seen", "third-000003"],
        ["number-6", "seen", "third-000005"],
    ]
    assert await store.score_totals(["c"]) == {"c": 5}
    assert await store.sequences(["n"]) == {"n": 7}


async def test_two_that_race_do_everything_once(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """Of several that work on the same log at once, without a lease, each effect comes once."""
    source = rule_file(tmp_path, ROLL_BACK)
    async with at_work(store, source), at_work(store, source), at_work(store, source) as work:
        jobs = [await store.create_job(flow.name, begin(f"c{number}")) for number in range(30)]
        for state in ("RUN", "DONE"):
            await asyncio.gather(*(store.change_job(job.id, move(state)) for job in jobs))
        await work.settled()
    found = await all_jobs(store)
    assert sorted(job.client_id for job in found if tags_of(job) == ["back"]) == sorted(f"c{n}" for n in range(30))
    assert len(await store.list_tasks(TaskQuery(limit=100))) == 30
    assert sum(event.action is Action.ADD_TAGS for event in await whole_log(store)) == 30
    clients = [f"c{number}" for number in range(30)]
    assert await store.score_totals(clients) == dict.fromkeys(clients, 1)


async def test_one_of_several_works_at_a_time(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """Who has not the lease does nothing until it is free."""
    source = rule_file(tmp_path, ROLL_BACK)
    async with at_work(store, source, is_shared=True) as work:
        job = await store.create_job(flow.name, begin())
        await store.change_job(job.id, move("RUN"))
        await store.change_job(job.id, move("DONE"))
        await work.settled()
    assert len(await all_jobs(store)) == 2


class Following:
    """A store that counts who follows its log, and how often a job is read."""

    def __init__(self, store: Store) -> None:
        """Pass everything to this store."""
        self._store = store
        self.followers = self.open = self.jobs_read = 0

    def __getattr__(self, name: str) -> Any:
        """Return what the store has."""
        return getattr(self._store, name)

    def follow_log(self) -> Any:
        """Count a follower, until it is closed."""
        self.followers += 1
        self.open += 1
        follower = self._store.follow_log()
        close = follower.aclose

        async def aclose() -> None:
            self.open -= 1
            await close()

        follower.aclose = aclose  # type: ignore[method-assign]
        return follower

    async def get_job(self, *what: Any) -> Any:
        """Count a read."""
        self.jobs_read += 1
        return await self._store.get_job(*what)


class Unwell:
    """A store whose steps fail as often as it is told, before or after they are taken."""

    def __init__(self, store: Store) -> None:
        """Pass everything to this store."""
        self._store = store
        self.failures: list[Exception] = []
        self.is_lost = False
        """Whether the answers of failing steps are lost, and nothing else."""

    def __getattr__(self, name: str) -> Any:
        """Return what the store has."""
        return getattr(self._store, name)

    async def step(self, *what: Any) -> Sequence[Any]:
        """Fail, or take a step."""
        if not self.failures:
            return await self._store.step(*what)
        if self.is_lost:
            await self._store.step(*what)
        raise self.failures.pop()


@pytest.mark.parametrize("is_lost", [False, True], ids=["nothing-done", "answer-lost"])
async def test_a_store_failure_is_tried_again(
    store: Store, flow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    """While the store does not answer the rules wait and try again: nothing is lost, nothing done twice."""
    monkeypatch.setattr("wfx.reactions.consumer._SHORTEST", 0.01)
    unwell: Any = Unwell(store)
    failures = 1 if is_lost else 3
    unwell.failures = [StoreUnavailable("the store does not answer") for _ in range(failures)]
    unwell.is_lost = is_lost
    async with at_work(unwell, rule_file(tmp_path, ROLL_BACK)) as work:
        job = await store.create_job(flow.name, begin("c"))
        await store.change_job(job.id, move("RUN"))
        await store.change_job(job.id, move("DONE"))
        await until(lambda: not unwell.failures)
        await work.settled()
    assert [tags_of(job) for job in await all_jobs(store)] == [["failed"], ["back"]]
    assert await store.score_totals(["c"]) == {"c": 1}
    assert work.fatals.count == failures


@pytest.mark.parametrize("refusal", [StoreUnavailable("the store does not answer"), StepTaken(NAME, 1, 1)])
async def test_a_store_that_fails_costs_no_tokens(
    store: Store, flow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    """However often a step is not stored, its actions have taken a token each, of all kinds and scopes."""
    monkeypatch.setattr("wfx.reactions.consumer._LONGEST", 0.01)
    unwell: Any = Unwell(store)
    limits = {
        "sandbox_rate_limit_instance_start": ("10/P1D", "client=2/P1D"),
        "sandbox_rate_limit_job_schedule": ("10/P1D", "workflow=9/P366D"),
    }
    async with at_work(unwell, rule_file(tmp_path, ROLL_BACK), **limits) as work:
        jobs = [await store.create_job(flow.name, begin(f"c{number}")) for number in range(3)]
        await work.settled()
        unwell.failures = [refusal] * 8
        for state in ("RUN", "DONE"):
            for job in jobs:
                await store.change_job(job.id, move(state))
        await until(lambda: not unwell.failures)
        await work.settled()
    assert len(await store.list_tasks(TaskQuery(kind="webhook_notify"), 10**6)) == 3
    states, _ = await work.limits.look("c1", flow.name)
    assert [(f"{state.kind} {state.scope}", state.left) for state in states] == [
        ("instance-start global", 7), ("instance-start client", 1),
        ("job-schedule global", 7), ("job-schedule workflow", 6),
    ]  # fmt: skip


async def test_what_cannot_be_written_costs_no_tokens(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """An event that is left out, since no store can write what it brings about, has taken no token."""
    unwell: Any = Unwell(store)
    async with at_work(unwell, rule_file(tmp_path, AGAIN), sandbox_rate_limit_instance_start=("10/P1D",)) as work:
        await work.settled()
        unwell.failures = [ValueError("not this one")]
        await store.create_job(flow.name, begin("c"))
        await until(lambda: not unwell.failures)
        await work.settled()
    states, _ = await work.limits.look()
    assert (len(await all_jobs(store)), [state.left for state in states]) == (1, [10])


async def test_a_store_that_fails_for_a_day(
    store: Store, flow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the store has failed in a row, the rules try again, and go on where they were."""
    monkeypatch.setattr("wfx.reactions.consumer._LONGEST", 0.01)
    unwell: Any = Unwell(store)
    async with at_work(unwell, rule_file(tmp_path, ROLL_BACK)) as work:
        job = await store.create_job(flow.name, begin("c"))
        await work.settled()
        work.consumer.steps.failures = 3000
        unwell.failures = [StoreUnavailable("the store does not answer")]
        await store.change_job(job.id, move("RUN"))
        await store.change_job(job.id, move("DONE"))
        await until(lambda: not unwell.failures)
        await work.settled()
    assert [tags_of(job) for job in await all_jobs(store)] == [["failed"], ["back"]]


async def test_what_no_store_can_write_is_left_out(store: Store, flow: Workflow, tmp_path: Path) -> None:
    """If the effects of an event cannot be stored they fail; those of the events around it are done."""

    class Picky(Unwell):
        async def step(self, *what: Any) -> Sequence[Any]:
            if any(getattr(each, "job_id", "") == jobs[1].id for each in what[4]):
                raise ValueError("not this one")
            return await self._store.step(*what)

    source = rule_file(tmp_path, ROLL_BACK)
    async with at_work(store, source):
        pass
    jobs = [await store.create_job(flow.name, begin(f"c{number}")) for number in range(3)]
    for state in ("RUN", "DONE"):
        for job in jobs:
            await store.change_job(job.id, move(state))
    picky: Any = Picky(store)
    async with at_work(picky, source) as work:
        await work.settled()
    assert [tags_of(job) for job in await all_jobs(store)] == [["failed"], [], ["failed"], ["back"], ["back"]]
    assert work.figures.actions["add_tags", Outcome.FAILED] == 1


async def test_fatal_errors_are_told_to_the_rules(
    store: Store, flow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures that stop the work become one event system.fatal a minute, for which rules may have actions."""
    text = """
version: v1
scenarios:
  - id: tell
    event_types: [system.fatal]
    children:
      - action:
          id: mail
          type: mail
          params: {to: [a@example.com], subject: "${payload.error}", text: "${payload.count} times"}
"""
    monkeypatch.setattr("wfx.reactions.consumer._SHORTEST", 0.01)
    unwell: Any = Unwell(store)
    unwell.failures = [StoreUnavailable("the store does not answer") for _ in range(2)]
    async with at_work(unwell, rule_file(tmp_path, text)) as work:
        await store.create_job(flow.name, begin())
        while not await store.list_tasks(TaskQuery()):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        work.fatals.note("once more")
        await store.create_job(flow.name, begin())
        await work.settled()
    (task,) = await store.list_tasks(TaskQuery())
    assert b'"subject":"the store does not answer","text":"' in task.input
    assert work.fatals.count == 3


async def test_a_crash_of_an_evaluation_stops_nothing(
    store: Store, flow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event whose evaluation fails in a way that nobody has foreseen is fatal, and the next one is evaluated."""
    from wfx.reactions import facts

    evaluate = facts.evaluate

    def crash(graph: Graph, event: Any, *others: Any) -> Any:
        if event.payload["client"] == "odd":
            raise KeyError("odd")
        return evaluate(graph, event, *others)

    monkeypatch.setattr(facts, "evaluate", crash)
    async with at_work(store, rule_file(tmp_path, AGAIN), limit=1) as work:
        await store.create_job(flow.name, begin("odd"))
        await store.create_job(flow.name, begin("even"))
        await work.settled()
    assert (len(await all_jobs(store)), work.fatals.count) == (3, 1)


async def test_events_without_effects_move_the_place_at_most_once_a_second(
    store: Store, flow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that bring nothing about cost the store no step each: the place is stored now and then."""
    monkeypatch.setattr("wfx.reactions.consumer._SAVE", 0.05)
    async with at_work(store, rule_file(tmp_path, ROLL_BACK)) as work:
        job = await store.create_job(flow.name, begin())
        for number in range(40):
            await store.change_job(job.id, tag(f"t{number}"))
        await work.settled()
        place = next(one for one in await store.consumers() if one.name == NAME)
    assert place.position == 42
    assert isinstance(place, Consumer)
    assert place.steps < 40


async def test_a_reader_misses_nothing_between_the_log_and_what_it_hears(store: Store, flow: Workflow) -> None:
    """Events that come while the log is read are returned once, in order."""
    reader = LogReader(store)
    seqs: list[int] = []
    for number in range(10):
        await store.create_job(flow.name, begin(f"c{number}"))
        if number % 3 == 0:
            seqs += [event.seq for event in await reader.read(1)]
    while len(seqs) < 11:
        seqs += [event.seq for event in await reader.read(1)]
    await reader.close()
    assert seqs == list(range(1, 12))
