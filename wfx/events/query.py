"""Parser of stream queries: which events, from which position, with which labels (rest-api section 10.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wfx.domain.errors import Refused
from wfx.domain.job import Action, Event, Subject
from wfx.events.position import Start, parse_event_id, parse_since

Parameter = str | int | Sequence[str] | None
"""A query parameter: as text, where commas separate the items of a list, or already taken apart."""

_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000


class EventQueryInvalid(Refused):
    """A parameter of an event query has no meaning; the message names it."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of jobs: any of the named jobs, clients or workflows, and of these only the given actions."""

    job_ids: frozenset[str] | None = None
    client_ids: frozenset[str] | None = None
    workflows: frozenset[str] | None = None
    actions: frozenset[Action] | None = None

    @property
    def names_nobody(self) -> bool:
        """Whether no job, client or workflow is named, so that events of all of them pass."""
        return self.job_ids is None and self.client_ids is None and self.workflows is None

    def passes(self, event: Event) -> bool:
        """Tell whether the reader wants this event."""
        if event.subject is Subject.WORKFLOW:
            return False
        if self.actions is not None and event.action not in self.actions:
            return False
        return (
            self.names_nobody
            or (self.job_ids is not None and event.job_id in self.job_ids)
            or (self.client_ids is not None and event.client_id in self.client_ids)
            or (self.workflows is not None and event.workflow.name in self.workflows)
        )


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A reader's whole wish."""

    filter: EventFilter = EventFilter()
    labels: tuple[str, ...] | None = None
    """Copied into every event; not a filter."""
    since: Start | None = None
    """Where on the log to begin; None for a stream from now on that counts its own events."""
    limit: int = _DEFAULT_LIMIT
    """Events on a page, at most."""


def parse_query(parameters: Mapping[str, Parameter], last_event_id: str | None = None) -> EventQuery:
    """Read the query parameters, named as on the wire, and the ``Last-Event-ID`` header.

    Raises EventQueryInvalid for an unknown action, a malformed position or a limit out of range.
    """
    return EventQuery(
        filter=EventFilter(
            job_ids=_names(parameters.get("jobIds")),
            client_ids=_names(parameters.get("clientIds")),
            workflows=_names(parameters.get("workflows")),
            actions=_actions(parameters.get("actions")),
        ),
        labels=_items(parameters.get("tags")),
        since=_start(parameters.get("since"), last_event_id),
        limit=_limit(parameters.get("limit")),
    )


def _items(parameter: Parameter) -> tuple[str, ...] | None:
    if parameter is None:
        return None
    if isinstance(parameter, (str, int)):
        return tuple(str(parameter).split(","))
    return tuple(parameter)


def _names(parameter: Parameter) -> frozenset[str] | None:
    items = _items(parameter)
    return None if items is None else frozenset(items)


def _actions(parameter: Parameter) -> frozenset[Action] | None:
    items = _items(parameter)
    return None if items is None else frozenset(map(_action, items))


def _action(name: str) -> Action:
    try:
        return Action(name.upper())
    except ValueError as exc:
        known = ", ".join(Action)
        raise EventQueryInvalid(f"unknown action {name!r} in parameter 'actions'; there are {known}") from exc


def _start(since: Parameter, last_event_id: str | None) -> Start | None:
    """Let the header win, as browsers repeat the original URL when they reconnect.

    Readers of a stream that counts its own events send their last count, which is no position: it is ignored, and their
    stream begins anew.
    """
    wanted = None
    if since is not None:
        wanted = parse_since(str(since))
        if wanted is None:
            raise EventQueryInvalid(f"parameter 'since' must be 'now', a sequence number or an event id, not {since!r}")
    resumed = parse_event_id(last_event_id) if last_event_id else None
    if last_event_id and resumed is None and since is not None:
        raise EventQueryInvalid(f"the Last-Event-ID header {last_event_id!r} is no id of a stream with 'since'")
    return resumed or wanted


def _limit(parameter: Parameter) -> int:
    if parameter is None:
        return _DEFAULT_LIMIT
    text = str(parameter)
    if not (
        text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_LIMIT)) and 1 <= int(text) <= _LARGEST_LIMIT
    ):
        raise EventQueryInvalid(f"parameter 'limit' must be a number from 1 to {_LARGEST_LIMIT}, not {text!r}")
    return int(text)
