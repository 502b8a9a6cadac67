"""``wfxctl job query`` (cli section 6), and ``--watch``."""

from __future__ import annotations

from wfxctl import tables
from wfxctl.call import Call, Query
from wfxctl.grammar import Command
from wfxctl.options import COLOR, LIMIT, OFFSET, OUTPUT, SORT, Kind, Option
from wfxctl.targets import Side


def run(call: Call) -> None:
    """Print one page of the jobs that match, and with ``--watch`` every later change of a matching job."""
    tables.show(call, call.fetch(Side.SOUTH, "GET", "/jobs", _query(call)), tables.JOBS)


def _query(call: Call) -> Query:
    settings = call.settings
    conditions = [
        ("clientId", settings.text("client-id")),
        ("group", ",".join(settings.items("group"))),
        ("state", settings.text("state")),
        ("tag", ",".join(settings.items("tag"))),
        ("workflow", settings.text("workflow")),
    ]
    page = [
        ("limit", str(settings.number("limit"))),
        ("offset", str(settings.number("offset"))),
        ("sort", settings.text("sort")),
    ]
    return [(name, value) for name, value in conditions if value] + page


COMMAND = Command(
    "query",
    "List jobs",
    """
    List jobs, oldest first. All conditions must hold; of several groups or tags one suffices.
    Prints one page: give --limit and --offset for more.
    """,
    examples="""
    # what one device still has to do
    wfxctl job query --client-id dev7 --group OPEN --output table

    # the ids of all failed jobs of a workflow
    wfxctl job query --workflow wfx.workflow.dau.direct --group FAILED --limit 0 --filter '.content[].id' --raw

    # the five newest jobs
    wfxctl job query --sort desc --limit 5
    """,
    options=(
        Option("client-id", Kind.STRING, "only jobs of this client"),
        Option("state", Kind.STRING, "only jobs in this state"),
        Option("workflow", Kind.STRING, "only jobs that follow this workflow"),
        Option("group", Kind.STRINGS, "only jobs whose state is in one of these groups"),
        Option("tag", Kind.STRINGS, "only jobs that have one of these tags"),
        OFFSET,
        LIMIT,
        SORT,
        OUTPUT,
        COLOR,
    ),
    run=run,
)
