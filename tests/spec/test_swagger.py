from __future__ import annotations

import json
from typing import Any

import pytest
from contract_tables import OPERATIONS
from openapi_spec_validator import OpenAPIV2SpecValidator

from wfx.api import spec


def swagger() -> dict[str, Any]:
    """Return the document, as it is served."""
    document: dict[str, Any] = json.loads(spec.swagger_json())
    return document


def test_it_is_a_valid_swagger_document() -> None:
    """Tools that read Swagger 2.0 understand the document."""
    assert swagger()["swagger"] == "2.0"
    OpenAPIV2SpecValidator(swagger()).validate()


def test_devices_find_the_limits_of_a_status_inline() -> None:
    """A device finds clientId, state, progress, message and context with their limits, without following references."""
    members = swagger()["definitions"]["JobStatus"]["properties"]
    assert {"clientId", "state", "progress", "message", "context"} <= set(members)
    assert "$ref" not in json.dumps(members)
    assert members["message"]["maxLength"] == 1024
    assert members["progress"]["maximum"] == 100
    assert members["context"]["maxLength"] == 20000


def test_it_lists_workflows_and_jobs_only() -> None:
    """Each operation on workflows and jobs is listed by method and path, and nothing else."""
    listed = {(m.upper(), path) for path, item in swagger()["paths"].items() for m in item if m != "parameters"}
    wanted = {(method, path) for _, method, path, _, _ in OPERATIONS}
    assert listed == {(method, path) for method, path in wanted if path.startswith(("/jobs", "/workflows"))}
    assert swagger()["basePath"] == spec.document()["servers"][0]["url"]


LIMITS = ("type", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "enum", "readOnly")


@pytest.mark.parametrize("name", ["Workflow", "State", "Transition", "Group", "JobRequest", "JobStatus", "Error"])
def test_limits_agree_with_the_openapi_document(name: str) -> None:
    """Both documents set the same limits, but for the length of a context, which only devices heed."""
    ours = swagger()["definitions"][name]
    theirs = spec.document()["components"]["schemas"][name]
    assert ours.get("required") == theirs.get("required")
    assert set(ours["properties"]) == set(theirs["properties"])
    for member, part in ours["properties"].items():
        if (name, member) == ("JobStatus", "context") or "$ref" in theirs["properties"][member]:
            continue
        assert {k: part.get(k) for k in LIMITS} == {k: theirs["properties"][member].get(k) for k in LIMITS}, member
