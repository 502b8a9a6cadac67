"""What the clients do is what the service does, on both sides, with both clients."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.client.conftest import DIRECT, Connect, document
from wfx.client import (
    AsyncClient,
    Client,
    ClientError,
    Denied,
    Ended,
    EventsOtherLog,
    Interval,
    InvalidRequest,
    JobNotFound,
    Refused,
    TimedOut,
    WorkflowInvalid,
    WorkflowNotFound,
    WorkflowNotUnique,
)
from wfx.demo.local import LocalService

SOON = Interval(0.01)


def test_a_job_from_beginning_to_end(north: Any, south: Any, dev: str) -> None:
    """An operator creates, tags, changes and deletes a job; its device reads it and reports."""
    before = datetime.now(UTC)
    job = north.create_job(dev, DIRECT, {"n": 1}, ["a", "b"])
    assert (job.client_id, job.state, job.group, job.tags) == (dev, "INSTALL", "OPEN", ("a", "b"))
    assert job.definition == {"n": 1}
    assert before <= job.stime == job.mtime <= datetime.now(UTC)
    assert job.workflow.name == DIRECT
    assert "INSTALLING" in job.workflow.states
    assert any((each.from_state, each.to_state) == ("INSTALL", "INSTALLING") for each in job.workflow.transitions)
    status = south.update_status(
        job.id, "INSTALLING", client_id=dev, progress=40, message="half", context={"lines": ["x"]}
    )
    assert (status.state, status.progress, status.message) == ("INSTALLING", 40, "half")
    assert status.context == {"lines": ["x"]}
    assert south.get_status(job.id) == status
    assert north.update_definition(job.id, {"n": 2}) == south.get_definition(job.id) == {"n": 2}
    assert north.add_tags(job.id, "c") == ("a", "b", "c")
    assert north.delete_tags(job.id, "a", "b") == south.get_tags(job.id) == ("c",)
    read = south.get_job(job.id, history=True)
    assert (read.status.state, read.definition, read.tags) == ("INSTALLING", {"n": 2}, ("c",))
    assert read.history[-1].status.state == "INSTALL"
    assert [entry.definition for entry in read.history if entry.definition is not None] == [{"n": 1}]
    assert north.delete_job(job.id) is None
    with pytest.raises(JobNotFound) as refused:
        north.get_job(job.id)
    assert (refused.value.status, refused.value.code) == (404, "wfx.jobNotFound")


def test_names_with_anything_in_them(north: Any, dev: str) -> None:
    """Ids, names and tags go where they belong, whatever characters they have."""
    odd = "ü/../x?y#z%2F &," + dev
    job = north.create_job(odd, DIRECT, {"ü": "\x00"}, [odd.replace(",", ";")])
    assert [each.id for each in north.list_jobs(client_id=odd)] == [job.id]
    for name in (odd, "..", "."):
        with pytest.raises(JobNotFound):
            north.get_job(name)
    with pytest.raises(ValueError, match='no job has the id "events"'):
        north.get_job("events")


def test_lists(north: Any, south: Any, dev: str) -> None:
    """Pages have the jobs that meet all conditions, and the whole list is read page by page."""
    jobs = [north.create_job(f"{dev}-{number % 2}", DIRECT, tags=[dev]).id for number in range(205)]
    page = south.list_jobs(tags=[dev, "other"], limit=3, offset=1, sort="desc", total=True)
    assert [job.id for job in page] == jobs[-2:-5:-1]
    assert (len(page), page.total) == (3, 205)
    found = list(north.all_jobs(client_id=f"{dev}-0", state="INSTALL", groups=["OPEN"], workflow=DIRECT, tags=[dev]))
    assert [job.id for job in found] == jobs[::2]
    assert [job.id for job in north.all_jobs(tags=[dev])] == jobs
    assert list(north.all_jobs(tags=["none"])) == []


def test_workflows(north: Any) -> None:
    """Workflows are stored, read, listed and deleted."""
    given = document("wfx.workflow.kanban")
    workflow = north.create_workflow(given)
    assert workflow == north.get_workflow(workflow.name)
    assert set(workflow.states) == {state["name"] for state in given["states"]}
    assert workflow.groups == {group["name"]: tuple(group["states"]) for group in given["groups"]}
    assert workflow.name in [each.name for each in north.all_workflows()]
    assert north.list_workflows(limit=1, total=True).total == len(list(north.all_workflows())) > 1
    north.delete_workflow(workflow.name)
    with pytest.raises(WorkflowNotFound):
        north.get_workflow(workflow.name)


def test_the_service_itself(north: Any) -> None:
    """Health and version are told."""
    assert (north.health().status, north.health().details["persistence"]) == ("up", "up")
    assert north.version().version


def test_refusals_have_types(north: Any, south: Any, dev: str) -> None:
    """Each kind of refusal is an error of its own, with all that the service says."""
    job = north.create_job(dev, DIRECT)
    with pytest.raises(Denied) as denied:
        south.create_job(dev, DIRECT)
    assert denied.value.status == 403
    with pytest.raises(InvalidRequest) as invalid:
        south.update_status(job.id, "NOWHERE")
    assert invalid.value.code == "wfx.invalidRequest"
    assert "NOWHERE" in str(invalid.value)
    with pytest.raises(WorkflowNotUnique):
        north.create_workflow(document(DIRECT))
    with pytest.raises(WorkflowInvalid) as faulty:
        north.create_workflow({"name": "x", "states": [{"name": "A"}, {"name": "A"}], "transitions": [
            {"from": "A", "to": "B", "eligible": "CLIENT"}]})  # fmt: skip
    assert len(faulty.value.problems) > 1
    with pytest.raises(WorkflowNotFound):
        north.create_job(dev, "no-such")
    with pytest.raises(EventsOtherLog) as elsewhere:
        next(north.events("999999999"))
    assert elsewhere.value.extra["head"] >= 1
    with pytest.raises(Refused) as text:
        north.list_jobs(sort="up")
    assert (text.value.status, text.value.problems) == (400, ())
    assert "sort" in str(text.value)


def test_waiting_for_a_job(north: Any, south: Any, dev: str) -> None:
    """An operator waits until a job is in a state or group, until that is hopeless, or the time is over."""
    job = north.create_job(dev, DIRECT)
    assert north.wait_for(job.id, groups=["OPEN"]).state == "INSTALL"
    with pytest.raises(TimedOut, match="is still in state INSTALL"):
        north.wait_for(job.id, states=["ACTIVATED"], interval=SOON, timeout=0.05)  # measured: it is to be over
    for state in ("INSTALLING", "TERMINATED"):
        south.update_status(job.id, state)
    assert north.wait_for(job.id, groups=["FAILED"], interval=SOON, timeout=60).state == "TERMINATED"
    with pytest.raises(Ended, match="from where that cannot be reached"):
        north.wait_for(job.id, states=["ACTIVATED"])
    north.delete_job(job.id)
    with pytest.raises(Ended, match="or no longer"):
        north.wait_for(job.id, states=["ACTIVATED"])
    with pytest.raises(ValueError, match="name a state or a group"):
        north.wait_for(job.id)


def test_a_device_polls(north: Any, south: Any, dev: str) -> None:
    """A device is given the oldest of its open jobs at once, the same one after the interval, and then the next."""
    first, second = (north.create_job(dev, DIRECT).id for _ in range(2))
    polled = south.poll_jobs(dev, interval=SOON)
    assert [next(polled).id for _ in range(2)] == [first, first]
    for state in ("INSTALLING", "INSTALLED", "ACTIVATING", "ACTIVATED"):
        south.update_status(first, state)
    assert next(polled).id == second
    polled.close()


def test_events(north: Any, south: Any, dev: str, service: LocalService, connect: Connect) -> None:
    """Events come in their order with their positions, those that were asked for alone."""
    job = north.create_job(dev, DIRECT, tags=["t"])
    north.create_job("another", DIRECT)
    south.update_status(job.id, "INSTALLING", progress=5)
    north.delete_job(job.id)
    events = north.events("0", client_ids=[dev])
    created, updated, deleted = (next(events) for _ in range(3))
    events.close()
    assert [each.action for each in (created, updated, deleted)] == ["CREATE", "UPDATE_STATUS", "DELETE"]
    assert {each.job_id for each in (created, updated, deleted)} == {job.id}
    assert (created.client_id, created.workflow, created.job["tags"]) == (dev, DIRECT, ["t"])
    assert (created.status.state, updated.status.progress, deleted.status) == ("INSTALL", 5, None)
    later = connect(service.south).events(updated.position, job_ids=[job.id], actions=["delete"])
    assert next(later) == deleted
    later.close()


def test_both_clients_are_alike() -> None:
    """Every operation is there for both, and described."""
    names = {name for name in dir(Client) if not name.startswith("_")}
    assert names == {name for name in dir(AsyncClient) if not name.startswith("_")}
    assert all(inspect.getdoc(getattr(Client, name)) for name in names)


def test_errors_are_one_tree() -> None:
    """Whatever goes wrong is a ClientError."""
    import wfx.client as package  # what it offers

    found = [getattr(package, name) for name in package.__all__]
    errors = [each for each in found if isinstance(each, type) and issubclass(each, Exception)]
    assert len(errors) > 15
    assert all(issubclass(each, ClientError) for each in errors)
