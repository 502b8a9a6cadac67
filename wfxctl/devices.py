"""What the commands for devices have in common: their argument, its path, and the columns of their tables."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfxctl.documents import Document, items, member, text
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.tables import Column
from wfxctl.times import local_time
from wfxctl.views import View


def path_of(client_id: str) -> str:
    """Return the path of a device."""
    return "/devices/" + segment(client_id)


def client_id_of(call: ClientInvocation) -> str:
    """Return the client id that is the first argument. Raises UsageFailure."""
    if not call.arguments or not call.arguments[0]:
        raise UsageFailure("client id missing")
    return call.arguments[0]


def current_group(device: Document) -> str:
    """Return the group that colours a row: that of the last result, unless a job is going on."""
    return "" if member(device, "currentJob") else text(device, "lastResult", "group")


def _attributes(device: Document) -> str:
    attributes = member(device, "attributes")
    pairs = attributes.items() if isinstance(attributes, dict) else ()
    return ",".join(f"{name}={value}" for name, value in pairs)


def _seen(heading: str, name: str) -> Column:
    def shown(device: Document) -> str:
        return local_time(text(device, name)) if text(device, name) else "never"

    return Column(heading, shown, 19, exact=lambda device: text(device, name))


DEVICES = View(
    identity=lambda device: text(device, "clientId"),
    columns=(
        Column("CLIENT", lambda device: text(device, "clientId")),
        _seen("SEEN", "lastSeen"),
        _seen("FIRST", "firstSeen"),
        Column("VERSION", lambda device: text(device, "version")),
        Column("CURRENT", lambda device: text(device, "currentJob", "state"), 12),
        Column("RESULT", lambda device: text(device, "lastResult", "state"), 12),
        Column("LABELS", lambda device: ",".join(str(label) for label in items(device, "labels"))),
        Column("ATTRIBUTES", _attributes),
        Column("JOB", lambda device: text(device, "currentJob", "id")),
    ),
    brief=("client", "seen", "version", "current", "result", "labels", "attributes"),
    group=current_group,
)
