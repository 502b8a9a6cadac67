"""Events that rules are evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wfx.commandline.grammar import closest
from wfx.domain.job import Action

_TEXTS = ("id", "type", "source", "actor_id")
_OBJECTS = ("payload", "meta")
JOB_TYPES = tuple(f"job.{action.value.lower()}" for action in Action)
"""Types of the events on the log, one for each kind of change of a job."""
FATAL = "system.fatal"
"""Type of the events that tell of failures of the service itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a change of a job, or what somebody outside tells."""

    type: str
    id: str = ""
    source: str = ""
    actor_id: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, str]:
        """What expressions see as ``event``."""
        return {"id": self.id, "type": self.type, "source": self.source, "actor_id": self.actor_id}


def event_of(document: object) -> Event:
    """Return the event of a JSON document. Raises ValueError with what is wrong."""
    if not isinstance(document, Mapping):
        raise ValueError('an event is an object, such as {"type": "transaction", "payload": {"amount": 1500}}')  # noqa: TRY004
    known = (*_TEXTS, *_OBJECTS)
    for name, value in document.items():
        if name not in known:
            raise ValueError(f"an event has no member {name[:60]}{closest(name, known)}")
        if name in _TEXTS and not isinstance(value, str):
            raise ValueError(f"event {name} must be a text")
        if name in _OBJECTS and not isinstance(value, dict):
            raise ValueError(f"event {name} must be an object")
    if not document.get("type"):
        raise ValueError("event type is required")
    return Event(**document)
