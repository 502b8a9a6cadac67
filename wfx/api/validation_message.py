"""Error message for a body that breaks its schema: one line that names the place.

openapi-core words it best, but takes milliseconds, and a good part of a second the first time: so it works in a thread,
on one small body at a time, and otherwise the check that refused the body speaks for itself.
"""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from wfx.api.bad_request import BadRequest, BodyInvalid, Fault, one_line
from wfx.api.inputs import INPUTS
from wfx.api.request_schemas import compile_body
from wfx.api.schema_checks import OWN_WORDS, pointer_to
from wfx.api.spec import CONTRACT, document, operations

if TYPE_CHECKING:
    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters

_LARGEST = 16 * 1024
"""Bytes of a body that is worth the effort."""
_busy = threading.Lock()


async def refusal(operation_id: str, value: Any) -> BadRequest:
    """Say what is wrong with a decoded body that the operation's validator refused; the contract's API, one thing."""
    if operations()[operation_id].document == CONTRACT:
        return BadRequest(await rejection(operation_id, value))
    validator = compile_body(operation_id)
    assert validator is not None
    return BodyInvalid(INPUTS[operation_id].explain(value) or await asyncio.to_thread(validator.faults, value))


async def rejection(operation_id: str, value: Any) -> str:
    """Say what is wrong with a decoded body that the operation's validator refused."""
    return await asyncio.to_thread(_explained, operation_id, value)


def _explained(operation_id: str, value: Any) -> str:
    validator = compile_body(operation_id)
    assert validator is not None, f"{operation_id} takes no body"
    complaint = one_line(validator.complaint(value))
    if complaint.endswith(OWN_WORDS) or _busy.locked() or len(encoded := orjson.dumps(value)) > _LARGEST:
        return complaint
    return _worded(operation_id, encoded) or complaint


def _worded(operation_id: str, body: bytes) -> str:
    """Ask openapi-core; the empty string if it finds nothing wrong, or is busy."""
    if not _busy.acquire(blocking=False):
        return ""
    try:
        return _asked(operation_id, body)
    finally:
        _busy.release()


def _asked(operation_id: str, body: bytes) -> str:
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue  # takes long to import

    for error in _openapi(operations()[operation_id].document).iter_request_errors(_request(operation_id, body)):
        if isinstance(error.__cause__, InvalidSchemaValue):
            first: Any = next(iter(error.__cause__.schema_errors))
            return one_line(Fault(pointer_to(first.absolute_path), first.message).text)
    return ""


@cache
def _openapi(name: str) -> OpenAPI:
    from openapi_core import Config, OpenAPI  # takes long to import

    return OpenAPI.from_dict(document(name), config=Config(spec_validator_cls=None))


@dataclass
class _Request:
    """A request as openapi-core wants to see it."""

    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes
    parameters: RequestParameters = field(init=False)


def _request(operation_id: str, body: bytes) -> _Request:
    from openapi_core.datatypes import RequestParameters  # takes long to import

    operation = operations()[operation_id]
    path = operation.base + re.sub(r"\{\w+\}", "any", operation.path)
    request = _Request("http://localhost", path, operation.method.lower(), "application/json", body)
    request.parameters = RequestParameters()
    return request
