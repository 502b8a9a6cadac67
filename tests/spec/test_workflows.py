from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wfx import spec_files
from wfx.api import spec
from wfx.api.request_schemas import compile_body
from wfx.domain import validation
from wfx.domain.errors import WorkflowInvalid
from wfx.domain.workflow import Workflow
from wfxctl import workflow_check, workflow_file

FILES = sorted(spec_files.find("workflows").glob("*.yml"))
SCHEMA = json.loads(spec_files.find("workflow.schema.json").read_bytes())


def load(path: Path) -> dict[str, Any]:
    """Read a bundled workflow."""
    document: dict[str, Any] = yaml.safe_load(path.read_bytes())
    return document


def bundled(name: str) -> Workflow:
    """Return a bundled workflow by its name."""
    return Workflow.from_wire(load(spec_files.find(f"workflows/{name}.yml")))


def edges(workflow: Workflow) -> set[str]:
    """Write the transitions in a short form: from>to by whom, and ! for immediate ones."""
    return {
        f"{t.origin}>{t.target} {t.eligible}{'!' if t.trigger == 'IMMEDIATE' else ''}" for t in workflow.transitions
    }


def by_client(*pairs: str) -> set[str]:
    """Write steps of the device in that form."""
    return {f"{pair} CLIENT" for pair in pairs}


INSTALLATION = by_client(
    "INSTALL>INSTALLING",
    "INSTALL>TERMINATED",
    "INSTALLING>INSTALLING",
    "INSTALLING>TERMINATED",
    "INSTALLING>INSTALLED",
    "ACTIVATE>ACTIVATING",
    "ACTIVATE>TERMINATED",
    "ACTIVATING>ACTIVATING",
    "ACTIVATING>TERMINATED",
    "ACTIVATING>ACTIVATED",
) | {"INSTALLED>ACTIVATE WFX!"}
DOWNLOAD = by_client(
    "DOWNLOAD>DOWNLOADING",
    "DOWNLOAD>TERMINATED",
    "DOWNLOADING>DOWNLOADING",
    "DOWNLOADING>TERMINATED",
    "DOWNLOADING>DOWNLOADED",
) | {"CREATED>CREATED WFX", "CREATED>DOWNLOAD WFX", "DOWNLOADED>INSTALL WFX"}
DIRECT_STATES = ["INSTALL", "INSTALLING", "INSTALLED", "ACTIVATE", "ACTIVATING", "ACTIVATED", "TERMINATED"]


def test_the_schema_for_editors_is_a_schema() -> None:
    """Editors can use the schema."""
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bundled_workflow_can_be_stored(path: Path) -> None:
    """Each bundled workflow is named like its file and conforms to both schemas and to all rules for workflows."""
    document = load(path)
    jsonschema_rs.Draft7Validator(SCHEMA).validate(document)
    checker = compile_body("PostWorkflows")
    assert checker is not None
    assert checker.complaint(document) == ""
    validation.check(Workflow.from_wire(document))
    assert document["name"] == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bundled_workflow_explains_itself(path: Path) -> None:
    """The workflow, each state, group and transition says what it means; groups name declared states."""
    document = load(path)
    parts = [document, *document["states"], *document["groups"], *document["transitions"]]
    assert all(part["description"].strip() for part in parts)
    states = [state["name"] for state in document["states"]]
    assert all(state in states for group in document["groups"] for state in group["states"])


def test_five_workflows_are_bundled() -> None:
    """What devices and examples rely on is there."""
    assert [path.stem for path in FILES] == [
        "wfx.workflow.config.deployment",
        "wfx.workflow.dau.direct",
        "wfx.workflow.dau.phased",
        "wfx.workflow.kanban",
        "wfx.workflow.remote.access",
    ]


def test_the_direct_workflow_is_the_contracts() -> None:
    """States in order, groups and edges of the direct update are as devices expect (rest-api section 13)."""
    workflow = bundled("wfx.workflow.dau.direct")
    assert [state.name for state in workflow.states] == DIRECT_STATES
    assert edges(workflow) == INSTALLATION
    assert {group.name: group.states for group in workflow.groups or ()} == {
        "OPEN": tuple(DIRECT_STATES[:5]),
        "CLOSED": ("ACTIVATED",),
        "FAILED": ("TERMINATED",),
    }


def test_the_phased_workflow_is_the_contracts() -> None:
    """The phased update adds a download stage, and a fresh job is in no group (rest-api section 13)."""
    workflow = bundled("wfx.workflow.dau.phased")
    states = ["CREATED", "DOWNLOAD", "DOWNLOADING", "DOWNLOADED", *DIRECT_STATES]
    assert [state.name for state in workflow.states] == states
    assert edges(workflow) == INSTALLATION | DOWNLOAD
    assert {group.name: group.states for group in workflow.groups or ()} == {
        "OPEN": tuple(states[1:9]),
        "CLOSED": ("ACTIVATED",),
        "FAILED": ("TERMINATED",),
    }
    assert workflow.group_of(workflow.settle(workflow.initial)) == ""


def test_the_kanban_workflow_begins_on_the_board() -> None:
    """A new task is NEW at once, can be worked on repeatedly, and ends DONE or DISCARDED (server section 14)."""
    workflow = bundled("wfx.workflow.kanban")
    assert workflow.settle(workflow.initial) == "NEW"
    assert workflow.initial == "BACKLOG"
    assert edges(workflow) == by_client(
        "NEW>PROGRESS", "PROGRESS>PROGRESS", "PROGRESS>VALIDATE", "VALIDATE>DONE", "VALIDATE>DISCARDED"
    ) | {"BACKLOG>NEW WFX!", "NEW>DISCARDED WFX", "VALIDATE>DONE WFX", "VALIDATE>DISCARDED WFX"}
    waiting = [(step.origin, step.target) for step in workflow.transitions if step.trigger == "WAIT"]
    assert waiting == [("VALIDATE", "DONE")]
    assert {group.name for group in workflow.groups or ()} == {"OPEN", "CLOSED"}


def test_the_example_workflows_are_the_contracts() -> None:
    """Configuration deployment and remote access have the edges that their clients use (server section 13)."""
    assert edges(bundled("wfx.workflow.config.deployment")) == by_client(
        "NEW>DOWNLOADING", "DOWNLOADING>INSTALLING", "INSTALLING>DONE", "DOWNLOADING>FAILED", "INSTALLING>FAILED"
    ) | {"NEW>CANCELED WFX"}
    assert edges(bundled("wfx.workflow.remote.access")) == by_client(
        "OPEN>OPENING", "OPENING>OPENED", "OPENED>CLOSED", "OPENING>FAILED"
    ) | {"OPENED>CLOSED WFX", "OPEN>CANCELED WFX"}


NAMES = st.sampled_from(["A", "B", "C", "", "a b", "x" * 64, "x" * 65, "nul\0", "CLIENT", "WFX", "IMMEDIATE", "WAIT"])

SIMPLE: dict[str, Any] = {
    "name": "w", "description": "d", "states": [{"name": "A"}, {"name": "B", "description": "d"}, {"name": "C"}],
    "transitions": [{"from": "A", "to": "B", "eligible": "WFX", "action": "WAIT"},
                    {"from": "B", "to": "C", "eligible": "CLIENT", "description": "d"}],
    "groups": [{"name": "G", "states": ["A", "B"], "description": "d"}],
}  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in a document with each key or index in it."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the simple workflow after up to three of its parts were replaced, removed or repeated."""
    document = copy.deepcopy(SIMPLE)
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(list(places(document))))
        how = draw(st.sampled_from(("word", "remove", "repeat", "long", "empty")))
        if how == "remove":
            del container[key]
        elif how == "repeat" and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif how == "long" and key == "description":
            container[key] = "x" * draw(st.sampled_from((1024, 1025)))
        elif how == "empty" and isinstance(container[key], list):
            container[key] = []
        elif isinstance(container[key], str):
            container[key] = draw(NAMES)
    return document


# Seen once beside tests of other areas, never alone: presumably a thread of theirs used `random` meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@settings(max_examples=200)
@given(damaged())
def test_offline_validation_and_server_agree(document: dict[str, Any]) -> None:
    """What ``wfxctl workflow validate`` calls OK is what the server takes, and nothing else."""
    checker = compile_body("PostWorkflows")
    assert checker is not None
    taken = checker.is_valid(document)
    if taken:
        try:
            validation.check(Workflow.from_wire(document))
        except WorkflowInvalid:
            taken = False
    found = workflow_check.faults(workflow_file.read("w.json", json.dumps(document).encode()))
    assert (found == []) is taken, found


LIMITS = ("type", "minLength", "maxLength", "maxItems", "enum", "pattern")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Workflow", SCHEMA),
        *((name.capitalize(), part) for name, part in SCHEMA["definitions"].items()),
    ],
)
def test_editors_and_server_agree(name: str, part: dict[str, Any]) -> None:
    """The schema for editors has the members and limits that the server checks, and warns of misspelt members."""
    server = spec.document()["components"]["schemas"][name]["properties"]
    assert set(part["properties"]) == set(server)
    assert part["additionalProperties"] is False
    for member, limits in part["properties"].items():
        assert {k: limits.get(k) for k in LIMITS} == {k: server[member].get(k) for k in LIMITS}, member
