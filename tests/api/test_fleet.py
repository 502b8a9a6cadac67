"""The fleet API: its frame, and counts of jobs."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.api.rollouts import PROBLEM, Rollout, require_problem
from tests.composition import composed
from wfx.api.problems import PREFIX
from wfx.api.refusals import refusals_of
from wfx.demo.local import LocalService
from wfx.domain.errors import StoreUnavailable
from wfx.request_context import Side


@pytest.mark.parametrize(("conditions", "found"), [
    ({}, {"FAILED TERMINATED": 1, "OPEN INSTALL": 4, "OPEN INSTALLING": 1}),
    ({"clientId": "-c1"}, {"FAILED TERMINATED": 1, "OPEN INSTALL": 2}),
    ({"state": "INSTALLING"}, {"OPEN INSTALLING": 1}),
    ({"group": "FAILED,CLOSED"}, {"FAILED TERMINATED": 1}),
    ({"group": "NONE"}, {}),
    ({"tag": "t0"}, {"OPEN INSTALL": 2}),
    ({"tag": "t1,t2"}, {"FAILED TERMINATED": 1, "OPEN INSTALL": 2, "OPEN INSTALLING": 1}),
    ({"tag": "t1", "group": "OPEN", "state": "INSTALL"}, {"OPEN INSTALL": 1}),
    ({"allTags": "t1,MARK"}, {"OPEN INSTALL": 1, "OPEN INSTALLING": 1}),
    ({"allTags": "t1,t2"}, {}),
    ({"clientIdPrefix": "MARK-c"}, {"FAILED TERMINATED": 1, "OPEN INSTALL": 4, "OPEN INSTALLING": 1}),
    ({"clientIdPrefix": "MARK-c1", "tag": "t1,t2"}, {"FAILED TERMINATED": 1, "OPEN INSTALL": 1}),
    ({"createdAfter": "2001-02-03T04:05:06Z", "group": "OPEN"}, {"OPEN INSTALL": 4, "OPEN INSTALLING": 1}),
    ({"createdBefore": "2001-02-03T04:05:06Z"}, {}), ({"modifiedAfter": "2999-01-01T00:00:00Z"}, {}),
    ({"modifiedBefore": "2999-01-01T00:00:00Z", "tag": "t0"}, {"OPEN INSTALL": 2}),
    ({"unchangedFor": "0s", "state": "INSTALLING"}, {"OPEN INSTALLING": 1}), ({"unchangedFor": "P1D"}, {}),
])  # fmt: skip
def test_jobs_are_counted_by_state(
    fleet: httpx.Client, rollout: Rollout, conditions: dict[str, str], found: dict[str, int]
) -> None:
    """Under each condition of lists, as many jobs are counted in each state as match, and the total is their sum."""
    if conditions.get("clientId"):
        conditions = {**conditions, "clientId": rollout.mark + conditions["clientId"]}
    conditions = {name: value.replace("MARK", rollout.mark) for name, value in conditions.items()}
    answer = fleet.get("/jobs/summary", params={"workflow": rollout.workflow, **conditions})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    summary = answer.json()
    assert {f"{each['group']} {each['state']}": each["jobs"] for each in summary["counts"]} == found
    assert {each["workflow"] for each in summary["counts"]} <= {rollout.workflow}
    assert summary["total"] == sum(found.values())


def test_counts_come_in_the_order_of_their_names(fleet: httpx.Client, rollout: Rollout) -> None:
    """The counts of all workflows are ordered by workflow, group and state, and those asked for are among them."""
    counts = fleet.get("/jobs/summary").json()["counts"]
    names = [[each[name].encode() for name in ("workflow", "group", "state")] for each in counts]
    assert names == sorted(names)
    assert [rollout.workflow.encode(), b"OPEN", b"INSTALLING"] in names


def test_the_event_stream_goes_on_behind_the_counts(
    fleet: httpx.Client, north: httpx.Client, south: httpx.Client, rollout: Rollout
) -> None:
    """The position of a summary is what ``since`` takes: the first event behind it is the next change."""
    position = fleet.get("/jobs/summary", params={"tag": rollout.mark}).json()["position"]
    south.put(f"/jobs/{rollout.ids[0]}/status", json={"state": "INSTALLING"})
    query = {"since": position, "jobIds": ",".join(rollout.ids)}
    events = north.get("/jobs/events", params=query, headers={"Accept": "application/json"}).json()["content"]
    assert [(each["event"]["action"], each["event"]["job"]["id"]) for each in events] == [
        ("UPDATE_STATUS", rollout.ids[0])
    ]


@pytest.mark.parametrize(("query", "named"), [
    ("state=a&state=b", "'state' is given more than once"),
    ("tag=" + ",".join("t" * 17), "17 items are more than 16"),
    ("clientId=%00", "contains U+0000"),
    ("group=", "'group' is empty"), ("group=OPEN,", "'group' is empty, or one of its items is"),
    ("clientId=", "'clientId' is empty"), ("state=", "'state' is empty"), ("workflow=", "'workflow' is empty"),
    ("tag=", "'tag' is empty"), ("tag=a,,b", "'tag' is empty, or one of its items is"), ("state", "'state' is empty"),
    ("clientIdPrefix=", "'clientIdPrefix' is empty"), ("allTags=,", "'allTags' is empty, or one of its items is"),
    ("clientId=%FC", "not UTF-8"), ("tag=a%ED%A0%80", "not UTF-8"), ("%FF=1", "not UTF-8"),
    ("pagination=true", "unknown parameter 'pagination'"),
    ("sort=desc", "unknown parameter 'sort'"),
])  # fmt: skip
def test_a_bad_parameter_is_a_problem(fleet: httpx.Client, query: str, named: str) -> None:
    """A parameter that is not as the document says is refused with problem details that name it."""
    assert named in require_problem(fleet.get(f"/jobs/summary?{query}"), 400, "wfx.badRequest")["detail"]


@pytest.mark.parametrize("path", ["", "/", "/jobs/summary/more", "/nothing"])
def test_an_unknown_path_below_the_prefix_is_a_problem(service: LocalService, path: str) -> None:
    """Below the prefix, and there alone, unknown paths are answered with problem details, on both sides."""
    for side in (service.north, service.south):
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            require_problem(httpx.request(method, side + PREFIX + path), 404, "wfx.pathNotFound")
    elsewhere = httpx.get(f"{service.north}{PREFIX}x{path}")
    assert (elsewhere.status_code, elsewhere.content) == (404, b"")


def test_a_method_that_a_path_does_not_have_is_a_problem(fleet: httpx.Client) -> None:
    """405 tells the methods in ``Allow`` and in the message."""
    answer = fleet.delete("/jobs/summary")
    assert "GET, HEAD" in require_problem(answer, 405, "wfx.methodNotAllowed")["detail"]
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_has_the_fields_of_get(fleet: httpx.Client) -> None:
    """HEAD answers as GET does, without the body."""
    answer = fleet.head("/jobs/summary")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/json", b"")


@pytest.mark.parametrize("path", ["/jobs/summary", "/jobs/summary?state=a", "/openapi.json"])
def test_devices_are_refused(service: LocalService, path: str) -> None:
    """The southbound side refuses what is for operators, by whatever method, with problem details."""
    for method in ("GET", "POST", "DELETE"):
        require_problem(httpx.request(method, service.south + PREFIX + path), 403, "wfx.forbidden")


def test_the_document_is_served(service: LocalService) -> None:
    """The fleet API serves its own document, and that of the other API does not mention it."""
    answer = httpx.get(f"{service.north}{PREFIX}/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["servers"] == [{"url": PREFIX}]
    assert "/jobs/summary" in answer.json()["paths"]
    assert PREFIX not in httpx.get(f"{service.north}/api/wfx/v1/openapi.json").text


async def test_an_unavailable_store_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store cannot work, the answer is 503 with problem details and ``Retry-After``."""

    async def fail(_query: object) -> None:
        raise StoreUnavailable("the disk is gone")

    async with composed(tmp_path) as running, httpx.AsyncClient(trust_env=False) as client:
        monkeypatch.setattr(running.parts.services.jobs._store, "summarize_jobs", fail)
        answer = await client.get(f"http://127.0.0.1:{running.ports[Side.NORTH]}{PREFIX}/jobs/summary")
        assert "the disk is gone" in require_problem(answer, 503, "wfx.storeUnavailable")["detail"]
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("path", "is_fleet"), [
    (PREFIX, True), (f"{PREFIX}/", True), (f"{PREFIX}/jobs", True), (f"{PREFIX}0/jobs", False), ("/api/wfx/v1", False),
])  # fmt: skip
def test_the_form_of_refusals_follows_from_the_path(path: str, *, is_fleet: bool) -> None:
    """Who has used up the requests of an address is told in the form of the API that was asked."""
    reply = refusals_of(path.encode()).too_many_requests("too many requests", [(b"retry-after", b"7")])
    kind = PROBLEM if is_fleet else "application/json"
    assert (b"content-type", kind.encode()) in reply.raw_headers
    assert (b"retry-after", b"7") in reply.raw_headers
    assert b"wfx.tooManyRequests" in bytes(reply.body)
