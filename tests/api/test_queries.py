"""Lists of jobs (rest-api section 6.1) and how query strings are read (section 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.rollouts import Rollout
from wfx.demo.local import LocalService


class SouthboundRollout(Rollout):
    """Six jobs in lists of the southbound side."""

    def __init__(self, north: httpx.Client, south: httpx.Client, workflow: str, mark: str) -> None:
        """Create them: c0 and c1 alternate, and tags t0, t1, t2 in turn."""
        super().__init__(north, south, workflow, mark)
        self.south = south

    def find(self, **conditions: object) -> list[int]:
        """Query on top of the workflow and return which of the six were found, in order."""
        query = {"workflow": self.workflow, **conditions}
        answer = self.south.get("/jobs", params={k: str(v) for k, v in query.items() if v is not None})
        assert answer.status_code == 200, answer.text
        return [self.ids.index(job["id"]) for job in answer.json()["content"]]


@pytest.fixture
def fleet(
    north: httpx.Client, south: httpx.Client, own_workflow: dict[str, Any], unique: Callable[[str], str]
) -> SouthboundRollout:
    """Six jobs in different states with different tags."""
    return SouthboundRollout(north, south, own_workflow["name"], unique("fleet"))


@pytest.mark.parametrize(("conditions", "found"), [
    ({}, [0, 1, 2, 3, 4, 5]),
    ({"sort": "desc"}, [5, 4, 3, 2, 1, 0]),
    ({"state": "INSTALL"}, [0, 1, 2, 3]),
    ({"state": "install"}, []),
    ({"state": ""}, [0, 1, 2, 3, 4, 5]),
    ({"state": "INSTALLING"}, [4]),
    ({"group": "OPEN"}, [0, 1, 2, 3, 4]),
    ({"group": "FAILED"}, [5]),
    ({"group": "FAILED,CLOSED"}, [5]),
    ({"group": "OPEN,FAILED"}, [0, 1, 2, 3, 4, 5]),
    ({"group": "NONE"}, []),
    ({"tag": "t0"}, [0, 3]),
    ({"tag": "t0,t1"}, [0, 1, 3, 4]),
    ({"tag": "t0,t0,nothing"}, [0, 3]),
    ({"tag": "t1", "state": "INSTALLING"}, [4]),
    ({"limit": 2}, [0, 1]),
    ({"limit": 2, "offset": 3}, [3, 4]),
    ({"limit": 0, "offset": 4}, [4, 5]),
    ({"limit": -1}, [0, 1, 2, 3, 4, 5]),
    ({"offset": -7}, [0, 1, 2, 3, 4, 5]),
    ({"offset": 6}, []),
    ({"offset": 9223372036854775807}, []),
    ({"limit": "+3"}, [0, 1, 2]),
    ({"limit": 3, "sort": "desc", "group": "OPEN", "tag": "t0,t1,t2"}, [4, 3, 2]),
    ({"class": "OPEN", "history": "maybe"}, [0, 1, 2, 3, 4, 5]),
])  # fmt: skip
def test_conditions(fleet: SouthboundRollout, conditions: dict[str, object], found: list[int]) -> None:
    """Conditions combine with AND, lists in one condition with OR; order is that of creation."""
    assert fleet.find(**conditions) == found


def test_client(fleet: SouthboundRollout) -> None:
    """A client's jobs are found by exact id."""
    assert fleet.find(clientId=f"{fleet.mark}-c0") == [0, 2, 4]
    assert fleet.find(clientId=f"{fleet.mark}-c0", group="OPEN", sort="desc") == [4, 2, 0]
    assert fleet.find(clientId=f"{fleet.mark}-C0") == []


def test_workflow(fleet: SouthboundRollout) -> None:
    """An unknown workflow finds nothing."""
    assert fleet.find(workflow="unknown") == []


def test_no_group(north: httpx.Client, unique: Callable[[str], str]) -> None:
    """Jobs whose state is in no group are found by an empty item."""
    name = unique("w")
    north.post("/workflows", json={"name": name, "states": [{"name": "S"}], "transitions": []})
    job_id = north.post("/jobs", json={"clientId": "c", "workflow": name}).json()["id"]
    found = north.get("/jobs", params={"workflow": name, "group": "X,"}).json()["content"]
    assert [job["id"] for job in found] == [job_id]
    assert north.get("/jobs", params={"workflow": name, "group": "X"}).json()["content"] == []


def test_pagination(fleet: SouthboundRollout) -> None:
    """The total counts before paging and each job once; limit and offset come back as asked."""
    query = {"workflow": fleet.workflow, "tag": "t0,t1", "limit": "1", "offset": "2", "pagination": "true"}
    page = fleet.south.get("/jobs", params=query).json()
    assert page["pagination"] == {"limit": 1, "offset": 2, "total": 4}
    assert len(page["content"]) == 1
    assert "pagination" not in fleet.south.get("/jobs", params={**query, "pagination": "0"}).json()


def test_default_limit(north: httpx.Client, own_workflow: dict[str, Any]) -> None:
    """Ten jobs are shown unless asked otherwise, each with its whole workflow and its tags."""
    for _ in range(12):
        north.post("/jobs", json={"clientId": "c", "workflow": own_workflow["name"]})
    shown = north.get("/jobs", params={"workflow": own_workflow["name"]}).json()["content"]
    assert len(shown) == 10
    assert all(job["workflow"] == own_workflow and job["tags"] == [] and "history" not in job for job in shown)


@pytest.mark.parametrize("query", [
    "limit=", "limit=1.5", "limit=0x3", "limit=a", "limit=2147483648", "limit=1&limit=1", "offset=9223372036854775808",
    "offset=", "sort=", "sort=ASC", "sort=up", "pagination=", "pagination=yes", "group=", "group=a&group=b", "tag=",
    "tag=a&tag=b", "tag=" + ",".join("abcdefghijklmnopq"), "clientId=a&clientId=a", "%6cimit=x", "limit=%20",
])  # fmt: skip
def test_refused(south: httpx.Client, query: str) -> None:
    """A value that cannot be read, or a parameter given twice, is a text 400 that names the parameter."""
    refused = south.get(f"/jobs?{query}")
    assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    name = query.partition("=")[0].replace("%6c", "l")
    assert f"'{name}'" in refused.text
    assert refused.text.count("\n") == 1


@pytest.mark.parametrize("query", [
    "limit=%zz", "limit=x;y=1", "unknown=1&unknown=2", "&&", "=", "x=%", "limit=%31", "limit=2&",
])  # fmt: skip
def test_tolerated(service: LocalService, query: str) -> None:
    """Unknown parameters and segments that cannot be decoded are passed over."""
    assert httpx.get(f"{service.south}/api/wfx/v1/jobs?{query}").status_code == 200


def test_sixteen_tags(south: httpx.Client) -> None:
    """Up to 16 tags may be asked for, also with percent-encoded commas."""
    assert south.get("/jobs?tag=" + "%2C".join("abcdefghijklmnop")).status_code == 200
    assert south.get("/jobs?tag=" + "%2C".join("abcdefghijklmnopq")).status_code == 400
