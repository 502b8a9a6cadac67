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
    given = input_of(task)
    told = {"target": _target(given)[:_LONGEST], **_origin(given)}
    return told | ({"webhook_id": webhook_id(task.key)} if task.kind == WEBHOOK_NOTIFY else {})


def target_of(task: Task) -> str:
    """Return the target of a task alone."""
    return _target(input_of(task))[:_LONGEST]


def origin(task: Task) -> Mapping[str, str]:
    """Return the rule and the action that a task comes from."""
    return _origin(input_of(task))


def damage_of(task: Task) -> str:
    """Say why the input of a task cannot be read; empty if it can."""
    return _read(task)[1]


def input_of(task: Task) -> Mapping[str, Any]:
    """Return the input of a task; nothing if it cannot be read."""
    return _read(task)[0]


def _read(task: Task) -> tuple[Mapping[str, Any], str]:
    """Return the input of a task, and why it cannot be read, if it cannot."""
    if task.damage:
        return {}, task.damage
    try:
        found = decode(task.input)
    except ValueError as exc:
        return {}, f"its input is no JSON: {exc}"
    return found if isinstance(found, dict) else {}, ""


def _origin(given: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: str(given.get(name, "")) for name in ("rule", "action")}


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
