"""Tokens that actions need before they may be taken: of which kind of work, for whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from wfx.limits.asks import LimitScope
from wfx.limits.policy import Kind
from wfx.rules.action_types import Parameters
from wfx.rules.own_actions import TASKS


class Owner(NamedTuple):
    """Whose event it is that an action is taken for; empty where that is not known."""

    client_id: str = ""
    workflow: str = ""


NOBODY = Owner()
OWNER = "owner"
"""The member of a task's input that says whose it is."""


class Token(NamedTuple):
    """What an action needs."""

    kind: Kind
    client_id: str = ""
    workflow: str = ""

    def sharer(self, scope: LimitScope) -> str:
        """Name the client or the workflow that shares a bucket of this scope; empty for one of all."""
        return {LimitScope.CLIENT: self.client_id, LimitScope.WORKFLOW: self.workflow}.get(scope, "")


def token_of(effect: str, parameters: Parameters, owner: Owner) -> Token | None:
    """Return what an action with this effect needs; None if it needs nothing."""
    if effect == "create_job":
        return Token(Kind.INSTANCE_START, parameters["client_id"], parameters["workflow"])
    return Token(Kind.JOB_SCHEDULE, *owner) if effect in TASKS else None


def token_to_run(given: Mapping[str, Any]) -> Token:
    """Return what a task with this input needs each time that it is run; tasks of older versions have no owner."""
    match given.get(OWNER):
        case [str(client_id), str(workflow)]:
            return Token(Kind.JOB_EXECUTE, client_id, workflow)
    return Token(Kind.JOB_EXECUTE)
