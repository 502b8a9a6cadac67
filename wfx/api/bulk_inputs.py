"""Inputs of bulk requests: a small head, and lines of which each slice decodes its own.

What takes time in proportion to the body, such as the hashes of definitions, is worked out when the input is made; of
large bodies in a worker process. Only where one definition is merged with the variables of each client, that is left to
the slices, since all of them together may have many times the bytes of the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from wfx.api import times
from wfx.api.bad_request import MOST_FAULTS, BadRequest, BodyFault, BodyInvalid
from wfx.api.cursor import read_cursor
from wfx.domain.creation import NewJob
from wfx.domain.definition import Definition
from wfx.domain.job import Status
from wfx.domain.json import Json, decode, encode
from wfx.domain.merge_patch import merged

MOST_MERGED = 64 * 1024
"""Bytes of a definition that is merged with the variables of many clients."""
MOST_TAGS = 16
"""Tags that a job may be created with, those of all jobs of the request among them."""
MOST_STORED = 64 * 1024 * 1024
"""Bytes that the definitions and tags of all jobs of a request may have."""
_TOO_LONG = f"the definition has more than {MOST_MERGED:,} bytes to merge with"
_TOO_MANY_TAGS = f"must have {MOST_TAGS} items at most, the tags of all jobs among them"
_TOO_MUCH = f"definitions and tags of all jobs have more than {MOST_STORED:,} bytes; send fewer jobs"
_MEASURES: dict[str, Callable[[str], int]] = {
    "createdAfter": times.moment,
    "createdBefore": times.moment,
    "modifiedAfter": times.moment,
    "modifiedBefore": times.moment,
    "unchangedFor": times.duration,
}
"""What reads the conditions on times."""
_OF_SELECTIONS = ("expect", "limit", "after")


@dataclass(frozen=True, slots=True)
class BulkInput:
    """The body of a bulk request."""

    head: Any
    document: bytes
    """Lines."""

    def fingerprint(self, operation: str) -> str:
        """Return what tells this request from others; takes time in proportion to the body."""
        digest = sha256(b"%b\n%b\n" % (operation.encode(), encode(self.head)))
        digest.update(self.document)
        return digest.hexdigest()


def jobs_to_create(body: dict[str, Any]) -> BulkInput:
    """Make the input of POST /jobs:batch.

    The head has what the jobs have in common. The first line is their definition, and each other one a job: an array of
    client, workflow, tags, the hash of its own definition, and variables; then a tab, and that definition.
    """
    faults: list[BodyFault] = []
    common = Definition.of(body["definition"]) if "definition" in body else None
    lines = [common.encoded if common else b""]
    stored, shared = 0, len(common.encoded if common else b"") + len(encode(body.get("tags", ())))
    for place, job in enumerate(body["jobs"]):
        if "workflow" not in job and "workflow" not in body:
            faults.append(BodyFault(f"/jobs/{place}", "'workflow' is missing, here and beside 'jobs'"))
        if (count := len({*body.get("tags", ()), *job.get("tags", ())})) > MOST_TAGS:
            faults.append(BodyFault(f"/jobs/{place}/tags", f"{_TOO_MANY_TAGS}, and has {count}"))
        own, variables = _definition_of(job, has_common=common is not None)
        lines.append(encode([job["clientId"], job.get("workflow"), job.get("tags"), own and own.hash, variables]))
        if own is not None:
            lines[-1] += b"\t" + own.encoded
        stored += len(lines[-1]) + shared
        if variables is not None and common is not None and len(common.encoded) > MOST_MERGED:
            faults.append(BodyFault(f"/jobs/{place}/variables", _TOO_LONG))
        if len(faults) >= MOST_FAULTS:
            break
    if stored > MOST_STORED:
        faults.append(BodyFault("/jobs", _TOO_MUCH))
    if faults:
        raise BodyInvalid(faults)
    head = {
        "dryRun": body.get("dryRun", False),
        "jobs": len(body["jobs"]),
        "workflow": body.get("workflow", ""),
        "tags": body.get("tags"),
        "hash": common and common.hash,
    }
    return BulkInput(head, b"\n".join(lines))


def _definition_of(job: dict[str, Any], *, has_common: bool) -> tuple[Definition | None, Any]:
    """Return the job's own definition, and the variables that are still to be merged into that of all."""
    variables = job.get("variables")
    if variables is None:
        return (Definition.of(job["definition"]) if "definition" in job else None), None
    if "definition" not in job and has_common:
        return None, variables
    return Definition.of(merged(job.get("definition", {}), variables)), None


class NewJobs:
    """The jobs of POST /jobs:batch, decoded when they are asked for."""

    def __init__(self, made: BulkInput) -> None:
        """Decode what the jobs have in common."""
        definition, *self._lines = made.document.split(b"\n")
        head = made.head
        self._workflow: str = head["workflow"]
        self._tags: Sequence[str] | None = head["tags"]
        self._definition = Definition(Json(definition), head["hash"]) if head["hash"] is not None else None

    def __len__(self) -> int:
        """Count them."""
        return len(self._lines)

    def client_id(self, place: int) -> str:
        """Tell the client of one, without its definition."""
        client_id: str = decode(Json(self._lines[place].partition(b"\t")[0]))[0]
        return client_id

    def workflow(self, place: int) -> str:
        """Tell the name of the workflow of one."""
        return decode(Json(self._lines[place].partition(b"\t")[0]))[1] or self._workflow

    def __getitem__(self, place: int) -> NewJob:
        """Decode one."""
        line, _, document = self._lines[place].partition(b"\t")
        client_id, workflow, tags, digest, variables = decode(Json(line))
        definition = self._definition
        if digest is not None:
            definition = Definition(Json(document), digest)
        elif variables is not None:
            definition = Definition.of(merged(self._pattern, variables))
        if tags is not None or self._tags is not None:
            tags = list(dict.fromkeys((*(self._tags or ()), *(tags or ()))))
        return NewJob(client_id, workflow or self._workflow, tags, definition)

    @cached_property
    def _pattern(self) -> dict[str, Any]:
        """The definition of all."""
        assert self._definition is not None
        pattern: dict[str, Any] = decode(self._definition.encoded)
        return pattern


def jobs_to_update(body: dict[str, Any]) -> BulkInput:
    """Make the input of POST /jobs:update: the first line is the context of the status, each other one an id."""
    status = Status.from_wire(body["status"])
    return _about_jobs(body, [status.context or b""], status=[status.state, status.progress, status.message])


def status_of(made: BulkInput) -> Status:
    """Return the status that jobs are to have."""
    state, progress, message = made.head["status"]
    context = made.document.partition(b"\n")[0]
    return Status(state, "", progress, message, Json(context) if context else None)


def jobs_to_delete(body: dict[str, Any]) -> BulkInput:
    """Make the input of POST /jobs:delete."""
    return _about_jobs(body, [b""])


def jobs_to_tag(body: dict[str, Any]) -> BulkInput:
    """Make the input of POST /jobs:tag."""
    added, removed = (list(dict.fromkeys(body.get(name, ()))) for name in ("add", "remove"))
    faults = [] if added or removed else [BodyFault("", "neither 'add' nor 'remove' has a tag")]
    faults += [
        BodyFault(f"/remove/{place}", f"'{name}' is in 'add', too")
        for place, name in enumerate(removed)
        if name in added
    ]
    return _about_jobs(body, [b""], faults, add=added, remove=removed)


def _about_jobs(body: dict[str, Any], lines: list[bytes], faults: Sequence[BodyFault] = (), **change: Any) -> BulkInput:
    if faults := [*faults, *_faults_of_targets(body)]:
        raise BodyInvalid(faults)
    head = {
        "dryRun": body.get("dryRun", False),
        "selection": _measured(body["selection"]) if "selection" in body else None,
        **{name: body.get(name) for name in _OF_SELECTIONS},
        **change,
    }
    return BulkInput(head, b"\n".join([*lines, *(job_id.encode() for job_id in body.get("ids", ()))]))


def _measured(selection: dict[str, Any]) -> dict[str, Any]:
    """Return the selection with its times as microseconds."""
    return {name: _MEASURES[name](value) if name in _MEASURES else value for name, value in selection.items()}


def ids_of(made: BulkInput) -> list[str]:
    """Return the ids of the jobs that were given."""
    return [line.decode() for line in made.document.split(b"\n")[1:]]


def _faults_of_targets(body: dict[str, Any]) -> Iterator[BodyFault]:
    if ("ids" in body) == ("selection" in body):
        yield BodyFault("", "either 'ids' or 'selection' is needed, and not both")
    if "selection" not in body:
        yield from (BodyFault(f"/{name}", "is for selections alone") for name in _OF_SELECTIONS if name in body)
    selection = body.get("selection", {})
    for name, measure in _MEASURES.items():
        try:
            if name in selection:
                measure(selection[name])
        except ValueError as exc:
            yield BodyFault(f"/selection/{name}", f"'{selection[name]}' {exc}")
    if "after" in body:
        try:
            read_cursor(body["after"])
        except BadRequest as exc:
            yield BodyFault("/after", str(exc))
