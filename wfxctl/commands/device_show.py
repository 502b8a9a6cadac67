"""``wfxctl device show``: what is known of one device."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import fleet, forms
from wfxctl.devices import DEVICES, client_id_of, path_of
from wfxctl.flags import LOOK
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Print one device."""
    forms.check(call, DEVICES)
    client_id = client_id_of(call)
    if len(call.arguments) > 1:
        raise UsageFailure(f'one device is shown at a time, but "{call.arguments[1]}" was given, too')
    forms.show(call, fleet.fetch(fleet.api_of(call), "GET", path_of(client_id)), DEVICES)


COMMAND = Command(
    "show",
    "Show one device",
    """
    Show one device: when it was seen, what it says that it is, the job that it has to do, how the last one ended, its
    attributes and labels. The server needs the fleet API.
    """,
    usage="CLIENT_ID",
    examples="""
    # everything that is known
    wfxctl device show press-7

    # how its last job ended
    wfxctl device show press-7 --filter .lastResult.state --raw
    """,
    options=LOOK,
    run=run,
)
