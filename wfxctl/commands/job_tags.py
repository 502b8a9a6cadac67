"""``wfxctl job add-tags``, ``del-tags`` and ``get-tags`` (cli section 6)."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, encoded, segment
from wfxctl.targets import Side


def _path(call: ClientInvocation) -> str:
    return "/jobs/" + segment(call.required("id", "job id")) + "/tags"


def add(call: ClientInvocation) -> None:
    """Add tags to a job; the server refuses an empty list."""
    call.ask(Side.NORTH, "POST", _path(call), body=encoded(call.arguments))


def delete(call: ClientInvocation) -> None:
    """Remove tags from a job."""
    if not call.arguments:
        raise UsageFailure("tags missing")
    call.ask(Side.NORTH, "DELETE", _path(call), body=encoded(call.arguments))


def get(call: ClientInvocation) -> None:
    """Print the tags of a job."""
    call.ask(Side.SOUTH, "GET", _path(call))


ADD = Command(
    "add-tags",
    "Add tags to a job",
    "Add tags to a job; tags that it has already stay. Prints all tags of the job.",
    usage="TAG...",
    examples="""
    # add one tag
    wfxctl job add-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 urgent

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
    usage="TAG...",
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
    examples="""
    # as JSON
    wfxctl job get-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # one a line
    wfxctl job get-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --filter '.[]' --raw
    """,
    options=(JOB_ID,),
    run=get,
)
