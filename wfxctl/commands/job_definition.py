"""``wfxctl job get-definition`` and ``update-definition`` (cli section 6)."""

from __future__ import annotations

from collections.abc import Iterator

from wfx.commandline.grammar import Command
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.targets import Side

_CHUNK = 64 * 1024


def _path(call: ClientInvocation) -> str:
    return "/jobs/" + segment(call.subject("id", "job id")) + "/definition"


def get(call: ClientInvocation) -> None:
    """Print the definition of a job."""
    call.fetch_and_show(call.reading_side, "GET", _path(call))


def update(call: ClientInvocation) -> None:
    """Replace the definition of a job by what standard input holds; the server checks it."""

    def chunks() -> Iterator[bytes]:
        while chunk := call.stdin.read(_CHUNK):
            yield chunk

    call.fetch_and_show(Side.NORTH, "PUT", _path(call), body=chunks())


GET = Command(
    "get-definition",
    "Show the definition of a job",
    "Show the definition of a job: the JSON object that tells the client what to do; null if there is none.",
    usage="[ID]",
    examples="""
    # the whole definition
    wfxctl job get-definition --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # save it to a file
    wfxctl job get-definition --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 > definition.json
    """,
    options=(JOB_ID,),
    run=get,
)
UPDATE = Command(
    "update-definition",
    "Replace the definition of a job",
    "Replace the definition of a job by the JSON object on standard input. Prints the stored definition.",
    usage="[ID]",
    examples="""
    # from a file
    wfxctl job update-definition --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 < definition.json

    # change one member
    wfxctl job get-definition --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --filter '.version = "2.1"' |
        wfxctl job update-definition --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10
    """,
    options=(JOB_ID,),
    run=update,
)
