"""Events of the log as rules see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.job import Action
from wfx.domain.job import Event as LogEvent
from wfx.domain.json import decode
from wfx.rules.event import Event

SOURCE = "wfx"
"""Of events of the log."""
_TELL_TAGS = (Action.CREATE, Action.ADD_TAGS, Action.DELETE_TAGS)
"""Events that tell all tags of their job."""
_TELL_STATE = (Action.UPDATE_STATUS, Action.CREATE)
"""Events that tell the status of their job."""
_TYPES = {action: f"job.{action.lower()}" for action in Action}


def type_of(event: LogEvent) -> str:
    """Return the type that rules know an event by; empty for what they do not know, such as events of workflows."""
    return _TYPES[event.action] if event.job_id else ""


def tells_tags(event: LogEvent) -> bool:
    """Tell whether the tags of the job are in its event."""
    return event.action in _TELL_TAGS


def told_by(event: LogEvent) -> dict[str, Any]:
    """Return what an event tells of itself: the payload, without the cause, and without tags that it does not tell."""
    told = decode(event.payload)
    state = _state_after(event, told)
    payload: dict[str, Any] = {
        "job_id": event.job_id,
        "client": event.client_id,
        "workflow": event.workflow.name,
        "from": event.state_before,
        "to": state,
        "group": event.workflow.group_of(state or event.state_before or ""),
    }
    if tells_tags(event):
        payload["tags"] = list(told.get("tags") or ())
    return payload


def event_of_log(event: LogEvent, log_id: str, tags: Sequence[str] = ()) -> Event:
    """Return what rules are evaluated on; ``tags`` are those of the job, where its event does not tell them."""
    payload = told_by(event)
    payload.setdefault("tags", list(tags))
    cause = event.cause
    payload["cause"] = None if cause is None else dict(cause._asdict())
    return Event(type_of(event), identity(event, log_id), SOURCE, event.client_id, payload)


def identity(event: LogEvent, log_id: str) -> str:
    """Return the id by which rules know an event."""
    return f"{log_id}-{event.seq}"


def _state_after(event: LogEvent, told: dict[str, Any]) -> str | None:
    """Return the state of the job after its event; None once it is deleted."""
    if event.action in _TELL_STATE:
        return str(told["status"]["state"])
    return None if event.action is Action.DELETE else event.state_before
