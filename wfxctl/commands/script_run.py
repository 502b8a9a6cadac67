"""``wfxctl script run``: tries a script on the server."""

from __future__ import annotations

from typing import Any

from wfx.commandline.grammar import Command
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfxctl import scripts
from wfxctl.invocation import ClientInvocation, encoded


def run(call: ClientInvocation) -> None:
    """Print what the script returns."""
    path = f"{scripts.path_of(scripts.name_of(call))}/run"
    body: dict[str, Any] = {"payload": scripts.read_json(call, "payload"), "next": call.settings.text("next")}
    if (facts := scripts.read_json(call, "data")) is not None:
        body["nflow_data"] = facts
    if seed := call.settings.number("seed"):
        body["seed"] = seed
    call.show_value(scripts.fetch(call, path, scripts.version_of(call), method="POST", body=encoded(body)))


COMMAND = Command(
    "run",
    "Try a script",
    """
    Run a script on the server, and print what it returns: the next state, the payload, actions, and how many operations
    it took. Nothing else happens. The same input gives the same result each time.
    """,
    usage="NAME",
    examples="""
    # with a payload
    wfxctl script run decide --payload '{"amount": 3}'

    # with what is in files
    wfxctl script run decide --payload @payload.json --data @facts.json
    """,
    options=(
        Option("payload", Kind.STRING, "the argument of main: JSON, or @FILE", extensions=ANY_FILE),
        Option("next", Kind.STRING, "the global next"),
        Option("data", Kind.STRING, "the global nflow_data: a JSON object, or @FILE", extensions=ANY_FILE),
        Option("seed", Kind.INT32, "what Math.random begins with; 0 is the server's default", 0),
        scripts.VERSION,
    ),
    run=run,
)
