"""``wfxctl job retry``: the same once more, as a new job."""

from __future__ import annotations

from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Command
from wfxctl import forms, views
from wfxctl.documents import Document, items, member, text
from wfxctl.flags import COLOR, COLUMNS, JOB_ID, OUTPUT_NAME, SORT_BY
from wfxctl.invocation import ClientInvocation, decoded, encoded, job_path
from wfxctl.targets import Side


def run(call: ClientInvocation) -> None:
    """Create a job for the same client, with the same workflow, definition and tags."""
    path = job_path(call.subject("id", "job id"))
    forms.check(call, views.JOBS)
    job = decoded(call.fetch(call.reading_side, "GET", path, [("history", "false")]))
    body = encoded(_request(job))
    created = call.fetch(Side.NORTH, "POST", "/jobs", body=body)
    forms.show_body(call, created, views.JOBS)


def _request(job: Document) -> Document:
    client, workflow = text(job, "clientId"), text(job, "workflow", "name")
    if not client or not workflow:
        raise Failure("the answer is no job with a client and a workflow")
    request: Document = {"clientId": client, "workflow": workflow}
    if definition := member(job, "definition"):
        request["definition"] = definition
    if tags := items(job, "tags"):
        request["tags"] = tags
    return request


COMMAND = Command(
    "retry",
    "Create the same job once more",
    """
    Create a new job for the client of a job, with its workflow, definition and tags, and print the id of the new one.
    The old job stays as it is, whatever state it is in.
    """,
    usage="[ID]",
    examples="""
    # once more
    wfxctl job retry 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # all failed jobs of a rollout
    wfxctl job query --tag rollout-7 --group FAILED --limit 0 -o name | xargs -rn1 wfxctl job retry
    """,
    options=(JOB_ID, OUTPUT_NAME, COLUMNS, SORT_BY, COLOR),
    run=run,
)
