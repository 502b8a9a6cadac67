"""The contract of a store, as far as it concerns finding jobs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from tests.store.backends import SetClock
from tests.store.samples import FLOW, all_jobs, begin, move, renamed, together
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery, Paging
from wfx.domain.workflow import Actor, Group, State, Transition, Workflow
from wfx.store.protocol import Store

OTHER = Workflow(
    "other.flow",
    (State("NEW"), State("RUN"), State("LOST")),
    (Transition("NEW", "RUN", Actor.CLIENT), Transition("NEW", "LOST", Actor.WFX)),
    (Group("OPEN", ("NEW",)), Group("BUSY", ("RUN",))),
)


async def populate(store: Store) -> list[Job]:
    """Create jobs of two workflows, in all states, of a few clients, with any mixture of tags."""
    for workflow in (FLOW, OTHER):
        await store.create_workflow(workflow)
    kinds = list(itertools.product((FLOW, OTHER), ("", "RUN", "LOST"), ("a", "b"), ((), ("x",), ("y",), ("x", "y"))))
    created = await together(
        *(store.create_job(workflow.name, begin(client, tags=tags)) for workflow, _, client, tags in kinds)
    )
    return list(
        await together(
            *(
                store.change_job(job.id, move(state, actor=Actor.WFX if state == "LOST" else Actor.CLIENT))
                if state
                else store.get_job(job.id)
                for job, (_, state, _, _) in zip(created, kinds, strict=True)
            )
        )
    )


def matches(job: Job, query: JobQuery) -> bool:
    """Say in plain words what a query means."""
    return (
        (not query.client_id or job.client_id == query.client_id)
        and (not query.state or job.state == query.state)
        and (not query.workflow or job.workflow.name == query.workflow)
        and (not query.groups or job.group in query.groups)
        and (not query.tags or not set(query.tags).isdisjoint(decode(job.tags)))
    )


async def test_every_combination_of_conditions_finds_what_it_says(store: Store) -> None:
    """Conditions combine with "and", groups and tags each with "or"; the total is right, the order that of creation."""
    jobs = await populate(store)
    combinations = itertools.product(
        ("", "a", "nobody"),
        ("", "NEW", "LOST", "NOWHERE"),
        ("", FLOW.name, "nothing"),
        ((), ("OPEN",), ("",), ("OPEN", "BUSY"), ("OPEN", "", "NONE"), ("NONE",)),
        ((), ("x",), ("x", "y"), ("z",), ("y", "z", "y")),
    )
    queries = [
        JobQuery(client, state, workflow, groups, tags, Paging(limit=0, with_total=True))
        for client, state, workflow, groups, tags in combinations
    ]
    for query in queries:
        page = await store.query_jobs(query)
        expected = tuple(job for job in jobs if matches(job, query))
        assert page.items == expected, query
        assert page.total == len(expected), query


@pytest.mark.parametrize(
    ("paging", "expected"),
    [
        (Paging(), range(10)),
        (Paging(limit=3), range(3)),
        (Paging(limit=3, offset=2), range(2, 5)),
        (Paging(limit=0), range(48)),
        (Paging(limit=-7, offset=40), range(40, 48)),
        (Paging(offset=-3, limit=2), range(2)),
        (Paging(offset=47), range(47, 48)),
        (Paging(offset=48), range(0)),
        (Paging(offset=2**63 - 1), range(0)),
        (Paging(offset=2**70, limit=2**31 - 1), range(0)),
        (Paging(descending=True, limit=3), range(47, 44, -1)),
        (Paging(descending=True, offset=45, limit=0), range(2, -1, -1)),
    ],
)
async def test_pages_are_cut_from_the_order_of_creation(store: Store, paging: Paging, expected: Sequence[int]) -> None:
    """Offset, limit and direction choose from the jobs in the order of their creation."""
    jobs = await populate(store)
    page = await store.query_jobs(JobQuery(paging=paging))
    assert [jobs.index(job) for job in page.items] == list(expected)
    assert page.total is None


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "conditions",
    [{"client_id": "b"}, {"groups": ("OPEN", "BUSY")}, {"tags": ("x", "y")}, {"tags": ("y",), "groups": ("",)}],
)
async def test_pages_of_a_query_add_up(store: Store, conditions: dict[str, str], *, descending: bool) -> None:
    """Page after page gives each matching job once, in either direction, and every page the same total."""
    jobs = await populate(store)
    wanted = [job for job in jobs if matches(job, JobQuery(**conditions))]  # type: ignore[arg-type] # any of them
    found: list[Job] = []
    for offset in range(0, 48, 5):
        paging = Paging(offset, 5, descending, with_total=True)
        page = await store.query_jobs(JobQuery(**conditions, paging=paging))  # type: ignore[arg-type] # any of them
        assert page.total == len(wanted)
        found += page.items
    assert found == (wanted[::-1] if descending else wanted)


async def test_the_order_is_that_of_creation_when_the_clock_goes_back(
    store: Store, flow: Workflow, clock: SetClock
) -> None:
    """Jobs created after the clock was put back are still listed after the older ones."""
    created = []
    for now in (5000, 5000, 1000, 3000):
        clock.now = now
        created.append(await store.create_job(flow.name, begin()))
    assert await all_jobs(store) == tuple(created)
    assert await all_jobs(store, groups=("OPEN",)) == tuple(created)


async def test_changes_do_not_change_the_order(store: Store, flow: Workflow) -> None:
    """A job keeps its place in the lists, whatever happens to it."""
    jobs = [await store.create_job(flow.name, begin()) for _ in range(5)]
    await store.change_job(jobs[1].id, move("RUN"))
    assert [job.id for job in await all_jobs(store, groups=("OPEN",))] == [job.id for job in jobs]


async def test_the_default_page_has_ten_jobs(store: Store) -> None:
    """A query without any condition returns the first ten jobs."""
    jobs = await populate(store)
    assert (await store.query_jobs(JobQuery())).items == tuple(jobs[:10])


async def test_many_values_are_as_good_as_few(store: Store) -> None:
    """Thousands of groups and tags in one query are fine."""
    jobs = await populate(store)
    many = tuple(f"g{n}" for n in range(40_000))
    assert await all_jobs(store, groups=(*many, "BUSY")) == tuple(job for job in jobs if job.group == "BUSY")
    assert await all_jobs(store, tags=(*many, "x")) == tuple(job for job in jobs if "x" in decode(job.tags))
    assert await all_jobs(store, client_id="a", groups=many) == ()


async def test_a_workflow_of_thousands_of_states_can_be_asked_for(store: Store) -> None:
    """Jobs spread over more states than can be merged are found in order all the same."""
    names = [f"S{n}" for n in range(4096)]
    wide = Workflow(
        "wide.flow",
        tuple(map(State, names)),
        tuple(Transition("S0", name, Actor.CLIENT) for name in names[1:]),
        (Group("ALL", tuple(names)),),
    )
    await store.create_workflow(wide)
    jobs = await together(*(store.create_job(wide.name, begin()) for _ in range(150)))
    for position, count in ((1, 90), (-1, 150)):
        chosen = jobs[:count]
        await together(*(store.change_job(job.id, move(names[position * n])) for n, job in enumerate(chosen) if n))
        found = await all_jobs(store, groups=("ALL",), workflow=wide.name)
        assert [job.id for job in found] == [job.id for job in jobs]
        jobs = await together(*(store.create_job(wide.name, begin()) for _ in range(150)))
        for job in found:
            await store.delete_job(job.id)


async def test_jobs_of_a_renamed_copy_are_not_mixed_up(store: Store, flow: Workflow) -> None:
    """A condition on the workflow tells workflows with the same states apart."""
    copy = await store.create_workflow(renamed("copy", FLOW))
    mine, its = [await store.create_job(name, begin()) for name in (flow.name, copy.name)]
    assert await all_jobs(store, workflow="copy", state="NEW") == (its,)
    assert await all_jobs(store, workflow=flow.name, groups=("OPEN",)) == (mine,)
    assert await all_jobs(store, state="NEW") == (mine, its)
