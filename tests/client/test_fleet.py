"""The fleet API by the client: summaries, lists, many jobs at once, devices; against a real service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from wfxctl_stub import Reply, Stub

from tests.client.conftest import DIRECT, QUICK, Connect, document
from wfx import spec_files
from wfx.client import (
    ONCE,
    Client,
    Denied,
    DeviceChanged,
    DeviceInUse,
    DeviceNotFound,
    InvalidRequest,
    JobModified,
    JobNotFound,
    KeyInUse,
    KeyReused,
    NewJob,
    NoFleetApi,
    NotFound,
    Selection,
    SelectionTooLarge,
    Unreachable,
    Unreadable,
    fleet_plans,
    plans,
)
from wfx.client.errors import fleet_refusal, lacks_fleet_api
from wfx.client.fleet_plans import list_devices
from wfx.demo.local import LocalService

ROLLOUT = "client.rollout"
"""A workflow in which the operator may end a job at any time."""


@pytest.fixture(scope="module", autouse=True)
def _rollout(service: LocalService) -> None:
    flow = document(DIRECT) | {"name": ROLLOUT}
    for edge in flow["transitions"]:
        if edge["to"] == "TERMINATED":
            edge["eligible"] = "WFX"
    with Client(service.north) as operator:
        operator.create_workflow(flow)


@pytest.fixture
def tag(dev: str) -> str:
    """A tag of the test's own."""
    return f"t-{dev}"


def three(north: Any, tag: str) -> list[str]:
    """Create three jobs with a tag; return their ids."""
    jobs = [NewJob(f"{tag}-{n}", variables={"n": n}, tags=[f"n{n}"] if n else ()) for n in range(3)]
    result = north.create_jobs(jobs, workflow=ROLLOUT, definition={"version": "2.0"}, tags=[tag])
    assert (result.count, result.done, result.failed, result.rest, result.next) == (3, 3, 0, 0, "")
    assert [(item.outcome, item.state, item.client_id) for item in result.items] == [
        ("created", "INSTALL", f"{tag}-{n}") for n in range(3)
    ]
    return [item.id for item in result.items]


def test_many_jobs_from_beginning_to_end(north: Any, tag: str) -> None:
    """Many are created, counted, listed, moved, tagged and deleted, each time with what became of each job."""
    ids, these = three(north, tag), Selection(tags=[tag])
    assert north.get_job(ids[1]).definition == {"version": "2.0", "n": 1}
    summary = north.summarize_jobs(these)
    assert (summary.total, [(each.state, each.jobs) for each in summary.counts]) == (3, [("INSTALL", 3)])
    assert (summary.counts[0].workflow, summary.counts[0].group) == (ROLLOUT, "OPEN")

    result = north.update_jobs([ids[0]], "TERMINATED", message="enough")
    assert [(item.state, item.outcome) for item in result.items] == [("TERMINATED", "updated")]
    rows = list(north.job_rows(these, sort="desc"))
    assert [row.id for row in rows] == ids[::-1]
    assert (rows[-1].state, rows[-1].group, rows[-1].message, rows[-1].tags) == (
        "TERMINATED",
        "FAILED",
        "enough",
        (tag,),
    )
    assert (rows[0].progress, rows[0].workflow, rows[0].message) == (None, ROLLOUT, "")
    event = next(north.events(summary.position, job_ids=ids))
    assert (event.action, event.job_id) == ("UPDATE_STATUS", ids[0])

    assert north.tag_jobs(these, add=["done"], remove=["n1"]).done == 3
    assert north.get_tags(ids[1]) == tuple(sorted(["done", tag]))
    result = north.update_jobs(ids, "INSTALLING")
    assert [item.error.code for item in result.failures] == ["wfx.invalidRequest"] * 3
    assert "transition" in result.failures[0].error.message
    result = north.delete_jobs([*ids, "gone"])
    assert (result.done, result.failures[0].error.code) == (3, "wfx.jobNotFound")
    assert north.summarize_jobs(these).total == 0


def test_a_selection_is_looked_at_first(north: Any, tag: str) -> None:
    """A dry run changes nothing, ``expect`` is a bound, and with ``limit`` the rest is for further requests."""
    ids, these = three(north, tag), Selection(tags=[tag])
    seen = north.delete_jobs(these, dry_run=True)
    assert (seen.dry_run, seen.count, seen.done, [item.id for item in seen.items]) == (True, 3, 0, ids)
    with pytest.raises(SelectionTooLarge) as refused:
        north.delete_jobs(these, expect=2)
    assert refused.value.count == 3
    first = north.delete_jobs(these, expect=seen.count, limit=2)
    assert (first.done, first.rest) == (2, 1)
    last = north.delete_jobs(these, expect=first.rest, after=first.next)
    assert (last.done, last.rest, last.next) == (1, 0, "")


def test_each_condition(north: Any, tag: str) -> None:
    """Each condition of a selection is one of the service's."""
    ids = three(north, tag)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    inside = [
        Selection(client_id=f"{tag}-1"), Selection(client_id_prefix=f"{tag}-1"), Selection(all_tags=[tag, "n1"]),
        Selection(tags=["n1", "a,b"], client_id_prefix=tag),
    ]  # fmt: skip
    for selection in inside:
        assert [row.id for row in north.job_rows(selection)] == [ids[1]]
    mine = Selection(client_id_prefix=tag)
    all_of_them: list[dict[str, Any]] = [
        {"state": "INSTALL"}, {"groups": ["OPEN"]}, {"workflow": ROLLOUT}, {"created_after": now - hour},
        {"created_before": now + hour}, {"modified_after": (now - hour).astimezone(timezone(hour))},
        {"modified_before": now + hour}, {"unchanged_for": timedelta()},
    ]  # fmt: skip
    for conditions in all_of_them:
        assert north.summarize_jobs(replace(mine, **conditions)).total == 3
    none: list[dict[str, Any]] = [
        {"unchanged_for": timedelta(hours=1, microseconds=5)}, {"created_before": now - hour},
        {"modified_after": now + hour}, {"groups": ["CLOSED", "(none)"]},
    ]  # fmt: skip
    for conditions in none:
        assert north.summarize_jobs(replace(mine, **conditions)).total == 0


FLEET: dict[str, Any] = yaml.safe_load(spec_files.find("fleet.openapi.yml").read_bytes())
"""The document of the fleet API."""


def test_no_condition_is_missing() -> None:
    """A selection, and lists of devices, have each condition that the document has, by its name there."""
    now = datetime.now(UTC)
    every = Selection("a", "a", "a", "a", ["a"], ["a"], ["a"], now, now, now, now, timedelta(1))
    assert set(every.members()) == set(FLEET["components"]["schemas"]["JobSelection"]["properties"])
    assert [name for name, _ in every.parameters()] == list(every.members())
    plan = list_devices(
        client_id_prefix="a", labels=["a"], attributes={"a": "b"}, version="a", seen_after=now, seen_before=now,
        not_seen_for=timedelta(1), where="true", after="a",
    )  # fmt: skip
    sent = {name for name, _ in parse_qsl(urlsplit(plan.request.path).query)}
    assert sent == {each["name"] for each in FLEET["paths"]["/devices"]["get"]["parameters"]}


def test_commas_belong_to_their_tags(north: Any, tag: str) -> None:
    """A comma or a backslash in a tag separates nothing."""
    odd = f"press 7, hall\\1, {tag}"
    north.create_jobs([NewJob(tag)], workflow=ROLLOUT, tags=[odd])
    assert [row.tags for row in north.job_rows(Selection(tags=[odd]))] == [(odd,)]


@pytest.mark.parametrize("wrong", [Selection(), Selection(tags=())])
def test_a_selection_without_conditions_changes_nothing(north: Any, wrong: Selection) -> None:
    """What would be all jobs is refused before anything is sent; so is a moment that is in no time zone."""
    with pytest.raises(ValueError, match="without conditions"):
        north.delete_jobs(wrong)
    with pytest.raises(TypeError, match="list of ids"):
        north.delete_jobs("5c0b3b5c")
    with pytest.raises(ValueError, match="no time zone"):
        north.delete_jobs(Selection(created_before=datetime(2026, 7, 1)))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="less than nothing"):
        north.delete_jobs(Selection(unchanged_for=-timedelta(1)))


def test_devices(north: Any, dev: str) -> None:
    """A device is found, described, looked at and forgotten."""
    with pytest.raises(DeviceNotFound):
        north.get_device(dev)
    said = north.describe_device(dev, attributes={"site": "hall 1"}, labels=["canary"])
    assert (said.attributes, said.labels) == ({"site": "hall 1"}, ("canary",))
    assert north.get_attributes(dev) == said
    job = north.create_job(dev, DIRECT)
    device = north.get_device(dev)
    assert (device.client_id, device.attributes, device.labels) == (dev, {"site": "hall 1"}, ("canary",))
    assert (device.current_job.id, device.current_job.state, device.last_result) == (job.id, "INSTALL", None)
    found = north.all_devices(
        client_id_prefix=dev, labels=["canary"], attributes={"site": "hall 1"}, not_seen_for=timedelta(days=1)
    )
    assert [each.client_id for each in found] == [dev]
    failed = 'lastResult.group == "FAILED"'
    assert [
        [each.client_id for each in north.all_devices(client_id_prefix=dev, where=where)]
        for where in (failed, f"NOT ({failed})")
    ] == [[], [dev]]
    assert list(north.all_devices(client_id_prefix=dev, seen_after=datetime.now(UTC) - timedelta(days=1))) == []
    with pytest.raises(DeviceInUse):
        north.delete_device(dev)
    north.delete_job(job.id)
    changed = north.describe_device(dev, labels=["old"], if_match=said.etag)
    assert (changed.attributes, changed.labels) == ({}, ("old",))
    with pytest.raises(DeviceChanged):
        north.describe_device(dev, if_match=said.etag)
    with pytest.raises(InvalidRequest) as refused:
        north.describe_device(dev, labels=["no good"])
    assert refused.value.problems[0].pointer == "/labels/0"
    north.delete_device(dev)
    with pytest.raises(DeviceNotFound):
        north.get_attributes(dev)


def test_a_job_that_nobody_else_has_changed(north: Any, dev: str) -> None:
    """A job is moved and deleted if it is as it was when it was read, and not if it has changed since."""
    job = north.create_job(dev, ROLLOUT, {"n": 1}, ["a"])
    read = north.get_details(job.id)
    assert (read.client_id, read.state, read.group, read.workflow) == (dev, "INSTALL", "OPEN", ROLLOUT)
    assert (read.definition, read.tags, read.stime, read.mtime) == ({"n": 1}, ("a",), job.stime, job.mtime)
    moved = north.move_job(job.id, "TERMINATED", message="enough", if_match=read.etag)
    assert (moved.state, moved.status.message) == ("TERMINATED", "enough")
    for change in (
        lambda: north.move_job(job.id, "TERMINATED", if_match=read.etag),
        lambda: north.delete_unchanged(job.id, read.etag),
    ):
        with pytest.raises(JobModified):
            change()
    assert north.move_job(job.id, "TERMINATED").state == "TERMINATED"
    north.delete_unchanged(job.id, north.get_details(job.id).etag)
    with pytest.raises(JobNotFound):
        north.get_details(job.id)


def test_the_other_side_denies(south: Any) -> None:
    """The southbound side has no fleet API, and says so."""
    with pytest.raises(Denied):
        south.summarize_jobs()


def test_a_key_of_ones_own(north: Any, tag: str) -> None:
    """A request with a key that was given before is answered as it was, and another one with it is refused."""
    first = north.create_jobs([NewJob(tag)], workflow=ROLLOUT, key=tag)
    assert north.create_jobs([NewJob(tag)], workflow=ROLLOUT, key=tag) == first
    assert [row.id for row in north.job_rows(Selection(client_id=tag))] == [first.items[0].id]
    with pytest.raises(KeyReused):
        north.create_jobs([NewJob(tag), NewJob(tag)], workflow=ROLLOUT, key=tag)


@pytest.mark.parametrize("key", ["a b", 'a"b', "a\\b", "a\r\nX: 1", "é", "x" * 129])
def test_a_key_that_no_header_has(north: Any, key: str) -> None:
    """A key that could not be sent as it is, is refused before anything is sent."""
    with pytest.raises(ValueError, match="visible ASCII"):
        north.delete_jobs(["1"], key=key)


DONE = {"dryRun": False, "count": 1, "done": 1, "failed": 0, "rest": 0, "items": [], "position": "l-1"}


def test_what_is_lost_is_sent_again_with_its_key(connect: Connect) -> None:
    """A bulk request is repeated as it was, with the same key, until it is answered, also while it is carried out."""
    with Stub().listening() as stub:
        stub.replies.append(Reply(headers={"Content-Length": "9"}, chunks=lambda: iter([b"{"])))
        stub.will({"errors": [{"code": "wfx.idempotencyKeyInUse", "logref": "1", "message": "later"}]}, 409)
        stub.replies.append(Reply(502))
        stub.will(DONE)
        client = connect(f"http://127.0.0.1:{stub.port}")
        assert client.update_jobs(["1"], "A").done == 1
        assert {(seen.headers["idempotency-key"], seen.body) for seen in stub.seen} == {
            (stub.seen[0].headers["idempotency-key"], b'{"status": {"state": "A"}, "ids": ["1"]}')
        }
        assert len(stub.seen) == 4
        stub.will(DONE)
        client.update_jobs(["1"], "A")
        assert stub.seen[4].headers["idempotency-key"] != stub.seen[0].headers["idempotency-key"]
        stub.will({"errors": [{"code": "wfx.idempotencyKeyInUse"}]}, 409)
        with pytest.raises(KeyInUse):
            connect(f"http://127.0.0.1:{stub.port}", ONCE).update_jobs(["1"], "A")


def test_a_conditional_change_is_sent_once(connect: Connect) -> None:
    """What must be as it was is not changed again where the outcome is not known: the second would be refused."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(headers={"Content-Length": "9"}, chunks=lambda: iter([b"{"]))
        client = connect(f"http://127.0.0.1:{stub.port}")
        with pytest.raises(Unreachable):
            client.describe_device("d", if_match='"1"')
        assert len(stub.seen) == 1
        with pytest.raises(Unreachable):
            client.describe_device("d")
        assert len(stub.seen) == 1 + (QUICK.attempts or 0)


@pytest.mark.parametrize(("status", "body"), [
    (404, b""), (404, b"404 page not found\n"), (405, b""), (404, b'{"errors": [{"code": "wfx.pathNotFound"}]}'),
])  # fmt: skip
def test_an_older_server_is_told_in_one_way(connect: Connect, status: int, body: bytes) -> None:
    """Whatever a server without the fleet API answers, the error says that it has none."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(status, body)
        client = connect(f"http://127.0.0.1:{stub.port}")
        calls = [
            client.summarize_jobs, lambda: next(client.job_rows()), lambda: client.create_jobs([NewJob("c")]),
            lambda: client.delete_jobs(["1"]), lambda: next(client.all_devices()), lambda: client.get_device("d"),
            lambda: client.describe_device("d"), lambda: client.delete_device("d"),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(NoFleetApi, match="the server has no fleet API, or not all of it"):
                call()
    assert not lacks_fleet_api(404, "wfx.jobNotFound")
    assert issubclass(NoFleetApi, NotFound)
    assert not isinstance(fleet_refusal(403, {}, ""), NoFleetApi)


def pages(*each: tuple[list[str], str]) -> Iterator[Reply]:
    """Pages of devices, each with where the next one begins."""
    for names, following in each:
        page: dict[str, Any] = {"content": [{"clientId": name} for name in names], "position": "l-1"}
        yield Reply(body=json.dumps(page | ({"next": following} if following else {})).encode())


def test_empty_pages_are_passed_over(connect: Connect) -> None:
    """A page without rows may have others behind it; a server that goes in circles is found out."""
    with Stub().listening() as stub:
        stub.replies.extend(pages((["a"], "1"), ([], "2"), ([], "3"), (["b"], "")))
        client = connect(f"http://127.0.0.1:{stub.port}")
        assert [device.client_id for device in client.all_devices()] == ["a", "b"]
        assert [dict(seen.query).get("after") for seen in stub.seen] == [None, "1", "2", "3"]
        stub.replies.extend(pages(([], "1"), ([], "2"), ([], "1"), ([], "2")))
        with pytest.raises(Unreadable, match="again and again"):
            list(client.all_devices())


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"content": [{}], "position": "1"}', b'{"total": true}', b""])
def test_what_is_no_answer(connect: Connect, body: bytes) -> None:
    """What no wfx answers is an error that says so."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=body)
        client = connect(f"http://127.0.0.1:{stub.port}")
        for call in (client.summarize_jobs, lambda: list(client.job_rows()), lambda: client.delete_jobs(["1"])):
            with pytest.raises(Unreadable):
                call()


@pytest.mark.parametrize(("conditions", "said"), [
    ({"unchanged_for": 5}, "unchanged_for must be a timedelta, such as timedelta(minutes=5), and not 5"),
    ({"modified_before": "2026-07-01"}, "modified_before must be a datetime with a time zone, such as datetime.now"),
    ({"workflow": ["w"]}, "workflow must be a text, and not ['w']"),
    ({"groups": "OPEN"}, "give a list of words, such as ['OPEN']"),
])  # fmt: skip
def test_a_condition_of_the_wrong_kind_is_refused(conditions: dict[str, Any], said: str) -> None:
    """A condition that is no time, text or list of words is named when the selection is made."""
    with pytest.raises(TypeError, match=re.escape(said)):
        Selection(**conditions)


@pytest.mark.parametrize("make", [
    lambda: plans.create_job("c", "w", tags="abc"),
    lambda: plans.list_jobs(tags="abc"),
    lambda: plans.list_jobs(groups="OPEN"),
    lambda: fleet_plans.create_jobs([], tags="abc"),
    lambda: fleet_plans.create_jobs([NewJob("c", tags="abc")]),
    lambda: fleet_plans.tag_jobs(["1"], add="abc"),
    lambda: fleet_plans.describe_device("c", labels="abc"),
])  # fmt: skip
def test_a_text_is_no_list_of_words(make: Callable[[], object]) -> None:
    """One word in place of a list is refused, rather than taken for its letters."""
    with pytest.raises(TypeError, match=r"such as \['"):
        make()
