"""JSON of jobs, lists and events, joined from parts that are encoded already.

Members come in alphabetical order, absent ones as rest-api section 4 says. An event's ``job`` member is kept on the log
without its ``workflow`` (its *payload*), since that is immutable and comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

from wfx.domain.cause import RULE
from wfx.domain.job import Action, Event, HistoryEntry, Job
from wfx.domain.json import Json, encode
from wfx.domain.query import Paging
from wfx.domain.timestamp import rfc3339, rfc3339_millis

_EMPTY_OBJECT = b"{}"
_RULE = f'"{RULE}'
"""Stands in the encoded cause of what a rule has done, and hardly in any other."""


def job(job: Job, *, asked_tags: Sequence[str] | EllipsisType | None = ...) -> Json:
    """Show a job with its whole workflow (rest-api section 4.3).

    The reply to a creation shows the tags as they were asked for, unsorted, and nothing where that was left out: pass
    them, or None, as ``asked_tags``. Everywhere else the job's own are shown.
    """
    tags = job.tags if asked_tags is ... else None if asked_tags is None else encode(asked_tags)
    return Json(
        b'{%b%b"id":%b,"mtime":"%b","status":%b,"stime":"%b",%b"workflow":%b}'
        % (
            _client(job),
            _definition(job.definition),
            encode(job.id),
            rfc3339(job.mtime).encode(),
            job.status,
            rfc3339(job.stime).encode(),
            b'"tags":%b,' % tags if tags else b"",
            job.workflow.encoded,
        )
    )


def around_history(job: Job) -> tuple[bytes, bytes]:
    """Make what stands before and behind the entries of a job's history where it is shown with the job."""
    before = b'{%b%b"history":[' % (_client(job), _definition(job.definition))
    behind = b'],"id":%b,"mtime":"%b","status":%b,"stime":"%b","tags":%b,"workflow":%b}' % (
        encode(job.id), rfc3339(job.mtime).encode(), job.status, rfc3339(job.stime).encode(), job.tags,
        job.workflow.encoded,
    )  # fmt: skip
    return before, behind


def around_page(paging: Paging, total: int | None) -> tuple[bytes, bytes]:
    """Make what stands before and behind a list's items: its place in the whole if ``total`` is known (section 4.6)."""
    if total is None:
        return b'{"content":[', b"]}"
    place = (paging.limit, paging.offset, total)
    return b'{"content":[', b'],"pagination":{"limit":%d,"offset":%d,"total":%d}}' % place


def created(job: Job, asked_tags: Json | EllipsisType | None = ...) -> Json:
    """Make the payload of a CREATE event: the job as the reply to its creation shows it (rest-api section 10.2).

    Without ``asked_tags`` it is what all its events come to: with the job's own tags, where it has any.
    """
    tags = asked_tags if asked_tags is not ... else job.tags if job.tags != b"[]" else None
    return Json(
        b'{%b%b"id":%b,"mtime":"%b","status":%b,"stime":"%b"%b}'
        % (
            _client(job),
            _definition(job.definition),
            encode(job.id),
            rfc3339(job.mtime).encode(),
            job.status,
            rfc3339(job.stime).encode(),
            b"" if tags is None else b',"tags":%b' % tags,
        )
    )


def changed(job: Job, action: Action) -> Json:
    """Make the payload of a change's event from the job as it is after the change (rest-api section 10.2)."""
    mtime = rfc3339(job.mtime).encode()
    if action is Action.UPDATE_STATUS:
        return Json(b'{%b"id":%b,"mtime":"%b","status":%b}' % (_client(job), encode(job.id), mtime, job.status))
    if action is Action.UPDATE_DEFINITION:
        return Json(
            b'{%b%b"id":%b,"mtime":"%b","status":{"definitionHash":"%b","state":""}}'
            % (_client(job), _definition(job.definition), encode(job.id), mtime, job.definition_hash.encode())
        )
    return Json(b'{%b"id":%b,"mtime":"%b","tags":%b}' % (_client(job), encode(job.id), mtime, job.tags))


def deleted(job: Job) -> Json:
    """Make the payload of a DELETE event (rest-api section 10.2)."""
    return Json(b'{%b"id":%b}' % (_client(job), encode(job.id)))


def event(event: Event, labels: Sequence[str] | None = None) -> bytes:
    """Show an event to a subscriber with these labels, or with none (rest-api section 10.3)."""
    return event_head(event) + event_tail(labels)


def event_head(event: Event) -> bytes:
    """Make the part of an event that all subscribers share; an :func:`event_tail` completes it."""
    workflow = event.workflow
    return b'{"ctime":"%b","action":"%b",%b"job":%b,"workflow":%b}' % (
        rfc3339_millis(event.ctime).encode(),
        event.action.encode(),
        _rule(event) if event.encoded_cause and _RULE in event.encoded_cause else b"",
        event.payload[:-1],
        workflow.encoded if event.action is Action.CREATE else workflow.encoded_reference,
    )


def event_tail(labels: Sequence[str] | None) -> bytes:
    """Make the part of an event that is a subscriber's own, the same for all events: its labels."""
    return b',"tags":%b}' % (b"null" if labels is None else encode(labels))


def history_entry(entry: HistoryEntry) -> Json:
    """Show an entry of a history (rest-api section 4.5)."""
    return Json(
        b'{%b"mtime":"%b","status":%b}' % (_definition(entry.definition), rfc3339(entry.mtime).encode(), entry.status)
    )


def _rule(event: Event) -> bytes:
    """Show the cause of what a rule has done."""
    cause = event.cause
    if cause is None or not cause.actor.startswith(RULE):
        return b""
    members: dict[str, Any] = {"rule": cause.actor.removeprefix(RULE)}
    if cause.root is not None:
        members["root"] = cause.root
    return b'"cause":%b,' % encode(members | {"depth": cause.depth})


def _client(job: Job) -> bytes:
    return b'"clientId":%b,' % encode(job.client_id) if job.client_id else b""


def _definition(definition: Json | None) -> bytes:
    return b"" if definition is None or definition == _EMPTY_OBJECT else b'"definition":%b,' % definition
