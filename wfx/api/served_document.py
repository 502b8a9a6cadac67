"""The OpenAPI document as it is served, for generators of clients.

The document in ``spec/`` describes every answer of the service, also those to requests with a response filter, and the
checks of requests are compiled from it. Client generators make one type of all answers to an operation, so the served
document describes only the answers to requests without a filter (``spec/decisions/0036-served-document.md``).
"""

from __future__ import annotations

import copy
from typing import Any

_STATED = "x-wfx-stated"
"""Keywords that the served document states beside a schema's own, although the service is more lenient."""
_ONE_EVENT = "x-wfx-event"
"""The schema of one event of a stream, which client generators expect as the schema of the stream."""
_JSON = "application/json"
_STREAM = "text/event-stream"


def served_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return the served form of the document, which is not changed."""
    served: dict[str, Any] = copy.deepcopy(document)
    for item in served["paths"].values():
        for method in item.keys() - {"parameters"}:
            _describe_unfiltered(item[method], served)
    served["components"] = _with_stated_limits(served["components"])
    return served


def _describe_unfiltered(operation: dict[str, Any], served: dict[str, Any]) -> None:
    """Keep one kind of successful answer. Generators name operations by method and path, as with the reference."""
    del operation["operationId"]
    responses = operation["responses"]
    if "201" in responses:
        responses.pop("200", None)
    for status in [status for status in responses if status.startswith("2")]:
        if (reference := responses[status].get("$ref")) is not None:
            responses[status] = copy.deepcopy(_resolved(reference, served))
        content = responses[status].get("content", {})
        kind = _STREAM if _STREAM in content else _JSON
        for other in content.keys() - {kind}:
            del content[other]
        if kind == _STREAM:
            content[kind] = {"schema": content[kind][_ONE_EVENT]}


def _resolved(reference: str, served: dict[str, Any]) -> Any:
    found: Any = served
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _with_stated_limits(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_stated_limits(item) for item in part]
    if not isinstance(part, dict):
        return part
    stated = part.get(_STATED, {})
    return {name: _with_stated_limits(value) for name, value in part.items() if name != _STATED} | stated
