"""``wfxctl job history``: which states a job has been in, and for how long."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfxctl import forms
from wfxctl.documents import Document
from wfxctl.flags import JOB_ID, LOOK_TABLE
from wfxctl.invocation import ClientInvocation, decoded, job_path


def run(call: ClientInvocation) -> None:
    """Print one row for each stay in a state."""
    from wfxctl import job_stays  # only few commands need it

    path = job_path(call.subject("id", "job id"))
    forms.check(call, job_stays.VIEW)
    job: Document = decoded(call.fetch(call.reading_side, "GET", path, [("history", "true")]))
    forms.show(call, {"content": job_stays.stays(job)}, job_stays.VIEW)


COMMAND = Command(
    "history",
    "Show which states a job has been in",
    """
    Show which states a job has been in, the first one first: since when, for how long, how many changes there were
    (reports, also of tags and definition), and what was reported last. A report that was made again since its answer
    was lost counts in the row of its state. What the server has dropped from a long history is missing here too.
    """,
    usage="[ID]",
    examples="""
    # as a table
    wfxctl job history 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # how long each state took, in seconds
    wfxctl job history 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 -o csv --columns state,duration
    """,
    options=(JOB_ID, *LOOK_TABLE),
    run=run,
)
