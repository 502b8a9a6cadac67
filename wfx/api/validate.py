"""Checks of request bodies, compiled once from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from wfx.api.spec import document, operations

_RANGES = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}
_NEVER: dict[str, Any] = {"not": {}}
_NO_NUL = "must not contain U+0000"
_READ_ONLY = "is read-only and must not be sent"
OWN_WORDS = (_NO_NUL, _READ_ONLY)
"""Reasons that nobody words better."""


@dataclass(frozen=True, slots=True)
class BodyValidator:
    """What one operation demands of its body."""

    is_valid: Callable[[Any], bool]
    """Whether a decoded body is as the document says; takes microseconds."""
    validate: Callable[[Any], None]
    """Raises jsonschema_rs.ValidationError with the first thing that is wrong."""

    def complaint(self, value: Any) -> str:
        """Say what is wrong with a body and where; the empty string if nothing is."""
        try:
            self.validate(value)
        except jsonschema_rs.ValidationError as exc:
            return at(exc.instance_path, _reason(exc))
        return ""


def at(path: Iterable[str | int], reason: str) -> str:
    """Put the place, as a JSON pointer, before the reason."""
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    return f"the body at {pointer}: {reason}" if pointer else f"the body: {reason}"


@cache
def compile_body(operation_id: str) -> BodyValidator | None:
    """Return the check of an operation's body; None if it takes none.

    Strings are counted in code points, ``1.0`` is no integer, and members that only responses have are refused.
    """
    schema = operations()[operation_id].body
    if schema is None:
        return None
    root = {"allOf": [_request_schema(schema)], "components": {"schemas": _request_schemas()}}
    checker = jsonschema_rs.Draft4Validator(root, pattern_options=jsonschema_rs.RegexOptions())
    return BodyValidator(checker.is_valid, checker.validate)


def _reason(error: jsonschema_rs.ValidationError) -> str:
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Pattern() if "\x00" in str(error.instance):
            return _NO_NUL
        case jsonschema_rs.ValidationErrorKind.Not():
            return _READ_ONLY
    return error.message


@cache
def _request_schemas() -> dict[str, Any]:
    return {name: _request_schema(schema) for name, schema in document()["components"]["schemas"].items()}


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
