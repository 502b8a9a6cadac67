"""OpenAPI documents: loaded once, with their operations resolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from wfx.api.served_document import served_document
from wfx.request_context import Side
from wfx.spec_files import newest

CONTRACT = "wfx.openapi.yml"
FLEET = "fleet.openapi.yml"
RULES = "rules.openapi.yml"
DOCUMENTS = (CONTRACT, FLEET, RULES)
"""Files that describe operations. Each has a base path of its own, the URL of its first server, below which it is
served as openapi.json."""
_TEXT = "text/javascript"
"""Of bodies that are text; whatever a client calls it."""
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document."""

    id: str
    method: str
    """Upper case, as in a request."""
    path: str
    """Relative to the base path, with parameters in braces."""
    base: str
    """The base path of its document."""
    document: str
    """The file of its document."""
    sides: frozenset[Side]
    """Where it is carried out; elsewhere it is refused."""
    filtered: bool
    """Whether a response filter applies."""
    parameters: tuple[dict[str, Any], ...]
    """Its own and its path's parameters, references resolved."""
    body: dict[str, Any] | None
    """The schema of its JSON body; None if it takes none."""
    takes_text: bool
    """Whether its body is text."""


def document(name: str = DOCUMENTS[0]) -> dict[str, Any]:
    """Return an OpenAPI document. It is shared: treat it as unchangeable."""
    return _load(name)


@cache
def operations() -> dict[str, Operation]:
    """Return the operations of all documents by their operationId. Raises ValueError if one is given twice."""
    found: dict[str, Operation] = {}
    for each in (each for name in DOCUMENTS for each in read_operations(name, document(name))):
        if found.setdefault(each.id, each) is not each:
            raise ValueError(f"operationId {each.id} is given twice: in {found[each.id].document} and {each.document}")
    return found


def read_operations(name: str, described: dict[str, Any]) -> Iterator[Operation]:
    """Return the operations of one document, which has this name."""
    for path, item in described["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(name, described, path, method)


@cache
def openapi_json(name: str = DOCUMENTS[0]) -> bytes:
    """Return what is served of a document as openapi.json: indented JSON."""
    return orjson.dumps(served_document(document(name)), option=orjson.OPT_INDENT_2)


@cache
def swagger_json() -> bytes:
    """Return the Swagger 2.0 document as compact JSON, as swagger.json is served."""
    return orjson.dumps(_load("wfx.swagger.yml"), option=orjson.OPT_NON_STR_KEYS)  # YAML reads statuses as numbers


@cache
def _load(name: str) -> dict[str, Any]:
    """Read a document: as JSON, as it is packaged, or as YAML in a source tree where that is newer."""
    found = newest(name.replace(".yml", ".json"), name)
    loaded: dict[str, Any]
    if found.suffix == ".json":
        loaded = orjson.loads(found.read_bytes())
    else:
        import yaml  # what only a source tree needs is imported there

        loaded = yaml.load(found.read_bytes(), Loader=yaml.CSafeLoader)
    return loaded


def _operation(name: str, document: dict[str, Any], path: str, method: str) -> Operation:
    item = document["paths"][path]
    described = item[method]
    parameters = (*item.get("parameters", ()), *described.get("parameters", ()))
    content = described.get("requestBody", {}).get("content", {})
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        base=document["servers"][0]["url"],
        document=name,
        sides=frozenset(map(Side, described["x-wfx-sides"])),
        filtered=described.get("x-wfx-filter", False),
        parameters=tuple(_resolved(parameter, document) for parameter in parameters),
        body=content["application/json"]["schema"] if "application/json" in content else None,
        takes_text=_TEXT in content,
    )


def _resolved(part: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: dict[str, Any] = found
    return resolved
