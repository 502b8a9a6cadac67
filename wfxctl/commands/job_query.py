"""``wfxctl job query`` (cli section 6), and ``--watch``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import fleet, forms, job_filters, selections, suggestions, views
from wfxctl.documents import Document
from wfxctl.flags import LIMIT, LOOK, OFFSET, SORT
from wfxctl.invocation import ClientInvocation, Query

if TYPE_CHECKING:  # only --watch needs it
    from wfxctl.watching import Changed, Deleted, Listed


def run(call: ClientInvocation) -> None:
    """Print one page of the jobs that match, and with ``--watch`` every later change of a matching job."""
    call.pass_over_arguments("wfxctl job get shows one")
    if any(call.settings.is_flag(each.name) or call.settings.value(each.name) for each in selections.FLEET_OPTIONS):
        _fleet_list(call)
    elif call.settings.flag("watch"):
        _watch(call)
    else:
        _list(call)


def _list(call: ClientInvocation) -> None:
    if not forms.fetch_and_show_list(call, "/jobs", _query(call), views.JOBS):
        suggestions.for_nothing(call, job_filters.names_of(call.settings))


def _fleet_list(call: ClientInvocation) -> None:
    """List jobs by conditions that the fleet API alone knows, without their definitions."""
    settings = call.settings
    for name in ("watch", "offset"):
        if settings.is_flag(name):
            raise UsageFailure(f"--{name} does not go with conditions of the fleet API, such as --stale")
    forms.check(call, views.JOBS)
    conditions, counted = selections.parameters_of(settings, time.time()), forms.is_counted(call)
    query = [*conditions, ("sort", settings.text("sort"))]
    first = fleet.first_rows(call, "/jobs", query, settings.number("limit"), ahead=counted)
    forms.show(call, {"content": [fleet.as_job(row) for row in first.rows]}, views.JOBS)
    if not first.rows:
        suggestions.for_nothing(call, job_filters.names_of(settings))
    elif counted and first.has_more is not False:
        total = fleet.count_of_jobs(call, conditions)
        forms.tell_more(call, len(first.rows), total, are_more=first.has_more is True)


def _watch(call: ClientInvocation) -> None:
    from wfxctl.watching import Conditions, Watch  # see above

    settings = call.settings
    conditions = Conditions(
        client_id=settings.text("client-id"),
        state=settings.text("state"),
        workflow=settings.text("workflow"),
        groups=frozenset(settings.items("group")),
        tags=frozenset(settings.items("tag")),
    )
    forms.check(call, views.JOBS)
    write, shown = forms.row_writer(call, views.JOBS), 0
    for news in Watch(call.api(call.reading_side), _query(call), conditions, call.report_loss):
        if write is not None:
            write(forms.sorted_rows(call, _rows(news), views.JOBS))
        else:
            for document in forms.sorted_rows(call, _documents(news), views.JOBS):
                forms.show_document(call, document, following=shown > 0)
                shown += 1


def _rows(news: Listed | Changed | Deleted) -> list[Document]:
    return _jobs(news, lambda job: job | {"status": {"state": "(deleted)"}})


def _documents(news: Listed | Changed | Deleted) -> list[Document]:
    return _jobs(news, lambda job: {"deleted": True, "id": job.get("id")})


def _jobs(news: Listed | Changed | Deleted, of_deleted: Callable[[Document], Document]) -> list[Document]:
    """Return the jobs that the news is about; what is shown of one that was deleted, ``of_deleted`` tells."""
    from wfxctl.watching import Deleted, Listed  # see above

    if isinstance(news, Listed):
        return news.jobs
    return [of_deleted(news.job) if isinstance(news, Deleted) else news.job]


def _query(call: ClientInvocation) -> Query:
    settings = call.settings
    page = [
        ("limit", str(settings.number("limit"))),
        ("offset", str(settings.number("offset"))),
        ("sort", settings.text("sort")),
    ]
    return job_filters.conditions_of(settings) + page


COMMAND = Command(
    "query",
    "List jobs",
    """
    List jobs, oldest first. All conditions must hold; of several groups or tags one suffices.
    Prints one page: give --limit and --offset for more. With a condition that the fleet API alone knows (--all-tags,
    --client-prefix, --created-after and the like, --older-than, --stale), it asks the management API, and leaves out
    definitions and workflows.

    With --watch, the list is followed by each matching job whenever it is created or changes, until interrupted, also
    across restarts of the server: as one more row of the table, or as a JSON document of its own. A job that no longer
    matches is shown once more; a deleted one says so.
    """,
    examples="""
    # what one device still has to do
    wfxctl job query --client-id dev7 --group OPEN -o table

    # the ids of all failed jobs of a workflow
    wfxctl job query --workflow wfx.workflow.dau.direct --group FAILED --limit 0 -o name

    # who has been in which state for how long, the longest first
    wfxctl job query --group OPEN --limit 0 --columns client,state,changed --sort-by -changed

    # a file for a spreadsheet
    wfxctl job query --limit 0 -o csv > jobs.csv

    # what is stuck: open, and unchanged for half an hour
    wfxctl job query --tag rollout-7 --group OPEN --stale 30m --limit 0 -o table

    # the five newest jobs
    wfxctl job query --sort desc --limit 5

    # follow a rollout on the screen
    wfxctl job query --tag rollout-7 --limit 0 --watch -o table
    """,
    options=(
        *selections.OPTIONS,
        OFFSET,
        LIMIT,
        SORT,
        Option("watch", Kind.BOOL, "go on and show every change"),
        *LOOK,
    ),
    run=run,
)
