"""Log records of changes to jobs and workflows, made from the log of events behind the commits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from wfx import logs
from wfx.domain.cause import RULE
from wfx.domain.job import Action, Event, Subject
from wfx.domain.json import decode
from wfx.request_context import LOG_FIELD

MOST_A_SECOND = 50
"""Changes of one second that have a record each at level info; the others are counted in one."""
GATHERED = 0.1
"""Seconds in which records gather before they are written: one by one they take the processor from requests."""
_LARGEST = 16 * 1024
"""Bytes of a payload that is looked into for the state and the message."""
_WORDS = {
    Action.CREATE: "created",
    Action.DELETE: "deleted",
    Action.ADD_TAGS: "tags added",
    Action.DELETE_TAGS: "tags deleted",
    Action.UPDATE_STATUS: "status updated",
    Action.UPDATE_DEFINITION: "definition updated",
}

_logger = logging.getLogger(__name__)


class ChangeLog:
    """Logs changes at level info, so many a second and no more: they cost the same whatever the load.

    At level debug all of them are logged, at once, in order with the records of requests.
    To be used on one event loop, and closed.
    """

    def __init__(self) -> None:
        """Begin with the next event."""
        self._newest: int | None = None
        self._logged = 0
        """Records of this second."""
        self._suppressed = 0
        """Changes of this second that have no record."""
        self._gathered: list[Event] = []
        """Changes that will have a record."""
        self._due: asyncio.TimerHandle | None = None
        """Writes the records of these."""
        self._second: asyncio.TimerHandle | None = None
        """Ends the second; None before the first change after a silence."""

    def note(self, events: Sequence[Event]) -> None:
        """Log consecutive events, or count them."""
        missing = 0 if self._newest is None else events[0].seq - self._newest - 1
        self._newest = events[-1].seq
        if not _logger.isEnabledFor(logging.INFO):
            return
        loop, is_verbose = asyncio.get_running_loop(), _logger.isEnabledFor(logging.DEBUG)
        if self._second is None:
            self._second = loop.call_later(1.0, self._end_second)
        room = len(events) if is_verbose else MOST_A_SECOND - self._logged
        logged = events[:room] if room > 0 else ()
        self._logged += len(logged)
        self._suppressed += missing + len(events) - len(logged)
        self._gathered += logged
        if is_verbose:
            self._write()
        elif logged and self._due is None:
            self._due = loop.call_later(GATHERED, self._write)

    def close(self) -> None:
        """Say what is not said yet."""
        if self._second is not None:
            self._second.cancel()
            self._end_second()

    def _write(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        gathered, self._gathered = self._gathered, []
        for event in gathered:
            _logger.info("%s %s", event.subject.lower(), _WORDS[event.action], extra={"fields": _fields(event)})

    def _end_second(self) -> None:
        self._write()
        self._second = None
        self._logged = 0
        suppressed, self._suppressed = self._suppressed, 0
        if suppressed:
            _logger.info("more changes of jobs and workflows", extra={"fields": {"count": suppressed}})


def _fields(event: Event) -> dict[str, object]:
    fields: dict[str, object] = {}
    cause = event.cause
    if cause is not None and cause.request_id:
        fields |= {LOG_FIELD: cause.request_id, "side": cause.side}
    if cause is not None and cause.actor.startswith(RULE):
        fields["rule"] = cause.actor.removeprefix(RULE)
    fields |= {"event": event.seq, "workflow": event.workflow.name}
    if event.subject is Subject.JOB:
        fields |= {"jobId": event.job_id, "clientId": event.client_id}
    if event.state_before is not None:
        fields["from"] = event.state_before
    return fields | _status(event)


def _status(event: Event) -> dict[str, object]:
    """Return what a change of the status came to."""
    if event.action not in (Action.CREATE, Action.UPDATE_STATUS) or len(event.payload) > _LARGEST:
        return {}
    status = decode(event.payload).get("status", {})
    names = {"state": "state", "progress": "progress", "message": "statusMessage"}
    return {
        name: logs.mask(member) if logs.is_withheld(member) else status[member]
        for member, name in names.items()
        if status.get(member) is not None
    }
