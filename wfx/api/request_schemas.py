"""JSON Schemas of request bodies, from the OpenAPI documents."""

from __future__ import annotations

from functools import cache
from typing import Any

from wfx.api.schema_checks import BodyValidator
from wfx.api.spec import document, operations

_RANGES = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}
_NEVER: dict[str, Any] = {"not": {}}


@cache
def body_schema(operation_id: str) -> dict[str, Any] | None:
    """Return what an operation demands of its body, in JSON Schema (draft 4); None if it takes none.

    Members that only responses have are refused.
    """
    operation = operations()[operation_id]
    if operation.body is None:
        return None
    return {"allOf": [_request_schema(operation.body)], "components": {"schemas": _request_schemas(operation.document)}}


@cache
def compile_body(operation_id: str) -> BodyValidator | None:
    """Return the check of an operation's body; None if it takes none."""
    schema = body_schema(operation_id)
    return None if schema is None else BodyValidator.of(schema)


@cache
def members_of_body(operation_id: str) -> frozenset[str] | None:
    """Return the members that an operation knows of its body; None if it takes none, or no object, or any object."""
    operation = operations()[operation_id]
    if operation.body is None:
        return None
    return _members(operation.document, operation.body) or None


def _members(name: str, schema: dict[str, Any]) -> frozenset[str]:
    if "$ref" in schema:
        return _members(name, document(name)["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.get("additionalProperties"):
        return frozenset()
    parts = [_members(name, part) for part in schema.get("allOf", ())]
    return frozenset(schema.get("properties", ())).union(*parts)


@cache
def _request_schemas(name: str) -> dict[str, Any]:
    return {name: _request_schema(schema) for name, schema in document(name)["components"]["schemas"].items()}


def _request_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in JSON Schema (draft 4) what a schema of OpenAPI 3.0 demands of a request."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if schema.get("readOnly"):
        return _NEVER
    converted = {**_RANGES.get(schema.get("format", ""), {}), **schema}
    if schema.get("nullable"):
        converted["type"] = [schema["type"], "null"]
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema:
            converted[keyword] = [_request_schema(part) for part in schema[keyword]]
    if "properties" in schema:
        converted["properties"] = {name: _request_schema(part) for name, part in schema["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            converted[keyword] = _request_schema(schema[keyword])
    return converted
