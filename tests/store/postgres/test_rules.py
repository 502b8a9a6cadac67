"""Rules on several servers that share a database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.store.samples import FLOW, all_jobs, begin, together
from wfx.domain.errors import SequenceTaken, StepTaken, TaskTaken
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.store.opening import system_clock
from wfx.store.operations import CreateJob
from wfx.store.postgres.checking import check
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store
from wfx.store.rule_records import (
    NewTask,
    RuleRecords,
    ScoreEntry,
    Task,
    TaskOutcome,
    TaskState,
)

DONE = TaskOutcome(TaskState.DONE, Json(b"{}"))


@pytest.fixture
async def servers(servers: Sequence[Store]) -> Sequence[Store]:
    """Three stores on one database with a workflow."""
    await servers[0].create_workflow(FLOW)
    return servers


def tasks(count: int) -> RuleRecords:
    """Make so many tasks that are due."""
    now = Timestamp(system_clock() - 1_000_000)
    return RuleRecords([NewTask(f"k{n}", "mail", Json(b'{"cut":"here"}'), now) for n in range(count)])


def of_job(results: Sequence[Any]) -> str:
    """Answer with the id of the first job."""
    return str(results[0].id)


async def test_no_two_servers_claim_the_same_task(servers: Sequence[Store]) -> None:
    """Of tasks that all servers claim at the same time each gets others, and together they get all of them."""
    await servers[0].take_event("evt", (), tasks(300), lambda _: "")
    claimed = Counter[str]()
    for _ in range(40):
        for some in await together(*(store.claim_tasks(["mail", "other"], 3, 600) for store in servers)):
            claimed.update(task.key for task in some)
    assert claimed == Counter(f"k{n}" for n in range(300))


async def test_who_claims_while_another_server_does_gets_the_rest(servers: Sequence[Store], option: str) -> None:
    """Tasks that another server is claiming at this moment are nobody else's, and nobody waits for them."""
    await servers[0].take_event("evt", (), tasks(5), lambda _: "")
    plain = await Connector(read_target(option))()
    async with plain.transaction():
        others = await plain.fetch(SQL["claim_tasks"], ["mail"], system_clock(), 2, 600_000_000)
        own = await servers[0].claim_tasks(["mail"], 5, 600)
    await plain.close()
    assert [row["key"] for row in others] == ["k0", "k1"]
    assert [(task.key, task.attempts) for task in own] == [("k2", 1), ("k3", 1), ("k4", 1)]
    assert await servers[1].claim_tasks(["mail"], 5, 600) == []


async def test_an_event_that_comes_to_several_servers_has_one_effect(servers: Sequence[Store], option: str) -> None:
    """Whichever servers are given an event with the same id at the same time, one does it; all give its answer."""
    for n in range(20):
        records = RuleRecords([], [ScoreEntry(f"p{n}", "u", 2, "")], {}, {("root", "x"): n})
        answers = await together(
            *(
                store.take_event(f"evt{n}", [CreateJob(FLOW.name, begin(f"c{n}"))], records, of_job)
                for _ in range(4)
                for store in servers
            )
        )
        (job,) = await all_jobs(servers[0], client_id=f"c{n}")
        assert set(answers) == {job.id}
    assert await servers[1].score_totals(["u"]) == {"u": 40}
    assert (await asyncio.to_thread(check, option)).findings == []


async def test_a_sequence_counts_what_all_servers_do(servers: Sequence[Store]) -> None:
    """Servers that count on the same sequence never give a number twice, also where it is new to all of them."""
    given: list[int] = []

    async def count(store: Store, place: int) -> None:
        for n in range(10):
            while True:
                before = (await store.sequences(["n"]))["n"]
                records = RuleRecords(sequences={"n": (before, before + 1), f"own {place}": (n, n + 1)})
                try:
                    await store.take_event(f"{place}-{n}", [CreateJob(FLOW.name, begin())], records, lambda _: "")
                except SequenceTaken:
                    continue
                given.append(before + 1)
                break

    assert await together(*(count(store, place) for place, store in enumerate(servers))) == [None] * 3
    assert sorted(given) == list(range(1, 31))
    assert len(await all_jobs(servers[0])) == 30


async def test_one_of_several_servers_takes_a_step(servers: Sequence[Store]) -> None:
    """Of servers that try the same step with its records one takes it, and those of the others are not there."""
    place = (await servers[0].consumer("rules")).position
    for n in range(15):
        outcomes = await together(
            *(
                store.step("rules", place, n, place, (), RuleRecords(
                    scores=[ScoreEntry(f"{n} of {who}", "u", 1, "")], sequences={"n": (n, n + 1)}
                ))
                for who, store in enumerate(servers)
            )
        )  # fmt: skip
        assert sum(outcome == [] for outcome in outcomes) == 1, outcomes
        assert sum(isinstance(outcome, StepTaken) for outcome in outcomes) == 2
    assert await servers[2].score_totals(["u"]) == {"u": 15}


async def test_the_end_of_a_claim_is_that_of_the_database(servers: Sequence[Store]) -> None:
    """Once a claim is over another server gets the task, and the first one finds out when it is done."""
    await servers[0].take_event("evt", (), tasks(1), lambda _: "")
    (first,) = await servers[0].claim_tasks(["mail"], 5, 0.01)
    second: Sequence[Task] = ()
    while not second:
        second = await servers[1].claim_tasks(["mail"], 5, 600)
    assert [(task.id, task.attempts) for task in second] == [(first.id, 2)]
    wanted = [CreateJob(FLOW.name, begin())]
    outcomes = await together(
        servers[0].finish_task(first, DONE, wanted), servers[1].finish_task(second[0], DONE, wanted)
    )
    assert isinstance(outcomes[0], TaskTaken)
    assert len(await all_jobs(servers[2])) == 1
