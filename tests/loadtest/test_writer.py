from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.loadtest.stub import BASE, Stub
from wfx_loadtest import direct
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.scenario import default
from wfx_loadtest.scenario.default import Writer
from wfx_loadtest.session import Session, opened
from wfx_loadtest.settings import Settings


@pytest.fixture
async def session(stub: Stub) -> AsyncIterator[Session]:
    """Open a session with the stub."""
    async with opened(
        Settings(client_host="127.0.0.1", client_port=stub.south_port, mgmt_host="127.0.0.1", mgmt_port=stub.north_port)
    ) as session:
        yield session


def _writes(stub: Stub) -> list[tuple[str, str, str]]:
    return [(seen.side, seen.method, (seen.body or {}).get("state", "")) for seen in stub.seen]


async def test_a_job_is_created_and_then_pushed_along(stub: Stub, session: Session) -> None:
    """The first shot creates a job; the following move it by its first transition and then stay in the self-loop."""
    writer = Writer(session, direct.document(), "vegeta")
    for _ in range(4):
        await writer.shot(session.clock.now())
    assert _writes(stub) == [("north", "POST", ""), *[("south", "PUT", "INSTALLING")] * 3]
    created = stub.seen[0]
    assert created.path == f"{BASE}/jobs"
    assert created.body == {"clientId": "vegeta", "workflow": direct.NAME, "definition": {"counter": 1}}


async def test_an_update_sends_the_last_status_without_its_hash(stub: Stub, session: Session) -> None:
    """The status goes back as it came, with the new state, the job id in its context, and without definitionHash."""
    writer = Writer(session, direct.document(), "vegeta")
    for _ in range(2):
        await writer.shot(session.clock.now())
    [job_id] = stub.jobs
    update = stub.seen[1]
    assert update.path == f"{BASE}/jobs/{job_id}/status"
    assert update.body == {"clientId": "vegeta", "state": "INSTALLING", "context": {"id": job_id}}


async def test_statuses_wait_in_line(stub: Stub, session: Session) -> None:
    """Three requests at once create three jobs; the next three move each of them once."""
    stub.delay = 0.02
    writer = Writer(session, direct.document(), "vegeta")
    for _ in range(2):
        await asyncio.gather(*(writer.shot(session.clock.now()) for _ in range(3)))
    assert [method for _, method, _ in _writes(stub)] == ["POST"] * 3 + ["PUT"] * 3
    assert len({seen.path for seen in stub.seen[3:]}) == 3


async def test_a_failed_write_is_dropped(stub: Stub, session: Session) -> None:
    """A job whose update failed is not touched again: the next shot creates another one."""
    writer = Writer(session, direct.document(), "vegeta")
    await writer.shot(session.clock.now())
    stub.answers["PUT", "status"] = [(500, {})]
    for _ in range(3):
        await writer.shot(session.clock.now())
    assert [method for _, method, _ in _writes(stub)] == ["POST", "PUT", "POST", "PUT"]
    assert list(session.metrics.errors) == ["500 Internal Server Error"]
    assert session.metrics.codes == {201: 2, 500: 1, 200: 1}


async def test_the_first_listed_transition_decides_the_side(stub: Stub, session: Session) -> None:
    """A transition for WFX goes to north, one for CLIENT to south; a state without any makes a new job."""
    workflow = {
        "name": "w",
        "transitions": [
            {"from": "INSTALL", "to": "A", "eligible": "WFX"},
            {"from": "INSTALL", "to": "B", "eligible": "CLIENT"},
            {"from": "A", "to": "C", "eligible": "CLIENT"},
        ],
    }
    writer = Writer(session, workflow, "vegeta")
    for _ in range(4):
        await writer.shot(session.clock.now())
    assert _writes(stub) == [("north", "POST", ""), ("north", "PUT", "A"), ("south", "PUT", "C"), ("north", "POST", "")]


async def test_an_answer_without_context_does_not_lose_the_job(stub: Stub, session: Session) -> None:
    """An immediate transition drops the context from the answer; the job is still pushed along."""
    writer = Writer(session, direct.document(), "vegeta")
    await writer.shot(session.clock.now())
    stub.answers["PUT", "status"] = [(200, {"state": "ACTIVATE"})]
    for _ in range(2):
        await writer.shot(session.clock.now())
    assert stub.seen[2].path == stub.seen[1].path
    assert stub.seen[2].body["state"] == "ACTIVATING"


async def test_latency_counts_from_the_due_moment(session: Session) -> None:
    """A request that leaves 300 ms after it was due has at least 300 ms of latency, and the generator admits it."""
    for _ in range(3):
        await session.measured(
            "x", session.clock.now() - 300 * MILLISECOND, session.south, session.south.request("GET", "/workflows")
        )
    assert session.metrics.latencies.min >= 300 * MILLISECOND
    assert session.metrics.lateness.behind


async def test_the_default_mix_reads_two_lists_in_turn(stub: Stub, session: Session) -> None:
    """Half of the reads list jobs with class=OPEN and half workflows, on south; the workflow is created when absent."""
    session.settings = replace(session.settings, duration=SECOND // 2, read_freq=40, write_freq=20)
    await default.run(session)
    assert stub.workflow is not None
    assert stub.workflow["name"] == direct.NAME
    assert len(stub.of("GET", "/jobs")) == len(stub.of("GET", "/workflows")) == 10
    assert {seen.path for seen in stub.of("GET", "/jobs")} == {f"{BASE}/jobs?class=OPEN"}
    assert {seen.side for seen in stub.of("GET", "/jobs")} == {"south"}
    assert session.metrics.requests == 30
    assert len(stub.of("POST", "/jobs")) + len(stub.of("PUT", "/status")) == 10


async def test_an_existing_workflow_is_left_alone(stub: Stub, session: Session) -> None:
    """A service that has the workflow already is not asked to create it."""
    stub.workflow = direct.document()
    await direct.ensure(session.north)
    assert [seen.method for seen in stub.seen] == ["GET"]


async def test_a_service_that_refuses_the_workflow_ends_the_run(stub: Stub, session: Session) -> None:
    """The refusal is reported with its status."""
    stub.answers["POST", "workflows"] = [(500, {})]
    with pytest.raises(direct.WorkflowMissing, match="500 Internal Server Error"):
        await direct.ensure(session.north)


@pytest.mark.parametrize("odd", [{}, [], "text", {"id": "x"}, {"id": "x", "status": {}}])
async def test_an_odd_answer_does_not_end_the_run(stub: Stub, session: Session, odd: object) -> None:
    """A 201 that holds no job counts as answered, and the next shot creates another job."""
    stub.answers["POST", "jobs"] = [(201, odd)]
    writer = Writer(session, direct.document(), "vegeta")
    for _ in range(2):
        await writer.shot(session.clock.now())
    assert [seen.method for seen in stub.seen] == ["POST", "POST"]


async def test_something_else_than_a_workflow_ends_the_run(stub: Stub, session: Session) -> None:
    """A service that answers the look-up with anything but a workflow is refused before any load."""
    stub.answers["GET", direct.NAME] = [(200, ["no", "workflow"])]
    with pytest.raises(direct.WorkflowMissing, match="no workflow"):
        await direct.ensure(session.north)
