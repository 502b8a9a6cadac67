"""``wfxctl workflow validate`` (cli section 8)."""

from __future__ import annotations

import time
from functools import partial

from wfx.commandline.failures import EXIT_FAILED, EXIT_OK, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import gojson, workflow_inputs
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> int:
    """Say of each file whether its workflow makes sense. That is the result, so the exit code is 0 either way.

    Files that hold no workflow are failures, which keep no other file from being checked.
    """
    from wfxctl import workflow_check  # imports codecs that no other command needs

    if not call.arguments:
        raise UsageFailure("workflow file missing")
    code = EXIT_OK
    if call.arguments == ["-"]:
        sources = iter([workflow_inputs.read("standard input", partial(_standard_input, call))])
    else:
        sources = workflow_inputs.read_all(call, call.arguments)
    for source in sources:
        if isinstance(source, list):
            call.err.write("".join(f"Error: {neutralise(line)}\n" for line in source))
            code = EXIT_FAILED
            continue
        found = workflow_check.faults(source)
        for fault in found:
            call.out.write(f"ERROR: {neutralise(fault)}\n")
        if not found:
            call.out.write(f"{neutralise(source.document['name'])} : OK\n")
    return code


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
    "NAME : OK", or for each fault "ERROR: FILE:LINE:COLUMN: " and what is wrong. Keys that the server would ignore are
    faults too: most are misspelt. All files are checked, whatever is wrong with others. The exit code is 1 only when
    a file cannot be read or is no workflow at all, such as one that is neither YAML nor JSON; standard error tells why.
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
