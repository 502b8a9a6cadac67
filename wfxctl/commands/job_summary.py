"""``wfxctl job summary``: how many jobs are in which state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wfx.client.pauses import Backoff
from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import fleet, job_filters, selections, suggestions, tables
from wfxctl.documents import Document
from wfxctl.failures import RefusedByServer, Unreachable
from wfxctl.flags import COLOR
from wfxctl.invocation import ClientInvocation, decoded
from wfxctl.stream import Parser
from wfxctl.targets import Side

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

_PAUSE = 1.0
"""Seconds between two looks, at least, while things happen."""
_SHARE = 4
"""A look that takes long is followed by a pause of so many times that: no server is kept busy by who watches."""
_UNHEARD = 5.0
"""Seconds between two looks where the server does not tell of events."""
_HOME, _END_OF_LINE, _REST = "\x1b[H", "\x1b[K\n", "\x1b[J"
"""What a terminal needs to show a screen in place of the one before, without flicker."""


def run(call: ClientInvocation) -> None:
    """Print the counts, and with ``--watch`` again whenever they have changed."""
    if call.arguments:
        raise UsageFailure(f'wfxctl job summary takes no arguments, but was given "{call.arguments[0]}"')
    shown, api = _Shown(call), fleet.api_of(call)
    if call.settings.flag("watch"):
        _watch(call, api, shown)
    else:
        try:
            summary = _fetch_summary(call, api)
        except RefusedByServer as exc:
            raise fleet.explained(exc) from exc
        shown.show(summary)
        if not summary["total"]:
            suggestions.for_nothing(call, job_filters.names_of(call.settings))


def _watch(call: ClientInvocation, api: Api, shown: _Shown) -> None:
    """Look whenever something has happened, and at most once in a while."""
    events, backoff = call.api(Side.NORTH), Backoff()
    while True:
        began = time.monotonic()
        try:
            summary = _fetch_summary(call, api)
        except (Unreachable, RefusedByServer) as exc:
            if not _may_pass(exc, was_there=shown.has_shown):
                raise fleet.explained(exc) from exc
            pause = max(backoff.wait(), exc.retry_after if isinstance(exc, RefusedByServer) else 0)
            call.report_loss(_cause(exc), pause)
            time.sleep(pause)
            continue
        backoff.succeeded()
        next_look = began + max(_PAUSE, (1 + _SHARE) * (time.monotonic() - began))
        if not shown.show_again(summary):
            _wait_for_event(events, summary["position"])
        time.sleep(max(0.0, next_look - time.monotonic()))


def _may_pass(exc: Unreachable | RefusedByServer, *, was_there: bool) -> bool:
    """Tell whether waiting may help; a server that was never there is told of at once."""
    if isinstance(exc, Unreachable):
        return was_there
    return exc.status == 429 or exc.status >= 500 or (exc.status == 404 and was_there)


def _cause(exc: Unreachable | RefusedByServer) -> str:
    return f"the server answers {exc.status}" if isinstance(exc, RefusedByServer) else str(exc)


def _wait_for_event(events: Api, position: str) -> None:
    """Return when there is an event behind the position, or may be one."""
    try:
        with events.stream("/jobs/events", [("since", position)], {"Accept": "text/event-stream"}) as opened:
            if opened.status == 200:
                parser = Parser()
                any(map(parser.feed, opened.chunks))
                return
    except Unreachable:
        return  # the next look tells
    time.sleep(_UNHEARD)


def _fetch_summary(call: ClientInvocation, api: Api) -> Document:
    summary: Document = decoded(api.fetch("GET", "/jobs/summary", selections.parameters_of(call.settings, time.time())))
    if not _is_summary(summary):
        raise Failure("the answer is not a summary of jobs: something else than wfx may have answered")
    return summary


def _is_summary(answer: Any) -> bool:
    return (
        isinstance(answer, dict)
        and isinstance(answer.get("position"), str)
        and _is_number(answer.get("total"))
        and isinstance(answer.get("counts"), list)
        and all(map(_is_count, answer["counts"]))
    )


def _is_count(row: Any) -> bool:
    names = ("workflow", "group", "state")
    return (
        isinstance(row, dict) and all(isinstance(row.get(name), str) for name in names) and _is_number(row.get("jobs"))
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and value >= 0


class _Shown:
    """What is on the screen, or was printed last."""

    def __init__(self, call: ClientInvocation) -> None:
        self._call = call
        as_table = call.settings.text("output") == "table" and not call.settings.text("filter")
        self._printer = tables.Printer(call, _COLUMNS, lambda row: str(row["group"])) if as_table else None
        self._counts: list[Document] | None = None

    @property
    def has_shown(self) -> bool:
        """Whether there was a summary to show."""
        return self._counts is not None

    def show(self, summary: Document) -> None:
        """Print it; with ``--watch``, a terminal shows a table in place of what it showed before."""
        self._counts = summary["counts"]
        if self._printer is None:
            self._call.show_value(summary)
        elif not self._call.settings.flag("watch") or not self._call.out.is_terminal:
            self._printer.write(_rows(summary), header=True)
        else:
            lines = _fitting(self._printer.lines(_rows(summary), header=True), *self._call.out.size())
            self._call.out.write(_HOME + "".join(line + _END_OF_LINE for line in lines) + _REST)

    def show_again(self, summary: Document) -> bool:
        """Print it if it is another one, and tell whether it is."""
        is_another: bool = summary["counts"] != self._counts
        if is_another:
            self.show(summary)
        return is_another


def _fitting(lines: list[str], columns: int, height: int) -> list[str]:
    """Leave out what the screen has no room for, but neither header nor total; its last line is the cursor's."""
    if len(lines) >= height:
        kept = max(height - 4, 0)
        more = f"… {len(lines) - 2 - kept} more"
        lines = [*lines[: kept + 1], more, lines[-1]][-max(height - 1, 1) :]
    return [tables.cut(line, columns) for line in lines]


def _rows(summary: Document) -> list[Document]:
    return [*summary["counts"], {"workflow": "(all)", "group": "", "state": "", "jobs": summary["total"]}]


def _number(row: Document) -> str:
    return f"{row['jobs']:.0f}"


_COLUMNS = (
    tables.Column("WORKFLOW", lambda row: row["workflow"]),
    tables.Column("GROUP", lambda row: row["group"]),
    tables.Column("STATE", lambda row: row["state"], 12),
    tables.Column("JOBS", _number, 7, is_number=True),
)

COMMAND = Command(
    "summary",
    "Count jobs by state",
    """
    Count jobs by workflow, group and state, all at one moment. All conditions must hold; of several groups or tags
    one suffices. The server needs the fleet API.

    With --watch, the table is kept up to date on a terminal until interrupted, also across restarts of the server;
    elsewhere the counts are printed again whenever they have changed. The server is asked when something has happened,
    once a second at most, and not before it wants to be asked again.
    """,
    examples="""
    # how a rollout stands
    wfxctl job summary --tag rollout-7

    # what of it is stuck
    wfxctl job summary --tag rollout-7 --group OPEN --stale 30m

    # the number of failed jobs, for a script
    wfxctl job summary --group FAILED --filter .total

    # keep it on the screen
    wfxctl job summary --tag rollout-7 --watch
    """,
    options=(
        *selections.OPTIONS,
        Option("watch", Kind.BOOL, "go on and show every change"),
        Option("output", Kind.STRING, "form of the output", "table", choices=("table", "json"), short="o"),
        COLOR,
    ),
    run=run,
)
