"""``wfxctl job query`` (cli section 6), and ``--watch``."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import tables
from wfxctl.documents import Document
from wfxctl.flags import COLOR, LIMIT, OFFSET, OUTPUT, SORT
from wfxctl.invocation import ClientInvocation, Query
from wfxctl.job_filters import OPTIONS, conditions_of
from wfxctl.targets import Side
from wfxctl.watching import Changed, Conditions, Deleted, Listed, Watch


def run(call: ClientInvocation) -> None:
    """Print one page of the jobs that match, and with ``--watch`` every later change of a matching job."""
    if call.settings.flag("watch"):
        _watch(call)
    else:
        tables.ask(call, "/jobs", _query(call), tables.JOBS)


def _watch(call: ClientInvocation) -> None:
    settings = call.settings
    conditions = Conditions(
        client_id=settings.text("client-id"),
        state=settings.text("state"),
        workflow=settings.text("workflow"),
        groups=frozenset(settings.items("group")),
        tags=frozenset(settings.items("tag")),
    )
    printer = tables.Printer(call, tables.JOBS) if tables.wanted(call) else None
    for news in Watch(call.api(Side.SOUTH), _query(call), conditions, call.report_loss):
        if printer is not None:
            printer.write(_rows(news), header=isinstance(news, Listed))
        else:
            for document in _documents(news):
                call.show_value(document)


def _rows(news: Listed | Changed | Deleted) -> list[Document]:
    if isinstance(news, Deleted):
        return [news.job | {"status": {"state": "(deleted)"}}]
    return news.jobs if isinstance(news, Listed) else [news.job]


def _documents(news: Listed | Changed | Deleted) -> list[Document]:
    if isinstance(news, Deleted):
        return [{"deleted": True, "id": news.job.get("id")}]
    return news.jobs if isinstance(news, Listed) else [news.job]


def _query(call: ClientInvocation) -> Query:
    settings = call.settings
    page = [
        ("limit", str(settings.number("limit"))),
        ("offset", str(settings.number("offset"))),
        ("sort", settings.text("sort")),
    ]
    return conditions_of(settings) + page


COMMAND = Command(
    "query",
    "List jobs",
    """
    List jobs, oldest first. All conditions must hold; of several groups or tags one suffices.
    Prints one page: give --limit and --offset for more.

    With --watch, the list is followed by each matching job whenever it is created or changes, until interrupted, also
    across restarts of the server: as one more row of the table, or as a JSON document of its own. A job that no longer
    matches is shown once more; a deleted one says so.
    """,
    examples="""
    # what one device still has to do
    wfxctl job query --client-id dev7 --group OPEN --output table

    # the ids of all failed jobs of a workflow
    wfxctl job query --workflow wfx.workflow.dau.direct --group FAILED --limit 0 --filter '.content[].id' --raw

    # the five newest jobs
    wfxctl job query --sort desc --limit 5

    # follow a rollout on the screen
    wfxctl job query --tag rollout-7 --limit 0 --watch --output table
    """,
    options=(
        *OPTIONS,
        OFFSET,
        LIMIT,
        SORT,
        Option("watch", Kind.BOOL, "go on and show every change"),
        OUTPUT,
        COLOR,
    ),
    run=run,
)
