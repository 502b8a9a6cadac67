"""Client of a server of wfx, for devices and for operators, blocking and asynchronous.

    with Client("http://localhost:8080") as wfx:
        for job in wfx.poll_jobs("press-7"):
            wfx.update_status(job.id, "INSTALLING", client_id="press-7", progress=10)

Requests that are safe to repeat are repeated; event streams go on where they broke off. docs/client.md is the guide.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wfx.client.errors import (
    ClientError,
    Conflict,
    Denied,
    Ended,
    EventsGone,
    EventsOtherLog,
    InvalidRequest,
    JobModified,
    JobNotFound,
    NotFound,
    NotSent,
    Problem,
    Refused,
    ServerFault,
    StoreFull,
    TimedOut,
    TooManyRequests,
    Unavailable,
    Unreachable,
    Unreadable,
    WorkflowInvalid,
    WorkflowNotFound,
    WorkflowNotUnique,
)
from wfx.client.models import Event, Health, HistoryEntry, Job, Page, Status, Transition, Version, Workflow
from wfx.client.pauses import ONCE, Interval, Retries
from wfx.client.server import Server

if TYPE_CHECKING:
    from wfx.client.asynchronous import AsyncClient
    from wfx.client.blocking import Client

__all__ = [
    "ONCE", "AsyncClient", "Client", "ClientError", "Conflict", "Denied", "Ended", "Event", "EventsGone",
    "EventsOtherLog", "Health", "HistoryEntry", "Interval", "InvalidRequest", "Job", "JobModified", "JobNotFound",
    "NotFound", "NotSent", "Page", "Problem", "Refused", "Retries", "Server", "ServerFault", "Status", "StoreFull",
    "TimedOut", "TooManyRequests", "Transition", "Unavailable", "Unreachable", "Unreadable", "Version", "Workflow",
    "WorkflowInvalid", "WorkflowNotFound", "WorkflowNotUnique",
]  # fmt: skip

_WITH_HTTP_LIBRARY = {"AsyncClient": "asynchronous", "Client": "blocking"}
"""What is imported when it is first asked for: the HTTP library takes its time."""


def __getattr__(name: str) -> Any:
    """Import one of the clients."""
    if name not in _WITH_HTTP_LIBRARY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_HTTP_LIBRARY[name]}"), name)
