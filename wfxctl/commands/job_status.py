"""``wfxctl job get-status`` and ``update-status`` (cli section 6)."""

from __future__ import annotations

from typing import Any

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import suggestions
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, encoded, segment
from wfxctl.targets import Side


def _path(call: ClientInvocation) -> str:
    return "/jobs/" + segment(call.subject("id", "job id")) + "/status"


def get(call: ClientInvocation) -> None:
    """Print the status of a job."""
    call.ask(call.reading_side, "GET", _path(call))


def update(call: ClientInvocation) -> None:
    """Report a status and print what became of it."""
    settings = call.settings
    # Whoever is not a client acts for the service: typing errors too, as scripts have it.
    side = Side.SOUTH if settings.text("actor").upper() == "CLIENT" else Side.NORTH
    status: dict[str, Any] = {"progress": settings.number("progress"), "state": settings.text("state")}
    optional = {"clientId": settings.text("client-id"), "message": settings.text("message")}
    status |= {name: value for name, value in optional.items() if value}
    with suggestions.for_name(call, "state", settings.text("state"), job_id=call.subject("id", "job id")):
        call.ask(side, "PUT", _path(call), body=encoded(status))


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
    "Report the status of a job",
    """
    Report the status of a job, as its client or as an operator: the workflow says who may make which transition.
    Prints the resulting status, which lies further on if the workflow continues by itself.
    """,
    usage="[ID]",
    examples="""
    # a device reports progress
    wfxctl job update-status --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --state INSTALLING --progress 40 \\
        --message "writing the image"

    # an operator moves the job on
    wfxctl job update-status --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --actor WFX --state ACTIVATE
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
    ),
    run=update,
)
