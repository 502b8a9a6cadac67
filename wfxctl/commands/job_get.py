"""``wfxctl job get`` (cli section 6)."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import tables
from wfxctl.flags import COLOR, JOB_ID, OUTPUT
from wfxctl.invocation import ClientInvocation, job_path


def run(call: ClientInvocation) -> None:
    """Print one job."""
    path = job_path(call.required("id", "job id"))
    history = "true" if call.settings.flag("history") else "false"
    tables.ask(call, path, [("history", history)], tables.JOBS)


COMMAND = Command(
    "get",
    "Show one job",
    "Show one job, with its history if asked for.",
    examples="""
    # everything about a job
    wfxctl job get --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --history

    # its state alone
    wfxctl job get --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --filter .status.state --raw

    # one line for people
    wfxctl job get --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --output table
    """,
    options=(JOB_ID, Option("history", Kind.BOOL, "include earlier statuses, newest first"), OUTPUT, COLOR),
    run=run,
)
