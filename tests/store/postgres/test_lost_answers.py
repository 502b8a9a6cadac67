"""Answers of PostgreSQL that are lost, and servers that fail: each change happens once, or is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from postgres_server import Postgres

from tests.store.postgres.cutting_proxy import CuttingProxy
from tests.store.postgres.patience import in_the_end, until
from tests.store.postgres.test_rules import DONE, of_job, tasks
from tests.store.postgres_schemas import schemas, unsound
from tests.store.samples import FLOW, all_jobs, begin, history_of, move, renamed, tag, together, whole_log
from wfx.domain.errors import StoreError, StoreUnavailable, WorkflowInUse
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.opening import open_store
from wfx.store.operations import ChangeJob, CreateJob, DeleteWorkflow
from wfx.store.postgres.checking import check
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.exclusive_operations import performed
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store
from wfx.store.rule_records import NOTHING, RuleRecords, ScoreEntry, TaskQuery, TaskState

_KILL_LISTENERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE (query LIKE 'LISTEN%' OR query LIKE '%log LEFT JOIN event AS latest%') AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def proxy(postgres: Postgres) -> CuttingProxy:
    """A proxy before the server."""
    return CuttingProxy(postgres.port)


@pytest.fixture
async def store(proxy: CuttingProxy, option: str) -> AsyncIterator[Store]:
    """A store behind the proxy, which is sound in the end."""
    async with proxy.running() as port:
        opened = await open_store("postgres", f"{option} host=127.0.0.1 port={port} sslmode=disable")
        await opened.create_workflow(FLOW)
        yield opened
        await opened.close()
    assert await unsound(option) == []


@pytest.mark.parametrize("lets_through", [True, False])
async def test_a_change_whose_answer_is_lost_happens_once(
    store: Store, proxy: CuttingProxy, *, lets_through: bool
) -> None:
    """Row 50: if the connection is lost at a change, that is found out; the caller is told as of any other change."""
    job = await store.create_job(FLOW.name, begin())
    proxy.cut_at(b"cut here", lets_through=lets_through)
    changed = await store.change_job(job.id, move("RUN", message="cut here"))
    assert proxy.cuts == 1
    assert (changed.version, changed.state) == (2, "RUN")
    assert await store.get_job(job.id) == changed
    assert len(await history_of(store, job.id, 10)) == 1
    assert [event.seq for event in await whole_log(store)] == [1, 2, 3]
    assert (await store.change_job(job.id, move("DONE"))).version == 3


@pytest.mark.parametrize("lets_through", [True, False])
async def test_a_creation_whose_answer_is_lost_happens_once(
    store: Store, proxy: CuttingProxy, *, lets_through: bool
) -> None:
    """The same holds of new jobs, and of others that are written together with them."""
    other = await store.create_job(FLOW.name, begin())
    proxy.cut_at(b"cut here", lets_through=lets_through)
    first, changed, second = await together(
        store.create_job(FLOW.name, begin("cut here")),
        store.change_job(other.id, tag("x")),
        store.create_job(FLOW.name, begin("second")),
    )
    assert proxy.cuts == 1
    assert await all_jobs(store) == (changed, first, second)
    assert len(await whole_log(store)) == 5


@pytest.mark.parametrize("lets_through", [True, False])
async def test_a_workflow_whose_answer_is_lost_is_created_once(
    store: Store, proxy: CuttingProxy, *, lets_through: bool
) -> None:
    """The same holds of workflows, when they are created and when they are deleted."""
    proxy.cut_at(b"another", lets_through=lets_through)
    created = await store.create_workflow(renamed("another"))
    assert proxy.cuts == 1
    assert created.number > 0
    job = await store.create_job("another", begin())
    proxy.cut_at(b"another", lets_through=lets_through)
    with pytest.raises(WorkflowInUse):
        await store.delete_workflow("another")
    await store.delete_job(job.id)
    proxy.cut_at(b"another", lets_through=lets_through)
    await store.delete_workflow("another")
    assert proxy.cuts == 3
    assert [event.action.value for event in await whole_log(store)] == [
        "CREATE",
        "CREATE",
        "CREATE",
        "DELETE",
        "DELETE",
    ]


@pytest.mark.parametrize("lets_through", [True, False])
async def test_a_step_whose_answer_is_lost_is_taken_once(
    store: Store, proxy: CuttingProxy, *, lets_through: bool
) -> None:
    """The same holds of a consumer's steps: they are not taken for those of somebody else."""
    await store.consumer("a")
    job = await store.create_job(FLOW.name, begin())
    proxy.cut_at(b"cut here", lets_through=lets_through)
    (changed,) = await store.step("a", 1, 0, 2, [ChangeJob(job.id, move("RUN", message="cut here"))])
    assert proxy.cuts == 1
    assert changed.version == 2
    assert [(one.position, one.steps) for one in await store.consumers()] == [(2, 1)]


async def test_a_statement_that_is_still_under_way_is_waited_for(
    store: Store, proxy: CuttingProxy, option: str
) -> None:
    """If the connection is lost while a change waits for a lock, the answer is what becomes of it in the end."""
    job = await store.create_job(FLOW.name, begin())
    plain = await Connector(read_target(option))()
    async with plain.transaction():
        await plain.execute("SELECT FROM job FOR UPDATE")
        proxy.cut_at(b"cut here", lets_through=True)
        change = asyncio.create_task(store.change_job(job.id, move("RUN", message="cut here")))
        # The change waits for the job, and the fence for the change.
        await until(lambda: plain.fetchval("SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted"))
    await plain.close()
    assert (await change).version == 2
    assert len(await whole_log(store)) == 3


async def test_killed_connections_lose_nothing(store: Store, postgres: Postgres) -> None:
    """Whatever connections are ended in the middle of work, each change happens once if it was confirmed."""
    jobs = await together(*(store.create_job(FLOW.name, begin(f"c{n}")) for n in range(6)))
    done = asyncio.Event()

    async def change(job: Job, n: int) -> tuple[set[str], set[str]]:
        confirmed, uncertain, turn = set(), set(), 0
        while not done.is_set():
            name, turn = f"{n}-{turn}", turn + 1
            try:
                await store.change_job(job.id, tag(name))
            except StoreError:
                uncertain.add(name)
                await asyncio.sleep(0.02)
            else:
                confirmed.add(name)
        return confirmed, uncertain

    tasks = [asyncio.create_task(change(job, n)) for n, job in enumerate(jobs)]
    killing = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wfx' AND random() < 0.5"
    for _ in range(12):
        await asyncio.to_thread(postgres.sql, killing)
        await until(partial(_has, store, await _head(store) + 5))
    done.set()
    for job, (confirmed, uncertain) in zip(jobs, await asyncio.gather(*tasks), strict=True):
        found = await in_the_end(partial(store.get_job, job.id))
        tags = set(decode(found.tags))
        assert confirmed <= tags <= confirmed | uncertain
        assert found.version == 1 + len(tags)


async def _head(store: Store) -> int:
    return (await in_the_end(store.log_bounds)).head


async def _has(store: Store, head: int) -> bool:
    return await _head(store) >= head


async def test_a_server_that_is_down_is_told_and_comes_back(tmp_path: Path) -> None:
    """While PostgreSQL is down everything is refused, and a follower waits; afterwards all goes on where it was."""
    with Postgres() as server, server.database() as database:
        option = schemas(server, database)(tmp_path)
        store = await open_store("postgres", option)
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin())
        follower = store.follow_log()
        await asyncio.to_thread(server.stop, "immediate")
        for act in (store.get_job(job.id), store.change_job(job.id, move("RUN")), store.ping(), store.log_bounds()):
            with pytest.raises(StoreUnavailable):
                await act
        await asyncio.to_thread(server.start)
        assert await in_the_end(partial(store.get_job, job.id)) == job
        changed = await in_the_end(lambda: store.change_job(job.id, move("RUN")))
        assert changed.version == 2
        async with asyncio.timeout(30):
            assert [event.seq for event in await anext(follower)] == [3]
        await store.close()
        assert await unsound(option) == []


async def test_news_come_also_when_notifications_do_not(store: Store, option: str, postgres: Postgres) -> None:
    """A server whose listening connection is killed shows other servers' events all the same."""
    other = await open_store("postgres", option)
    follower = store.follow_log()
    for n in range(3):
        assert "t" in await asyncio.to_thread(postgres.sql, _KILL_LISTENERS)
        job = await other.create_job(FLOW.name, begin(f"c{n}"))
        async with asyncio.timeout(30):
            assert [event.job_id for event in await anext(follower)] == [job.id]
    await other.close()


async def test_an_event_that_was_pruned_meanwhile(store: Store, option: str) -> None:
    """Where the event of a change whose answer was lost is pruned already, the refusal says that it was made."""
    await store.ping()
    plain = await Connector(read_target(option))()
    with pytest.raises(StoreUnavailable, match="was changed as asked, by event 999, which was pruned"):
        await performed(plain, DeleteWorkflow(FLOW.name), 0, 999)
    await plain.close()


@pytest.mark.parametrize("lets_through", [True, False])
async def test_what_rules_do_happens_once_if_the_answer_is_lost(
    store: Store, proxy: CuttingProxy, option: str, *, lets_through: bool
) -> None:
    """If the connection is lost at an event or the end of a task, it happens once, and the caller gets its answer."""
    wanted = [CreateJob(FLOW.name, begin("cut here"))]
    records = tasks(1)._replace(scores=[ScoreEntry("p", "u", 2, "")], sequences={"n": (0, 1)})
    proxy.cut_at(b"cut here", lets_through=lets_through)
    answer = await store.take_event("evt", wanted, records, of_job)
    assert [job.id for job in await all_jobs(store)] == [answer]
    assert await store.take_event("evt", wanted, NOTHING, of_job) == answer
    (task,) = await store.claim_tasks(["mail"], 5, 600)
    proxy.cut_at(b"cut here", lets_through=lets_through)
    (job,) = await store.finish_task(task, DONE, wanted, RuleRecords(scores=[ScoreEntry("q", "u", 2, "")]))
    assert proxy.cuts == 2
    assert [job.id for job in await all_jobs(store)] == [answer, job.id]
    assert (await store.score_totals(["u"]), await store.sequences(["n"])) == ({"u": 4}, {"n": 1})
    assert (await asyncio.to_thread(check, option)).findings == []


@pytest.mark.parametrize("lets_through", [True, False])
async def test_a_claim_whose_answer_is_lost_ends(store: Store, proxy: CuttingProxy, *, lets_through: bool) -> None:
    """A task whose claim was not answered is given again once that is over."""
    await store.take_event("evt", (), tasks(1), lambda _: "")
    proxy.cut_at(b"mail", lets_through=lets_through)
    claimed = await in_the_end(lambda: store.claim_tasks(["mail"], 5, 0.01))
    while not claimed:
        claimed = await store.claim_tasks(["mail"], 5, 600)
    assert proxy.cuts == 1
    await store.finish_task(claimed[0], DONE)
    assert [task.state for task in await store.list_tasks(TaskQuery())] == [TaskState.DONE]
