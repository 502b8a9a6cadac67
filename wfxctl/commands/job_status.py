"""``wfxctl job get-status`` and ``update-status`` (cli section 6)."""

from __future__ import annotations

import time
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import bulk_options, selections, suggestions
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, encoded, segment
from wfxctl.targets import Side


def _path(job_id: str) -> str:
    return "/jobs/" + segment(job_id) + "/status"


def get(call: ClientInvocation) -> None:
    """Print the status of a job."""
    call.fetch_and_show(call.reading_side, "GET", _path(call.subject("id", "job id")))


def update(call: ClientInvocation) -> int | None:
    """Report a status and print what became of it, or move the jobs of a selection."""
    settings = call.settings
    if selections.given(settings, selections.STATUS_OPTIONS):
        return _many(call)
    bulk_options.refuse_without_many(call, "a selection, such as --tag or --from-state")
    # Whoever is not a client acts for the service: typing errors too, as scripts have it.
    side = Side.SOUTH if settings.text("actor").upper() == "CLIENT" else Side.NORTH
    status: dict[str, Any] = {"progress": settings.number("progress"), "state": settings.text("state")}
    optional = {"clientId": settings.text("client-id"), "message": settings.text("message")}
    status |= {name: value for name, value in optional.items() if value}
    job_id = call.subject("id", "job id")
    with suggestions.for_name(call, "state", settings.text("state"), job_id=job_id):
        call.fetch_and_show(side, "PUT", _path(job_id), body=encoded(status))
    return None


def _many(call: ClientInvocation) -> int:
    """Move jobs as the operator."""
    from wfxctl import bulk, bulk_changes, known_states  # only commands for many need them

    settings = call.settings
    if call.arguments or settings.is_flag("id"):
        raise UsageFailure("a job id and a selection exclude each other")
    if settings.is_flag("client-id"):
        raise UsageFailure("--client-id says who reports, which nobody does for many jobs; see --client-prefix")
    if settings.is_flag("actor") and settings.text("actor").upper() == "CLIENT":
        raise UsageFailure("many jobs are moved by the operator alone: leave out --actor")
    status: dict[str, Any] = {"state": call.required("state", "state")}
    if settings.is_flag("progress"):
        status["progress"] = settings.number("progress")
    if message := settings.text("message"):
        status["message"] = message

    def select(now: float) -> dict[str, Any]:
        return selections.selection_of(settings, selections.STATUS_OPTIONS, now)

    if not settings.is_flag("resume"):
        known_states.require(call, status["state"], select(time.time()))
    question = "move {jobs} to " + status["state"]
    return bulk.run(call, bulk_changes.change(question, "moved", "/jobs:update", select, {"status": status}))


GET = Command(
    "get-status",
    "Show the status of a job",
    "Show the status of a job: its state, and what was last reported.",
    usage="[ID]",
    examples="""
    # the whole status
    wfxctl job get-status --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # state and progress
    wfxctl job get-status --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --filter '"\\(.state) \\(.progress // 0)%"' --raw
    """,
    options=(JOB_ID,),
    run=get,
)
UPDATE = Command(
    "update-status",
    "Report the status of a job, or of many",
    """
    Report the status of a job, as its client or as an operator: the workflow says who may make which transition.
    Prints the resulting status, which lies further on if the workflow continues by itself.

    With conditions in place of an id, move all jobs that meet them, as the operator. All conditions must hold, and only
    those on the command line count. On a terminal it asks first, and says how many jobs it is about; elsewhere it needs
    --yes. --dry-run tells their exact number and the first ones. If more jobs match then than were counted, it stops.

    Jobs are changed in parts of 500. What is interrupted, by a lost connection too, is told to its end: how many are
    done, and with which --resume the same command goes on, so that nothing is done twice, within 24 hours. It also
    stops behind a part in which jobs could not be changed, unless --continue-on-error is given. Prints how many are
    done, failed and left; --results writes a row for each.

    Exit codes for many: 0 all are done, 6 at least one could not be changed, 130 interrupted, 1 anything else.
    """,
    usage="[ID]",
    examples="""
    # a device reports progress
    wfxctl job update-status --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --state INSTALLING --progress 40 \\
        --message "writing the image"

    # an operator moves the job on
    wfxctl job update-status --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --actor WFX --state ACTIVATE

    # give up on what has been stuck for half an hour
    wfxctl job update-status --tag rollout-7 --from-state INSTALLING --stale 30m --state TERMINATED --yes
    """,
    options=(
        JOB_ID,
        Option(
            "actor",
            Kind.STRING,
            "CLIENT reports through the client API, anything else through the management API",
            "CLIENT",
            suggestions=("CLIENT", "WFX"),
        ),
        Option("client-id", Kind.STRING, "the client that reports"),
        Option("state", Kind.STRING, "the new state", names="state"),
        Option("message", Kind.STRING, "a message for people"),
        Option("progress", Kind.INT, "progress in percent"),
        *selections.STATUS_OPTIONS,
        *bulk_options.OPTIONS,
    ),
    run=update,
)
