"""``wfxctl device list``: which devices there are, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms
from wfxctl.devices import DEVICES, fetch
from wfxctl.documents import Document, items, text
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation

_MOST = 1000
"""Devices of a page, at most."""


def run(call: ClientInvocation) -> None:
    """Print the devices that match."""
    if call.arguments:
        raise UsageFailure(f'wfxctl device list takes no arguments, but was given "{call.arguments[0]}"')
    forms.check(call, DEVICES)
    forms.show(call, {"content": list(_devices(call))}, DEVICES)


def _devices(call: ClientInvocation) -> Iterator[Document]:
    """Read page after page, up to the limit."""
    limit, after = call.settings.number("limit"), ""
    left = limit if limit > 0 else None
    while left is None or left > 0:
        query = [*_conditions(call), ("limit", str(_MOST if left is None else min(left, _MOST)))]
        page: Any = fetch(call, "GET", "/devices", [*query, *([("after", after)] if after else [])])
        some = [row for row in items(page, "content") if isinstance(row, dict)]
        yield from some
        left = None if left is None else left - len(some)
        if not (after := text(page, "next")):
            return


def _conditions(call: ClientInvocation) -> list[tuple[str, str]]:
    settings = call.settings
    conditions = [
        ("attribute", ",".join(each.replace("=", ":", 1) for each in settings.items("attribute"))),
        ("clientIdPrefix", settings.text("prefix")),
        ("label", ",".join(settings.items("label"))),
        ("notSeenFor", settings.text("not-seen-for")),
        ("sort", settings.text("sort")),
        ("version", settings.text("device-version")),
    ]
    return [(name, value) for name, value in conditions if value]


COMMAND = Command(
    "list",
    "List devices",
    """
    List devices by their client ids: those that jobs were created for, that have asked or reported something, or that
    were given attributes or labels. All conditions must hold. The server needs the fleet API.

    When a device was seen is written down by the server some seconds later.
    """,
    examples="""
    # what is silent
    wfxctl device list --not-seen-for 24h

    # the canaries of a hall
    wfxctl device list --label canary --attribute site=hall1

    # the client ids of all presses, for a script
    wfxctl device list --prefix press- --limit 0 -o name
    """,
    options=(
        Option("prefix", Kind.STRING, "only devices whose client ids begin with this"),
        Option("label", Kind.STRINGS, "only devices that have each of these labels"),
        Option("attribute", Kind.STRINGS, "only devices that have each of these attributes, as NAME=VALUE"),
        Option(
            "not-seen-for", Kind.STRING, "only devices that were not seen for so long, or never, such as 30m or P1D"
        ),
        Option("device-version", Kind.STRING, "only devices that say that they are this"),
        Option("limit", Kind.INT32, "how many devices at most; 0 means all", 100),
        Option("sort", Kind.STRING, "sort order", "asc", choices=("asc", "desc")),
        *LOOK_TABLE,
    ),
    run=run,
)
