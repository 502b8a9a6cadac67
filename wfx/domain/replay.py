"""Replay of a job's events, to compare the result with the stored row."""

from __future__ import annotations

from typing import Any

from wfx.domain.job import Action, Event
from wfx.domain.json import decode


def after(event: Event, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what is known of the event's job after it, given what was known before; None stands for no job.

    From a job's CREATE on, this equals the decoded :func:`wfx.domain.job_json.created` of the job as it is.
    """
    payload: dict[str, Any] = decode(event.payload)
    match event.action:
        case Action.CREATE:
            return _with_tags_in_order(payload)
        case Action.DELETE:
            return None
    known = {**(before or {}), **payload}
    if event.action is Action.UPDATE_DEFINITION:
        status = (before or {}).get("status", {})
        known["status"] = {**status, "definitionHash": payload["status"]["definitionHash"]}
        if "definition" not in payload:
            known.pop("definition", None)
    return _with_tags_in_order(known)


def _with_tags_in_order(known: dict[str, Any]) -> dict[str, Any]:
    tags = sorted(set(known.pop("tags", ())))
    return {**known, "tags": tags} if tags else known
