"""``wfxctl workflow validate`` (cli section 8)."""

from __future__ import annotations

import time

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import gojson, workflow_file
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Say of each file whether its workflow makes sense. That is the result, so the exit code is 0 either way."""
    from wfxctl import workflow_check  # imports codecs that no other command needs

    if not call.arguments:
        raise UsageFailure("workflow file missing")
    for name in call.arguments:
        content = _standard_input(call) if call.arguments == ["-"] else call.read(name)
        source = workflow_file.read("standard input" if call.arguments == ["-"] else name, content)
        found = workflow_check.faults(source)
        for fault in found:
            call.out.write(f"ERROR: {neutralise(fault)}\n")
        if not found:
            call.out.write(f"{neutralise(source.document['name'])} : OK\n")


def _standard_input(call: ClientInvocation) -> bytes:
    # Log levels are configuration, which this command does not read: so the line appears always, and as JSON.
    moment = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    call.err.write(gojson.encode({"level": "debug", "message": "reading standard input", "time": moment}) + "\n")
    return call.read_standard_input()


COMMAND = Command(
    "validate",
    "Check workflows offline",
    """
    Check workflows by the rules of the server, without one. Says for each file "NAME : OK", or for each fault
    "ERROR: FILE:LINE: " and what is wrong; the exit code is 1 only when a file cannot be read. Keys that the server
    would ignore are faults too: most are misspelt.
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
