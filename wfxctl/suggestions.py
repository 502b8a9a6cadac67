"""Suggestions for names of workflows, states and groups that the server does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wfx.commandline.grammar import closest
from wfx.commandline.terminal import neutralise
from wfxctl import names
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation


@contextmanager
def for_name(call: ClientInvocation, kind: str, name: str, *, job_id: str = "") -> Iterator[None]:
    """Where a request is refused, tell on a terminal which name may have been meant. Raises what the request does."""
    try:
        yield
    except RefusedByServer as exc:
        if call.err.is_terminal and exc.status in (400, 404):
            exc.hint = _hint(call, kind, [name], job_id)
        raise


def for_nothing(call: ClientInvocation, given: Sequence[tuple[str, Sequence[str]]], workflow: str) -> None:
    """Where nothing was found, tell on a terminal which names that were asked for there are not, by their kinds."""
    if not call.err.is_terminal:
        return
    for kind, wanted in given:
        if any(wanted) and (hint := _hint(call, kind, wanted, workflow="" if kind == "workflow" else workflow)):
            call.err.write(hint + "\n")
            return


def _hint(call: ClientInvocation, kind: str, wanted: Sequence[str], job_id: str = "", workflow: str = "") -> str:
    known = names.known(call, kind, job_id=job_id, workflow=workflow)
    for name in wanted:
        if known and name and name not in known:
            return neutralise(f'there is no {kind} "{name}"{closest(name, list(known))}')
    return ""
