"""The DAU direct workflow: bundled, looked up at the service, and created there if it is missing."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from wfx.commandline import plain_yaml
from wfx.spec_files import find
from wfx_loadtest.session import Side

NAME = "wfx.workflow.dau.direct"
_log = logging.getLogger(__name__)


class WorkflowMissing(Exception):
    """The service neither has the workflow nor takes it."""


@cache
def document() -> dict[str, Any]:
    """Return the workflow as it is bundled."""
    loaded: dict[str, Any] = plain_yaml.load(find(f"workflows/{NAME}.yml").read_bytes())
    return loaded


async def ensure(north: Side) -> dict[str, Any]:
    """Return the service's workflow of that name, created there if absent. Raises WireError, WorkflowMissing."""
    answer = await north.exchange(north.request("GET", f"/workflows/{NAME}"))
    if answer.status == 404:
        _log.info("creating workflow %s", NAME)
        answer = await north.exchange(north.request("POST", "/workflows", document()))
    if answer.status not in (200, 201):
        raise WorkflowMissing(f"cannot get workflow {NAME}: {answer.line}")
    found = answer.document
    if "transitions" not in found or "name" not in found:
        raise WorkflowMissing(f"cannot get workflow {NAME}: the answer is no workflow")
    return found


def first_moves(workflow: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return for each state its first listed transition: where it leads, and who may take it."""
    moves: dict[str, tuple[str, str]] = {}
    for transition in workflow["transitions"]:
        moves.setdefault(transition["from"], (transition["to"], transition["eligible"]))
    return moves
