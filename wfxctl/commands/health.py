"""``wfxctl health`` (cli section 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wfx.commandline.grammar import Command
from wfx.commandline.terminal import wants_color
from wfxctl import gojson
from wfxctl.documents import text
from wfxctl.failures import Unreachable
from wfxctl.flags import COLOR
from wfxctl.invocation import ClientInvocation
from wfxctl.targets import Side

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

_ENDPOINTS = (
    ("northbound", Side.NORTH, False),
    ("southbound", Side.SOUTH, False),
    ("northbound_tls", Side.NORTH, True),
    ("southbound_tls", Side.SOUTH, True),
)
_COLORS = {"up": 32, "down": 31, "unknown": 33}


def run(call: ClientInvocation) -> None:
    """Ask all four endpoints at once and print what each says; the exit code is 0 whatever they say."""
    from wfxctl import deadline  # few commands need it

    apis = [(name, call.api(side, tls=tls)) for name, side, tls in _ENDPOINTS]
    colored = wants_color(call.settings.text("color"), call.out, call.environment)
    pending = [(name, api, deadline.begin(partial(_status, api))) for name, api in apis]
    call.out.write("Health report:\n\n")
    for name, api, outcome in pending:
        status = outcome(None)
        shown = f"\x1b[{_COLORS[status]}m{status}\x1b[0m" if colored else status
        call.out.write(f"{name}\t{shown}\t({api.target.url})\n")


def _status(api: Api) -> str:
    """Return the server's own word, or ``down`` when it has none."""
    try:
        answer = api.send("GET", "/health")
        document = gojson.decode(answer.body)
    except (Unreachable, ValueError):
        return "down"
    status = text(document, "status")
    return status if answer.status in (200, 503) and status in _COLORS else "down"


COMMAND = Command(
    "health",
    "Show the health of the server",
    "Ask the client and the management API, both with and without TLS, whether they are up. The exit code is always 0.",
    examples="""
    # all endpoints
    wfxctl health

    # wait for a server to start
    until wfxctl health --color never | grep -w up; do sleep 1; done
    """,
    options=(COLOR,),
    run=run,
)
