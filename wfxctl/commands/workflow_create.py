"""``wfxctl workflow create`` (cli section 8)."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import forms, views, workflow_file
from wfxctl.flags import LOOK
from wfxctl.invocation import ClientInvocation, encoded
from wfxctl.targets import Side


def run(call: ClientInvocation) -> None:
    """Read all files first, then create the workflows in order, up to the first that fails."""
    if not call.arguments:
        raise UsageFailure("workflow file missing")
    if call.arguments == ["-"]:
        contents = {"standard input": call.read_standard_input()}
    else:
        contents = {name: call.read(name) for name in call.arguments}
    documents = [workflow_file.read(name, content).document for name, content in contents.items()]
    forms.check(call, views.WORKFLOWS)
    call.log.write("info", "creating workflows", count=len(documents))
    for document in documents:
        forms.show_body(call, call.fetch(Side.NORTH, "POST", "/workflows", body=encoded(document)), views.WORKFLOWS)


COMMAND = Command(
    "create",
    "Create workflows",
    """
    Create workflows from YAML or JSON files, one in each, or from standard input when the only FILE is -.
    Prints each new workflow; stops at the first that the server refuses.
    """,
    usage="FILE... | -",
    examples="""
    # from a file
    wfxctl workflow create lamp.yml

    # from standard input; print the name alone
    wfxctl workflow create -o name - < lamp.yml
    """,
    options=LOOK,
    run=run,
    extensions=("yaml", "yml", "json"),
)
