"""What is shown of a task's input: whom it is for, and which rule wanted it; nothing that may be secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfx.domain.json import decode
from wfx.rules.own_actions import WEBHOOK_NOTIFY
from wfx.store.rule_records import Task
from wfx.tasks.signing import webhook_id

_LONGEST = 300


def about(task: Task) -> Mapping[str, str]:
    """Return the target of a task, its rule and its action; of a webhook also its id, which receivers see."""
    told = {"target": _target(input_of(task))[:_LONGEST], **origin(task)}
    return told | ({"webhook_id": webhook_id(task.key)} if task.kind == WEBHOOK_NOTIFY else {})


def origin(task: Task) -> Mapping[str, str]:
    """Return the rule and the action that a task comes from."""
    given = input_of(task)
    return {name: str(given.get(name, "")) for name in ("rule", "action")}


def damage_of(task: Task) -> str:
    """Say why the input of a task cannot be read; empty if it can."""
    if task.damage:
        return task.damage
    try:
        decode(task.input)
    except ValueError as exc:
        return f"its input is no JSON: {exc}"
    return ""


def input_of(task: Task) -> Mapping[str, Any]:
    """Return the input of a task; nothing if it cannot be read."""
    found = {} if damage_of(task) else decode(task.input)
    return found if isinstance(found, dict) else {}


def _target(given: Mapping[str, Any]) -> str:
    """Return the server of an address, whose path may be a secret, the recipients of a mail, or who lacks a token."""
    if isinstance(token := given.get("token"), list):
        return next((name for name in map(str, token[1:]) if name), "")
    if isinstance(to := given.get("to"), list):
        return ", ".join(map(str, to))
    import httpx  # it takes a tenth of a second, which the start of the service does not need

    try:
        url = httpx.URL(str(given.get("url", "")))
        return f"{url.scheme}://{url.netloc.decode('ascii')}" if url.host else ""
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return ""
