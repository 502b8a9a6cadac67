from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from contract_tables import ERRORS, LIMITS, NORTH, OPERATIONS, QUERY_PARAMETERS, SUCCESS
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from wfx import spec_files
from wfx.api import spec

ALWAYS = {"400", "403", "431", "500", "503"}
WITH_BODY = {"408", "413", "415"}


CONTRACT = spec.DOCUMENTS[0]
of_each_document = pytest.mark.parametrize("document", spec.DOCUMENTS)


def resolve(part: dict[str, Any], document: str = CONTRACT) -> dict[str, Any]:
    """Follow a reference within a document."""
    while "$ref" in part:
        found: Any = spec.document(document)
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def described(document: str = CONTRACT) -> dict[str, dict[str, Any]]:
    """Return all operations of a document, as they are written."""
    return {
        part["operationId"]: part
        for item in spec.document(document)["paths"].values()
        for method, part in item.items()
        if method != "parameters"
    }


def operations(document: str) -> dict[str, spec.Operation]:
    """Return the operations of one document."""
    return {name: each for name, each in spec.operations().items() if each.document == document}


def contents(document: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through the places that describe a payload: the name of each, and what it says."""
    for name, operation in described(document).items():
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} body {kind}", content
        for status, response in operation["responses"].items():
            for kind, content in resolve(response, document).get("content", {}).items():
                yield f"{name} {status} {kind}", content


def conforms(value: Any, schema: dict[str, Any], document: str) -> str:
    """Say what is wrong with a value, or nothing."""
    root = {"allOf": [schema], "components": spec.document(document)["components"]}
    validator = OAS30Validator(root, format_checker=OAS30Validator.FORMAT_CHECKER)
    return "; ".join(error.message for error in validator.iter_errors(value))


@of_each_document
def test_it_is_a_valid_openapi_document(document: str) -> None:
    """Tools that read OpenAPI understand each document."""
    OpenAPIV30SpecValidator(spec.document(document)).validate()


def test_it_declares_what_old_clients_look_for() -> None:
    """The served openapi.json says OpenAPI 3.0.0, "Workflow Executor" and 1.1.0, and is indented."""
    served = spec.openapi_json()
    document = json.loads(served)
    assert document["openapi"] == "3.0.0"
    assert (document["info"]["title"], document["info"]["version"]) == ("Workflow Executor", "1.1.0")
    assert served.startswith(b'{\n  "openapi"')


def test_reading_it_loses_nothing() -> None:
    """What the service has of its documents, packaged as JSON, is what their YAML says."""
    loaded_ones = {name: spec.document(name) for name in spec.DOCUMENTS}
    for name, loaded in (loaded_ones | {"wfx.swagger.yml": json.loads(spec.swagger_json())}).items():
        expected = yaml.safe_load(spec_files.find(name).read_bytes())
        assert loaded == json.loads(json.dumps(expected))


def test_it_lists_the_operations_of_the_contract() -> None:
    """Each operation has its operationId, method, path, sides and filter mark; there are no others."""
    found = operations(CONTRACT).values()
    listed = {(o.id, o.method, o.path, frozenset(map(str, o.sides)), o.filtered) for o in found}
    assert listed == set(OPERATIONS)


@pytest.mark.parametrize("operation_id", [row[0] for row in OPERATIONS])
def test_an_operation_is_described_completely(operation_id: str) -> None:
    """Each operation has a summary, a tag, its successes, and the failures that are always possible."""
    operation = described()[operation_id]
    assert operation["summary"]
    assert operation["tags"][0] in {tag["name"] for tag in spec.document()["tags"]}
    statuses = set(operation["responses"])
    assert statuses >= ALWAYS
    assert (statuses >= WITH_BODY) == ("requestBody" in operation)
    assert ("422" in statuses) == operation.get("x-wfx-filter", False)
    assert ("404" in statuses) == ("{" in spec.operations()[operation_id].path)
    found = {
        status: set(resolve(response).get("content", {}))
        for status, response in operation["responses"].items()
        if status.startswith("2")
    }
    assert found == SUCCESS[operation_id]


@pytest.mark.parametrize("operation_id", [row[0] for row in OPERATIONS])
def test_an_operation_takes_the_parameters_of_the_contract(operation_id: str) -> None:
    """Query parameters are as in the contract; filtered operations take the filter's header."""
    operation = spec.operations()[operation_id]
    query = [p["name"] for p in operation.parameters if p["in"] == "query"]
    headers = {p["name"] for p in operation.parameters if p["in"] == "header"}
    assert query == QUERY_PARAMETERS.get(operation_id, [])
    assert ("X-Response-Filter" in headers) == operation.filtered
    assert ({"X-Client-Id", "X-Client-Version"} <= headers) == operation.path.startswith(("/jobs", "/workflows"))
    assert ("Last-Event-ID" in headers) == (operation_id == "GetJobsEvents")
    assert not any(p.get("required") for p in operation.parameters if p["in"] != "path")


def test_what_devices_must_not_do_is_marked() -> None:
    """Exactly the seven operations that change what operators own are for the management side alone."""
    assert [row[0] for row in OPERATIONS if row[3] == NORTH] == [
        o.id for o in operations(CONTRACT).values() if {str(side) for side in o.sides} == {"north"}
    ]


@pytest.mark.parametrize(("schema", "member", "limits"), LIMITS)
def test_a_limit_is_the_contracts(schema: str, member: str, limits: dict[str, Any]) -> None:
    """Members have the limits of the contract, and no others where it sets none."""
    part = spec.document()["components"]["schemas"][schema]["properties"][member]
    assert {name: part.get(name) for name in limits} == limits


@pytest.mark.parametrize(
    ("document", "name"),
    [(document, name) for document in spec.DOCUMENTS for name in spec.document(document)["components"]["schemas"]],
)
def test_a_schema_is_explained_and_shown(document: str, name: str) -> None:
    """Each schema and each member says what it means, and the schema's example conforms to it."""
    schema = spec.document(document)["components"]["schemas"][name]
    assert schema["description"].strip()
    for member, part in schema.get("properties", {}).items():
        assert "$ref" in part or part["description"].strip(), member
    assert conforms(schema["example"], {"$ref": f"#/components/schemas/{name}"}, document) == ""


@pytest.mark.parametrize(("document", "least"), [(CONTRACT, 101), (spec.FLEET, 6), (spec.RULES, 20)])
def test_every_payload_has_an_example_that_conforms(document: str, least: int) -> None:
    """Each request body and each answer shows at least one example, all of which conform to their schema."""
    seen = 0
    for place, content in contents(document):
        examples = [content["example"]] if "example" in content else [e["value"] for e in content["examples"].values()]
        for example in examples:
            assert conforms(example, content["schema"], document) == "", place
            seen += 1
    assert seen >= least


@of_each_document
def test_every_parameter_and_header_has_an_example_that_conforms(document: str) -> None:
    """Each parameter and each header of an answer is explained and shown."""
    parameters = [p for operation in operations(document).values() for p in operation.parameters]
    for part in (*parameters, *spec.document(document)["components"]["headers"].values()):
        assert part["description"].strip()
        assert conforms(part["example"], part["schema"], document) == "", part


@pytest.mark.parametrize(("document", "of_contract"), [(CONTRACT, ERRORS), (spec.FLEET, {})])
def test_errors_are_listed_with_their_references(document: str, of_contract: dict[str, str]) -> None:
    """Each document with error codes lists each once with its constant reference, those of the contract among them."""
    error = spec.document(document)["components"]["schemas"]["Error"]
    listed = {row["code"]: row["logref"] for row in error["x-wfx-errors"]}
    assert len(listed) == len(error["x-wfx-errors"])
    assert listed.items() >= of_contract.items()
    assert all(f"`{code}`" in error["description"] for code in listed)


@pytest.mark.parametrize(("document", "least"), [(CONTRACT, len(ERRORS)), (spec.FLEET, 4)])
def test_error_examples_use_listed_errors(document: str, least: int) -> None:
    """The errors shown in examples exist."""
    rows = spec.document(document)["components"]["schemas"]["Error"]["x-wfx-errors"]
    listed = {(row["code"], row["logref"]) for row in rows}
    shown = set()
    for _, content in contents(document):
        for example in (content.get("example"), *(e["value"] for e in content.get("examples", {}).values())):
            if isinstance(example, dict):
                shown |= {(error["code"], error["logref"]) for error in example.get("errors", ())}
    assert shown <= listed
    assert len(shown) >= least


CHANGES = [
    "BulkCreation", "BulkDeletion", "BulkNewJob", "BulkTagging", "BulkUpdate", "FleetDeviceAttributes", "JobSelection",
    "NewStatus",
]  # fmt: skip


@pytest.mark.parametrize(("document", "empty"), [(CONTRACT, ["EmptyObject"]), (spec.FLEET, CHANGES), (spec.RULES, [])])
def test_unknown_members_are_welcome_everywhere(document: str, empty: list[str]) -> None:
    """No schema but the empty object, and those of changes of the fleet API, closes its members."""
    closed = [
        name
        for name, schema in spec.document(document)["components"]["schemas"].items()
        if schema.get("additionalProperties") is False or "maxProperties" in schema
    ]
    assert closed == empty


def patterns(part: Any) -> Iterator[str]:
    """Find all regular expressions below a part of the document."""
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for child in part.values():
            yield from patterns(child)
    elif isinstance(part, list):
        for child in part:
            yield from patterns(child)


def repeats_within_repeats(parsed: Any, *, inside: bool = False) -> bool:
    """Tell whether something without a bound is repeated without a bound."""
    from re import _constants, _parser  # type: ignore[attr-defined]

    for op, argument in parsed:
        endless = op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and argument[1] is _constants.MAXREPEAT
        if endless and inside:
            return True
        children = argument if isinstance(argument, tuple | list) else ()
        for child in children:
            groups = child if isinstance(child, list) else [child]
            if any(
                repeats_within_repeats(group, inside=inside or endless)
                for group in groups
                if isinstance(group, _parser.SubPattern)
            ):
                return True
    return False


@pytest.mark.parametrize("name", [*spec.DOCUMENTS, "wfx.swagger.yml", "workflow.schema.json"])
def test_patterns_look_at_the_whole_text_in_linear_time(name: str) -> None:
    """Each regular expression is anchored at both ends, runs on a linear-time engine, and nests no endless repeats."""
    from re import _parser  # type: ignore[attr-defined]

    found = set(patterns(yaml.safe_load(spec_files.find(name).read_bytes())))
    assert found
    for pattern in found:
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        jsonschema_rs.Draft4Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
        assert not repeats_within_repeats(_parser.parse(pattern)), pattern


def test_the_check_of_patterns_can_fail() -> None:
    """A pattern with nested endless repeats is recognised."""
    from re import _parser  # type: ignore[attr-defined]

    assert repeats_within_repeats(_parser.parse("^(a+)+$"))
    assert repeats_within_repeats(_parser.parse("^(x|(a*b)*)$"))
    assert not repeats_within_repeats(_parser.parse("^(a+)?b*$"))


@pytest.mark.parametrize("suffix", ["json", "yml"])
def test_an_installed_package_finds_its_documents(tmp_path: Path, suffix: str) -> None:
    """Where the package lies alone, with ``spec/`` inside, its documents are found there, in either form."""
    root = spec_files.find("wfx.openapi.yml").parent
    shutil.copytree(root.parent / "wfx", tmp_path / "wfx", ignore=shutil.ignore_patterns("__pycache__", "spec"))
    place = tmp_path / "wfx" / "spec"
    place.mkdir()
    for document in spec.DOCUMENTS:
        text = spec_files.find(document).read_text(encoding="utf-8")
        target = place / document.replace(".yml", f".{suffix}")
        target.write_text(json.dumps(yaml.safe_load(text)) if suffix == "json" else text)
    program = "from wfx.api import spec; print(spec.__file__, len(spec.operations()), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    module, count = done.stdout.split()
    assert Path(module) == tmp_path / "wfx" / "api" / "spec.py"
    assert int(count) == len(OPERATIONS) + len(operations(spec.FLEET)) + len(operations(spec.RULES))


def test_the_newer_of_two_forms_counts(tmp_path: Path) -> None:
    """In a source tree a document that was changed since it was packaged is read as it is now."""
    package = tmp_path / "wfx"
    for place in (package / "spec", tmp_path / "spec"):
        place.mkdir(parents=True)
    packaged, source = package / "spec" / "a.json", tmp_path / "spec" / "a.yml"
    for number, (older, newer) in enumerate(((packaged, source), (source, packaged))):
        for moment, path in enumerate((older, newer)):
            path.touch()
            os.utime(path, (number + moment, number + moment))
        assert spec_files.newest("a.json", "a.yml", package=package) == newer


def test_a_missing_document_is_named() -> None:
    """What cannot be found is said clearly."""
    with pytest.raises(FileNotFoundError, match=r"no\.such\.yml is missing from the installation"):
        spec_files.find("no.such.yml")


SERVED = json.loads(spec.openapi_json())


@of_each_document
def test_the_served_document_is_valid(document: str) -> None:
    """What is served of each document is a valid OpenAPI document with the same paths and methods."""
    served = json.loads(spec.openapi_json(document))
    OpenAPIV30SpecValidator(served).validate()
    assert {path: set(item) for path, item in served["paths"].items()} == {
        path: set(item) for path, item in spec.document(document)["paths"].items()
    }


def test_the_served_document_shows_one_kind_of_success() -> None:
    """Each operation has one successful status, of JSON or without content, or the stream of single events."""
    for item in SERVED["paths"].values():
        for method, operation in item.items():
            if method == "parameters":
                continue
            [success] = [response for status, response in operation["responses"].items() if status.startswith("2")]
            kinds = list(success.get("content", {}))
            assert kinds in (["application/json"], ["text/event-stream"], []), operation["summary"]
    stream = SERVED["paths"]["/jobs/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    assert stream == {"schema": {"$ref": "#/components/schemas/JobEvent"}}


def test_the_served_document_names_no_operations() -> None:
    """As with the reference, generators derive the names of operations from method and path (getJobsById)."""
    operations = [operation for item in SERVED["paths"].values() for operation in item.values()]
    assert not [operation for operation in operations if "operationId" in operation]
    assert {"PaginatedJobList", "PaginatedWorkflowList"} <= SERVED["components"]["schemas"].keys()


def test_the_served_document_states_the_limits_of_the_contract() -> None:
    """The served document states limits of limit, offset, job ids and tags, of which only that of tags is enforced."""
    parameters = SERVED["components"]["parameters"]
    assert parameters["Limit"]["schema"].items() >= {"minimum": 0, "maximum": 1024}.items()
    assert parameters["Offset"]["schema"]["minimum"] == 0
    stated = {"minLength": 1, "maxLength": 36, "pattern": "^[a-zA-Z0-9_.-]+$"}
    assert parameters["JobId"]["schema"].items() >= stated.items()
    assert SERVED["components"]["schemas"]["TagList"]["maxItems"] == 1024
    assert SERVED["components"]["schemas"]["JobRequest"]["properties"]["tags"]["maxItems"] == 16
    assert "x-wfx-stated" not in spec.openapi_json().decode()
