"""``wfxctl job add-tags``, ``del-tags`` and ``get-tags`` (cli section 6)."""

from __future__ import annotations

import re
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import bulk_options, selections
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, encoded, segment
from wfxctl.targets import Side

_ID = re.compile("-".join("[0-9a-f]" * digits for digits in (8, 4, 4, 4, 12)))
"""What ids of jobs look like."""


def _path(job_id: str) -> str:
    return "/jobs/" + segment(job_id) + "/tags"


def _subject(call: ClientInvocation) -> tuple[str, list[str]]:
    """Return the job's id and the tags: without the option, the first argument is the id."""
    if job_id := call.settings.text("id"):
        return job_id, call.arguments
    if len(call.arguments) < 2:
        raise UsageFailure("tags missing" if any(map(_ID.fullmatch, call.arguments)) else "job id missing")
    job_id, *tags = call.arguments
    if _ID.fullmatch(job_id) and (other := next(filter(_ID.fullmatch, tags), "")):
        raise UsageFailure(f"one job id is taken at a time, and {other} looks like another; with --id it is a tag")
    return job_id, tags


def _many(call: ClientInvocation, question: str, past: str, member: str) -> int | None:
    """Change the tags of the jobs of a selection, if there is one; None if there is none."""
    if not selections.given(call.settings, selections.OPTIONS):
        bulk_options.refuse_without_many(call, "a selection, such as --tag or --group")
        return None
    from wfxctl import bulk, bulk_changes  # only commands for many need them

    if call.settings.is_flag("id"):
        raise UsageFailure("--id and a selection exclude each other")
    if not call.arguments:
        raise UsageFailure("tags missing")

    def select(now: float) -> dict[str, Any]:
        return selections.selection_of(call.settings, selections.OPTIONS, now)

    return bulk.run(call, bulk_changes.change(question, past, "/jobs:tag", select, {member: call.arguments}))


def add(call: ClientInvocation) -> int | None:
    """Add tags to a job, or to those of a selection; the server refuses an empty list."""
    if (code := _many(call, "tag {jobs}", "tagged", "add")) is not None:
        return code
    job_id, tags = _subject(call)
    call.fetch_and_show(Side.NORTH, "POST", _path(job_id), body=encoded(tags))
    return None


def delete(call: ClientInvocation) -> int | None:
    """Remove tags from a job, or from those of a selection."""
    if (code := _many(call, "remove tags from {jobs}", "changed", "remove")) is not None:
        return code
    job_id, tags = _subject(call)
    if not tags:
        raise UsageFailure("tags missing")
    call.fetch_and_show(Side.NORTH, "DELETE", _path(job_id), body=encoded(tags))
    return None


def get(call: ClientInvocation) -> None:
    """Print the tags of a job."""
    call.fetch_and_show(call.reading_side, "GET", _path(call.subject("id", "job id")))


ADD = Command(
    "add-tags",
    "Add tags to a job, or to many",
    """
    Add tags to a job; tags that it has already stay. Prints all tags of the job.

    With conditions in place of an id, add them to all jobs that meet them; see wfxctl job update-status for what else
    there is to say about many. All arguments are tags then.
    """,
    usage="[ID] TAG...",
    examples="""
    # add one tag
    wfxctl job add-tags 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 urgent

    # add two; a tag may contain blanks and commas
    wfxctl job add-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 "hall 1" lab

    # mark all failed jobs of a rollout
    wfxctl job add-tags --tag rollout-7 --group FAILED --yes look-at
    """,
    options=(JOB_ID, *selections.OPTIONS, *bulk_options.OPTIONS),
    run=add,
)
DELETE = Command(
    "del-tags",
    "Remove tags from a job, or from many",
    """
    Remove tags from a job; tags that it does not have are no error. Prints the tags that are left.

    With conditions in place of an id, remove them from all jobs that meet them; see wfxctl job update-status for what
    else there is to say about many. All arguments are tags then.
    """,
    usage="[ID] TAG...",
    examples="""
    # remove one tag
    wfxctl job del-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 urgent

    # remove two
    wfxctl job del-tags --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 "hall 1" lab

    # of all jobs that have the tag
    wfxctl job del-tags --tag look-at --yes look-at
    """,
    options=(JOB_ID, *selections.OPTIONS, *bulk_options.OPTIONS),
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
