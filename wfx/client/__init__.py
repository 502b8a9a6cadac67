"""Client of a server of wfx, for devices and for operators, blocking and asynchronous.

    with Client("http://localhost:8080") as wfx:
        for job in wfx.poll_jobs("press-7"):
            wfx.update_status(job.id, "INSTALLING", client_id="press-7", progress=10)

Requests that are safe to repeat are repeated; event streams go on where they broke off. docs/client.md is the guide.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wfx.client.asynchronous import AsyncClient
    from wfx.client.blocking import Client
    from wfx.client.errors import (
        ClientError,
        Conflict,
        Denied,
        DeviceChanged,
        DeviceInUse,
        DeviceNotFound,
        Ended,
        EventsGone,
        EventsOtherLog,
        InvalidRequest,
        JobModified,
        JobNotFound,
        KeyInUse,
        KeyReused,
        NoFleetApi,
        NotFound,
        NotSent,
        Problem,
        Refused,
        SelectionTooLarge,
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
    from wfx.client.fleet_models import (
        BulkItem,
        BulkResult,
        Device,
        DeviceAttributes,
        DeviceJob,
        FleetPage,
        JobCount,
        JobDetails,
        JobRow,
        NewJob,
        Summary,
    )
    from wfx.client.models import Event, Health, HistoryEntry, Job, Page, Status, Transition, Version, Workflow
    from wfx.client.pauses import ONCE, Interval, Retries
    from wfx.client.selection import Selection
    from wfx.client.server import Server

__all__ = [
    "ONCE", "AsyncClient", "BulkItem", "BulkResult", "Client", "ClientError", "Conflict", "Denied", "Device",
    "DeviceAttributes", "DeviceChanged", "DeviceInUse", "DeviceJob", "DeviceNotFound", "Ended", "Event",
    "EventsGone", "EventsOtherLog", "FleetPage", "Health", "HistoryEntry", "Interval", "InvalidRequest", "Job",
    "JobCount", "JobDetails", "JobModified", "JobNotFound", "JobRow", "KeyInUse", "KeyReused", "NewJob",
    "NoFleetApi", "NotFound", "NotSent", "Page", "Problem", "Refused", "Retries", "Selection", "SelectionTooLarge",
    "Server", "ServerFault", "Status", "StoreFull", "Summary", "TimedOut", "TooManyRequests", "Transition",
    "Unavailable", "Unreachable", "Unreadable", "Version", "Workflow", "WorkflowInvalid", "WorkflowNotFound",
    "WorkflowNotUnique",
]  # fmt: skip

_PLACES = {
    "asynchronous": ("AsyncClient",),
    "blocking": ("Client",),
    "fleet_models": (
        "BulkItem", "BulkResult", "Device", "DeviceAttributes", "DeviceJob", "FleetPage", "JobCount",
        "JobDetails", "JobRow", "NewJob", "Summary",
    ),
    "models": ("Event", "Health", "HistoryEntry", "Job", "Page", "Status", "Transition", "Version", "Workflow"),
    "pauses": ("ONCE", "Interval", "Retries"),
    "selection": ("Selection",),
    "server": ("Server",),
}  # fmt: skip
"""Modules with what they have of it; all else is in ``errors``. They are imported when they are first asked for: wfxctl
needs a few small parts of this package, and has to start quickly."""


def __getattr__(name: str) -> Any:
    """Import what has this name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = next((module for module, names in _PLACES.items() if name in names), "errors")
    return getattr(import_module(f"{__name__}.{place}"), name)


def __dir__() -> list[str]:
    """Return what it has."""
    return __all__
