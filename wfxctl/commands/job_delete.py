"""``wfxctl job delete`` (cli section 6)."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import bulk_options, selections
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.targets import Side


def run(call: ClientInvocation) -> int | None:
    """Delete the jobs that are named, one after the other until one cannot be, or those of a selection."""
    if selections.given(call.settings, selections.OPTIONS):
        return _many(call)
    bulk_options.refuse_without_many(call, "a selection, such as --tag or --group")
    _named(call, call.subjects("id", "job id"))
    return None


def _named(call: ClientInvocation, job_ids: list[str]) -> None:
    for place, job_id in enumerate(job_ids, 1):
        try:
            call.fetch_and_show(Side.NORTH, "DELETE", "/jobs/" + segment(job_id))
        except Failure:
            if len(job_ids) > 1:
                left = len(job_ids) - place
                call.err.line(f"{job_id} was not deleted" + (f", {left:,} behind it were not tried" if left else ""))
            raise


def _many(call: ClientInvocation) -> int:
    from wfxctl import bulk, bulk_changes  # only commands for many need them

    if call.arguments or call.settings.is_flag("id"):
        raise UsageFailure("a job id and a selection exclude each other")

    def select(now: float) -> dict[str, Any]:
        return selections.selection_of(call.settings, selections.OPTIONS, now)

    return bulk.run(call, bulk_changes.change("delete {jobs}", "deleted", "/jobs:delete", select, {}))


COMMAND = Command(
    "delete",
    "Delete a job, or many",
    """
    Delete a job and its history, whatever state it is in. Prints nothing. Several are deleted one after the other,
    until one cannot be.

    With conditions in place of an id, delete all jobs that meet them; see wfxctl job update-status for what else there
    is to say about many.
    """,
    usage="[ID...]",
    examples="""
    # delete one job
    wfxctl job delete 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # how many jobs were finished long ago, and the first ones
    wfxctl job delete --group CLOSED --stale 90d --dry-run

    # delete them, and keep a list
    wfxctl job delete --group CLOSED --stale 90d --yes --results deleted.csv
    """,
    options=(JOB_ID, *selections.OPTIONS, *bulk_options.OPTIONS),
    run=run,
)
