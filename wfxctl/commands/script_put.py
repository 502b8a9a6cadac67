"""``wfxctl script put``: keeps a script on the server."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import forms, scripts
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Have the name stand for the content of the file, and print what is kept."""
    if len(call.arguments) != 2:
        raise UsageFailure("a name and a file are needed: wfxctl script put NAME FILE")
    forms.check(call, scripts.SCRIPTS)
    name, file = call.arguments
    source = scripts.read_source(call, file)
    stored = scripts.fetch(call, scripts.path_of(name), method="PUT", body=source)
    forms.show(call, {"content": [stored]}, scripts.SCRIPTS)


COMMAND = Command(
    "put",
    "Put a script",
    """
    Have a name stand for the script in a file; the file - is standard input. What the name stood for before is kept as
    a version. A source that is no script is refused, with line and column.
    """,
    usage="NAME FILE",
    examples="""
    # put a script, and try it
    wfxctl script put decide decide.js
    wfxctl script run decide --payload '{"amount": 3}'

    # put what another program writes
    echo 'next = "DONE"' | wfxctl script put done -
    """,
    options=LOOK_TABLE,
    run=run,
    extensions=("js",),
)
