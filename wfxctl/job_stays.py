"""Stays of a job: which states it has been in, since when and for how long, from its history."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from wfxctl.documents import Document, items, member, text
from wfxctl.tables import Column
from wfxctl.times import local_time, moment, seconds_since, span
from wfxctl.views import View


def stays(job: Document) -> list[Document]:
    """Return the stays of a job in its states, the first one first; of what was reported meanwhile, the last.

    A workflow has no cycles, so a job is in each state once. A state that comes again behind another one is that of a
    report which was repeated since its answer was lost: the history has it as a status of its own, though the job has
    not left the state that an immediate transition led on to.
    """
    by_state: dict[str, Document] = {}
    for since, status in _statuses(job):
        state = text(status, "state")
        first = {"state": state, "group": _group(job, state), "since": since, "changes": 0.0}
        stay = by_state.setdefault(state, first)
        stay["changes"] += 1.0
        stay.update({name: value for name in ("message", "progress") if (value := member(status, name)) is not None})
    found = [*by_state.values()]
    for stay, following in zip_longest(found, found[1:]):
        stay.update(_duration(stay, following, is_over=_is_final(job, stay["state"])))
    return found


def _statuses(job: Document) -> Iterator[tuple[str, Any]]:
    """Yield each status with the time from which on it held; entries without one are passed over."""
    for entry in [*reversed(items(job, "history")), job]:
        if text(entry, "status", "state"):
            yield text(entry, "mtime"), member(entry, "status")


def _duration(stay: Document, following: Document | None, *, is_over: bool) -> Document:
    if following is None:
        seconds = None if is_over else seconds_since(stay["since"])
        return {} if seconds is None else {"seconds": round(seconds, 3), "current": True}
    begin, end = moment(stay["since"]), moment(following["since"])
    return {} if begin is None or end is None else {"seconds": round(max(0.0, end - begin), 3)}


def _group(job: Document, state: str) -> str:
    groups = (group for group in items(job, "workflow", "groups") if state in items(group, "states"))
    return next((text(group, "name") for group in groups), "")


def _is_final(job: Document, state: str) -> bool:
    """Whether no transition leads from a state to another one."""
    edges = items(job, "workflow", "transitions")
    return not any(text(edge, "from") == state != text(edge, "to") for edge in edges)


def _shown(stay: Document) -> str:
    seconds = member(stay, "seconds")
    if not isinstance(seconds, float):
        return ""
    return span(seconds) + (" so far" if stay.get("current") else "")


def _seconds(stay: Document) -> str:
    seconds = member(stay, "seconds")
    return "" if seconds is None else str(seconds)


VIEW = View(
    identity=lambda stay: text(stay, "state"),
    columns=(
        Column("STATE", lambda stay: text(stay, "state"), 12),
        Column("GROUP", lambda stay: text(stay, "group")),
        Column("SINCE", lambda stay: local_time(text(stay, "since")), 19, exact=lambda stay: text(stay, "since")),
        Column("DURATION", _shown, exact=_seconds),
        Column("CHANGES", lambda stay: text(stay, "changes"), is_number=True),
        Column("PROGRESS", lambda stay: text(stay, "progress"), is_number=True),
        Column("MESSAGE", lambda stay: text(stay, "message")),
    ),
    group=lambda stay: text(stay, "group"),
)
