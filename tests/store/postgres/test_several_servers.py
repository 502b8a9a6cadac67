"""Several servers on one database: each change happens once, and all show the same log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

import pytest

from tests.store.postgres_schemas import EMPTY
from tests.store.samples import FLOW, all_jobs, attempt, begin, move, redefine, renamed, tag, together, whole_log
from tests.waiting import DEADLINE
from wfx.domain.errors import JobNotFound, StepTaken, WorkflowInUse, WorkflowNotFound, WorkflowNotUnique
from wfx.domain.job import Event, Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery
from wfx.domain.timestamp import Timestamp
from wfx.store.opening import open_store
from wfx.store.operations import ChangeJob, CreateJob
from wfx.store.protocol import LogFollower, Store


async def followed(follower: LogFollower, head: int) -> list[Event]:
    """Take events until this one has come."""
    events: list[Event] = []
    async with asyncio.timeout(60):
        async for some in follower:
            events += some
            if events[-1].seq >= head:
                break
    return events


@EMPTY
async def test_servers_that_start_at_once_make_the_tables_once(option: str) -> None:
    """Row 7: servers that start at the same time on an empty database all come up, on the same log."""
    stores = await asyncio.gather(*(open_store("postgres", option) for _ in range(4)))
    assert len({(await store.log_bounds()).log_id for store in stores}) == 1
    await stores[0].create_workflow(FLOW)
    assert await stores[3].get_workflow(FLOW.name) == FLOW
    for store in stores:
        await store.close()


async def test_a_change_is_seen_by_every_server_at_once(servers: Sequence[Store]) -> None:
    """Once a change is confirmed by one server, every read by another shows it, also of what that one has read."""
    first, second, _ = servers
    await first.create_workflow(FLOW)
    job = await first.create_job(FLOW.name, begin("c", tags=["x"]))
    for n in range(20):
        assert await second.get_job(job.id) == job
        assert (await second.query_jobs(JobQuery(client_id="c"))).items == (job,)
        assert await all_jobs(second, tags=("x",)) == (job,)
        job = await first.change_job(job.id, redefine({"n": n}))
    await first.delete_job(job.id)
    with pytest.raises(JobNotFound):
        await second.get_job(job.id)
    await first.delete_workflow(FLOW.name)
    with pytest.raises(WorkflowNotFound):
        await second.get_workflow(FLOW.name)
    with pytest.raises(WorkflowNotFound):
        await second.create_job(FLOW.name, begin())


async def test_changes_of_one_job_by_all_servers_happen_once_each(servers: Sequence[Store]) -> None:
    """Changes of the same jobs that come to several servers at once each happen, one after the other."""
    await servers[0].create_workflow(FLOW)
    jobs = await together(*(servers[0].create_job(FLOW.name, begin(f"c{n}")) for n in range(4)))
    changes = [
        store.change_job(job.id, tag(f"{place}-{n}"))
        for n in range(25)
        for place, store in enumerate(servers)
        for job in jobs
    ]
    answers = await together(*changes)
    assert all(isinstance(answer, Job) for answer in answers), [a for a in answers if not isinstance(a, Job)][:1]
    for job in jobs:
        found = await servers[1].get_job(job.id)
        assert found.version == 76
        assert len(decode(found.tags)) == 75
    versions = Counter((answer.id, answer.version) for answer in answers)
    assert set(versions.values()) == {1}
    assert len(versions) == 300


async def test_every_server_shows_the_same_log(servers: Sequence[Store]) -> None:
    """Who follows the log on any server gets every event of every server once, in one order, without gaps."""
    followers = [store.follow_log() for store in servers]
    await servers[0].create_workflow(FLOW)

    async def work(store: Store, n: int) -> None:
        for turn in range(15):
            job = await store.create_job(FLOW.name, begin(f"c{n}", tags=[str(turn)]))
            await store.change_job(job.id, move("RUN"))
            await attempt(store.change_job(job.id, move("NEW")))
            if turn % 3 == 0:
                await store.delete_job(job.id)

    await asyncio.gather(*(work(store, n) for n in range(4) for store in servers))
    head = (await servers[0].log_bounds()).head
    assert head == 1 + 12 * (15 * 2 + 5)
    seen = await asyncio.gather(*(followed(follower, head) for follower in followers))
    assert [event.seq for event in seen[0]] == list(range(1, head + 1))
    assert seen[0] == seen[1] == seen[2]
    assert await whole_log(servers[2]) == seen[0]


async def test_jobs_are_in_the_order_of_their_events(servers: Sequence[Store]) -> None:
    """Jobs that several servers create are listed in the order in which the log has their creations."""
    await servers[0].create_workflow(FLOW)
    await together(*(store.create_job(FLOW.name, begin(f"c{n}")) for n in range(40) for store in servers))
    created = [event.job_id for event in await whole_log(servers[0]) if event.job_id]
    assert [job.id for job in await all_jobs(servers[1])] == created
    assert len(created) == 120


async def test_a_step_that_several_servers_try_is_taken_once(servers: Sequence[Store]) -> None:
    """Of all who try the same step on any server one takes it, with its effects; the others are told so."""
    await servers[0].create_workflow(FLOW)
    await servers[0].consumer("a")
    job = await servers[0].create_job(FLOW.name, begin())
    for number in range(20):
        operations = [ChangeJob(job.id, tag(str(number))), CreateJob(FLOW.name, begin(f"c{number}"))]
        answers = await together(*(store.step("a", (1, 2)[number > 0], number, 2, operations) for store in servers))
        assert sum(isinstance(answer, StepTaken) for answer in answers) == 2, answers
    assert (await servers[1].get_job(job.id)).version == 21
    assert len(await all_jobs(servers[1])) == 21
    (consumer,) = await servers[2].consumers()
    assert (consumer.position, consumer.steps) == (2, 20)


async def test_a_job_with_a_given_id_is_created_once(servers: Sequence[Store]) -> None:
    """Two consumers whose steps create a job with the same id on two servers create one; the other is told."""
    await servers[0].create_workflow(FLOW)
    for n, store in enumerate(servers):
        await store.consumer(f"consumer-{n}")
    for turn in range(10):
        operation = CreateJob(FLOW.name, begin(f"c{turn}"), id=uuid4())
        answers = await together(
            *(store.step(f"consumer-{n}", 1, turn, 1, [operation]) for n, store in enumerate(servers))
        )
        assert sum(isinstance(answer, Job) for (answer,) in answers) == 1
    assert len(await all_jobs(servers[0])) == 10


async def test_a_workflow_with_jobs_is_never_deleted(servers: Sequence[Store]) -> None:
    """Deleting a workflow on one server while another creates a job of it ends with both or with none of the two."""
    outcomes = Counter[tuple[bool, bool]]()
    for turn in range(25):
        flow = await servers[0].create_workflow(renamed(f"flow-{turn}"))
        created, deleted = await together(
            servers[1].create_job(flow.name, begin()), servers[2].delete_workflow(flow.name)
        )
        assert isinstance(created, Job | WorkflowNotFound)
        assert deleted is None or isinstance(deleted, WorkflowInUse)
        outcomes[isinstance(created, Job), deleted is None] += 1
    assert not outcomes[True, True]
    assert not outcomes[False, False]


async def test_a_name_is_taken_once_by_all_servers(servers: Sequence[Store]) -> None:
    """Of several servers that create a workflow of the same name one does."""
    answers = await together(*(store.create_workflow(FLOW) for store in servers))
    assert sum(isinstance(answer, WorkflowNotUnique) for answer in answers) == 2
    assert (await servers[0].log_bounds()).head == 1


async def test_a_lease_is_held_by_one_server(servers: Sequence[Store]) -> None:
    """A lease that one server has no other gets, until the holder ends."""
    lease = await servers[0].lease("chores", 60)
    assert lease is not None
    assert await servers[1].lease("chores", 60) is None
    await servers[0].close()
    taken = await servers[1].lease("chores", 60)
    assert taken is not None
    assert taken.epoch == 2


async def test_pruning_by_several_servers_leaves_no_gap(servers: Sequence[Store]) -> None:
    """Servers that prune at the same time drop each event once, and what stays has no gaps."""
    await servers[0].create_workflow(FLOW)
    await together(*(servers[0].create_job(FLOW.name, begin()) for _ in range(60)))

    async def prune(store: Store) -> int:
        dropped = 0
        while (await store.log_bounds()).oldest < 52:
            dropped += await store.prune_log(keep_newest=10, older_than=Timestamp(0), at_most=7)
        return dropped

    async with asyncio.timeout(DEADLINE):
        dropped = sum(await asyncio.gather(*map(prune, servers)))
    bounds = await servers[0].log_bounds()
    assert (dropped, bounds.oldest, bounds.head) == (51, 52, 61)
    assert [event.seq for event in await whole_log(servers[1])] == list(range(52, 62))
