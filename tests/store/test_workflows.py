"""The contract of a store, as far as it concerns workflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.backends import Backend, SetClock
from tests.store.samples import FLOW, begin, renamed, together, whole_log
from wfx.domain.errors import WorkflowInUse, WorkflowNotFound, WorkflowNotUnique
from wfx.domain.query import Paging
from wfx.domain.workflow import State, Workflow
from wfx.store.protocol import Store


async def test_a_stored_workflow_comes_back_as_it_was(store: Store) -> None:
    """What was stored is what is read, with a number."""
    created = await store.create_workflow(FLOW)
    assert created == FLOW
    assert created.number > 0
    assert await store.get_workflow(FLOW.name) == created
    assert (await store.get_workflow(FLOW.name)).number == created.number


async def test_a_workflow_of_one_state_and_nothing_else_comes_back(store: Store) -> None:
    """A workflow without transitions, groups and descriptions can be stored and read."""
    bare = Workflow("bare", (State("ONLY"),))
    await store.create_workflow(bare)
    assert (await store.query_workflows(Paging())).items == (bare,)


async def test_a_workflow_is_there_after_reopening(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A workflow is read from the tables as it was stored; a database in memory begins empty."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
    async with backend.open(tmp_path, clock) as store:
        if backend.lasting:
            assert await store.get_workflow(FLOW.name) == FLOW
        else:
            assert (await store.query_workflows(Paging())).items == ()


async def test_a_name_is_taken_once(store: Store, flow: Workflow) -> None:
    """A second workflow of the same name is refused and the first one stays."""
    with pytest.raises(WorkflowNotUnique, match=r"'demo\.flow' already exists"):
        await store.create_workflow(Workflow(flow.name, (State("OTHER"),)))
    assert await store.get_workflow(flow.name) == flow


async def test_an_unknown_workflow_is_not_found(store: Store) -> None:
    """Reading or deleting a workflow that is not there says so."""
    with pytest.raises(WorkflowNotFound):
        await store.get_workflow("nothing")
    with pytest.raises(WorkflowNotFound):
        await store.delete_workflow("nothing")


async def test_it_is_told_which_names_workflows_have(store: Store) -> None:
    """Of many names those of present workflows are told: not of deleted ones, and not what is no text."""
    for name in ("a", "b", "c"):
        await store.create_workflow(renamed(name))
    await store.delete_workflow("b")
    others = ("", "A", "a\0", "\0", "a'", '"', "\ud800", "ä", *(f"n{n}" for n in range(10_000)))
    assert await store.workflow_names(("a", "b", "c", *others)) == {"a", "c"}
    assert await store.workflow_names(["\ud800"]) == await store.workflow_names([]) == set()


@pytest.mark.parametrize(
    ("paging", "names"),
    [
        (Paging(), ["A", "Z", "a", "a-1", "a.1"]),
        (Paging(descending=True), ["a.1", "a-1", "a", "Z", "A"]),
        (Paging(offset=1, limit=2), ["Z", "a"]),
        (Paging(offset=-5, limit=1), ["A"]),
        (Paging(offset=4, limit=-1), ["a.1"]),
        (Paging(limit=0), ["A", "Z", "a", "a-1", "a.1"]),
        (Paging(offset=99), []),
        (Paging(offset=2**63 - 1), []),
    ],
)
async def test_workflows_are_listed_by_name_bytewise(store: Store, paging: Paging, names: list[str]) -> None:
    """Lists are ordered by the bytes of the name, and paged."""
    for name in ("a.1", "Z", "a", "A", "a-1"):
        await store.create_workflow(renamed(name))
    page = await store.query_workflows(paging)
    assert [workflow.name for workflow in page.items] == names
    assert page.total is None


async def test_the_total_counts_all_workflows_there_are(store: Store) -> None:
    """The total is of what is there, not of the page, nor of what is deleted."""
    for name in ("a", "b", "c"):
        await store.create_workflow(renamed(name))
    await store.delete_workflow("b")
    page = await store.query_workflows(Paging(limit=1, with_total=True))
    assert (len(page.items), page.total) == (1, 2)


async def test_a_deleted_workflow_is_gone(store: Store, flow: Workflow) -> None:
    """After its deletion a workflow is neither found nor listed, and jobs of it are refused."""
    await store.delete_workflow(flow.name)
    with pytest.raises(WorkflowNotFound):
        await store.get_workflow(flow.name)
    with pytest.raises(WorkflowNotFound):
        await store.create_job(flow.name, begin())
    assert (await store.query_workflows(Paging())).items == ()


async def test_a_workflow_with_jobs_stays(store: Store, flow: Workflow) -> None:
    """A workflow that a job refers to is not deleted, until the job is."""
    job = await store.create_job(flow.name, begin())
    with pytest.raises(WorkflowInUse, match="delete these jobs first"):
        await store.delete_workflow(flow.name)
    assert await store.get_workflow(flow.name) == flow
    await store.delete_job(job.id)
    await store.delete_workflow(flow.name)


async def test_a_deleted_name_comes_back_with_another_number(store: Store, flow: Workflow) -> None:
    """Events of the old workflow show the old one, although its name stands for a new one."""
    job = await store.create_job(flow.name, begin())
    await store.delete_job(job.id)
    await store.delete_workflow(flow.name)
    other = await store.create_workflow(Workflow(flow.name, (State("OTHER"),)))
    assert other.number != flow.number
    assert (await store.create_job(flow.name, begin())).state == "OTHER"
    assert [event.workflow for event in await whole_log(store)] == [flow, flow, flow, flow, other, other]


async def test_events_show_a_workflow_deleted_before_reopening(
    backend: Backend, tmp_path: Path, clock: SetClock
) -> None:
    """A deleted workflow is kept for its events as long as they are on the log, across restarts."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        await store.delete_job((await store.create_job(FLOW.name, begin())).id)
        await store.delete_workflow(FLOW.name)
    async with backend.open(tmp_path, clock) as store:
        assert [event.workflow for event in await whole_log(store)] == [FLOW] * 4 * backend.lasting


async def test_racing_creations_of_one_name_have_one_winner(store: Store) -> None:
    """Of many who create a workflow at once, one succeeds and all others hear that the name is taken."""
    answers = await together(*(store.create_workflow(FLOW) for _ in range(8)))
    assert sum(isinstance(answer, Workflow) for answer in answers) == 1
    assert sum(isinstance(answer, WorkflowNotUnique) for answer in answers) == 7
