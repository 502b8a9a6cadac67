"""``wfxctl workflow validate`` (cli section 8)."""

from __future__ import annotations

import time

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import gojson, workflow_file, workflow_inputs
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Say of each file whether its workflow makes sense. That is the result, so the exit code is 0 either way."""
    from wfxctl import workflow_check  # imports codecs that no other command needs

    if not call.arguments:
        raise UsageFailure("workflow file missing")
    is_input = call.arguments == ["-"]
    for name in ["standard input"] if is_input else workflow_inputs.files(call.arguments):
        source = workflow_file.read(name, _standard_input(call) if is_input else call.read(name))
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
    Check workflows by the rules of the server, without one; of a directory, the files in it. Says for each file
    "NAME : OK", or for each fault "ERROR: FILE:LINE: " and what is wrong; the exit code is 1 only when a file cannot be
    read. Keys that the server would ignore are faults too: most are misspelt.
    """,
    usage="FILE|DIRECTORY... | -",
    examples="""
    # check one file
    wfxctl workflow validate lamp.yml

    # check all files of a directory, and list what is wrong
    wfxctl workflow validate workflows/ | grep ERROR
    """,
    run=run,
    configured=False,
    extensions=("yaml", "yml"),
)
