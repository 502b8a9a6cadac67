"""Events of the log as rules see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.job import Action, Subject
from wfx.domain.job import Event as LogEvent
from wfx.domain.json import decode
from wfx.rules.event import Event

SOURCE = "wfx"
"""Of events of the log."""
_TELL_TAGS = (Action.CREATE, Action.ADD_TAGS, Action.DELETE_TAGS)
"""Events that tell all tags of their job."""


def type_of(event: LogEvent) -> str:
    """Return the type that rules know an event by; empty for what they do not know, such as events of workflows."""
    return f"job.{event.action.lower()}" if event.subject is Subject.JOB else ""


def tells_tags(event: LogEvent) -> bool:
    """Tell whether the tags of the job are in its event."""
    return event.action in _TELL_TAGS


def event_of_log(event: LogEvent, log_id: str, tags: Sequence[str] = ()) -> Event:
    """Return what rules are evaluated on; ``tags`` are those of the job, where its event does not tell them."""
    told = decode(event.payload)
    state = _state_after(event, told)
    cause = event.cause
    payload: dict[str, Any] = {
        "job_id": event.job_id,
        "client": event.client_id,
        "workflow": event.workflow.name,
        "from": event.state_before,
        "to": state,
        "group": event.workflow.group_of(state or event.state_before or ""),
        "tags": list((told.get("tags") or ()) if tells_tags(event) else tags),
        "cause": None if cause is None else dict(cause._asdict()),
    }
    identity = f"{log_id}-{event.seq}"
    return Event(type_of(event), identity, SOURCE, event.client_id, payload)


def _state_after(event: LogEvent, told: dict[str, Any]) -> str | None:
    """Return the state of the job after its event; None once it is deleted."""
    match event.action:
        case Action.CREATE | Action.UPDATE_STATUS:
            return str(told["status"]["state"])
        case Action.DELETE:
            return None
    return event.state_before
