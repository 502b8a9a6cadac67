"""Bulk requests of the fleet API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from conformance import conforming_client

from tests.api.rollouts import PROBLEM, Rollout, require_problem
from wfx.api.bulk_inputs import MOST_TAGS
from wfx.api.problems import PREFIX
from wfx.api.spec import FLEET, document
from wfx.demo.local import LocalService

Unique = Callable[[str], str]


def done(answer: httpx.Response) -> dict[str, Any]:
    """Return the result of a request that was carried out, whose numbers agree with each other."""
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    if not result["dryRun"]:
        outcomes = [item["outcome"] for item in result["items"]]
        assert result["failed"] == outcomes.count("failed") == sum("error" in item for item in result["items"])
        assert result["done"] == len(outcomes) - result["failed"] == result["count"] - result["rest"] - result["failed"]
    return result


def job_of(north: httpx.Client, job_id: str) -> dict[str, Any]:
    """Read a job by the other API."""
    found: dict[str, Any] = north.get(f"/jobs/{job_id}", params={"history": "true"}).json()
    return found


def test_a_list_of_jobs_is_created(
    fleet: httpx.Client, north: httpx.Client, workflow: dict[str, Any], unique: Unique
) -> None:
    """Each job of a list has its own workflow, definition and tags, and one that cannot be created stops no other."""
    client = unique("c")
    result = done(fleet.post("/jobs:batch", json={"jobs": [
        {"clientId": f"{client}-1", "workflow": workflow["name"], "definition": {"n": 1}, "tags": ["b", "a"]},
        {"clientId": f"{client}-2", "workflow": "nowhere"},
        {"clientId": f"{client}-3", "workflow": workflow["name"]},
    ]}))  # fmt: skip
    first, lost, third = result["items"]
    assert [each.get("state") for each in result["items"]] == ["INSTALL", None, "INSTALL"]
    assert lost == {"clientId": f"{client}-2", "outcome": "failed", "error": lost["error"]}
    assert (lost["error"]["code"], lost["error"]["message"]) == (
        "wfx.workflowNotFound", "workflow nowhere does not exist",
    )  # fmt: skip
    job = job_of(north, first["id"])
    assert (job["clientId"], job["definition"], job["tags"]) == (f"{client}-1", {"n": 1}, ["a", "b"])
    assert "definition" not in job_of(north, third["id"])


def test_one_definition_is_merged_with_the_variables_of_each_client(
    fleet: httpx.Client, north: httpx.Client, workflow: dict[str, Any], unique: Unique
) -> None:
    """What is beside the jobs is for all; variables are merged at any depth, null removes, own definitions replace."""
    client = unique("c")
    result = done(fleet.post("/jobs:batch", json={
        "workflow": workflow["name"], "definition": {"v": "2.0", "net": {"dns": "<a>", "mtu": 1500}}, "tags": ["all"],
        "jobs": [
            {"clientId": client},
            {"clientId": client, "variables": {"net": {"ip": "10.0.0.7", "mtu": None}}, "tags": ["own", "all"]},
            {"clientId": client, "definition": {"other": True}, "variables": {"n": 1}},
            {"clientId": client, "variables": {"v": {"major": 2}}},
        ],
    }))  # fmt: skip
    jobs = [job_of(north, item["id"]) for item in result["items"]]
    assert [job["definition"] for job in jobs] == [
        {"v": "2.0", "net": {"dns": "<a>", "mtu": 1500}},
        {"v": "2.0", "net": {"dns": "<a>", "ip": "10.0.0.7"}},
        {"other": True, "n": 1},
        {"v": {"major": 2}, "net": {"dns": "<a>", "mtu": 1500}},
    ]
    assert [job["tags"] for job in jobs] == [["all"], ["all", "own"], ["all"], ["all"]]
    for job in jobs:
        alone = north.post("/jobs", json={name: job[name] for name in ("clientId", "definition")} | {
            "workflow": workflow["name"]}).json()  # fmt: skip
        assert alone["status"]["definitionHash"] == job["status"]["definitionHash"]


def test_a_large_request_is_the_same(
    fleet: httpx.Client, north: httpx.Client, workflow: dict[str, Any], unique: Unique
) -> None:
    """A thousand jobs of one body, which is read in a worker process, are created in its order, each with its event."""
    mark = unique("large")
    position = fleet.get("/jobs/summary").json()["position"]
    jobs = [{"clientId": f"{mark}-{n}", "variables": {"n": [n]}} for n in range(1000)]
    result = done(fleet.post("/jobs:batch", json={
        "workflow": workflow["name"], "tags": [mark], "definition": {"x": "y" * 200}, "jobs": jobs,
    }))  # fmt: skip
    assert [item["clientId"] for item in result["items"]] == [job["clientId"] for job in jobs]
    assert len({item["id"] for item in result["items"]}) == 1000
    assert job_of(north, result["items"][700]["id"])["definition"] == {"x": "y" * 200, "n": [700]}
    assert fleet.get("/jobs/summary", params={"tag": mark}).json()["total"] == 1000
    query = {"since": position, "tags": mark, "limit": 1000}
    events = north.get("/jobs/events", params=query, headers={"Accept": "application/json"}).json()["content"]
    assert [each["event"]["job"]["id"] for each in events] == [item["id"] for item in result["items"]]
    assert len({each["event"]["cause"]["requestId"] for each in events if "cause" in each["event"]}) <= 1


def test_jobs_are_updated_as_the_operator(fleet: httpx.Client, north: httpx.Client, rollout: Rollout) -> None:
    """Jobs take the transitions for WFX alone; others, and ids of no job, are told of in their items."""
    ids = [rollout.ids[0], "unknown", rollout.ids[5], rollout.ids[4]]
    body = {"ids": ids, "status": {"state": "INSTALLING", "progress": 7, "message": "m", "context": {"a": [1]}}}
    result = done(fleet.post("/jobs:update", json=body))
    assert [item["id"] for item in result["items"]] == ids
    assert [item["outcome"] for item in result["items"]] == ["failed", "failed", "failed", "updated"]
    errors = [item["error"]["code"] for item in result["items"][:3]]
    assert errors == ["wfx.invalidRequest", "wfx.jobNotFound", "wfx.invalidRequest"]
    assert "clientId" not in result["items"][1]
    assert [item.get("state") for item in result["items"]] == ["INSTALL", None, "TERMINATED", "INSTALLING"]
    status = job_of(north, rollout.ids[4])["status"]
    assert (status["progress"], status["message"], status["context"]) == (7, "m", {"a": [1]})


@pytest.mark.parametrize(("selection", "found"), [
    ({}, [0, 1, 2, 3, 4, 5]), ({"state": "INSTALL"}, [0, 1, 2, 3]),
    ({"group": ["FAILED", "OPEN"], "tag": ["t0"]}, [0, 3]), ({"clientId": "MARK-c1"}, [1, 3, 5]),
    ({"allTags": ["t1", "MARK"]}, [1, 4]), ({"clientIdPrefix": "MARK-c0"}, [0, 2, 4]),
    ({"unchangedFor": "1h"}, []), ({"unchangedFor": "0s", "createdAfter": "2001-02-03T04:05:06Z"}, [0, 1, 2, 3, 4, 5]),
    ({"createdBefore": "2001-02-03T04:05:06+01:00"}, []), ({"modifiedAfter": "2999-12-31T23:59:59Z"}, []),
    ({"modifiedBefore": "2999-12-31T23:59:59Z", "workflow": "nowhere"}, []),
])  # fmt: skip
def test_a_selection_means_what_a_list_means(
    fleet: httpx.Client, rollout: Rollout, selection: dict[str, Any], found: list[int]
) -> None:
    """The conditions are those of GET /jobs; a dry run counts and shows the jobs, and changes nothing."""
    text = {"workflow": rollout.workflow, **selection}
    wanted = {name: _marked(value, rollout.mark) for name, value in text.items()}
    before = fleet.get("/jobs", params={"workflow": rollout.workflow}).json()["content"]
    result = done(fleet.post("/jobs:delete", json={"selection": wanted, "dryRun": True}))
    assert [rollout.ids.index(item["id"]) for item in result["items"]] == found
    assert (result["dryRun"], result["count"], result["done"], result["rest"]) == (True, len(found), 0, 0)
    assert all({"id", "clientId", "state"} == item.keys() for item in result["items"])
    assert fleet.get("/jobs", params={"workflow": rollout.workflow}).json()["content"] == before
    tagged = done(fleet.post("/jobs:tag", json={"selection": wanted, "add": ["found"]}))
    assert [rollout.ids.index(item["id"]) for item in tagged["items"]] == found


def _marked(value: Any, mark: str) -> Any:
    return [_marked(each, mark) for each in value] if isinstance(value, list) else value.replace("MARK", mark)


def test_more_jobs_than_expected_are_left_alone(fleet: httpx.Client, north: httpx.Client, rollout: Rollout) -> None:
    """A selection that has grown is refused with its number, and so is one beyond the limit; nothing is changed."""
    body = {"selection": {"tag": [rollout.mark], "state": "INSTALL"}, "add": ["late"]}
    count = done(fleet.post("/jobs:tag", json=body | {"dryRun": True}))["count"]
    request = {"clientId": "late", "workflow": rollout.workflow, "tags": [rollout.mark]}
    north.post("/jobs", json=request)
    for bound in ({"expect": count}, {"limit": count}, {"expect": 0}):
        problem = require_problem(fleet.post("/jobs:tag", json=body | bound), 412, "wfx.selectionTooLarge")
        assert problem["count"] == count + 1
    assert fleet.get("/jobs/summary", params={"tag": "late", "workflow": rollout.workflow}).json()["total"] == 0
    assert done(fleet.post("/jobs:tag", json=body | {"expect": count + 1}))["done"] == count + 1


def test_a_large_selection_is_done_in_chunks(fleet: httpx.Client, rollout: Rollout) -> None:
    """With what an answer says is left, and where, requests go through all jobs, each once, in order of creation."""
    body: dict[str, Any] = {"selection": {"workflow": rollout.workflow}, "expect": 6, "limit": 4, "add": ["seen"]}
    first = done(fleet.post("/jobs:tag", json=body))
    assert (first["count"], first["rest"]) == (6, 2)
    second = done(fleet.post("/jobs:tag", json=body | {"expect": first["rest"], "after": first["next"]}))
    assert (second["count"], second["rest"], "next" in second) == (2, 0, False)
    assert [item["id"] for item in (*first["items"], *second["items"])] == rollout.ids
    last = fleet.post("/jobs:tag", json=body | {"after": "MDA.7"[:4]})
    require_problem(last, 400, "wfx.badRequest")


def test_tags_are_added_and_removed_together(fleet: httpx.Client, north: httpx.Client, rollout: Rollout) -> None:
    """Of each job both or neither; empty tags of the other API can be removed; too many are refused as a whole."""
    north.post(f"/jobs/{rollout.ids[0]}/tags", json=[""])
    body = {"ids": rollout.ids[:1], "add": ["new", "t0"], "remove": ["", "none"]}
    assert done(fleet.post("/jobs:tag", json=body))["items"][0]["outcome"] == "tagged"
    assert job_of(north, rollout.ids[0])["tags"] == sorted([rollout.mark, "new", "t0"])
    done(fleet.post("/jobs:tag", json={"ids": rollout.ids[1:2], "add": ["x" * 100_000]}))
    before = job_of(north, rollout.ids[1])
    too_long = {"ids": rollout.ids[1:2], "add": ["y" * 50_000], "remove": ["t1"]}
    assert done(fleet.post("/jobs:tag", json=too_long))["items"][0]["error"]["code"] == "wfx.invalidRequest"
    assert job_of(north, rollout.ids[1]) == before


def test_what_is_told_of_a_job_is_bounded(fleet: httpx.Client, workflow: dict[str, Any], unique: Unique) -> None:
    """Client ids of more than 255 characters are left out of the items, and what errors repeat is shortened."""
    mark = unique("bounded")
    longest = (mark + "x" * 255)[:255]
    jobs = [{"clientId": longest}, {"clientId": longest + "x"}, {"clientId": "c", "workflow": "w" * 50_000}]
    result = done(fleet.post("/jobs:batch", json={"workflow": workflow["name"], "jobs": jobs}))
    assert [item.get("clientId") for item in result["items"]] == [longest, None, "c"]
    body = {"ids": [item["id"] for item in result["items"][:2]], "status": {"state": "s" * 50_000}}
    moved = done(fleet.post("/jobs:update", json=body))
    for item in (result["items"][2], *moved["items"]):
        assert len(item["error"]["message"]) <= 500
        assert item["error"]["message"].endswith("does not exist")


def test_jobs_are_deleted(fleet: httpx.Client, north: httpx.Client, rollout: Rollout) -> None:
    """Deleted jobs are told with their clients and last states, and are gone."""
    result = done(fleet.post("/jobs:delete", json={"ids": [*rollout.ids[3:], "unknown"]}))
    assert [item.get("state") for item in result["items"]] == ["INSTALL", "INSTALLING", "TERMINATED", None]
    assert [item["outcome"] for item in result["items"]] == ["deleted"] * 3 + ["failed"]
    assert result["items"][0]["clientId"] == f"{rollout.mark}-c1"
    left = north.get("/jobs", params={"workflow": rollout.workflow}).json()["content"]
    assert [job["id"] for job in left] == rollout.ids[:3]


@pytest.mark.parametrize(("path", "change", "failed"), [
    ("delete", {}, 0), ("update", {"status": {"state": "TYPO"}}, 6), ("update", {"status": {"state": "TERMINATED"}}, 5),
    ("update", {"status": {"state": "INSTALL", "message": "m"}}, 2), ("tag", {"add": ["y" * 50_000]}, 2),
    ("tag", {"add": ["y" * 50_000], "remove": ["t1"]}, 2),
])  # fmt: skip
@pytest.mark.parametrize("by_ids", [True, False])
def test_a_dry_run_tells_what_the_request_would_do(
    fleet: httpx.Client, rollout: Rollout, path: str, change: dict[str, Any], failed: int, *, by_ids: bool
) -> None:
    """A dry run counts the jobs that the request cannot change, and shows them first, with their errors."""
    done(fleet.post("/jobs:tag", json={"ids": rollout.ids[1:3], "add": ["x" * 100_000]}))
    which: dict[str, Any] = {"ids": [*rollout.ids, "unknown"]} if by_ids else {"selection": {"tag": [rollout.mark]}}
    dry = done(fleet.post(f"/jobs:{path}", json=which | change | {"dryRun": True}))
    real = done(fleet.post(f"/jobs:{path}", json=which | change))
    assert (dry["count"], dry["failed"]) == (real["count"], real["failed"])
    assert [item.get("outcome") for item in dry["items"]] == ["failed"] * dry["failed"] + [None] * real["done"]
    errors = {item["id"]: item.get("error") for item in real["items"]}
    assert {item["id"]: item.get("error") for item in dry["items"]} == errors
    assert dry["failed"] == failed + by_ids


def test_a_dry_run_is_about_the_jobs_of_the_request(fleet: httpx.Client, rollout: Rollout) -> None:
    """Of a selection of more jobs than the limit those are looked at that the request would change."""
    body: dict[str, Any] = {"selection": {"tag": [rollout.mark]}, "status": {"state": "TYPO"}, "dryRun": True}
    result = done(fleet.post("/jobs:update", json=body | {"limit": 2}))
    assert (result["count"], result["rest"], result["failed"]) == (6, 4, 2)
    result = done(fleet.post("/jobs:update", json=body | {"after": result["next"]}))
    assert (result["count"], result["rest"], result["failed"]) == (4, 0, 4)


def test_a_dry_run_knows_reports_that_may_be_repeated(fleet: httpx.Client, north: httpx.Client, unique: Unique) -> None:
    """A report that an immediate transition led on from may be made again, so a dry run does not count it as failed."""
    edges = [("A", "R", "WAIT"), ("R", "B", "IMMEDIATE"), ("A", "B", "WAIT")]
    north.post("/workflows", json={
        "name": (name := unique("hop")), "states": [{"name": each} for each in "ARB"],
        "transitions": [{"from": a, "to": b, "action": how, "eligible": "WFX"} for a, b, how in edges],
    }).raise_for_status()  # fmt: skip
    ids = [north.post("/jobs", json={"clientId": "c", "workflow": name}).json()["id"] for _ in range(2)]
    for job_id, state in zip(ids, "RB", strict=True):
        assert north.put(f"/jobs/{job_id}/status", json={"state": state}).json()["state"] == "B"
    body: dict[str, Any] = {"selection": {"workflow": name}, "status": {"state": "R"}}
    dry = done(fleet.post("/jobs:update", json=body | {"dryRun": True}))
    assert (dry["failed"], [item["id"] for item in dry["items"]]) == (1, ids[::-1])
    assert done(fleet.post("/jobs:update", json=body))["failed"] == 1


def test_a_dry_run_of_new_jobs_looks_for_their_workflows(
    fleet: httpx.Client, workflow: dict[str, Any], unique: Unique
) -> None:
    """Jobs whose workflow does not exist are counted, and shown before others with the error that they would have."""
    mark = unique("dry")
    jobs: list[dict[str, Any]] = [{"clientId": f"{mark}-{n}"} for n in range(40)]
    for place in (33, 35):
        jobs[place]["workflow"] = "nowhere"
    body = {"workflow": workflow["name"], "tags": [mark], "jobs": jobs, "dryRun": True}
    result = done(fleet.post("/jobs:batch", json=body))
    assert (result["count"], result["done"], result["failed"], len(result["items"])) == (40, 0, 2, 20)
    assert [item["clientId"] for item in result["items"][:3]] == [f"{mark}-33", f"{mark}-35", f"{mark}-0"]
    assert [item["error"]["code"] for item in result["items"][:2]] == ["wfx.workflowNotFound"] * 2
    assert not any("error" in item for item in result["items"][2:])
    assert fleet.get("/jobs/summary", params={"tag": mark}).json()["total"] == 0


@pytest.mark.parametrize(("path", "body", "faults"), [
    ("delete", {"selection": {"tag": [""], "allTags": ["a", ""], "group": [""]}},
     ["/selection/allTags/1", "/selection/group/0", "/selection/tag/0"]),
    ("batch", {"workflow": "w", "tags": [""], "jobs": [{"clientId": "a", "tags": ["a", ""]}]},
     ["/jobs/0/tags/1", "/tags/0"]),
    ("batch", {"workflow": "w", "tags": [*"abcdefghijkl"], "jobs": [
        {"clientId": "a", "tags": [*"abcdmnop"]}, {"clientId": "b", "tags": [*"mnopq"]}, {"clientId": "c"},
    ]}, ["/jobs/1/tags"]),
    ("tag", {"ids": ["a"], "add": ["a", "b", ""]}, ["/add/2"]),
    ("tag", {"ids": ["a"], "add": ["a", "b"], "remove": ["c", "b"]}, ["/remove/1"]),
    ("batch", {"jobs": [{"clientId": "a"}, {"clientId": ""}, {"n": 1}]}, ["/jobs/1/clientId", "/jobs/2", "/jobs/2"]),
    ("batch", {"jobs": [{"clientId": "a"}, {"clientId": "b"}]}, ["/jobs/0", "/jobs/1"]),
    ("batch", {"workflow": "w", "jobs": []}, ["/jobs"]), ("batch", {}, [""]), ("batch", [], [""]),
    ("batch", {"workflow": "w", "definition": {"a": "x" * 70_000}, "jobs": [{"clientId": "a", "variables": {"b": 1}}]},
     ["/jobs/0/variables"]),
    ("batch", {"workflow": "w", "definition": {"a": "x" * 700_000}, "jobs": [{"clientId": "a"}] * 100}, ["/jobs"]),
    ("batch", {"workflow": "w", "jobs": [{"clientId": "a"}] * 10_001}, ["/jobs"]),
    ("delete", {}, [""]), ("delete", {"ids": ["a"], "selection": {"state": "A"}}, [""]),
    ("delete", {"selection": {}}, ["/selection"]), ("delete", {"selection": {"tags": ["a"]}}, ["/selection"]),
    ("delete", {"ids": ["a", "a"]}, ["/ids"]), ("delete", {"ids": []}, ["/ids"]),
    ("delete", {"ids": ["a"], "expect": 1, "limit": 1}, ["/expect", "/limit"]),
    ("delete", {"selection": {"createdAfter": "soon"}}, ["/selection/createdAfter"]),
    ("delete", {"selection": {"unchangedFor": "1"}}, ["/selection/unchangedFor"]),
    ("delete", {"selection": {"state": "A"}, "after": "x"}, ["/after"]),
    ("delete", {"selection": {"state": "A"}, "limit": 10_001, "expect": -1}, ["/expect", "/limit"]),
    ("delete", {"selection": {"state": "A"}, "dryrun": True}, [""]),
    ("tag", {"ids": ["a"]}, [""]), ("tag", {"add": ["a"]}, [""]),
    ("tag", {"ids": ["a"], "add": [1, "\0"]}, ["/add/0", "/add/1"]),
    ("update", {"ids": ["a"]}, [""]), ("update", {"ids": ["a"], "status": {"state": "", "progress": 101}},
     ["/status/progress", "/status/state"]),
])  # fmt: skip
def test_all_that_is_wrong_with_a_body_is_told(fleet: httpx.Client, path: str, body: Any, faults: list[str]) -> None:
    """A body that is not as the document says is a problem that names each place, and nothing is done."""
    answer = fleet.post(f"/jobs:{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM), answer.text
    errors = answer.json()["errors"]
    assert sorted(error["pointer"] for error in errors) == faults
    assert {error["code"] for error in errors} == {"wfx.badRequest"}
    assert answer.json()["detail"] == errors[0]["message"]


def test_a_job_of_many_is_created_with_as_many_tags_as_one() -> None:
    """The bound for the tags of a job and of all jobs together is that of the list of either."""
    schemas = document(FLEET)["components"]["schemas"]
    for name in ("BulkNewJob", "BulkCreation"):
        assert schemas[name]["properties"]["tags"]["maxItems"] == MOST_TAGS


@pytest.mark.parametrize(("body", "detail"), [
    ({"ids": [*"abcdefghij", "a"], "status": {"state": "A"}}, "must not have an item twice (at /ids of the body)"),
    ({"ids": ["a"], "status": {"state": "x" * 100, "progress": 101}},
     "must be at most 100, and is 101 (at /status/progress of the body)"),
    ({"selection": {}, "status": {"state": "A"}}, "must not be empty (at /selection of the body)"),
    ({"ids": ["a"], "statusses": {"state": "x" * 100}, "status": {"state": "A"}},
     "there is no member 'statusses' (the body)"),
    ({"ids": ["a"]}, "'status' is missing (the body)"),
    ({"selection": {"createdAfter": "soon"}, "status": {"state": "A"}},
     'must be a time such as 2026-07-01T12:00:00Z, and is "soon" (at /selection/createdAfter of the body)'),
    ([{"ids": ["a"]}], "must be of type object (the body)"),
    ({"status": {"state": "A"}}, "either 'ids' or 'selection' is needed, and not both (the body)"),
])  # fmt: skip
def test_a_refusal_begins_with_the_rule(fleet: httpx.Client, body: Any, detail: str) -> None:
    """What is wrong with a body is told by the rule, then the place; the body is not repeated."""
    assert require_problem(fleet.post("/jobs:update", json=body), 400, "wfx.badRequest")["detail"] == detail


def test_at_most_128_faults_are_told(fleet: httpx.Client) -> None:
    """Of a body in which everything is wrong the first places are told, also where a worker process has read it."""
    for count in (300, 9000):
        errors = fleet.post("/jobs:batch", json={"workflow": "w", "jobs": [{"clientId": 1}] * count}).json()["errors"]
        assert [error["pointer"] for error in errors] == [f"/jobs/{n}/clientId" for n in range(128)]
        assert errors[0]["message"] == "must be of type string, and is 1 (at /jobs/0/clientId of the body)"


def test_a_request_with_a_key_is_carried_out_once(
    fleet: httpx.Client, workflow: dict[str, Any], unique: Unique
) -> None:
    """The same request is answered as before, byte by byte, and nothing is created again."""
    mark, key = unique("once"), unique("key")
    body = {"workflow": workflow["name"], "tags": [mark], "jobs": [{"clientId": f"{mark}-{n}"} for n in range(150)]}
    first = fleet.post("/jobs:batch", json=body, headers={"Idempotency-Key": key})
    again = fleet.post("/jobs:batch", json=body, headers={"Idempotency-Key": f'"{key}"'})
    assert done(first)["done"] == 150
    assert (again.status_code, again.content) == (200, first.content)
    assert fleet.get("/jobs/summary", params={"tag": mark}).json()["total"] == 150


def test_a_key_is_for_one_request(fleet: httpx.Client, rollout: Rollout, unique: Unique) -> None:
    """Another body, or the same one elsewhere, is refused with 422; a refused request leaves its key free."""
    headers = {"Idempotency-Key": unique("key")}
    body: dict[str, Any] = {"selection": {"workflow": rollout.workflow}, "expect": 1}
    require_problem(fleet.post("/jobs:delete", json=body, headers=headers), 412, "wfx.selectionTooLarge")
    body["expect"] = 6
    assert done(fleet.post("/jobs:delete", json=body, headers=headers))["done"] == 6
    assert done(fleet.post("/jobs:delete", json=body, headers=headers))["done"] == 6
    other = body | {"expect": 7}
    require_problem(fleet.post("/jobs:delete", json=other, headers=headers), 422, "wfx.idempotencyKeyReused")
    elsewhere = {"ids": ["a"], "add": ["b"]}
    require_problem(fleet.post("/jobs:tag", json=elsewhere, headers=headers), 422, "wfx.idempotencyKeyReused")


def test_a_dry_run_has_no_use_for_a_key(
    fleet: httpx.Client, workflow: dict[str, Any], rollout: Rollout, unique: Unique
) -> None:
    """A dry run neither takes a key, nor is answered by it: before and after the request, it tells what is now."""
    selected = {"selection": {"workflow": rollout.workflow, "state": "INSTALL"}}
    given = {"ids": rollout.ids[:2], "add": ["x"]}
    created = {"workflow": workflow["name"], "jobs": [{"clientId": "dry"}]}
    for path, body in (("tag", given), ("batch", created), ("delete", selected)):
        headers = {"Idempotency-Key": unique("key")}
        before = done(fleet.post(f"/jobs:{path}", json=body | {"dryRun": True}, headers=headers))
        first = fleet.post(f"/jobs:{path}", json=body, headers=headers)
        assert (done(first)["done"], first.json()["dryRun"]) == (before["count"], False)
        after = done(fleet.post(f"/jobs:{path}", json=body | {"dryRun": True}, headers=headers))
        assert (after["dryRun"], after["count"]) == (True, 0 if path == "delete" else before["count"])
        assert fleet.post(f"/jobs:{path}", json=body, headers=headers).content == first.content
        bad = fleet.post(f"/jobs:{path}", json=body | {"dryRun": True}, headers={"Idempotency-Key": "a b"})
        assert "header Idempotency-Key" in require_problem(bad, 400, "wfx.badRequest")["detail"]


def test_ten_thousand_workflows_are_looked_for(fleet: httpx.Client, workflow: dict[str, Any]) -> None:
    """A dry run of 10,000 jobs, each with another workflow, counts those that do not exist and shows the first."""
    jobs = [{"clientId": "c", "workflow": f"nowhere-{n}"} for n in range(9_999)]
    body = {"jobs": [{"clientId": "c", "workflow": workflow["name"]}, *jobs], "dryRun": True}
    result = done(fleet.post("/jobs:batch", json=body))
    assert (result["count"], result["failed"]) == (10_000, 9_999)
    assert result["items"][19]["error"]["message"] == "workflow nowhere-19 does not exist"


@pytest.mark.parametrize("key", ["", '""', "a b", '"a', 'a"b', "a\\b", "x" * 129, "ä"])
def test_a_bad_key_is_refused(fleet: httpx.Client, key: str) -> None:
    """What is no key is refused before anything happens."""
    answer = fleet.post("/jobs:delete", json={"ids": ["a"]}, headers={"Idempotency-Key": key.encode()})
    assert "header Idempotency-Key" in require_problem(answer, 400, "wfx.badRequest")["detail"]


def test_a_request_that_runs_holds_its_key(service: LocalService, workflow: dict[str, Any], unique: Unique) -> None:
    """Of the same request sent by many at once one is carried out; others are told 409, or get its answer later."""
    mark, headers = unique("many"), {"Idempotency-Key": unique("key")}
    body = {"workflow": workflow["name"], "tags": [mark], "jobs": [{"clientId": f"{mark}-{n}"} for n in range(700)]}
    answers: list[httpx.Response] = []

    def send() -> None:
        with conforming_client(service.north + PREFIX, timeout=60) as client:
            answers.append(client.post("/jobs:batch", json=body, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    good = [answer.content for answer in answers if answer.status_code == 200]
    assert len(set(good)) == 1
    for answer in answers:
        if answer.status_code != 200:
            require_problem(answer, 409, "wfx.idempotencyKeyInUse")
            assert answer.headers["retry-after"] == "1"
    with conforming_client(service.north + PREFIX) as client:
        assert client.get("/jobs/summary", params={"tag": mark}).json()["total"] == 700


def test_devices_are_refused(service: LocalService) -> None:
    """The southbound side offers none of it."""
    for method, path in (
        ("POST", "/jobs:batch"), ("POST", "/jobs:update"), ("POST", "/jobs:delete"), ("POST", "/jobs:tag"),
        ("GET", "/jobs/x"), ("DELETE", "/jobs/x"), ("PUT", "/jobs/x/status"),
    ):  # fmt: skip
        body = {"POST": {"ids": ["a"], "add": ["b"]}, "PUT": {"state": "A"}}.get(method)
        if path in ("/jobs:batch", "/jobs:update", "/jobs:delete"):
            body = {"batch": {"workflow": "w", "jobs": [{"clientId": "a"}]}, "delete": {"ids": ["a"]},
                    "update": {"ids": ["a"], "status": {"state": "A"}}}[path[6:]]  # fmt: skip
        require_problem(httpx.request(method, service.south + PREFIX + path, json=body), 403, "wfx.forbidden")
