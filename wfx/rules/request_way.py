"""The way of a request through the service, as the graph of rules shows it (``spec/architecture.md``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wfx.rules.event import JOB_TYPES


class Part(NamedTuple):
    """A part of the service on the way."""

    name: str
    what: str
    """What it does."""
    module: str
    """Where it is in the source."""
    leads_to: tuple[str, ...]


CONSUMER, INCOMING, EFFECTS, STORE = "consumer", "incoming", "effects", "store"
PARTS = (
    Part("engine", "reads requests from sockets", "wfx/server", ("middleware",)),
    Part("middleware", "context, hosts, limits, plugins, access log", "wfx/api/app.py", ("dispatch",)),
    Part("dispatch", "finds the operation of a path", "wfx/api/route_table.py", ("endpoint",)),
    Part("endpoint", "checks parameters and body", "wfx/api/endpoint.py", ("handler",)),
    Part("handler", "reads, calls, writes", "wfx/api/handlers", ("service", INCOMING)),
    Part("service", "makes a decision, behind limits", "wfx/service", (STORE,)),
    Part(STORE, "decides on what is there, and writes", "wfx/store", ("log", "tasks")),
    Part("log", "has each change as an event", "wfx/store/feed.py", (CONSUMER, "broker")),
    Part("broker", "feeds event streams", "wfx/events", ()),
    Part(CONSUMER, "reads the log for the rules", "wfx/reactions/consumer.py", ()),
    Part(INCOMING, "queues events from outside", "wfx/reactions/incoming.py", ()),
    Part(EFFECTS, "makes changes and tasks of actions", "wfx/reactions/effects.py", (STORE,)),
    Part("tasks", "sends webhooks and mails", "wfx/tasks", ("receivers",)),
    Part("receivers", "are outside", "", ()),
)
"""In the order in which a request comes to them."""


def teller_of(event_type: str) -> str:
    """Return the part that tells the rules of events of a type."""
    is_own = event_type in JOB_TYPES or event_type.startswith("system.")
    return CONSUMER if is_own else INCOMING


def edges() -> Iterator[tuple[str, str]]:
    """Yield which part leads to which."""
    for part in PARTS:
        for target in part.leads_to:
            yield part.name, target
