"""Devices in the fleet API, and which requests tell that a device is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from waiting import eventually

from tests.api.rollouts import require_problem
from wfx.api.cursor import cursor_of, id_cursor_of, read_id_cursor

SWUPDATE = {"User-Agent": "libcurl-agent/1.0", "X-Client-Version": "SWUpdate 2026.05.1"}
DESCRIPTION = {"attributes": {"line": "2", "site": "Halle ü & <1>"}, "labels": ["canary", "old"]}


def seen(fleet: httpx.Client, client_id: str) -> dict[str, Any]:
    """Wait until a device was seen, and return what is shown of it."""

    def device() -> dict[str, Any]:
        shown: dict[str, Any] = fleet.get(f"/devices/{client_id}").json()
        return shown

    eventually(lambda: "lastSeen" in device(), f"{client_id} was seen")
    return device()


def shown(job: dict[str, Any]) -> dict[str, Any]:
    """Say in plain words what is shown of a job in its answer."""
    return {
        "id": job["id"], "workflow": job["workflow"]["name"], "state": job["status"]["state"], "mtime": job["mtime"],
    }  # fmt: skip


def without_group(job: dict[str, Any]) -> dict[str, Any]:
    """Leave out the group, which the other API does not show."""
    return {name: value for name, value in job.items() if name != "group"}


def test_a_job_makes_a_device(fleet: httpx.Client, job: dict[str, Any]) -> None:
    """The client of a job is a device with that job, that was never seen and of which nothing is said."""
    device = fleet.get(f"/devices/{job['clientId']}").json()
    assert without_group(device.pop("currentJob")) == shown(job)
    assert device == {"clientId": job["clientId"], "attributes": {}, "labels": []}


def test_the_last_result(fleet: httpx.Client, south: httpx.Client, job: dict[str, Any]) -> None:
    """A job that has ended is the last result, and not the current job any more."""
    for state in ("INSTALLING", "TERMINATED"):
        south.put(f"/jobs/{job['id']}/status", json={"state": state})
    device = fleet.get(f"/devices/{job['clientId']}").json()
    assert "currentJob" not in device
    assert device["lastResult"]["group"] == "FAILED"
    assert without_group(device["lastResult"]) == shown(south.get(f"/jobs/{job['id']}").json())


def test_what_tells_that_a_device_is_there(
    fleet: httpx.Client, north: httpx.Client, south: httpx.Client, job: dict[str, Any], unique: Callable[[str], str]
) -> None:
    """Polls of a client, reads of a job in its client's name, and reports do; operators' requests do not."""
    polls, new, reads, reports, history, silent = (
        f"{unique('sign')}-{n}" for n in ("polls", "new", "reads", "reports", "hist\u00f6ry", "no")
    )
    workflow = job["workflow"]["name"]
    ids = {
        name: north.post("/jobs", json={"clientId": name, "workflow": workflow}).json()["id"]
        for name in (polls, reads, reports, history, silent)
    }
    north.get("/jobs", params={"clientId": silent})
    north.put(f"/jobs/{ids[silent]}/status", json={"state": "INSTALL"})
    south.get("/jobs", params={"clientId": silent}, headers={"User-Agent": "wfxctl"})
    south.get(f"/jobs/{ids[silent]}")
    south.get(f"/jobs/{ids[silent]}", headers={"X-Client-Id": reads})
    assert south.put(f"/jobs/{ids[silent]}/status", json={"state": "NOWHERE"}).status_code == 400
    for name in (polls, new):
        south.get("/jobs", params={"clientId": name, "group": "OPEN"}, headers=SWUPDATE)
    south.get(f"/jobs/{ids[reads]}", headers={"X-Client-Id": reads, **SWUPDATE})
    south.get(f"/jobs/{ids[history]}?history=true", headers={b"X-Client-Id": history.encode()})
    south.put(f"/jobs/{ids[reports]}/status", json={"state": "INSTALLING"})
    devices = {name: seen(fleet, name) for name in (polls, new, reads, reports, history)}
    assert {name: device.get("version") for name, device in devices.items()} == {
        polls: SWUPDATE["X-Client-Version"], new: SWUPDATE["X-Client-Version"],
        reads: None, reports: None, history: None,
    }  # fmt: skip
    assert all(device["firstSeen"] <= device["lastSeen"] for device in devices.values())
    assert "lastSeen" not in fleet.get(f"/devices/{silent}").json()
    assert "currentJob" not in devices[new]


VERSIONS: list[tuple[dict[str, str], str | None]] = [
    ({"User-Agent": "curl/8.1"}, "curl/8.1"), ({"User-Agent": "x" * 100}, "x" * 100),
    ({"User-Agent": "x" * 101}, None), ({"X-Client-Version": "\xff", "User-Agent": "x"}, None),
    ({"X-Client-Version": "a\tb"}, None), (SWUPDATE, "SWUpdate 2026.05.1"),
]  # fmt: skip


def test_versions(fleet: httpx.Client, south: httpx.Client, unique: Callable[[str], str]) -> None:
    """The version is the header for it, or else the user agent, if that is short and of visible ASCII."""
    mark = unique("version")
    for number, (sent, _) in enumerate(VERSIONS):
        headers = {name: value.encode("latin-1") for name, value in {"User-Agent": "", **sent}.items()}
        south.get("/jobs", params={"clientId": f"{mark}-{number}"}, headers=headers)
    told = [seen(fleet, f"{mark}-{number}").get("version") for number in range(len(VERSIONS))]
    assert told == [version for _, version in VERSIONS]


def test_attributes_and_labels(fleet: httpx.Client, unique: Callable[[str], str]) -> None:
    """What is said about a device is replaced as a whole, is shown with it, and finds it; then it is known."""
    path = f"/devices/{unique('described')}"
    require_problem(fleet.get(path), 404, "wfx.deviceNotFound")
    require_problem(fleet.get(f"{path}/attributes"), 404, "wfx.deviceNotFound")
    answer = fleet.put(f"{path}/attributes", json=DESCRIPTION)
    assert answer.json() == DESCRIPTION
    assert fleet.get(f"{path}/attributes").headers["etag"] == answer.headers["etag"]
    assert fleet.get(path).json() == {"clientId": path.rsplit("/", maxsplit=1)[-1], **DESCRIPTION}
    assert fleet.put(f"{path}/attributes", json={"labels": ["b", "a", "b"]}).json() == {
        "attributes": {}, "labels": ["a", "b"],
    }  # fmt: skip
    assert fleet.put(f"{path}/attributes", json={}).json() == {"attributes": {}, "labels": []}
    problem = fleet.put(f"{path}/attributes", json={"lables": ["a"]})
    require_problem(problem, 400, "wfx.badRequest")  # a misspelt member would remove what it should set
    assert fleet.delete(path).status_code == 204
    require_problem(fleet.get(path), 404, "wfx.deviceNotFound")
    require_problem(fleet.delete(path), 404, "wfx.deviceNotFound")


def test_what_others_have_changed_is_kept(fleet: httpx.Client, unique: Callable[[str], str]) -> None:
    """With If-Match the attributes are replaced if their ETag is that one still; * stands for any."""
    path = f"/devices/{unique('matched')}/attributes"
    first = fleet.put(path, json={"labels": ["a"]}).headers["etag"]
    second = fleet.put(path, json={"labels": ["b"]}, headers={"If-Match": first}).headers["etag"]
    require_problem(fleet.put(path, json={}, headers={"If-Match": first}), 412, "wfx.deviceChanged")
    assert fleet.get(path).json()["labels"] == ["b"]
    assert fleet.put(path, json={"labels": ["c"]}, headers={"If-Match": "*"}).status_code == 200
    assert second != first
    assert fleet.put(path, json={"labels": ["c"]}, headers={"If-Match": second}).status_code == 200, "said already"
    for other in ('"x"', f"W/{first}", f"{first}, {second}", '"3"'):
        require_problem(fleet.put(path, json={}, headers={"If-Match": other}), 412, "wfx.deviceChanged")
    present = fleet.get(path).headers["etag"]
    assert fleet.put(path, json={"labels": ["d"]}, headers={"If-Match": f"{first}, {present}"}).status_code == 200
    for wrong in ("x", "", f"*, {first}"):
        answer = fleet.put(path, json={}, headers={"If-Match": wrong})
        assert "If-Match" in require_problem(answer, 400, "wfx.badRequest")["detail"]


def test_a_star_tells_whether_a_device_must_be_known(
    fleet: httpx.Client, job: dict[str, Any], unique: Callable[[str], str]
) -> None:
    """If-Match: * describes a known device alone, If-None-Match: * an unknown one alone; else nothing is done."""
    known, unknown = f"/devices/{job['clientId']}/attributes", f"/devices/{unique('starred')}/attributes"
    star = [{name: "*"} for name in ("If-Match", "If-None-Match")]
    refused = fleet.put(unknown, json={"labels": ["a"]}, headers=star[0])
    assert "is not known" in require_problem(refused, 412, "wfx.deviceChanged")["detail"]
    require_problem(fleet.get(unknown), 404, "wfx.deviceNotFound")
    assert fleet.put(unknown, json={"labels": ["a"]}, headers=star[1]).status_code == 200
    for path in (known, unknown):
        refused = fleet.put(path, json={"labels": ["b"]}, headers=star[1])
        assert "is known already" in require_problem(refused, 412, "wfx.deviceChanged")["detail"]
    assert fleet.get(known).json()["labels"] == []
    assert fleet.put(known, json={"labels": ["b"]}, headers=star[0]).status_code == 200
    both = fleet.put(known, json={}, headers={"If-Match": "*", "If-None-Match": "*"})
    require_problem(both, 412, "wfx.deviceChanged")


def test_tags_that_a_description_must_not_have(fleet: httpx.Client, unique: Callable[[str], str]) -> None:
    """If-None-Match with ETags refuses to replace what has one of these, weak or not, and nothing else."""
    path = f"/devices/{unique('excluded')}/attributes"
    first = fleet.put(path, json={"labels": ["a"]}, headers={"If-None-Match": '"x"'}).headers["etag"]
    for excluded in (first, f"W/{first}", f'"x", {first}'):
        answer = fleet.put(path, json={"labels": ["b"]}, headers={"If-None-Match": excluded})
        require_problem(answer, 412, "wfx.deviceChanged")
    second = fleet.put(path, json={"labels": ["b"]}, headers={"If-None-Match": '"x"'}).headers["etag"]
    both = {"If-Match": second, "If-None-Match": first}
    assert fleet.put(path, json={"labels": ["c"]}, headers=both).status_code == 200
    answer = fleet.put(path, json={}, headers={"If-None-Match": "x"})
    assert "header If-None-Match: it must be *" in require_problem(answer, 400, "wfx.badRequest")["detail"]


def test_what_the_caller_has_is_not_sent_again(fleet: httpx.Client, job: dict[str, Any]) -> None:
    """A read with the ETag of what there is, or with a star, is answered 304 without a body; another one as ever."""
    device, one = f"/devices/{job['clientId']}/attributes", f"/jobs/{job['id']}"
    for path in (device, one):
        tag = fleet.get(path).headers["etag"]
        for present in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = fleet.get(path, headers={"If-None-Match": present})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
            assert "content-length" not in answer.headers
        assert fleet.get(path, headers={"If-None-Match": '"x"'}).json() == fleet.get(path).json()
        require_problem(fleet.get(path, headers={"If-None-Match": "x"}), 400, "wfx.badRequest")
        assert fleet.get(path + "x", headers={"If-None-Match": "*"}).status_code == 404


def test_a_device_with_jobs_is_not_deleted(fleet: httpx.Client, job: dict[str, Any]) -> None:
    """A device that jobs are for cannot be forgotten."""
    require_problem(fleet.delete(f"/devices/{job['clientId']}"), 409, "wfx.deviceInUse")


@pytest.mark.parametrize(("body", "code", "named"), [
    ({"attributes": {"a b": "x"}}, "wfx.invalidRequest", "attribute 'a b': the name"),
    ({"attributes": {"": "x"}}, "wfx.invalidRequest", "attribute ''"),
    ({"attributes": {"a" * 64: "x"}}, "wfx.invalidRequest", "up to 62 further"),
    ({"attributes": {"a:b": "x"}}, "wfx.invalidRequest", "attribute 'a:b'"),
    ({"attributes": {f"a{n}": "<" * 200 for n in range(32)}}, "wfx.invalidRequest", "a device may have 8192"),
    ({"attributes": {"a": "x,y"}}, "wfx.badRequest", "/attributes/a"),
    ({"attributes": {"a": ""}}, "wfx.badRequest", "/attributes/a"),
    ({"attributes": {"a": 1}}, "wfx.badRequest", "/attributes/a"),
    ({"attributes": {"a": "x" * 201}}, "wfx.badRequest", "/attributes/a"),
    ({"attributes": {f"a{n}": "x" for n in range(33)}}, "wfx.badRequest", "/attributes"),
    ({"labels": ["-a"]}, "wfx.badRequest", "/labels/0"), ({"labels": ["ä"]}, "wfx.badRequest", "/labels/0"),
    ({"labels": [f"l{n}" for n in range(33)]}, "wfx.badRequest", "/labels"),
    ([], "wfx.badRequest", "the body"),
])  # fmt: skip
def test_bad_attributes_are_refused(
    fleet: httpx.Client, unique: Callable[[str], str], body: Any, code: str, named: str
) -> None:
    """Attributes and labels are bounded in number and size, and their names checked; what is wrong is named."""
    path = f"/devices/{unique('bad')}"
    assert named in require_problem(fleet.put(f"{path}/attributes", json=body), 400, code)["detail"]
    assert fleet.get(path).status_code == 404


@pytest.mark.parametrize("client_id", ["%00", "a%00", "x" * 256, "%FF%00"])
def test_what_is_no_client_id(fleet: httpx.Client, client_id: str) -> None:
    """Ids that no device has are not found, and cannot be described."""
    for answer in (
        fleet.get(f"/devices/{client_id}"),
        fleet.delete(f"/devices/{client_id}"),
        fleet.put(f"/devices/{client_id}/attributes", json={}),
    ):
        require_problem(answer, 404, "wfx.deviceNotFound")


def test_lists(fleet: httpx.Client, north: httpx.Client, job: dict[str, Any], unique: Callable[[str], str]) -> None:
    """Devices are found by every condition, page by page, in both orders."""
    mark = unique("list")
    for n in range(4):
        client_id, labels = f"{mark}-{n}", ["even"] if n % 2 == 0 else ["odd", "third"]
        body = {"attributes": {"mark": mark, "n": str(n)}, "labels": labels}
        assert fleet.put(f"/devices/{client_id}/attributes", json=body).status_code == 200
    north.post("/jobs", json={"clientId": f"{mark}-4", "workflow": job["workflow"]["name"]})
    for conditions, expected in (
        ("", [0, 1, 2, 3, 4]), ("sort=desc", [4, 3, 2, 1, 0]), ("limit=2", [0, 1, 2, 3, 4]),
        (f"attribute=mark:{mark}", [0, 1, 2, 3]), (f"attribute=mark:{mark},n:2", [2]), ("label=odd", [1, 3]),
        ("label=odd,third&limit=1", [1, 3]), ("label=odd,even", []), ("attribute=n:3&label=odd", [3]),
        ("notSeenFor=P1D", [0, 1, 2, 3, 4]), ("seenBefore=2001-02-03T04:05:06Z", [0, 1, 2, 3, 4]),
        ("seenAfter=2001-02-03T04:05:06Z", []), ("version=none", []),
        ("filter=labels%20contains%20%22odd%22&limit=1", [1, 3]), ("filter=currentJob%20!=%20null", [4]),
        ("filter=attributes.n+in+[%221%22,%222%22]&sort=desc", [2, 1]), ("filter=false", []),
        ("filter=NOT+(labels+contains+%22third%22)+OR+attributes.n==%223%22&label=odd", [3]),
    ):  # fmt: skip
        prefix = f"clientIdPrefix={mark}&"
        found, after = [], ""
        while True:
            page = fleet.get(f"/devices?{prefix}{conditions}&after={after}").json()
            found += [device["clientId"] for device in page["content"]]
            if (after := page.get("next", "")) == "":
                break
        assert [each for each in found if each.startswith(mark)] == [f"{mark}-{n}" for n in expected], conditions


@pytest.mark.parametrize(("query", "named"), [
    ("attribute=site", "'site' must be a name, a colon and a value"), ("attribute=:x", "':x' must be a name"),
    ("attribute=a:", "'a:' must be a name"), ("label=a%20b", "'a b' must begin with a letter or digit"),
    ("label=", "is empty"),
    ("clientIdPrefix=", "'clientIdPrefix' is empty"), ("version=", "'version' is empty"),
    ("notSeenFor=1", "is not a duration"), ("seenAfter=now", "is no time of RFC 3339"),
    ("clientIdPrefix=%00", "U+0000"), ("clientIdPrefix=" + "x" * 256, "longer than 255"), ("limit=0", "0 is not"),
    ("limit=1001", "1001 is not"), ("version=%C3%BC", "printable characters of ASCII"),
    ("sort=x", "none of asc, desc"),
    ("filter=", "'filter' is empty"), ("filter=%00", "U+0000"), ("filter=" + "x" * 4097, "longer than 4096"),
    ("filter=label%20==%20%22a%22", "parameter 'filter', column 1: a device has no label, only clientId"),
    ("filter=true+and+false", "parameter 'filter', column 6: an operator is missing before and (did you mean AND?)"),
    ("after=x", "'x' is no cursor"), ("after=" + id_cursor_of("0" * 32, "a"), "the cursor is of another database"),
])  # fmt: skip
def test_a_bad_parameter_is_a_problem(fleet: httpx.Client, query: str, named: str) -> None:
    """What a parameter cannot mean is refused, and named with what it could be."""
    assert named in require_problem(fleet.get(f"/devices?{query}"), 400, "wfx.badRequest")["detail"]


def test_the_southbound_side_has_no_devices(service: Any) -> None:
    """Devices see nothing of the registry."""
    for path in ("/devices", "/devices/a", "/devices/a/attributes"):
        require_problem(httpx.get(f"{service.south}/api/fleet/v1{path}"), 403, "wfx.forbidden")


@pytest.mark.parametrize("client_id", ["a", "a.b", "ü\n.", "x" * 255, "\U0010ffff" * 255])
def test_cursors(client_id: str) -> None:
    """A cursor is read as it was written."""
    assert read_id_cursor(id_cursor_of("0" * 32, client_id)) == ("0" * 32, client_id)
    assert len(id_cursor_of("0" * 32, client_id)) <= 2000
    assert read_id_cursor(cursor_of("0" * 32, 7)) == ("0" * 32, "7")
