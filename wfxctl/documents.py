"""Looking into documents of the API without trusting their shape."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def group_of(job: Document) -> str:
    """Return the group of a job's state: the first one of its workflow that lists the state, or nothing."""
    state = text(job, "status", "state")
    groups = member(job, "workflow", "groups")
    for group in groups if isinstance(groups, list) else ():
        states = member(group, "states")
        if isinstance(states, list) and state in states:
            return text(group, "name")
    return ""


def member(document: Any, *path: str) -> Any:
    """Return what stands at a path of keys, or None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def text(document: Any, *path: str) -> str:
    """Return the text or number that stands at a path of keys, as text, or nothing."""
    value = member(document, *path)
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else ""
