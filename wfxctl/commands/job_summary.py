"""``wfxctl job summary``: how many jobs are in which state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import tables
from wfxctl.documents import Document, items, member, text
from wfxctl.failures import RefusedByServer, Unreachable
from wfxctl.flags import COLOR
from wfxctl.invocation import ClientInvocation, decoded
from wfxctl.job_filters import OPTIONS, conditions_of
from wfxctl.stream import Backoff
from wfxctl.targets import FLEET_PATH, Side

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

_PAUSE = 1.0
"""Seconds between two looks."""
_SHARE = 4
"""A look that takes long is followed by a pause of so many times that: no server is kept busy by who watches."""
_HOME, _END_OF_LINE, _REST = "\x1b[H", "\x1b[K\n", "\x1b[J"
"""What a terminal needs to show a screen in place of the one before, without flicker."""


def run(call: ClientInvocation) -> None:
    """Print the counts, and with ``--watch`` again whenever they have changed."""
    shown, api = _Shown(call), call.api(Side.NORTH, base=FLEET_PATH)
    shown.show(_look(call, api))
    if not call.settings.flag("watch"):
        return
    backoff, pause = Backoff(), _PAUSE
    while True:
        time.sleep(pause)
        began = time.monotonic()
        try:
            shown.show_again(_look(call, api))
        except (Unreachable, RefusedByServer) as exc:
            if isinstance(exc, RefusedByServer) and exc.status < 500:
                raise
            pause = backoff.wait()
            call.report_loss(str(exc), pause)
        else:
            backoff.succeeded()
            pause = max(_PAUSE, _SHARE * (time.monotonic() - began))


def _look(call: ClientInvocation, api: Api) -> Any:
    try:
        return decoded(api.fetch("GET", "/jobs/summary", conditions_of(call.settings)))
    except RefusedByServer as exc:
        if exc.status == 404 and not exc.body.strip():
            raise Failure("the server has no fleet API: it is older than this command") from exc
        raise


class _Shown:
    """What is on the screen, or was printed last."""

    def __init__(self, call: ClientInvocation) -> None:
        self._call = call
        as_table = call.settings.text("output") == "table" and not call.settings.text("filter")
        self._printer = tables.Printer(call, _COLUMNS, lambda row: text(row, "group")) if as_table else None
        self._counts: Any = None

    def show(self, summary: Any) -> None:
        """Print it; with ``--watch``, a terminal shows a table in place of what it showed before."""
        self._counts = member(summary, "counts")
        if self._printer is None:
            self._call.show_value(summary)
        elif not self._call.settings.flag("watch") or not self._call.out.is_terminal:
            self._printer.write(_rows(summary), header=True)
        else:
            lines = self._printer.lines(_rows(summary), header=True)
            self._call.out.write(_HOME + "".join(line + _END_OF_LINE for line in lines) + _REST)

    def show_again(self, summary: Any) -> None:
        """Print it if it is another one."""
        if member(summary, "counts") != self._counts:
            self.show(summary)


def _rows(summary: Any) -> list[Document]:
    counts = [row for row in items(summary, "counts") if isinstance(row, dict)]
    return [*counts, {"workflow": "(all)", "jobs": member(summary, "total")}]


def _number(row: Document) -> str:
    jobs = member(row, "jobs")
    return f"{jobs:.0f}" if isinstance(jobs, int | float) else ""


_COLUMNS = (
    tables.Column("WORKFLOW", lambda row: text(row, "workflow")),
    tables.Column("GROUP", lambda row: text(row, "group")),
    tables.Column("STATE", lambda row: text(row, "state"), 12),
    tables.Column("JOBS", _number, 7, is_number=True),
)

COMMAND = Command(
    "summary",
    "Count jobs by state",
    """
    Count jobs by workflow, group and state, all at one moment. All conditions must hold; of several groups or tags
    one suffices. The server needs the fleet API.

    With --watch, the table is kept up to date on a terminal until interrupted, also across restarts of the server;
    elsewhere the counts are printed again whenever they have changed.
    """,
    examples="""
    # how a rollout stands
    wfxctl job summary --tag rollout-7

    # the number of failed jobs, for a script
    wfxctl job summary --group FAILED --filter .total

    # keep it on the screen
    wfxctl job summary --tag rollout-7 --watch
    """,
    options=(
        *OPTIONS,
        Option("watch", Kind.BOOL, "go on and show every change"),
        Option("output", Kind.STRING, "form of the output", "table", choices=("table", "json")),
        COLOR,
    ),
    run=run,
)
