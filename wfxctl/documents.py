"""Looking into documents of the API without trusting their shape."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

_EXACT = 2**53
"""Up to which each whole number is a double of its own."""


def group_of(job: Document) -> str:
    """Return the group of a job's state: the first one of its workflow that lists the state, or nothing.

    Rows of the fleet API have it without the workflow.
    """
    if group := text(job, "group"):
        return group
    state = text(job, "status", "state")
    for group in items(job, "workflow", "groups"):
        if state in items(group, "states"):
            return text(group, "name")
    return ""


def member(document: Any, *path: str) -> Any:
    """Return what stands at a path of keys, or None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def items(document: Any, *path: str) -> list[Any]:
    """Return the items of the list that stands at a path of keys, or none where there is no list."""
    value = member(document, *path)
    return value if isinstance(value, list) else []


def words(document: Any, *path: str) -> set[str]:
    """Return the strings in the list that stands at a path of keys."""
    return {item for item in items(document, *path) if isinstance(item, str)}


def text(document: Any, *path: str) -> str:
    """Return the text or number that stands at a path of keys, as text, or nothing."""
    value = member(document, *path)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else f"{value:g}"
    return value if isinstance(value, str) else ""
