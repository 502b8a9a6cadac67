"""What the commands for devices have in common: how they ask the fleet API, and the columns of their tables."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfxctl import tables
from wfxctl.documents import Document, items, member, text
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, Query, decoded, segment
from wfxctl.targets import FLEET_PATH, Side
from wfxctl.times import local_time


def fetch(call: ClientInvocation, method: str, path: str, query: Query = (), body: bytes | None = None) -> Any:
    """Return the decoded answer of the fleet API. Raises Failure for a server that has none."""
    try:
        return decoded(call.api(Side.NORTH, base=FLEET_PATH).fetch(method, path, query, body))
    except RefusedByServer as exc:
        if exc.status == 404 and not exc.body.strip():
            raise Failure("the server has no fleet API, or none for devices: it is older than this command") from exc
        raise


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


def _last_seen(device: Document) -> str:
    seen = text(device, "lastSeen")
    return local_time(seen) if seen else "never"


COLUMNS = (
    tables.Column("CLIENT", lambda device: text(device, "clientId")),
    tables.Column("LAST SEEN", _last_seen, 19),
    tables.Column("VERSION", lambda device: text(device, "version")),
    tables.Column("CURRENT", lambda device: text(device, "currentJob", "state"), 12),
    tables.Column("LAST RESULT", lambda device: text(device, "lastResult", "state"), 12),
    tables.Column("LABELS", lambda device: ",".join(str(label) for label in items(device, "labels"))),
    tables.Column("ATTRIBUTES", _attributes),
)
