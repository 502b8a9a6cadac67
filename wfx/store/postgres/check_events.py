"""Consistency check of what events say: their subject, their cause, and the state before them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from wfx.domain.job import Action, Event
from wfx.domain.json import decode
from wfx.domain.workflow import Workflow
from wfx.store.findings import UNREADABLE, Finding, Progress, finding
from wfx.store.postgres.blocking import BlockingConnection
from wfx.store.postgres.rows import event_of
from wfx.store.postgres.sealed_rows import EVENT, as_far_as_readable, sealing_of

_EVENTS = """
SELECT seq, ctime, action, job_id, client_id, workflow, payload, state_before, cause
FROM event WHERE workflow IN (SELECT number FROM workflow) AND action = ANY ($1::text[]) ORDER BY job_id, seq
"""
LARGEST_EVENT = "SELECT max(octet_length(payload)) FROM event"
_EVERY = 1000


def check_events(
    connection: BlockingConnection, workflows: Mapping[int, Workflow], progress: Progress
) -> Iterator[Finding]:
    """Yield what is wrong with events, job by job; those without an action or a workflow are found elsewhere."""
    ((total,),) = connection.fetch("SELECT count(*) FROM event")
    ((first,),) = connection.fetch("SELECT min(seq) FROM event WHERE cause IS NOT NULL")
    done = 0
    sealing = sealing_of(connection.plain)
    at_once, actions = connection.at_once(LARGEST_EVENT), [action.value for action in Action]
    for _, rows in groupby(connection.rows(_EVENTS, actions, at_once=at_once), key=lambda row: row[3]):
        state: str | None = None
        for row in rows:
            if done % _EVERY == 0:
                progress("events", done, total)
            done += 1
            try:
                event = event_of(as_far_as_readable(sealing, EVENT, row), workflows)
                told = decode(event.payload)
                yield from _check(event, told, state, first)
                state = _state_after(event, told, state)
            except UNREADABLE as exc:
                yield finding("event_payload", f"event {row[0]}", "JSON about a job or a workflow", repr(exc))


def _check(event: Event, told: Any, state: str | None, first_cause: int | None) -> Iterator[Finding]:
    where = f"event {event.seq}"
    subject = ("job", event.job_id, "id") if event.job_id else ("workflow", event.workflow.name, "name")
    if told.get(subject[2]) != subject[1]:
        yield finding("event_payload", where, f"JSON about {subject[0]} {subject[1]}", event.payload.decode())
    if event.encoded_cause is None:
        if event.state_before is not None or (first_cause is not None and event.seq > first_cause):
            yield finding("event_cause", where, "a cause, as an event before has", "none")
        return
    cause = event.cause
    if cause is None or (cause.root is not None and cause.root > event.seq) or cause.depth < 0:
        yield finding("event_cause", where, "a root no later than the event, a depth from 0 on", event.encoded_cause)
    created = event.action is Action.CREATE or not event.job_id
    if created and event.state_before is not None:
        yield finding("event_state_before", where, "no state before", event.state_before)
    if not created and (event.state_before is None or state not in (None, event.state_before)):
        yield finding("event_state_before", where, f"the state before, {state}", event.state_before or "none")


def _state_after(event: Event, told: Any, state: str | None) -> str | None:
    if event.action in (Action.CREATE, Action.UPDATE_STATUS) and event.job_id:
        after: str = told["status"]["state"]
        return after
    return None if event.action is Action.DELETE else state or event.state_before
