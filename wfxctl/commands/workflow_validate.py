"""``wfxctl workflow validate`` (cli section 8)."""

from __future__ import annotations

import time

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import gojson, workflow_file
from wfxctl.call import Call


def run(call: Call) -> None:
    """Say of each file whether its workflow makes sense. That is the result, so the exit code is 0 either way."""
    from wfx.domain import validation  # imports a JSON codec that no other command needs
    from wfx.domain.errors import WorkflowInvalid

    if not call.arguments:
        raise UsageFailure("workflow file missing")
    for name in call.arguments:
        content = _standard_input(call) if call.arguments == ["-"] else call.read(name)
        workflow = workflow_file.lenient(workflow_file.parse(name, content))
        try:
            validation.check(workflow)
        except WorkflowInvalid as exc:
            call.out.write(f"ERROR: {neutralise(str(exc))}\n")
        else:
            call.out.write(f"{neutralise(workflow.name)} : OK\n")


def _standard_input(call: Call) -> bytes:
    # Log levels are configuration, which this command does not read: so the line appears always, and as JSON.
    moment = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    call.err.write(gojson.encode({"level": "debug", "message": "reading standard input", "time": moment}) + "\n")
    return call.stdin.read()


COMMAND = Command(
    "validate",
    "Check workflows offline",
    """
    Check whether workflows make sense, without a server. Says for each file "NAME : OK", or "ERROR: " and what is
    wrong; the exit code is 1 only when a file cannot be read.
    """,
    usage="FILE... | -",
    examples="""
    # check one file
    wfxctl workflow validate lamp.yml

    # check all, and list what is wrong
    wfxctl workflow validate *.yml | grep ERROR
    """,
    run=run,
    configured=False,
    extensions=("yaml", "yml"),
)
