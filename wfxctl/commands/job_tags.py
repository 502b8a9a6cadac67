"""``wfxctl job add-tags``, ``del-tags`` and ``get-tags`` (cli section 6)."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, encoded, segment
from wfxctl.targets import Side


def _path(job_id: str) -> str:
    return "/jobs/" + segment(job_id) + "/tags"


def _subject(call: ClientInvocation) -> tuple[str, list[str]]:
    """Return the job's id and the tags: without the option, the first argument is the id."""
    if job_id := call.settings.text("id"):
        return job_id, call.arguments
    if len(call.arguments) < 2:
        raise UsageFailure("job id missing")
    return call.arguments[0], call.arguments[1:]


def add(call: ClientInvocation) -> None:
    """Add tags to a job; the server refuses an empty list."""
    job_id, tags = _subject(call)
    call.ask(Side.NORTH, "POST", _path(job_id), body=encoded(tags))


def delete(call: ClientInvocation) -> None:
    """Remove tags from a job."""
    job_id, tags = _subject(call)
    if not tags:
        raise UsageFailure("tags missing")
    call.ask(Side.NORTH, "DELETE", _path(job_id), body=encoded(tags))


def get(call: ClientInvocation) -> None:
    """Print the tags of a job."""
    call.ask(call.reading_side, "GET", _path(call.subject("id", "job id")))


ADD = Command(
    "add-tags",
    "Add tags to a job",
    "Add tags to a job; tags that it has already stay. Prints all tags of the job.",
    usage="[ID] TAG...",
    examples="""
    # add one tag
    wfxctl job add-tags 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 urgent

    # add two; a tag may contain blanks and commas
    wfxctl job add-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 "hall 1" lab
    """,
    options=(JOB_ID,),
    run=add,
)
DELETE = Command(
    "del-tags",
    "Remove tags from a job",
    "Remove tags from a job; tags that it does not have are no error. Prints the tags that are left.",
    usage="[ID] TAG...",
    examples="""
    # remove one tag
    wfxctl job del-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 urgent

    # remove two
    wfxctl job del-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 "hall 1" lab
    """,
    options=(JOB_ID,),
    run=delete,
)
GET = Command(
    "get-tags",
    "Show the tags of a job",
    "Show the tags of a job, sorted.",
    usage="[ID]",
    examples="""
    # as JSON
    wfxctl job get-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # one a line
    wfxctl job get-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --filter '.[]' --raw
    """,
    options=(JOB_ID,),
    run=get,
)
