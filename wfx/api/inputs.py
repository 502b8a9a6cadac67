"""Inputs of operations: domain values made from decoded request bodies.

Making one takes time in proportion to the body, for instance to hash a definition. The input of a large body is made in
a worker process and passed to the service as a small head of names and numbers and one document as it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wfx.api import bulk_inputs, event_inputs, script_inputs
from wfx.api.bad_request import BodyFault
from wfx.api.bulk_inputs import BulkInput
from wfx.domain import tags, validation
from wfx.domain.definition import Definition
from wfx.domain.device import DeviceDescription
from wfx.domain.job import Status
from wfx.domain.json import Json
from wfx.domain.workflow import Workflow

Packed = tuple[Any, bytes]
"""A small JSON value (the head) and an encoded document; the document is empty if there is none."""
_NOTHING = b""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """The body of POST /jobs."""

    client_id: str
    workflow: str
    tags: Sequence[str] | None
    """As they were sent; None if the member was missing."""
    definition: Definition | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> JobRequest:
        """Make it from a decoded body."""
        given = document.get("definition")
        return cls(
            document["clientId"],
            document["workflow"],
            document.get("tags"),
            None if given is None else Definition.of(given),
        )


@dataclass(frozen=True, slots=True)
class Input:
    """How one kind of input is made, and passed from a worker process to the service."""

    make: Callable[[Any], Any]
    """Makes it from a decoded body that satisfies the OpenAPI schema. Raises WfxError for broken domain rules."""
    pack: Callable[[Any], Packed]
    unpack: Callable[[Any, bytes], Any]
    explain: Callable[[Any], Sequence[BodyFault]] = lambda _: ()
    """Says what is wrong with a decoded body that breaks its schema, where that has words of its own."""
    is_strict: bool = True
    """Whether :mod:`wfx.api.strict_bodies` checks bodies; in the contract the last of repeated members counts."""


def _pack_status(status: Status) -> Packed:
    head = [status.state, status.client_id, status.progress, status.message, status.context is not None]
    return head, status.context or _NOTHING


def _unpack_status(head: Any, context: bytes) -> Status:
    state, client_id, progress, message, has_context = head
    return Status(state, client_id, progress, message, Json(context) if has_context else None)


def _pack_request(request: JobRequest) -> Packed:
    tags.require_few(tags.ordered(request.tags or ()))
    wanted = request.definition
    head = [request.client_id, request.workflow, request.tags, wanted and wanted.hash]
    return head, wanted.encoded if wanted else _NOTHING


def _unpack_request(head: Any, document: bytes) -> JobRequest:
    client_id, workflow, names, digest = head
    return JobRequest(client_id, workflow, names, None if digest is None else Definition(Json(document), digest))


def _workflow(document: dict[str, Any]) -> Workflow:
    workflow = Workflow.from_wire(document)
    validation.check(workflow)
    return workflow


def _tags_to_add(names: Sequence[str]) -> Sequence[str]:
    """Refuse too many tags before the store is asked: checking them in its transaction would delay others."""
    if len(names) <= tags.MOST_TAGS:
        return names
    different = list(dict.fromkeys(names))
    tags.require_few(tags.ordered(different))
    return different


def _pack_tags_to_add(names: Sequence[str]) -> Packed:
    tags.require_few(tags.ordered(names))
    return names, _NOTHING


def _bulk(make: Callable[[Any], BulkInput]) -> Input:
    return Input(make, lambda made: (made.head, made.document), BulkInput)


INPUTS: dict[str, Input] = {
    "PostWorkflows": Input(
        _workflow,
        lambda made: (None, made.encoded),
        lambda _, document: Workflow.from_encoded(Json(document)),
        is_strict=False,
    ),
    "PostJobs": Input(JobRequest.of, _pack_request, _unpack_request, is_strict=False),
    "PutJobsIdStatus": Input(Status.from_wire, _pack_status, _unpack_status, is_strict=False),
    "PutJobsIdDefinition": Input(
        Definition.of,
        lambda made: (made.hash, made.encoded),
        lambda digest, document: Definition(Json(document), digest),
        is_strict=False,
    ),
    "PutFleetDevicesClientIdAttributes": Input(
        DeviceDescription.of,
        lambda made: (None, made.encoded),
        lambda _, document: DeviceDescription(Json(document)),
    ),
    "PostJobsIdTags": Input(_tags_to_add, _pack_tags_to_add, lambda names, _: names, is_strict=False),
    "DeleteJobsIdTags": Input(
        lambda names: list(dict.fromkeys(names)),
        lambda names: (names, _NOTHING),
        lambda names, _: names,
        is_strict=False,
    ),
    "PutFleetJobsIdStatus": Input(Status.from_wire, _pack_status, _unpack_status),
    "PostFleetJobsBatch": _bulk(bulk_inputs.jobs_to_create),
    "PostFleetJobsUpdate": _bulk(bulk_inputs.jobs_to_update),
    "PostFleetJobsDelete": _bulk(bulk_inputs.jobs_to_delete),
    "PostFleetJobsTag": _bulk(bulk_inputs.jobs_to_tag),
    "PostRulesEvents": Input(
        event_inputs.event_to_tell,
        lambda event: (None, event),
        lambda _, event: Json(event),
        event_inputs.wrong_with_event,
    ),
    "PostRulesScriptsNameRun": Input(
        script_inputs.run_to_make, lambda made: (made.head, made.document), script_inputs.ScriptRun.unpack
    ),
    "PostRulesEventsBatch": Input(
        event_inputs.events_to_tell,
        lambda events: (None, b"\n".join(events)),
        lambda _, lines: [Json(line) for line in lines.split(b"\n")],
        event_inputs.wrong_with_batch,
    ),
}
"""By operationId, for all operations that take a body."""
