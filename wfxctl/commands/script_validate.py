"""``wfxctl script validate``: has the server check sources."""

from __future__ import annotations

from wfx.commandline.failures import EXIT_FAILED, EXIT_OK, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import rules_api, scripts
from wfxctl.invocation import ClientInvocation

_PATH = "/checked"
"""Of the script that would be put: any name will do."""


def run(call: ClientInvocation) -> int:
    """Say of each file whether it is a script."""
    if not call.arguments:
        raise UsageFailure("script missing")
    code = EXIT_OK
    for name in call.arguments:
        shown = neutralise("standard input" if name == "-" else name)
        source = scripts.read_source(call, name)
        try:
            scripts.fetch(call, _PATH, [("dryRun", "true")], method="PUT", body=source)
        except rules_api.BadRequest as exc:
            code = EXIT_FAILED
            call.out.write(f"ERROR: {shown}: {neutralise(str(exc))}\n")
        else:
            call.out.write(f"{shown} : OK\n")
    return code


COMMAND = Command(
    "validate",
    "Check scripts",
    """
    Have the server check scripts, and keep nothing. Says for each file "FILE : OK", or "ERROR: FILE: " and what is
    wrong, with line and column. The exit code is 1 if a file is no script.
    """,
    usage="FILE... | -",
    examples="""
    # check all scripts
    wfxctl script validate *.js

    # check what another program writes
    echo 'next = "DONE"' | wfxctl script validate -
    """,
    run=run,
    extensions=("js",),
)
