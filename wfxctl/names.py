"""Names that a server knows, for completion and for suggestions; nothing where it does not answer soon."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from wfx.commandline.completion_candidates import Words
from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Parsed
from wfx.commandline.invocation import Invocation
from wfx.commandline.terminal import neutralise
from wfxctl import contexts
from wfxctl.documents import items, member, text
from wfxctl.invocation import ClientInvocation, decoded, job_path, segment

PATIENCE = 1.0
"""Seconds until the server is not waited for any longer."""
_MOST = "200"
"""Workflows that are looked at."""
_SAFE = re.compile(r"\w[\w.@%+,/=-]*")
"""Words that no shell takes for anything else."""
_LONGEST_DESCRIPTION = 80

Names = dict[str, str]
"""Names with their descriptions."""


def known(call: ClientInvocation, kind: str, *, job_id: str = "", workflow: str = "", whole: bool = False) -> Names:
    """Return the names of a kind: workflow, state, group, or goal of ``job wait``.

    Those of states and groups are of the job's workflow, or of the one that is named, or else of all. Where these are
    more than are looked at, names are missing; then there are none if the ``whole`` is wanted.
    """
    from wfxctl import deadline  # few commands need it

    def found() -> Names:
        workflows, are_all = _workflows(call, job_id, workflow)
        return dict(_KINDS[kind](workflows)) if are_all or not whole else {}

    try:
        return deadline.begin(found)(PATIENCE)
    except (Failure, TimeoutError):
        return {}


def offered(call: Invocation, parsed: Parsed, kind: str) -> Words:
    """Return words for the shell to complete a command line with. Raises Failure for options that are wrong."""
    if kind == "context":
        return [(name, "") for name in contexts.read(call.environment).members]
    sources = replace(call.sources, options=tuple(parsed.settings()), given=parsed.given)
    resolved = sources.resolve()
    settings = resolved.settings
    own = {option.name for option in parsed.command.options}
    asking = ClientInvocation(
        call.root, resolved, parsed.arguments, call.stdin, call.out, call.err, call.log, call.environment, sources
    )
    job_id = (settings.text("id") or "".join(parsed.arguments[:1])) if "id" in own else ""
    workflow = settings.text("workflow") if "workflow" in own and kind != "workflow" else ""
    names = known(asking, kind, job_id=job_id, workflow=workflow)
    return [(name, neutralise(about)[:_LONGEST_DESCRIPTION]) for name, about in names.items() if _SAFE.fullmatch(name)]


def _workflows(call: ClientInvocation, job_id: str, workflow: str) -> tuple[Sequence[Any], bool]:
    """Return workflows, and whether these are all that are meant."""
    api = call.api(call.reading_side)
    if job_id:
        return [member(decoded(api.fetch("GET", job_path(job_id), [("history", "false")])), "workflow")], True
    if workflow:
        return [decoded(api.fetch("GET", "/workflows/" + segment(workflow)))], True
    page = decoded(api.fetch("GET", "/workflows", [("limit", _MOST), ("offset", "0"), ("sort", "asc")]))
    found, total = items(page, "content"), member(page, "pagination", "total")
    return found, not isinstance(total, float) or total <= len(found)


def _named(documents: Sequence[Any]) -> Iterator[tuple[str, str]]:
    return ((text(one, "name"), text(one, "description")) for one in documents if text(one, "name"))


def _parts(workflows: Sequence[Any], part: str) -> Iterator[tuple[str, str]]:
    return (pair for workflow in workflows for pair in _named(items(workflow, part)))


def _goals(workflows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for prefix, part in (("state", "states"), ("group", "groups")):
        yield from ((f"{prefix}={name}", about) for name, about in _parts(workflows, part))


_KINDS: dict[str, Callable[[Sequence[Any]], Iterator[tuple[str, str]]]] = {
    "workflow": _named,
    "state": lambda workflows: _parts(workflows, "states"),
    "group": lambda workflows: _parts(workflows, "groups"),
    "goal": _goals,
}
