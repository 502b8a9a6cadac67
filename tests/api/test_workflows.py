"""Workflows over HTTP (rest-api sections 4.1, 5, 6.2, 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Name = Callable[[str], str]


def lamp(name: str) -> dict[str, Any]:
    """A workflow with every optional member used once."""
    return {
        "name": name,
        "description": "a lamp with <three> states",
        "states": [{"name": "OFF", "description": "no light"}, {"name": "DIM"}, {"name": "BRIGHT"}],
        "groups": [{"name": "BUSY", "description": "on its way", "states": ["DIM"]}],
        "transitions": [
            {"from": "OFF", "to": "DIM", "eligible": "WFX", "action": "WAIT", "description": "switch on"},
            {"from": "DIM", "to": "DIM", "eligible": "CLIENT"},
            {"from": "DIM", "to": "BRIGHT", "eligible": "CLIENT"},
        ],
    }


def code_of(answer: httpx.Response) -> str:
    """The error code of a JSON refusal."""
    code: str = answer.json()["errors"][0]["code"]
    return code


def test_round_trip(north: httpx.Client, south: httpx.Client, unique: Name) -> None:
    """A workflow comes back as it was created, on both sides, with members and their order kept."""
    sent = lamp(unique("lamp"))
    created = north.post("/workflows", json=sent)
    assert (created.status_code, created.json()) == (201, sent)
    assert south.get(f"/workflows/{sent['name']}").json() == north.get(f"/workflows/{sent['name']}").json() == sent
    assert b"\\u003cthree\\u003e" in created.content, "angle brackets are escaped"
    assert created.content.endswith(b"}\n")


def test_smallest(north: httpx.Client, unique: Name) -> None:
    """One state and no transition is a workflow; empty lists are left out of the answer."""
    created = north.post("/workflows", json={"name": unique("w"), "states": [{"name": "S"}], "transitions": []})
    assert created.status_code == 201
    assert created.json().keys() == {"name", "states"}


def test_unknown_members_are_dropped(north: httpx.Client, unique: Name) -> None:
    """Members that the document does not know are accepted and not kept, at every level."""
    sent = {"name": unique("w"), "states": [{"name": "S", "colour": "red"}], "transitions": [], "x": None}
    created = north.post("/workflows", json=sent)
    assert created.status_code == 201
    assert created.json() == {"name": sent["name"], "states": [{"name": "S"}]}


def test_not_unique(north: httpx.Client, unique: Name) -> None:
    """A name can be taken only once."""
    sent = lamp(unique("lamp"))
    north.post("/workflows", json=sent)
    again = north.post("/workflows", json=sent)
    assert (again.status_code, code_of(again)) == (400, "wfx.workflowNotUnique")
    assert again.json()["errors"][0]["message"] == f"Workflow with name '{sent['name']}' already exists"


def edge(origin: str, target: str, eligible: str = "CLIENT", action: str | None = None) -> dict[str, Any]:
    """A transition."""
    return {"from": origin, "to": target, "eligible": eligible, **({"action": action} if action else {})}


def states(*names: str) -> list[dict[str, str]]:
    """States of these names."""
    return [{"name": name} for name in names]


INVALID = [
    ("a state twice", {"states": states("A", "A"), "transitions": []}),
    ("a state in two groups", {"states": states("A"), "transitions": [],
                               "groups": [{"name": "G", "states": ["A"]}, {"name": "H", "states": ["A"]}]}),
    ("a group twice", {"states": states("A", "B"), "transitions": [edge("A", "B")],
                       "groups": [{"name": "G", "states": ["A"]}, {"name": "G", "states": ["B"]}]}),
    ("an unknown state", {"states": states("A"), "transitions": [edge("A", "B")]}),
    ("the same edge twice", {"states": states("A", "B"), "transitions": [edge("A", "B"), edge("A", "B")]}),
    ("the same edge with another action", {"states": states("A", "B"), "transitions": [
        edge("A", "B", "WFX"), edge("A", "B", "WFX", "WAIT")]}),
    ("two immediate edges", {"states": states("A", "B", "C"), "transitions": [
        edge("A", "B", "WFX", "IMMEDIATE"), edge("A", "C", "WFX", "IMMEDIATE"), edge("B", "C")]}),
    ("an immediate edge and another", {"states": states("A", "B", "C"), "transitions": [
        edge("A", "B", "WFX", "IMMEDIATE"), edge("A", "C"), edge("B", "C")]}),
    ("an immediate self-loop", {"states": states("A"), "transitions": [edge("A", "A", "WFX", "IMMEDIATE")]}),
    ("two initial states", {"states": states("A", "B"), "transitions": []}),
    ("no state", {"states": [], "transitions": []}),
    ("a cycle", {"states": states("A", "B", "C"), "transitions": [edge("A", "B"), edge("B", "C"), edge("C", "B")]}),
]  # fmt: skip


@pytest.mark.parametrize("document", [d for _, d in INVALID], ids=[name for name, _ in INVALID])
def test_invalid(north: httpx.Client, unique: Name, document: dict[str, Any]) -> None:
    """A workflow that breaks a rule is refused and not stored."""
    name = unique("bad")
    refused = north.post("/workflows", json={"name": name, **document})
    assert (refused.status_code, code_of(refused)) == (400, "wfx.workflowInvalid")
    assert north.get(f"/workflows/{name}").status_code == 404


def test_all_faults_at_once(north: httpx.Client, unique: Name) -> None:
    """All that is wrong with a workflow is told in one answer, in the order of the rules, each with the same code."""
    refused = north.post("/workflows", json={
        "name": unique("bad"), "states": states("A", "B", "C", "D", "D"),
        "groups": [{"name": "G", "states": ["A"]}, {"name": "G", "states": ["A"]}],
        "transitions": [edge("A", "X"), edge("Y", "Z"), edge("A", "B"), edge("A", "B"), edge("B", "C"), edge("C", "B"),
                        edge("B", "D", "WFX", "IMMEDIATE"), edge("B", "A", "WFX", "IMMEDIATE")],
    })  # fmt: skip
    errors = refused.json()["errors"]
    assert [error["message"] for error in errors] == [
        "state 'D' exists already: state names must be unique",
        "state 'A' is in more than one group: 'G' and 'G'",
        "group name 'G' is used several times",
        "transition 'A' -> 'X' has an unknown state 'X'",
        "transition 'Y' -> 'Z' has an unknown state 'Y'",
        "transition 'Y' -> 'Z' has an unknown state 'Z'",
        "duplicate transition 'A' -> 'B' for eligible 'CLIENT'",
        "more than one immediate action from state 'B'",
        "impossible transition 'B' -> 'C': 'B' -> 'D' is immediate, so it must be the only one",
        "cycle from 'B' to 'C', from where 'B' is reached again",
        "cycle from 'A' to 'B', from where 'A' is reached again",
    ]
    assert {(error["code"], error["logref"]) for error in errors} == {
        ("wfx.workflowInvalid", "18f57adc70dd79c7fb4f1246be8a6e04")
    }


def test_very_many_faults(north: httpx.Client, unique: Name) -> None:
    """Of very many faults 128 are told, and names of any length do not make the answer long."""
    long = "x" * 300_000
    groups = [{"name": name, "states": [str(number) for number in range(300)]} for name in ("G", long)]
    refused = north.post("/workflows", json={
        "name": unique("bad"), "states": states(long), "transitions": [edge(long, "Q")], "groups": groups})  # fmt: skip
    assert refused.status_code == 400
    assert len(refused.json()["errors"]) == 128
    assert len(refused.content) < 100_000


def test_initial_state_may_be_listed_anywhere(north: httpx.Client, unique: Name) -> None:
    """Only the edges decide which state is the initial one."""
    name = unique("w")
    document = {"name": name, "states": states("B", "A"), "transitions": [edge("A", "B")]}
    assert north.post("/workflows", json=document).status_code == 201
    job = north.post("/jobs", json={"clientId": "c", "workflow": name}).json()
    assert job["status"]["state"] == "A"


@pytest.mark.parametrize(("member", "value"), [
    ("name", "under_score"), ("name", "a b"), ("name", ""), ("name", "x" * 65), ("name", "line\n"), ("name", None),
    ("name", 7), ("description", "x" * 1025), ("states", None), ("states", {}), ("states", [{"name": ""}]),
    ("states", [{}]), ("groups", [{"name": "G", "states": []}]), ("groups", [{"name": "", "states": ["S"]}]),
    ("transitions", [{"from": "S", "to": "S"}]),
    ("transitions", [{"from": "S", "to": "S", "eligible": "client"}]),
    ("transitions", [{"from": "S", "to": "S", "eligible": "WFX", "action": "NOW"}]),
])  # fmt: skip
def test_syntax(north: httpx.Client, unique: Name, member: str, value: object) -> None:
    """What breaks the schema is a text 400 that names the member."""
    document = {"name": unique("w"), "states": states("S"), "transitions": [], member: value}
    refused = north.post("/workflows", json=document)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"/{member}" in refused.text


def test_longest(north: httpx.Client, unique: Name) -> None:
    """The longest name and description are counted in code points and accepted."""
    name = unique("w").ljust(64, "x")
    document = {"name": name, "description": "\N{FIRE}" * 1024, "states": states("S"), "transitions": []}
    assert north.post("/workflows", json=document).json()["description"] == "\N{FIRE}" * 1024


def test_unknown(north: httpx.Client, south: httpx.Client) -> None:
    """An unknown workflow is not found on either side; deleting it says its name."""
    for client in (north, south):
        answer = client.get("/workflows/none")
        assert (answer.status_code, code_of(answer)) == (404, "wfx.workflowNotFound")
        assert answer.json()["errors"][0]["logref"] == "c452719774086b6e803bb8f6ecea9899"
    deleted = north.delete("/workflows/none")
    assert deleted.status_code == 404
    assert deleted.json()["errors"][0]["message"] == "Workflow 'none' not found"
    braces = north.delete("/workflows/{}")
    assert braces.json()["errors"][0]["message"] == "Workflow '{}' not found"


def test_delete(north: httpx.Client, unique: Name) -> None:
    """A deleted workflow is gone, and its name is free again."""
    sent = lamp(unique("lamp"))
    north.post("/workflows", json=sent)
    deleted = north.delete(f"/workflows/{sent['name']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert north.get(f"/workflows/{sent['name']}").status_code == 404
    assert north.post("/workflows", json=sent).status_code == 201


def test_delete_in_use(north: httpx.Client, own_workflow: dict[str, Any]) -> None:
    """A workflow that a job uses stays, and the refusal says why."""
    name = own_workflow["name"]
    job = north.post("/jobs", json={"clientId": "c", "workflow": name}).json()
    refused = north.delete(f"/workflows/{name}")
    assert (refused.status_code, code_of(refused)) == (400, "wfx.invalidRequest")
    assert name in refused.json()["errors"][0]["message"]
    assert north.get(f"/workflows/{name}").status_code == 200
    north.delete(f"/jobs/{job['id']}")
    assert north.delete(f"/workflows/{name}").status_code == 204


def test_list(north: httpx.Client, south: httpx.Client, unique: Name) -> None:
    """Workflows are listed by name, in pages, ascending or descending, with a total where it is asked for."""
    prefix = unique("list")
    names = [f"{prefix}-{letter}" for letter in "cab"]
    for name in names:
        north.post("/workflows", json={"name": name, "states": states("S"), "transitions": []})
    page = south.get("/workflows", params={"limit": 0}).json()
    listed = [w["name"] for w in page["content"]]
    assert listed == sorted(listed)
    assert "pagination" not in page
    down = south.get("/workflows", params={"limit": 0, "sort": "desc"}).json()["content"]
    assert [w["name"] for w in down] == listed[::-1]
    start = listed.index(f"{prefix}-a")
    some = south.get("/workflows", params={"limit": 2, "offset": start, "pagination": "True"}).json()
    assert [w["name"] for w in some["content"]] == [f"{prefix}-a", f"{prefix}-b"]
    assert some["pagination"] == {"limit": 2, "offset": start, "total": len(listed)}
