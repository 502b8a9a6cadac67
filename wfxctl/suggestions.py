"""Suggestions for names of workflows, states and groups that the server does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from wfx.commandline.grammar import closest
from wfx.commandline.terminal import neutralise
from wfxctl import names
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation

_NO_GROUP = "(none)"
"""What the fleet API calls states that are in no group."""


@contextmanager
def for_name(call: ClientInvocation, kind: str, name: str, *, job_id: str = "") -> Iterator[None]:
    """Where a request is refused, tell on a terminal which name may have been meant. Raises what the request does."""
    try:
        yield
    except RefusedByServer as exc:
        if call.err.is_terminal and exc.status in (400, 404):
            exc.hint = _hint(call, kind, [name], job_id, refused=True)
        raise


def for_nothing(call: ClientInvocation, conditions: Mapping[str, Any]) -> None:
    """Where no job meets the conditions, tell on a terminal which name in them there is not."""
    asked = [(kind, conditions.get(kind) or ()) for kind in ("workflow", "state", "group")]
    named = [(kind, [names] if isinstance(names, str) else names) for kind, names in asked]
    for_names(call, named, str(conditions.get("workflow") or ""))


def for_names(call: ClientInvocation, named: Sequence[tuple[str, Sequence[str]]], workflow: str = "") -> None:
    """Tell on a terminal which of the names, of these kinds, there is not; those of states are of the workflow."""
    if not call.err.is_terminal:
        return
    for kind, wanted in named:
        if any(wanted) and (hint := _hint(call, kind, wanted, workflow="" if kind == "workflow" else workflow)):
            call.err.write(hint + "\n")
            return


def _hint(
    call: ClientInvocation,
    kind: str,
    wanted: Sequence[str],
    job_id: str = "",
    workflow: str = "",
    *,
    refused: bool = False,
) -> str:
    # What was refused is not there; of other names only the whole list tells that.
    known = names.known(call, kind, job_id=job_id, workflow=workflow, whole=not refused)
    for name in wanted:
        if known and name and name not in known and name != _NO_GROUP:
            return neutralise(f'there is no {kind} "{name}"{closest(name, list(known))}')
    return ""
