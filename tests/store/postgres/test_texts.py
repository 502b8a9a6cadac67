"""Texts that PostgreSQL cannot have, or no index can hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from random import Random

import pytest

from tests.store.postgres.release_before import start_as_before, write_as_before_counts_of_tags
from tests.store.postgres_schemas import EMPTY
from tests.store.samples import FLOW, all_jobs, begin, tag, untag
from wfx.domain.errors import JobNotFound, TextTooLong, WorkflowNotFound
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery
from wfx.domain.workflow import Group, State, Workflow
from wfx.store.opening import open_store
from wfx.store.postgres.checking import check
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.texts import key_of
from wfx.store.protocol import Store


@pytest.fixture
async def store(option: str) -> AsyncIterator[Store]:
    """A store with a workflow."""
    opened = await open_store("postgres", option)
    await opened.create_workflow(FLOW)
    yield opened
    await opened.close()


def noise(size: int) -> str:
    """Make a text that cannot be compressed into an entry of an index."""
    random = Random(size)
    return "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(size))


async def test_jobs_of_long_names_and_tags_are_found(store: Store) -> None:
    """Client ids and tags may be as long as they like, and are told apart where they differ at their ends only."""
    names = [noise(20_000) + end for end in ("", "x", "y")]
    jobs = [await store.create_job(FLOW.name, begin(name, tags=[name, "t"])) for name in names]
    for name, job in zip(names, jobs, strict=True):
        assert await all_jobs(store, client_id=name) == (job,)
        assert await all_jobs(store, tags=(name,)) == (job,)
        assert (await store.query_jobs(JobQuery(client_id=name))).items == (job,)
        assert (await store.query_jobs(JobQuery(client_id=name, tags=(name, "t")))).items == (job,)
    assert await all_jobs(store, tags=(names[0], names[2])) == (jobs[0], jobs[2])
    changed = await store.change_job(jobs[0].id, tag(names[1]))
    assert await all_jobs(store, tags=(names[1],)) == (changed, jobs[1])
    changed = await store.change_job(jobs[0].id, untag(names[0]))
    assert await all_jobs(store, tags=(names[0],)) == ()


@pytest.mark.parametrize("what", ["state", "group"])
async def test_a_workflow_with_too_long_a_name_is_refused(store: Store, what: str) -> None:
    """States and groups have names that an index can hold; a workflow with another one is refused, with the reason."""
    for size, fits in ((833, True), (834, False)):
        name = noise(size)
        state = name if what == "state" else "NEW"
        workflow = Workflow(
            f"flow-{size}", (State(state),), groups=(Group(name if what == "group" else "G", (state,)),)
        )
        if fits:
            await store.create_workflow(workflow)
            job = await store.create_job(workflow.name, begin())
            assert await all_jobs(store, state=state, groups=(job.group,)) == (job,)
        else:
            with pytest.raises(TextTooLong, match="may have at most 2,500 bytes in this storage, and not 2,502"):
                await store.create_workflow(workflow)


async def test_what_has_u0000_is_not_found(store: Store) -> None:
    """Nothing in PostgreSQL has U+0000 in its name, so whatever is asked for by such a name is not there."""
    for act in (
        store.get_job("a\0"),
        store.change_job("\0", tag("x")),
        store.delete_job("\0"),
        store.get_history("\0", 1),
    ):
        with pytest.raises(JobNotFound):
            await act
    for other in (store.get_workflow("\0"), store.delete_workflow("\0"), store.create_job("\0", begin())):
        with pytest.raises(WorkflowNotFound):
            await other
    assert await all_jobs(store, client_id="\0") == await all_jobs(store, tags=("\0",)) == ()
    assert (await store.query_jobs(JobQuery(client_id="a\0"))).items == ()


async def test_a_tag_like_what_a_long_one_is_found_by(store: Store) -> None:
    """A tag that is written like what a long one is found by finds its own jobs alone, in every kind of search."""
    long = noise(600)
    like = f"\1{sha256(long.encode()).hexdigest()}"
    jobs = [await store.create_job(FLOW.name, begin(tags=[name])) for name in (long, like)]
    jobs.append(await store.change_job((await store.create_job(FLOW.name, begin())).id, tag(like)))
    for name, ids in ((long, [jobs[0].id]), (like, [jobs[1].id, jobs[2].id])):
        assert [job.id for job in await all_jobs(store, tags=(name,))] == ids
        assert [job.id for job in await all_jobs(store, tags=(name, "t"))] == ids
        for query in (JobListQuery(JobQuery(tags=(name,))), JobListQuery(all_tags=(name,))):
            assert [row.id for row in (await store.list_jobs(query)).rows] == ids
            assert [job_id for _, job_id in (await store.select_jobs(query, with_ids=True)).jobs] == ids
            assert sum((await store.summarize_jobs(query)).counts.values()) == len(ids)
    assert await all_jobs(store, tags=(like[:-1],)) == ()
    changed = await store.change_job(jobs[2].id, untag(like))
    assert [job.id for job in await all_jobs(store, tags=(like,))] == [jobs[1].id]
    assert changed.tags == b"[]"


@EMPTY
async def test_tags_of_an_older_schema_that_begin_with_the_mark(
    option: str, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the upgrade, tags that begin as what long ones are found by get what they are found by now."""
    start_as_before(10, monkeypatch)
    older = await open_store("postgres", option)
    write_as_before_counts_of_tags(older)
    await older.create_workflow(FLOW)
    names = ("\1short", f"\1{'0' * 64}", '\1ü\U0001f600"\\', "plain", noise(600))
    job = await older.create_job(FLOW.name, begin(tags=names))
    await older.create_job(FLOW.name, begin(tags=["plain"]))
    await older.close()
    as_before = [name if len(name) <= 500 else key_of(name) for name in names]
    await plain.execute("UPDATE job SET tag_keys = $2 WHERE id = $1", job.id, as_before)
    monkeypatch.undo()
    newer = await open_store("postgres", option)
    for name in names:
        assert job in await all_jobs(newer, tags=(name,)), name
    await newer.close()
    assert (await asyncio.to_thread(check, option)).findings == []
