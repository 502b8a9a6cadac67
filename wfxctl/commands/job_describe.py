"""``wfxctl job describe``: all about one job, for people."""

from __future__ import annotations

from collections.abc import Iterator

from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import gojson
from wfxctl.documents import Document, group_of, items, member, text
from wfxctl.flags import COLOR, JOB_ID
from wfxctl.invocation import ClientInvocation, decoded, job_path
from wfxctl.tables import Printer
from wfxctl.times import age, local_time

_WIDTH = 12
_DEFINITION_LINES = 40
_STAYS = 20


def run(call: ClientInvocation) -> None:
    """Print the job's members, what can happen next, its definition and its last stays."""
    from wfxctl import job_stays  # only few commands need it

    path = job_path(call.subject("id", "job id"))
    job = decoded(call.fetch(call.reading_side, "GET", path, [("history", "true")]))
    if not isinstance(job, dict):
        job = {}
    for line in _lines(job):
        call.out.write(neutralise(line) + "\n")
    stays = job_stays.stays(job)
    call.out.write("\nHistory:" + (f" (the last {_STAYS} of {len(stays)})" if len(stays) > _STAYS else "") + "\n")
    Printer(call, job_stays.VIEW.columns, job_stays.VIEW.group).write(stays[-_STAYS:], header=True)


def _lines(job: Document) -> Iterator[str]:
    group = group_of(job)
    members = (
        ("Id", text(job, "id")),
        ("Client", text(job, "clientId")),
        ("Workflow", text(job, "workflow", "name")),
        ("State", text(job, "status", "state") + (f" ({group})" if group else "")),
        ("Progress", text(job, "status", "progress") and text(job, "status", "progress") + "%"),
        ("Message", text(job, "status", "message")),
        ("Tags", ", ".join(tag for tag in items(job, "tags") if isinstance(tag, str))),
        ("Created", _time(text(job, "stime"))),
        ("Changed", _time(text(job, "mtime"))),
        ("Next", ", ".join(_next(job))),
    )
    yield from (f"{name + ':':<{_WIDTH}}{value}" for name, value in members if value)
    for name, value in (("Context", member(job, "status", "context")), ("Definition", member(job, "definition"))):
        if value:
            yield f"{name}:"
            yield from _indented(gojson.encode_indented(value).splitlines())


def _time(moment: str) -> str:
    return f"{local_time(moment)} ({passed} ago)" if (passed := age(moment)) else moment


def _next(job: Document) -> Iterator[str]:
    """Yield where the job can go from its state, and who can bring it there."""
    state = text(job, "status", "state")
    for edge in items(job, "workflow", "transitions"):
        if text(edge, "from") == state != text(edge, "to"):
            yield f"{text(edge, 'to')} (by {text(edge, 'eligible')})"


def _indented(lines: list[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:_DEFINITION_LINES])
    if len(lines) > _DEFINITION_LINES:
        yield f"  … {len(lines) - _DEFINITION_LINES} more lines: see wfxctl job get"


COMMAND = Command(
    "describe",
    "Show all about a job, for people",
    """
    Show all about a job on one screen: what it is for, where it stands, what can happen next, and which states it
    has been in. This is for people and may look different in another release: scripts use wfxctl job get.
    """,
    usage="[ID]",
    examples="""
    # one job
    wfxctl job describe 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # the newest job of a client
    wfxctl job describe "$(wfxctl job query --client-id dev7 --sort desc --limit 1 -o name)"
    """,
    options=(JOB_ID, COLOR),
    run=run,
)
