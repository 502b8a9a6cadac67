"""``wfxctl job get`` (cli section 6)."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, views
from wfxctl.flags import JOB_ID, LOOK
from wfxctl.invocation import ClientInvocation, job_path


def run(call: ClientInvocation) -> None:
    """Print one job."""
    path = job_path(call.subject("id", "job id"))
    history = "true" if call.settings.flag("history") else "false"
    forms.fetch_and_show(call, path, [("history", history)], views.JOBS)


COMMAND = Command(
    "get",
    "Show one job",
    "Show one job, with its history if asked for. For people there is wfxctl job describe.",
    usage="[ID]",
    examples="""
    # everything about a job
    wfxctl job get 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --history

    # its state alone
    wfxctl job get --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --filter .status.state --raw

    # one line for people
    wfxctl job get 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 -o table
    """,
    options=(JOB_ID, Option("history", Kind.BOOL, "include earlier statuses, newest first"), *LOOK),
    run=run,
)
