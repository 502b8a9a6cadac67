"""``wfxctl script runs`` and ``replay``: what ran, and whether it gives the same once more."""

from __future__ import annotations

from functools import partial
from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, pages, scripts
from wfxctl.documents import text
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.tables import Column
from wfxctl.times import local_time
from wfxctl.views import View

RUNS = View(
    identity=lambda run: text(run, "task"),
    columns=(
        Column("TASK", lambda run: text(run, "task")),
        Column("STATE", lambda run: text(run, "state"), 7),
        Column("VERSION", lambda run: text(run, "run", "version")[:12], exact=lambda run: text(run, "run", "version")),
        Column("OUTCOME", lambda run: text(run, "run", "outcome")),
        Column("OPERATIONS", lambda run: text(run, "run", "operations"), is_number=True),
        Column("CHANGED", lambda run: local_time(text(run, "mtime")), 19, exact=lambda run: text(run, "mtime")),
        Column("RULE", lambda run: text(run, "rule")),
        Column("REQUEST", lambda run: text(run, "request_id")),
        Column("MESSAGE", lambda run: text(run, "message")),
    ),
    brief=("task", "state", "version", "outcome", "changed", "message"),
)


def _runs(call: ClientInvocation) -> None:
    forms.check(call, RUNS)
    fetch = partial(scripts.fetch, call, f"{scripts.path_of(scripts.name_of(call))}/runs")
    limit = max(0, call.settings.number("limit"))
    forms.show(call, {"content": list(pages.rows(fetch, (), limit))}, RUNS)


def _replay(call: ClientInvocation) -> None:
    if len(call.arguments) != 2:
        raise UsageFailure("the name of a script and the number of a task are needed, as wfxctl script runs shows it")
    name, task = call.arguments
    path = f"{scripts.path_of(name)}/runs/{segment(task)}/replay"
    shown: Any = scripts.fetch(call, path, method="POST")
    call.show_value(shown)
    if not isinstance(shown, dict) or shown.get("equal") is not True:
        raise Failure("the run gave something else than before")


LIST = Command(
    "runs",
    "List the runs of a script",
    """
    List the runs of a script that rules have promised, the newest first. With --tracker-enabled the server keeps what
    each was given and returned, for as long as the task is kept.
    """,
    usage="NAME",
    examples="""
    # the last ones
    wfxctl script runs decide

    # what the last one was given
    wfxctl script runs decide --limit 1 -o json --filter '.content[].run.payload'
    """,
    options=(Option("limit", Kind.INT32, "how many runs at most; 0 means all", 20), *LOOK_TABLE),
    run=_runs,
)
REPLAY = Command(
    "replay",
    "Run once more what was run",
    """
    Run a version of a script once more on the server with what it was given in a task, and print both runs. Nothing
    else happens. The exit code is 1 unless they gave the same bytes; only the time that they took may differ.
    """,
    usage="NAME TASK",
    examples="""
    # does it give the same?
    wfxctl script replay decide 7 --filter .equal

    # what did it return?
    wfxctl script replay decide 7 --filter .run.value --raw
    """,
    run=_replay,
)
