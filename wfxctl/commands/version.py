"""``wfxctl version`` (cli section 9)."""

from __future__ import annotations

from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl.invocation import ClientInvocation, decoded


def run(call: ClientInvocation) -> None:
    """Print what the server says about itself, whatever the status."""
    answer = decoded(call.api(call.reading_side).send("GET", "/version").body)
    if not isinstance(answer, dict):
        raise Failure("the answer is no JSON object")
    lines = (f"{name:>10}: {neutralise(str(answer.get(name, '')))}\n" for name in ("version", "commit", "apiVersion"))
    call.out.write("\n" + "".join(lines))


COMMAND = Command(
    "version",
    "Show the version of the server",
    "Show the version of the server. For the version of wfxctl itself, see wfxctl --version.",
    examples="""
    # of the local server
    wfxctl version

    # of a server on another machine
    wfxctl version --client-host localhost
    """,
    run=run,
)
