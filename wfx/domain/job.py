"""Jobs, their history entries and events."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from wfx.domain.cause import Cause, EncodedCause, decode_cause
from wfx.domain.json import Json, embedded, encode
from wfx.domain.numbers import encode_free_form
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow


class Subject(StrEnum):
    """What an event is about."""

    JOB = "job"
    WORKFLOW = "workflow"


class Action(StrEnum):
    """What happened to a job; the kinds of events there are. Of workflows there are CREATE and DELETE alone."""

    CREATE = "CREATE"
    DELETE = "DELETE"
    ADD_TAGS = "ADD_TAGS"
    DELETE_TAGS = "DELETE_TAGS"
    UPDATE_STATUS = "UPDATE_STATUS"
    UPDATE_DEFINITION = "UPDATE_DEFINITION"


class Status(NamedTuple):
    """Where a job stands and what was said about it (rest-api section 4.4)."""

    state: str
    client_id: str = ""
    progress: int | None = None
    message: str = ""
    context: Json | None = None
    definition_hash: str = ""

    @classmethod
    def from_wire(cls, document: dict[str, Any]) -> Status:
        """Build from a decoded document that already satisfies the OpenAPI schema; unknown members are dropped.

        Numbers in the context are made doubles. Takes time in proportion to the size of the context.
        """
        context = document.get("context")
        return cls(
            state=document["state"],
            client_id=document.get("clientId", ""),
            progress=document.get("progress"),
            message=document.get("message", ""),
            context=None if context is None else encode_free_form(context),
            definition_hash=document.get("definitionHash", ""),
        )

    @property
    def encoded(self) -> Json:
        """The status as the API shows it: members without a value are absent, progress 0 and context {} are kept."""
        members: dict[str, Any] = {}
        if self.client_id:
            members["clientId"] = self.client_id
        if self.context is not None:
            members["context"] = embedded(self.context)
        if self.definition_hash:
            members["definitionHash"] = self.definition_hash
        if self.message:
            members["message"] = self.message
        if self.progress is not None:
            members["progress"] = self.progress
        members["state"] = self.state
        return encode(members)


class Job(NamedTuple):
    """A job as it is stored. Documents stay encoded; see :mod:`wfx.domain.json`."""

    id: str
    client_id: str
    workflow: Workflow
    state: str
    status: Json
    definition_hash: str
    definition: Json | None
    tags: Json
    """A JSON array of strings, sorted bytewise, without duplicates."""
    stime: Timestamp
    mtime: Timestamp
    version: int = 1
    overtaken: str = ""
    """The state of the report that an immediate transition led on from to the present state.

    Empty if there was none, or once anything else has happened. Jobs in lists do not have it.
    """

    @property
    def group(self) -> str:
        """The group of the current state, or the empty string."""
        return self.workflow.group_of(self.state)


class Draft(NamedTuple):
    """A decided, not yet stored job: everything but its id, times and version, which the store gives."""

    client_id: str
    workflow: Workflow
    state: str
    status: Json
    definition_hash: str
    definition: Json | None
    tags: Json
    asked_tags: Json | None = None
    """The tags as they were asked for, in their order; None where nothing was said of tags."""


class Change(NamedTuple):
    """A decided change: what the job's mutable parts will be. What equals the job's present part is unchanged."""

    action: Action
    state: str
    status: Json
    definition_hash: str
    definition: Json | None
    tags: Json
    overtaken: str = ""
    """The state that was reported, if immediate transitions have led on from it."""
    overtaken_status: Json | None = None
    """What was reported with that, to be kept in the history as a version of its own; None if that is nothing."""


class HistoryEntry(NamedTuple):
    """A history entry: what a job was before one change (rest-api section 9.6)."""

    mtime: Timestamp
    """When the job had come to be like this."""
    status: Json
    definition: Json | None
    """The definition before the change; None where the change left it alone."""


class Event(NamedTuple):
    """One entry of the log: what happened to a job or a workflow, in the order of commits."""

    seq: int
    """1, 2, 3 … without gaps, in commit order."""
    ctime: Timestamp
    action: Action
    job_id: str
    """Empty for an event about a workflow, like the client's id."""
    client_id: str
    workflow: Workflow
    """The job's workflow, or the one that the event is about."""
    payload: Json
    """The event's member ``job`` as a JSON object, without its ``workflow``; see :func:`wfx.domain.job_json.event`.

    That of a workflow's event is an object with its ``name``.
    """
    state_before: str | None = None
    """The job's state before the event; None at its creation, for workflows, and where there is no cause."""
    encoded_cause: EncodedCause | None = None
    """What :attr:`cause` decodes."""

    @property
    def cause(self) -> Cause | None:
        """Who and what brought it about; None for events of releases that did not record it."""
        return None if self.encoded_cause is None else decode_cause(self.encoded_cause)

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject.JOB if self.job_id else Subject.WORKFLOW
