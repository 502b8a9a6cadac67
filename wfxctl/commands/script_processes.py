"""``wfxctl script ps`` and ``kill``: the scripts that run, as the page of processes tells."""

from __future__ import annotations

import re
from typing import Any

from wfx.commandline.failures import EXIT_FAILED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import forms
from wfxctl.documents import items, text
from wfxctl.failures import RefusedByServer
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation, decoded
from wfxctl.tables import Column
from wfxctl.targets import Side
from wfxctl.times import local_time
from wfxctl.views import View

_PATH = "/debug"
_NUMBER = re.compile(r"[0-9]{1,16}\Z", re.ASCII)
_OFF = "the server shows no processes: it needs --debug-enabled and --debug-auth-token"
RUNNING = View(
    identity=lambda run: text(run, "number"),
    columns=(
        Column("NUMBER", lambda run: text(run, "number")),
        Column("SCRIPT", lambda run: text(run, "script")),
        Column("VERSION", lambda run: text(run, "version")[:12], exact=lambda run: text(run, "version")),
        Column("TASK", lambda run: text(run, "task")),
        Column("JOB", lambda run: text(run, "jobId")),
        Column("REQUEST", lambda run: text(run, "requestId")),
        Column("BEGAN", lambda run: local_time(text(run, "began")), 19, exact=lambda run: text(run, "began")),
        Column("SECONDS", lambda run: text(run, "seconds"), is_number=True),
    ),
)


class _Missing(Failure):
    """What was asked for is not there."""


def _ps(call: ClientInvocation) -> None:
    if call.arguments:
        raise UsageFailure(f'wfxctl script ps takes no arguments, but was given "{call.arguments[0]}"')
    forms.check(call, RUNNING)
    shown: Any = decoded(_fetch(call, "GET", "/processes", _OFF))
    if not isinstance(shown, dict) or "scripts" not in shown:
        raise Failure("the server runs no scripts; start it with --enable-scripts")
    forms.show(call, {"content": items(shown, "scripts")}, RUNNING)
    silent = shown.get("silentWorkers")
    if isinstance(silent, list) and silent:
        numbers = ", ".join(f"{number:g}" for number in silent if isinstance(number, int | float))
        call.err.write(f"worker processes that did not answer, and may run others: {numbers}\n")


def _kill(call: ClientInvocation) -> int:
    if not call.arguments:
        raise UsageFailure("number of a run missing, as wfxctl script ps shows it")
    for number in call.arguments:
        if not _NUMBER.match(number):
            raise UsageFailure(f'"{number}" is no number of a run: see wfxctl script ps')
    code = EXIT_OK
    for number in call.arguments:
        missing = f"no script runs in this server under the number {number}: see wfxctl script ps"
        try:
            _fetch(call, "DELETE", f"/processes/{number}", missing)
        except (_Missing, RefusedByServer) as exc:  # the others may run still
            call.err.line(f"Error: {exc}")
            code = EXIT_FAILED
    return code


def _fetch(call: ClientInvocation, method: str, path: str, missing: str) -> str:
    try:
        return call.api(Side.NORTH, base=_PATH).fetch(method, path)
    except RefusedByServer as exc:
        if exc.status in (404, 405):  # the latter where there are no pages at all
            raise (_Missing(missing) if exc.status == 404 and exc.body.strip() else Failure(_OFF)) from exc
        if exc.status == 401:
            reason = "this needs what the server has as --debug-auth-token: give it in WFX_TOKEN or by --token-file"
            raise Failure(reason) from exc
        raise


PS = Command(
    "ps",
    "List the scripts that run",
    """
    List the scripts that run now in the server that answers, with all its worker processes, the oldest first: their
    numbers, what they run for, and since when. Where several servers share a database, each tells of its own runs only.
    The server shows this where its pages for analysis are on, to whom has their secret: --token-file, or WFX_TOKEN.
    """,
    examples="""
    # what runs
    wfxctl script ps

    # the tasks that these are
    wfxctl script ps -o json --filter '.content[].task'
    """,
    options=LOOK_TABLE,
    run=_ps,
)
KILL = Command(
    "kill",
    "End scripts that run",
    """
    End runs of scripts by their numbers, in whichever worker process of the server. Who tries a script is told that it
    was ended; a task that is ended has failed, and is not tried again by itself. All are tried; the exit code is 1 if
    any of them was not ended, for example because it had ended by itself.
    """,
    usage="NUMBER...",
    examples="""
    # end one
    wfxctl script kill 482913000007

    # end all that the server runs
    wfxctl script ps -o name | xargs wfxctl script kill
    """,
    run=_kill,
)
