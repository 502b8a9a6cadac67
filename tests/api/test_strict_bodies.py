"""Strict check of bodies: repeated members, no UTF-8, text behind the end; in the contract's API none is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.rollouts import PROBLEM
from wfx.api.inputs import INPUTS
from wfx.api.plain_errors import PREFIX as RULES
from wfx.api.spec import CONTRACT, operations
from wfx.demo.local import LocalService

JSON = {"Content-Type": "application/json"}
HEAVY = ', "variables": {"m": [' + ",".join(["[]"] * 40_000) + "]}"
"""Makes a body one that a worker process reads."""
BODIES = (
    ("POST", "/jobs:delete", '{"ids": ["a"], "dryRun": true, "dryRun": false}', ["/dryRun"]),
    ("POST", "/jobs:delete", '{"selection": {"tag": ["a"], "workflow": "w", "t\\u0061g": ["b"]}}', ["/selection/tag"]),
    ("POST", "/jobs:update", '{"ids": ["a"], "status": {"state": "A", "state": "B", "state": "C"}}', ["/status/state"]),
    ("POST", "/jobs:tag", '{"ids": ["a"], "add": ["a"], "add": ["b"], "ids": ["b"]}', ["/add", "/ids"]),
    (
        "POST",
        "/jobs:batch",
        '{"workflow": "w", "jobs": [{"clientId": "a"}, {"clientId": "b", "definition": {"a/b": [{"x": 1, "x": 2}]}}]}',
        ["/jobs/1/definition/a~1b/0/x"],
    ),
    ("PUT", "/devices/a/attributes", '{"attributes": {"site": "a", "site": "b"}}', ["/attributes/site"]),
    ("PUT", "/jobs/a/status", '{"state": "A", "state": "B"}', ["/state"]),
)


@pytest.mark.parametrize(("method", "path", "body", "places"), BODIES)
def test_the_fleet_api_refuses_them(fleet: httpx.Client, method: str, path: str, body: str, places: list[str]) -> None:
    """400 names each member that is given twice and its place, and nothing is done."""
    answer = fleet.request(method, path, content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM), answer.text
    errors = answer.json()["errors"]
    assert [error["pointer"] for error in errors] == places
    for error, place in zip(errors, places, strict=True):
        name = place.rpartition("/")[2]
        assert error["message"] == f"member '{name}' is given more than once (at {place} of the body)"
    assert fleet.get("/devices/a").status_code == 404


@pytest.mark.parametrize("padding", [0, 500_000], ids=["small", "large"])
@pytest.mark.parametrize(("begin", "end", "reason"), [
    (b'{"selection": {"tag": ["a"]}, "dryRun": true', b'} {"selection": {"tag": ["b"]}}', "text after the end"),
    (b'{"selection": {"tag": ["a"]}, "dryRun": true', b"}x", "text after the end"),
    (b'{"selection": {"tag": ["\xff"]}, "dryRun": true', b"}", "is not UTF-8: byte 25 is 0xff"),
])  # fmt: skip
def test_nothing_of_a_body_is_passed_over(
    fleet: httpx.Client, begin: bytes, end: bytes, reason: str, padding: int
) -> None:
    """What is behind the JSON, or no text, is refused: it may have been meant to say which jobs."""
    body = begin + b', "add": ["b"]' + b" " * padding + end
    answer = fleet.post("/jobs:tag", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM), answer.text
    assert reason in answer.json()["detail"]


def test_a_large_body_is_looked_through_as_well(fleet: httpx.Client) -> None:
    """What a worker process reads is refused for the same reason."""
    body = f'{{"workflow": "w", "jobs": [{{"clientId": "a", "clientId": "b"{HEAVY}}}]}}'
    answer = fleet.post("/jobs:batch", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/jobs/0/clientId"


@pytest.mark.parametrize("path", ["/events", "/events/batch"])
def test_the_api_of_rules_refuses_them(service: LocalService, path: str) -> None:
    """An event with a member that is given twice is refused, wherever in it that is."""
    event = '{"type": "a", "payload": {"x": {"y": 1, "y": 2}}}'
    body, place = (event, "/payload/x/y") if path == "/events" else (f"[{event}]", "/0/payload/x/y")
    answer = httpx.post(f"{service.north}{RULES}{path}", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": f"the body at {place}: member 'y' is given more than once",
        "faults": [f"{place}: member 'y' is given more than once"],
    }


def test_the_contract_takes_the_last_one(
    north: httpx.Client, workflow: dict[str, Any], unique: Callable[[str], str]
) -> None:
    """In the other API the last of several members counts, as the reference has it, small bodies and large ones."""
    client, name = unique("last"), json.dumps(workflow["name"])
    for more in ("", HEAVY.replace("variables", "unknown")):
        body = f'{{"clientId": "first", "workflow": {name}, "clientId": "{client}"{more}}}'
        assert north.post("/jobs", content=body, headers=JSON).json()["clientId"] == client


def test_each_operation_has_the_rule_of_its_document() -> None:
    """The bodies of all operations are checked strictly but those of the contract."""
    assert all(each.is_strict == (operations()[name].document != CONTRACT) for name, each in INPUTS.items())
