"""States that jobs of a selection can have: a state that none of them can have is refused before all of them are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfx.commandline.failures import Failure
from wfx.commandline.grammar import closest
from wfxctl import fleet
from wfxctl.documents import items, text
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, decoded, segment
from wfxctl.targets import Side

_MOST = 20
"""Workflows that are looked at; where the jobs have more, the server tells of each job."""

_SHOWN = 20
"""States that are named."""


def require(call: ClientInvocation, state: str, conditions: Mapping[str, Any]) -> None:
    """Raise Failure if no workflow of the jobs has the state, and name those that there are.

    Nothing is raised where there are no jobs, or where the workflows cannot be read.
    """
    try:
        known = _states(call, conditions)
    except RefusedByServer:
        return
    if known and state not in known:
        shown = ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "")
        raise Failure(f'no job of these can be in a state "{state}"{closest(state, known)}; there are {shown}')


def _states(call: ClientInvocation, conditions: Mapping[str, Any]) -> list[str]:
    from wfx.client.selection import joined  # only this needs it

    query = [(name, joined(value) if isinstance(value, list) else value) for name, value in conditions.items()]
    counts = items(fleet.fetch(fleet.api_of(call), "GET", "/jobs/summary", query), "counts")
    names = dict.fromkeys(text(count, "workflow") for count in counts)
    if len(names) > _MOST:
        return []
    api = call.api(Side.NORTH)
    workflows = [decoded(api.fetch("GET", "/workflows/" + segment(name))) for name in names]
    return list(dict.fromkeys(text(state, "name") for each in workflows for state in items(each, "states")))
