"""``wfxctl workflow delete`` (cli section 8)."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfxctl import suggestions
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.targets import Side


def run(call: ClientInvocation) -> None:
    """Delete workflows in order, up to the first that fails."""
    for name in call.arguments:
        with suggestions.for_name(call, "workflow", name):
            call.fetch_and_show(Side.NORTH, "DELETE", "/workflows/" + segment(name))


COMMAND = Command(
    "delete",
    "Delete workflows",
    "Delete workflows, in order; stops at the first that cannot be deleted. A workflow that has jobs is kept.",
    usage="NAME...",
    examples="""
    # delete one workflow
    wfxctl workflow delete wfx.workflow.dau.direct

    # delete two
    wfxctl workflow delete wfx.workflow.dau.direct wfx.workflow.dau.phased
    """,
    run=run,
    argument_names="workflow",
)
