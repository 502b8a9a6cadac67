"""Workflows as large as they may be, and larger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from counting import Text, instructions

from wfx.demo.local import LocalService
from wfx.domain import validation
from wfx.domain.errors import WorkflowInvalid
from wfx.domain.workflow import Workflow

STATES, TRANSITIONS, GROUPS, TAGS, MESSAGE = 4096, 16384, 1024, 16, 1024
MOST = 2.2
"""How many times the steps a workflow of twice the size may cost; quadratic work needs four times as many."""

Document = dict[str, Any]


@pytest.fixture
def plain(service: LocalService) -> Iterator[httpx.Client]:
    """A client whose answers are not held against the document, which takes long for those that are so large."""
    with httpx.Client(base_url=f"{service.north}/api/wfx/v1", trust_env=False, timeout=60) as client:
        yield client


def ladder(name: str, states: int = STATES, transitions: int = TRANSITIONS, groups: int = GROUPS) -> Document:
    """A workflow in which each state leads to the next ones: as deep as can be, and without a cycle."""
    names = [f"s{number}" for number in range(states)]
    pairs = ((names[at], names[at + step]) for step in range(1, states) for at in range(states - step))
    edges = [{"from": a, "to": b, "eligible": "CLIENT"} for (a, b), _ in zip(pairs, range(transitions), strict=False)]
    grouped = [{"name": f"g{number}", "states": [names[number]]} for number in range(groups)]
    return {"name": name, "states": [{"name": n} for n in names], "transitions": edges, "groups": grouped}


def chain(name: str, *, closed: bool = False) -> Document:
    """A workflow of which one step after the other is taken at once; closed, its end leads back to its second state."""
    immediate = {"eligible": "WFX", "action": "IMMEDIATE"}
    edges = [{"from": f"s{at}", "to": f"s{at + 1}", **immediate} for at in range(STATES - 1)]
    back = [{"from": f"s{STATES - 1}", "to": "s1", "eligible": "CLIENT"}] if closed else []
    return {"name": name, "states": [{"name": f"s{at}"} for at in range(STATES)], "transitions": edges + back}


def test_all_maxima_together(plain: httpx.Client, unique: Callable[[str], str]) -> None:
    """Row 42: a workflow with the most states, transitions and groups is stored and shown as it was sent."""
    document = ladder(unique("maxima"))
    assert len(document["transitions"]) == TRANSITIONS
    assert plain.post("/workflows", json=document).status_code == 201
    assert plain.get(f"/workflows/{document['name']}").json() == document
    job = plain.post("/jobs", json={"clientId": "c", "workflow": document["name"]}).json()
    assert job["status"]["state"] == "s0"


@pytest.mark.parametrize(("more", "place"), [
    ({"states": STATES + 1}, "/states"), ({"transitions": TRANSITIONS + 1}, "/transitions"),
    ({"groups": GROUPS + 1}, "/groups"),
])  # fmt: skip
def test_one_more(plain: httpx.Client, unique: Callable[[str], str], more: dict[str, int], place: str) -> None:
    """Row 42: one state, transition or group more is a text 400 that says which there are too many of."""
    name = unique("more")
    answer = plain.post("/workflows", json=ladder(name, **more))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert f"the body at {place}" in answer.text
    assert len(answer.text) <= 501
    assert plain.get(f"/workflows/{name}").status_code == 404


def test_the_deepest_chain(plain: httpx.Client, unique: Callable[[str], str]) -> None:
    """Row 42: a job runs through thousands of immediate transitions in one go; a chain that closes is refused."""
    name = unique("chain")
    assert plain.post("/workflows", json=chain(name)).status_code == 201
    job = plain.post("/jobs", json={"clientId": "c", "workflow": name}).json()
    assert job["status"]["state"] == f"s{STATES - 1}"
    refused = plain.post("/workflows", json=chain(unique("ring"), closed=True))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "wfx.workflowInvalid")


def named(document: Document) -> Document:
    """The same workflow with names whose every comparison counts."""
    return {
        "name": document["name"],
        "states": [{"name": Text(state["name"])} for state in document["states"]],
        "transitions": [{**edge, "from": Text(edge["from"]), "to": Text(edge["to"])}
                        for edge in document["transitions"]],
        "groups": [{"name": Text(group["name"]), "states": [*map(Text, group["states"])]}
                   for group in document["groups"]],
    }  # fmt: skip


def cyclic(document: Document) -> Document:
    """The same workflow, but its last state leads back to its first."""
    last = document["states"][-1]["name"]
    return {**document, "transitions": [*document["transitions"], {"from": last, "to": "s0", "eligible": "CLIENT"}]}


@pytest.mark.parametrize("changed", [lambda document: document, cyclic], ids=["sound", "cyclic"])
def test_the_cost_of_size(changed: Callable[[Document], Document]) -> None:
    """Row 42: checking a workflow of twice the size takes about twice the steps, whatever is wrong with it."""

    def work(document: Document) -> None:
        with suppress(WorkflowInvalid):
            validation.check(Workflow.from_wire(document))

    def cost(part: int) -> int:
        document = named(changed(ladder("ladder", STATES // part, TRANSITIONS // part, GROUPS // part)))
        return instructions(lambda: work(document))

    assert cost(8) < MOST * cost(16)


def test_other_maxima(north: httpx.Client, job: Document, workflow: Document) -> None:
    """Row 42: a job has at most sixteen tags at creation, and a message has at most 1024 characters."""
    for tags, status in ((TAGS, 201), (TAGS + 1, 400)):
        body = {"clientId": "c", "workflow": workflow["name"], "tags": [f"t{number}" for number in range(tags)]}
        assert north.post("/jobs", json=body).status_code == status
    for length, status in ((MESSAGE, 200), (MESSAGE + 1, 400)):
        body = {"state": "INSTALL", "message": "\N{FIRE}" * length}
        assert (
            north.put(
                f"/jobs/{job['id']}/status",
                content=json.dumps(body, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json"},
            ).status_code
            == status
        )
