"""``wfxctl job delete`` (cli section 6)."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.targets import Side


def run(call: ClientInvocation) -> None:
    """Delete one job."""
    call.ask(Side.NORTH, "DELETE", "/jobs/" + segment(call.subject("id", "job id")))


COMMAND = Command(
    "delete",
    "Delete a job",
    "Delete a job and its history, whatever state it is in. Prints nothing.",
    usage="[ID]",
    examples="""
    # delete one job
    wfxctl job delete 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # delete all finished jobs of a client
    for id in $(wfxctl job query --client-id dev7 --group CLOSED --limit 0 -o name); do
        wfxctl job delete --id "$id"
    done
    """,
    options=(JOB_ID,),
    run=run,
)
