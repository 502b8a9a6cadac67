"""``wfxctl script delete``."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import scripts
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Have names stand for nothing, one after the other."""
    if not call.arguments:
        raise UsageFailure("name of a script missing")
    for name in call.arguments:
        scripts.fetch(call, scripts.path_of(name), method="DELETE")


COMMAND = Command(
    "delete",
    "Delete scripts",
    """
    Have names stand for nothing. The versions are kept for a while, and can be put again.
    """,
    usage="NAME...",
    examples="""
    # delete one
    wfxctl script delete decide

    # delete all
    wfxctl script list --limit 0 -o name | xargs wfxctl script delete
    """,
    run=run,
)
